"""The top list: the functions that hold most, in the columns of pprof -top.

By which column a list of functions goes, and how its title says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, TypeAlias

from memtui.panes.profile import lists
from memtui.panes.profile.lists import RowList
from memtui.panes.profile.values import DOWN, UP, Measure
from memtui.pprof.top import TopRow
from memtui.render.cells import Line, Span, line
from memtui.render.table import Column
from memtui.sanitize import plain

By: TypeAlias = Literal["flat", "cum", "name"]
"""What a list goes by. flat%, sum% and cum% have the order of their amounts."""

_ORDERS: tuple[By, ...] = ("flat", "cum", "name")


@dataclass(frozen=True, slots=True)
class ListOrder:
    """By which column a list goes, and whether its end comes first."""

    by: By = "flat"
    backwards: bool = False

    def next(self) -> ListOrder:
        """Return the order by the next column."""
        return ListOrder(_ORDERS[(_ORDERS.index(self.by) + 1) % len(_ORDERS)])

    def turned(self) -> ListOrder:
        """Return the same column the other way round."""
        return replace(self, backwards=not self.backwards)

    def titled(self, by: By, title: str) -> str:
        """Return the title of a column, marked when the list goes by it."""
        if by != self.by:
            return title
        return (UP if self.backwards == (by != "name") else DOWN) + title


FIRST = ListOrder()
"""The largest own value first."""


@dataclass(frozen=True, slots=True)
class TopList:
    """Rows in an order, and the sums of their flat values from the first one on."""

    rows: tuple[TopRow, ...]
    sums: tuple[int, ...]
    measure: Measure
    order: ListOrder


def listed(rows: Sequence[TopRow], measure: Measure, order: ListOrder) -> TopList:
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


def draw(
    data: TopList, state: RowList, width: int, height: int, *, focused: bool
) -> tuple[RowList, list[Line]]:
    """Return exactly ``height`` lines of at most ``width`` cells, the titles first.

    Beside them comes the state with the first row that was drawn.
    """
    return lists.draw(
        _columns(data),
        len(data.rows),
        lambda at: (_numbers(data, at), data.rows[at].name),
        state,
        width,
        height,
        focused=focused,
    )


def _columns(data: TopList) -> tuple[Column, ...]:
    titled = data.order.titled
    return (
        Column(titled("flat", "flat"), 6, role="live"),
        Column("flat%", 6 if data.measure.is_difference else 5, yields=2),
        Column("sum%", 5, yields=4, role="dim"),
        Column(titled("cum", "cum"), 6, yields=1),
        Column("cum%", 5, yields=3),
        Column(titled("name", "function"), 14, text=True),
    )


def _numbers(data: TopList, at: int) -> tuple[str | Span, ...]:
    row, measure = data.rows[at], data.measure
    return (
        Span(measure.amount(row.flat), measure.role(row.flat)),
        measure.share(row.flat),
        measure.share(data.sums[at]),
        Span(measure.amount(row.cum), measure.role(row.cum, "text")),
        measure.share(row.cum),
    )


def hint(data: TopList, state: RowList) -> Line:
    """Say the whole name of the selected function."""
    if not data.rows:
        return line("no samples")
    return line(plain(data.rows[state.selection.at(range(len(data.rows)))].name))
