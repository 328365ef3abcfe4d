"""The top list: the functions that hold most, in the columns of pprof -top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from memtui.panes.cells import Line, Span, line
from memtui.panes.profile import rowlist
from memtui.panes.profile.order import Order
from memtui.panes.profile.rowlist import RowList
from memtui.panes.profile.values import Measure
from memtui.panes.table import Column
from memtui.plain import plain
from memtui.pprof.top import Row


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows in an order, and the sums of their flat values from the first one on."""

    rows: tuple[Row, ...]
    sums: tuple[int, ...]
    measure: Measure
    order: Order


def listed(rows: Sequence[Row], measure: Measure, order: Order) -> Listed:
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
    return Listed(tuple(ordered), tuple(accumulate(row.flat for row in ordered)), measure, order)


def draw(
    data: Listed, state: RowList, width: int, height: int, *, focused: bool
) -> tuple[RowList, list[Line]]:
    """Return exactly ``height`` lines of at most ``width`` cells, the titles first.

    Beside them comes the state with the first row that was drawn.
    """
    return rowlist.draw(
        _columns(data),
        len(data.rows),
        lambda at: (_numbers(data, at), data.rows[at].name),
        state,
        width,
        height,
        focused=focused,
    )


def _columns(data: Listed) -> tuple[Column, ...]:
    titled = data.order.titled
    return (
        Column(titled("flat", "flat"), 6, role="live"),
        Column("flat%", 6 if data.measure.is_difference else 5, yields=2),
        Column("sum%", 5, yields=4, role="dim"),
        Column(titled("cum", "cum"), 6, yields=1),
        Column("cum%", 5, yields=3),
        Column(titled("name", "function"), 14, text=True),
    )


def _numbers(data: Listed, at: int) -> tuple[str | Span, ...]:
    row, measure = data.rows[at], data.measure
    return (
        Span(measure.amount(row.flat), measure.role(row.flat)),
        measure.share(row.flat),
        measure.share(data.sums[at]),
        Span(measure.amount(row.cum), measure.role(row.cum, "text")),
        measure.share(row.cum),
    )


def hint(data: Listed, state: RowList) -> Line:
    """Say the whole name of the selected function."""
    if not data.rows:
        return line("no samples")
    return line(plain(data.rows[state.selection.at(range(len(data.rows)))].name))
