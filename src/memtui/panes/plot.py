"""A small plot in braille: several series on one scale, with ticks people can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from memtui import units
from memtui.panes.cells import Line, Role, Span
from memtui.timeline import Extent

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of U+2800 for the dots of a cell: from top to bottom, left and right."""

LABEL_CELLS = 6

_Bar = Callable[[int, float, float], None]


@dataclass(frozen=True, slots=True)
class Series:
    """A series to draw: two extents for each cell of the plot's width."""

    role: Role
    extents: Sequence[Extent | None]


def scale(highest: int, steps: int) -> tuple[int, int]:
    """Return the top of the scale and the distance of its ticks, in bytes.

    The distance is a power of two; at most ``steps`` of them reach ``highest``.
    """
    step = 1
    while step * max(1, steps) < highest:
        step *= 2
    return max(1, -(-highest // step)) * step, step


def plot(series: Sequence[Series], width: int, height: int, bridge: int) -> list[Line]:
    """Draw ``series`` from zero upwards in ``width`` by ``height`` cells, ticks included.

    The series given first lies above the others. Columns without a value are bridged by a line
    when no more than ``bridge`` of them lie between two values; a longer gap stays a gap.
    """
    highest = max((extent.high for one in series for extent in one.extents if extent), default=0)
    top, step = scale(max(1, highest), max(1, height * 3 // 4))
    columns = width - LABEL_CELLS
    grids = [_dots(one.extents, columns, height, top, bridge) for one in series]
    labels = _labels(top, step, height)
    rows: list[Line] = []
    for y in range(height):
        label = labels.get(y, "")
        axis = "┤" if label else "│"
        spans = [Span(f"{label:>{LABEL_CELLS - 1}}{axis}", "dim")]
        if any(any(grid[y]) for grid in grids):
            drawn = [_cell([grid[y][x] for grid in grids], series) for x in range(columns)]
            for role, group in groupby(drawn, key=lambda cell: cell[1]):
                spans.append(Span("".join(char for char, _ in group), role))
        else:  # as most rows of a plot that starts at zero
            spans.append(Span(" " * columns))
        rows.append(tuple(spans))
    return rows


def _labels(top: int, step: int, height: int) -> dict[int, str]:
    """Return the label of each row that has one: every tick, or each second, fourth … of them."""
    while step * height < top * 2 and step < top:
        step *= 2
    return {
        (height * 4 - 1 - round(tick / top * (height * 4 - 1))) // 4: _tick(tick)
        for tick in range(0, top + 1, step)
    }


def _tick(count: int) -> str:
    """Write a tick, which is a round number: 16M."""
    return re.sub(r"\.0+(?=\D|$)", "", units.size(count))


def _cell(bits: Sequence[int], series: Sequence[Series]) -> tuple[str, Role]:
    together = 0
    for each in bits:
        together |= each
    if not together:
        return " ", "text"
    uppermost = next(number for number, each in enumerate(bits) if each)
    return chr(0x2800 + together), series[uppermost].role


def _dots(
    extents: Sequence[Extent | None], columns: int, height: int, top: int, bridge: int
) -> list[list[int]]:
    """Return the braille bits of each cell: a bar from low to high, joined to the one before."""
    grid = [[0] * columns for _ in range(height)]
    levels = height * 4 - 1

    def bar(column: int, low: float, high: float) -> None:
        for level in range(round(low / top * levels), round(high / top * levels) + 1):
            y = levels - level
            if 0 <= y <= levels:
                grid[y // 4][column // 2] |= _DOTS[y % 4][column % 2]

    before: tuple[int, Extent] | None = None
    for column, extent in enumerate(extents[: columns * 2]):
        if extent is None:
            continue
        bar(column, extent.low, extent.high)
        if before is not None and column - before[0] <= bridge + 1:
            _join(bar, *before, column, extent)
        before = (column, extent)
    return grid


def _join(
    bar: _Bar, from_column: int, from_extent: Extent, to_column: int, to_extent: Extent
) -> None:
    """Draw the straight line from the last value of one column to the nearest of another."""
    start = from_extent.last
    end = min(max(start, to_extent.low), to_extent.high)
    span = to_column - from_column
    value = float(start)
    for number in range(1, span + 1):
        after = start + (end - start) * number / span
        bar(from_column + number, min(value, after), max(value, after))
        value = after


def rug(columns: set[int], width: int) -> Line:
    """Draw a mark under each of the cells in ``columns``."""
    label = Span(f"{'GC':>{LABEL_CELLS - 1}} ", "dim")
    marks = "".join("╵" if x in columns else " " for x in range(width - LABEL_CELLS))
    return (label, Span(marks, "gc"))
