"""Draws a small plot in braille: several series on one scale, with round ticks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from memtui import units
from memtui.render.cells import Line, Role, Span
from memtui.timeline import Extent

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of U+2800 for the dots of a cell: rows from the top, left and right column."""

LABEL_CELLS = 6


@dataclass(frozen=True, slots=True)
class Series:
    """A series to draw: two extents for each cell of the width."""

    role: Role
    extents: Sequence[Extent | None]


def scale(highest: int, steps: int) -> tuple[int, int]:
    """Return the top of the scale and the distance between its ticks, in bytes.

    The distance is a power of two; at most ``steps`` ticks reach ``highest``.
    """
    step = 1
    while step * max(1, steps) < highest:
        step *= 2
    return max(1, -(-highest // step)) * step, step


def plot(series: Sequence[Series], width: int, height: int, bridge: int) -> list[Line]:
    """Draw ``series`` from zero upwards in ``width`` by ``height`` cells, including ticks.

    The first series is drawn above the others. Up to ``bridge`` columns without a value are bridged
    by a line; a longer gap stays empty.
    """
    highest = max((extent.high for one in series for extent in one.extents if extent), default=0)
    top, step = scale(max(1, highest), max(1, height * 3 // 4))
    columns = width - LABEL_CELLS
    grids = [_dots(one.extents, columns, height, top, bridge) for one in series]
    labels = _labels(top, step, height)
    roles = tuple(one.role for one in series)
    rows: list[Line] = []
    for y in range(height):
        label = labels.get(y, "")
        axis = "┤" if label else "│"
        spans = [Span(f"{label:>{LABEL_CELLS - 1}}{axis}", "dim")]
        if any(any(grid[y]) for grid in grids):
            drawn = [_cell(bits, roles) for bits in zip(*(grid[y] for grid in grids), strict=True)]
            for role, group in groupby(drawn, key=lambda cell: cell[1]):
                spans.append(Span("".join(char for char, _ in group), role))
        else:  # true for most rows of a plot that starts at zero
            spans.append(Span(" " * columns))
        rows.append(tuple(spans))
    return rows


def _labels(top: int, step: int, height: int) -> dict[int, str]:
    """Return the labels by row: every tick, or every second, fourth … tick."""
    while step * height < top * 2 and step < top:
        step *= 2
    return {
        (height * 4 - 1 - round(tick / top * (height * 4 - 1))) // 4: _tick(tick)
        for tick in range(0, top + 1, step)
    }


def _tick(count: int) -> str:
    """Format a tick, which is a round number: 16M."""
    return re.sub(r"\.0+(?=\D|$)", "", units.size(count))


@lru_cache(512)
def _cell(bits: tuple[int, ...], roles: tuple[Role, ...]) -> tuple[str, Role]:
    together = 0
    for each in bits:
        together |= each
    if not together:
        return " ", "text"
    uppermost = next(number for number, each in enumerate(bits) if each)
    return chr(0x2800 + together), roles[uppermost]


def _dots(
    extents: Sequence[Extent | None], columns: int, height: int, top: int, bridge: int
) -> list[list[int]]:
    """Return the braille bits of each cell: bars from low to high, joined to each other."""
    grid = [[0] * columns for _ in range(height)]
    levels = height * 4 - 1

    def bar(column: int, low: float, high: float) -> None:
        first, last = round(low / top * levels), round(high / top * levels)
        for y in range(levels - min(last, levels), levels - max(first, 0) + 1):
            grid[y // 4][column // 2] |= _DOTS[y % 4][column % 2]

    before, before_at = 0, -bridge - 2
    for column, extent in enumerate(extents[: columns * 2]):
        if extent is None:
            continue
        low, high = extent.low, extent.high
        span = column - before_at
        if span <= bridge + 1:
            # A straight line from the last value of the previous column to the nearest value of
            # this one; the bar of this column includes the last part of the line.
            value, rise = float(before), (min(max(before, low), high) - before) / span
            for number in range(1, span):
                after = before + rise * number
                bar(before_at + number, min(value, after), max(value, after))
                value = after
            bar(column, min(low, value), max(high, value))
        else:
            bar(column, low, high)
        before, before_at = extent.last, column
    return grid


def rug(columns: set[int], width: int) -> Line:
    """Draw a mark in each of the cells in ``columns``."""
    label = Span(f"{'GC':>{LABEL_CELLS - 1}} ", "dim")
    marks = "".join("╵" if x in columns else " " for x in range(width - LABEL_CELLS))
    return (label, Span(marks, "gc"))
