"""The lists of functions: in the columns of pprof -top, and their growth since a base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, TypeAlias

from memtui.diagnosis import FunctionGrowth, compare_functions
from memtui.panes.profile import base_view
from memtui.panes.profile.base_view import NameListState, NameListView
from memtui.panes.profile.formatting import DOWN, UP, Measure, amount, change, direction
from memtui.pprof.top import TopRow
from memtui.render.cells import Line, Span, line
from memtui.render.table import Column
from memtui.sanitize import plain

SortColumn: TypeAlias = Literal["flat", "cum", "name"]
"""The column to sort by. flat%, sum% and cum% have the order of their amounts."""

_ORDERS: tuple[SortColumn, ...] = ("flat", "cum", "name")


@dataclass(frozen=True, slots=True)
class ListOrder:
    """The column that a list is sorted by, and whether the order is reversed."""

    by: SortColumn = "flat"
    backwards: bool = False

    def next(self) -> ListOrder:
        """Return the order by the next column."""
        return ListOrder(_ORDERS[(_ORDERS.index(self.by) + 1) % len(_ORDERS)])

    def turned(self) -> ListOrder:
        """Return the reversed order."""
        return replace(self, backwards=not self.backwards)

    def titled(self, by: SortColumn, title: str) -> str:
        """Return the title of a column, with an arrow if the list is sorted by it."""
        if by != self.by:
            return title
        return (UP if self.backwards == (by != "name") else DOWN) + title


BY_FLAT = ListOrder()
"""The default order: largest flat first."""


@dataclass(frozen=True, slots=True)
class TopList:
    """Sorted rows, and the running sums of their flat values."""

    rows: tuple[TopRow, ...]
    sums: tuple[int, ...]
    measure: Measure
    order: ListOrder


def order_top(rows: Sequence[TopRow], measure: Measure, order: ListOrder) -> TopList:
    """Sort rows: largest amount first (the sign does not matter), or by name."""
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
    data: TopList, state: NameListState, width: int, height: int, *, focused: bool
) -> tuple[NameListState, list[Line]]:
    """Return exactly ``height`` lines of at most ``width`` cells, the titles first.

    The returned state has the new scroll position.
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


def top_hint(data: TopList, state: NameListState) -> Line:
    """Return the full name of the selected function."""
    if not data.rows:
        return line("no samples")
    return line(plain(data.rows[state.selection.at(range(len(data.rows)))].name))


HOUR_S = 3600.0
LEAST_FOR_AN_HOUR_S = 60.0
"""The shortest time from which growth is extrapolated to an hour."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The functions that changed, sorted; their unit; the seconds between base and profile.

    ``span_s`` None is unknown: then there is no growth per hour.
    """

    changes: tuple[FunctionGrowth, ...]
    unit: str
    span_s: float | None = None
    order: ListOrder = BY_FLAT

    @property
    def has_hours(self) -> bool:
        """Whether the time between base and profile is long enough for growth per hour."""
        return bool(hourly(1, self.span_s, "count"))


def compare(
    base: Sequence[TopRow],
    now: Sequence[TopRow],
    unit: str,
    span_s: float | None = None,
    order: ListOrder = BY_FLAT,
) -> Comparison:
    """Join the functions of two profiles by name, without those that did not change."""
    changed = (
        each
        for each in compare_functions(base, now)
        if (each.flat_before, each.cum_before) != (each.flat, each.cum)
    )
    return order_growth(Comparison(tuple(changed), unit, span_s), order)


def order_growth(data: Comparison, order: ListOrder) -> Comparison:
    """Sort the functions: largest growth first, or by name.

    Functions of equal growth are sorted by the growth of the other column.
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


def _by_growth(each: FunctionGrowth) -> tuple[int, int, str]:
    return -each.growth, -each.cum_growth, each.name


def _by_cum_growth(each: FunctionGrowth) -> tuple[int, int, str]:
    return -each.cum_growth, -each.growth, each.name


def _by_name(each: FunctionGrowth) -> tuple[int, int, str]:
    return 0, 0, each.name


def percent(before: int, now: int) -> str:
    """Return growth in percent of the base: +45%, −7%, new, gone, · for none."""
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
    """Return growth per hour: +1.2M/h; "" if ``span_s`` is unknown (None) or too short.

    A few seconds cannot be extrapolated to an hour: a heap profile changes with each GC cycle.
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
    data: Comparison, state: NameListState, width: int, height: int, *, focused: bool
) -> tuple[NameListState, list[Line]]:
    """Return exactly ``height`` lines of at most ``width`` cells, the titles first.

    The returned state has the new scroll position.
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


def _growth_cells(data: Comparison, each: FunctionGrowth) -> tuple[str | Span, ...]:
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


def growth_hint(data: Comparison, state: NameListState) -> Line:
    """Return the change of the selected function, and its full name."""
    if not data.changes:
        return line("nothing changed since the base")
    each = data.changes[state.selection.at(range(len(data.changes)))]
    then, now = amount(each.flat_before, data.unit), amount(each.flat, data.unit)
    per_hour = hourly(each.growth, data.span_s, data.unit)
    spans = [
        Span(change(each.growth, data.unit), direction(each.growth)),
        Span(f" {then} → {now}"),
        Span(f" {per_hour}" if per_hour else "", "dim"),
    ]
    return line(*spans, f"  {plain(each.name)}")


@dataclass(frozen=True, slots=True)
class TopView(NameListView):
    """The functions in the columns of pprof -"""

    data: TopList

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TopView, list[Line]]:
        """Draw the list."""
        state, lines = draw_top(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Return the full name of the selected function."""
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
        """Return the change of the selected function."""
        return growth_hint(self.data, self.state)
