"""The top list: the functions that hold most, in the columns of pprof -top."""

from __future__ import annotations

from itertools import accumulate

from memtui import units
from memtui.model import FunctionValue, SampleValues
from memtui.panes.cells import Line
from memtui.panes.table import Column, table
from memtui.plain import plain

_COLUMNS = (
    Column("flat", 6, role="live"),
    Column("flat%", 5, yields=2),
    Column("sum%", 5, yields=4, role="dim"),
    Column("cum", 6, yields=1),
    Column("cum%", 5, yields=3),
    Column("function", 10, text=True),
)


def amount(value: int, unit: str) -> str:
    """Write a value in the unit of its sample type: bytes, nanoseconds, or a count."""
    match unit:
        case "bytes":
            return units.size(value)
        case "nanoseconds":
            return units.milliseconds(value / 1e6)
        case _:
            return str(value)


def short_name(name: str) -> str:
    """Return a function without the directories of its package: store.(*Cache[...]).Put."""
    ends = [at for at in (name.find("["), name.find("(")) if at >= 0]
    path = name[: min(ends)] if ends else name
    return name[path.rfind("/") + 1 :]


def function_lines(
    values: SampleValues, functions: range, width: int, shift: int
) -> tuple[Line, list[Line]]:
    """Return the head line and the lines of some of the functions, by their rank."""
    sums = list(accumulate(each.flat for each in values.functions[: functions.stop]))

    def row(rank: int) -> tuple[str, ...]:
        function = values.functions[rank]
        return (
            amount(function.flat, values.unit),
            units.share(function.flat, values.total),
            units.share(sums[rank], values.total),
            amount(function.cum, values.unit),
            units.share(function.cum, values.total),
            _name_at(function, shift),
        )

    return table(_COLUMNS, [row(rank) for rank in functions], width)


def _name_at(function: FunctionValue, shift: int) -> str:
    """Return the name from its short form on, moved sideways when it was asked for."""
    name = plain(function.name)
    return name[shift - 1 :] if shift else plain(short_name(function.name))
