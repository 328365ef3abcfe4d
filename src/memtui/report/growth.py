"""Which functions grew between the first and the last profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from memtui import units
from memtui.diagnosis import FunctionGrowth
from memtui.model import Dated, gap_s
from memtui.report.account import GrownFunctions
from memtui.report.ledger import growth_class, head_row, number_cell
from memtui.report.markup import Markup, escaped, moment, tag, wide

MOST_ROWS = 15
_MOST_NAME = 240


def growth_section(grown: Sequence[GrownFunctions]) -> Markup | None:
    """Return a table for each kind of profile of which there are two."""
    if not grown:
        return None
    return tag("section", tag("h2", "What grew in the profiles"), [_table(each) for each in grown])


def _table(grown: GrownFunctions) -> Markup:
    size, change = _writers(grown.unit)
    title = (
        f"{grown.type}: {size(grown.total_before)} → {size(grown.total)} "
        f"({change(grown.total - grown.total_before)})"
    )
    said = _dates(grown)
    is_by_cum = grown.kind == "goroutine"
    rising = [
        each for each in grown.functions if (each.cum_growth if is_by_cum else each.growth) > 0
    ]
    if not rising:
        words = tag("p", "No function grew.")
        return tag("div", tag("h3", title), tag("p", said, class_="dim"), words)
    heads = ("function", "flat then", "flat now", "flat change", "cum now", "cum change")
    numbers = range(1, len(heads))
    table = tag(
        "table",
        head_row(heads, numbers),
        tag("tbody", [_row(each, size, change) for each in rising[:MOST_ROWS]]),
    )
    return tag("div", tag("h3", title), tag("p", said, class_="dim"), wide(title, table))


def _dates(grown: GrownFunctions) -> str:
    """Write of when the two profiles are, and how far apart they are where that is known."""
    span_s = gap_s(grown.first, grown.last)
    apart = "time between not known" if span_s is None else f"{units.duration(abs(span_s))} apart"
    return f"profiles of {_date(grown.first)} and {_date(grown.last)}, {apart}"


def _date(dated: Dated) -> str:
    return moment(dated.at) if dated.is_known else f"no time (read {moment(dated.at)})"


def _row(each: FunctionGrowth, size: Callable[[int], str], change: Callable[[int], str]) -> Markup:
    return tag(
        "tr",
        tag("th", tag("code", escaped(each.name, _MOST_NAME)), scope="row", class_="name"),
        number_cell(size(each.flat_before)),
        number_cell(size(each.flat)),
        number_cell(change(each.growth), growth_class(each.growth)),
        number_cell(size(each.cum)),
        number_cell(change(each.cum_growth), growth_class(each.cum_growth)),
    )


def _writers(unit: str) -> tuple[Callable[[int], str], Callable[[int], str]]:
    return (units.size, units.change) if unit == "bytes" else (str, units.count_change)
