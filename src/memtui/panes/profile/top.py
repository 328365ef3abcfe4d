"""The top list: the functions that hold most, in the columns of pprof -top.

By which column a list of functions goes, and how its title says so.

What grew between two profiles: each function then and now, growth first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, TypeAlias

from memtui.diagnosis import Growth, growths
from memtui.panes.profile import base_view
from memtui.panes.profile.base_view import NameListView, RowList
from memtui.panes.profile.formatting import DOWN, UP, Measure, amount, change, direction
from memtui.pprof.top import TopRow
from memtui.render.cells import Line, Span, line
from memtui.render.table import Column
from memtui.sanitize import plain

SortColumn: TypeAlias = Literal["flat", "cum", "name"]
"""What a list goes by. flat%, sum% and cum% have the order of their amounts."""

_ORDERS: tuple[SortColumn, ...] = ("flat", "cum", "name")


@dataclass(frozen=True, slots=True)
class ListOrder:
    """By which column a list goes, and whether its end comes first."""

    by: SortColumn = "flat"
    backwards: bool = False

    def next(self) -> ListOrder:
        """Return the order by the next column."""
        return ListOrder(_ORDERS[(_ORDERS.index(self.by) + 1) % len(_ORDERS)])

    def turned(self) -> ListOrder:
        """Return the same column the other way round."""
        return replace(self, backwards=not self.backwards)

    def titled(self, by: SortColumn, title: str) -> str:
        """Return the title of a column, marked when the list goes by it."""
        if by != self.by:
            return title
        return (UP if self.backwards == (by != "name") else DOWN) + title


BY_FLAT = ListOrder()
"""The largest own value first."""


@dataclass(frozen=True, slots=True)
class TopList:
    """Rows in an order, and the sums of their flat values from the first one on."""

    rows: tuple[TopRow, ...]
    sums: tuple[int, ...]
    measure: Measure
    order: ListOrder


def order_top(rows: Sequence[TopRow], measure: Measure, order: ListOrder) -> TopList:
    """Put rows in order: the largest amount first (a negative one by its amount), or by name."""
    match order.by:
        case "flat":
            ordered = sorted(rows, key=lambda row: (-abs(row.flat), -abs(row.cum), row.name))
        case "cum":
            ordered = sorted(rows, key=lambda row: (-abs(row.cum), -abs(row.flat), row.name))
        case _:
            ordered = sorted(rows, key=lambda row: row.name)
    if order.backwards:
        ordered.reverse()
    return TopList(tuple(ordered), tuple(accumulate(row.flat for row in ordered)), measure, order)


def draw_top(
    data: TopList, state: RowList, width: int, height: int, *, focused: bool
) -> tuple[RowList, list[Line]]:
    """Return exactly ``height`` lines of at most ``width`` cells, the titles first.

    Beside them comes the state with the first row that was drawn.
    """
    return base_view.draw_rows(
        _top_columns(data),
        len(data.rows),
        lambda at: (_top_cells(data, at), data.rows[at].name),
        state,
        width,
        height,
        focused=focused,
    )


def _top_columns(data: TopList) -> tuple[Column, ...]:
    titled = data.order.titled
    return (
        Column(titled("flat", "flat"), 6, role="live"),
        Column("flat%", 6 if data.measure.is_difference else 5, yields=2),
        Column("sum%", 5, yields=4, role="dim"),
        Column(titled("cum", "cum"), 6, yields=1),
        Column("cum%", 5, yields=3),
        Column(titled("name", "function"), 14, text=True),
    )


def _top_cells(data: TopList, at: int) -> tuple[str | Span, ...]:
    row, measure = data.rows[at], data.measure
    return (
        Span(measure.amount(row.flat), measure.role(row.flat)),
        measure.share(row.flat),
        measure.share(data.sums[at]),
        Span(measure.amount(row.cum), measure.role(row.cum, "text")),
        measure.share(row.cum),
    )


def top_hint(data: TopList, state: RowList) -> Line:
    """Say the whole name of the selected function."""
    if not data.rows:
        return line("no samples")
    return line(plain(data.rows[state.selection.at(range(len(data.rows)))].name))


HOUR_S = 3600.0
LEAST_FOR_AN_HOUR_S = 60.0
"""A shorter time is not made an hour of."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The functions that changed, in an order; their unit; the seconds between base and now.

    ``span_s`` None is not known: then there is no growth an hour.
    """

    changes: tuple[Growth, ...]
    unit: str
    span_s: float | None = None
    order: ListOrder = BY_FLAT

    @property
    def has_hours(self) -> bool:
        """Whether base and now lie so far apart that a growth an hour says something."""
        return bool(hourly(1, self.span_s, "count"))


def compare(
    base: Sequence[TopRow],
    now: Sequence[TopRow],
    unit: str,
    span_s: float | None = None,
    order: ListOrder = BY_FLAT,
) -> Comparison:
    """Join the functions of two profiles by name; what did not change is left out."""
    changed = (
        each
        for each in growths(base, now)
        if (each.flat_before, each.cum_before) != (each.flat, each.cum)
    )
    return order_growth(Comparison(tuple(changed), unit, span_s), order)


def order_growth(data: Comparison, order: ListOrder) -> Comparison:
    """Put the functions in another order: the largest growth first, what shrank most last.

    Among functions that grew alike the one with the larger change of the other column comes first.
    """
    match order.by:
        case "flat":
            key = _by_growth
        case "cum":
            key = _by_cum_growth
        case _:
            key = _by_name
    changes = sorted(data.changes, key=key, reverse=order.backwards)
    return replace(data, changes=tuple(changes), order=order)


def _by_growth(each: Growth) -> tuple[int, int, str]:
    return -each.growth, -each.cum_growth, each.name


def _by_cum_growth(each: Growth) -> tuple[int, int, str]:
    return -each.cum_growth, -each.growth, each.name


def _by_name(each: Growth) -> tuple[int, int, str]:
    return 0, 0, each.name


def percent(before: int, now: int) -> str:
    """Write a growth in percent of what was there: +45%, −7%, new, gone, · for none."""
    if before == now:
        return "·"
    if before == 0:
        return "new"
    if now == 0:
        return "gone"
    grown = (now - before) / abs(before) * 100
    if abs(grown) >= 1000:
        return f"×{now / before:.0f}" if abs(now / before) < 1e4 else "×10⁴+"
    digits = f"{abs(grown):.0f}" if abs(grown) >= 1 else "<1"
    return f"{'+' if grown > 0 else '−'}{digits}%"


def hourly(growth: int, span_s: float | None, unit: str) -> str:
    """Write what a growth is an hour: +1.2M/h; "" where that would be a guess.

    ``span_s`` is the time it took, None when it is not known. A few seconds say nothing about an
    hour, least of all of a heap profile, which moves with each collection.
    """
    if span_s is None or span_s < LEAST_FOR_AN_HOUR_S:
        return ""
    an_hour = round(growth / span_s * HOUR_S)
    return f"{change(an_hour, unit)}/h" if an_hour else change(0, unit)


def _growth_columns(data: Comparison) -> tuple[Column, ...]:
    titled = data.order.titled
    per_hour = (Column("Δ/hour", 7, yields=4),) if data.has_hours else ()
    return (
        Column(titled("flat", "Δflat"), 6),
        Column("grew", 5),
        *per_hour,
        Column("flat", 6, yields=3, role="live"),
        Column(titled("cum", "Δcum"), 6, yields=1),
        Column("cum", 6, yields=5),
        Column(titled("name", "function"), 16, text=True),
    )


def draw_growth(
    data: Comparison, state: RowList, width: int, height: int, *, focused: bool
) -> tuple[RowList, list[Line]]:
    """Return exactly ``height`` lines of at most ``width`` cells, the titles first.

    Beside them comes the state with the first row that was drawn.
    """
    return base_view.draw_rows(
        _growth_columns(data),
        len(data.changes),
        lambda at: (_growth_cells(data, data.changes[at]), data.changes[at].name),
        state,
        width,
        height,
        focused=focused,
    )


def _growth_cells(data: Comparison, each: Growth) -> tuple[str | Span, ...]:
    role = direction(each.growth)
    per_hour = (Span(hourly(each.growth, data.span_s, data.unit), role),) if data.has_hours else ()
    return (
        Span(change(each.growth, data.unit), role),
        Span(percent(each.flat_before, each.flat), role),
        *per_hour,
        Span(amount(each.flat, data.unit), "live" if each.flat else "dim"),
        Span(change(each.cum_growth, data.unit), direction(each.cum_growth)),
        amount(each.cum, data.unit),
    )


def growth_hint(data: Comparison, state: RowList) -> Line:
    """Say the change of the selected function in words, and its whole name."""
    if not data.changes:
        return line("nothing changed since the base")
    each = data.changes[state.selection.at(range(len(data.changes)))]
    then, now = amount(each.flat_before, data.unit), amount(each.flat, data.unit)
    per_hour = hourly(each.growth, data.span_s, data.unit)
    said = [
        Span(change(each.growth, data.unit), direction(each.growth)),
        Span(f" {then} → {now}"),
        Span(f" {per_hour}" if per_hour else "", "dim"),
    ]
    return line(*said, f"  {plain(each.name)}")


@dataclass(frozen=True, slots=True)
class TopView(NameListView):
    """The functions in the columns of pprof -"""

    data: TopList

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TopView, list[Line]]:
        """Draw the list."""
        state, lines = draw_top(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say the whole name."""
        return top_hint(self.data, self.state)


@dataclass(frozen=True, slots=True)
class GrowthView(NameListView):
    """The functions that changed since the base, growth first."""

    data: Comparison

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[GrowthView, list[Line]]:
        """Draw the list."""
        state, lines = draw_growth(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say then and now of the selected function."""
        return growth_hint(self.data, self.state)
