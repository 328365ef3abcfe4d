"""A series as lines: its highest and its lowest values, and a veil between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median
from typing import TypeAlias

from memtui.report.markup import Markup, tag
from memtui.timeline import Extent

Run: TypeAlias = "list[tuple[int, Extent]]"
"""Columns that hang together, with what the series did in each."""
Place: TypeAlias = Callable[[float], float]
Point: TypeAlias = tuple[float, float]

_NEAR = 2
"""A column so far from the one before belongs to the same veil."""
_BRIDGED = 4.0
"""Times the usual distance of two values: a longer one is not bridged by a line."""


def runs(
    extents: Sequence[Extent | None], breaks: Sequence[int], *, holds: bool = False
) -> list[Run]:
    """Return the columns that hang together: none over a break, nor over a long silence.

    ``breaks`` are columns before which a line ends. A value that ``holds`` until the next one
    knows no silence: what a cycle found alive is not read again and again.
    """
    known = [(place, extent) for place, extent in enumerate(extents) if extent]
    steps = [later[0] - place[0] for place, later in pairwise(known)]
    bridge = max(3.0, _BRIDGED * median(steps)) if steps and not holds else float("inf")
    found: list[Run] = [known[:1]]
    for (last, _), entry in pairwise(known):
        place = entry[0]
        if place - last > bridge or any(last < cut <= place for cut in breaks):
            found.append([])
        found[-1].append(entry)
    return found


def curve(parts: Sequence[Run], x: Place, y: Place, role: str, dash: str) -> Markup:
    """Draw a series; ``x`` and ``y`` say where a column and a value lie."""
    tops, lows, veils = [], [], []
    for run in parts:
        tops.append(_line([(x(column + 0.5), y(extent.high)) for column, extent in run]))
        for dense in _dense(run):
            high = [(x(column + 0.5), y(extent.high)) for column, extent in dense]
            low = [(x(column + 0.5), y(extent.low)) for column, extent in dense]
            if high == low:
                continue
            if len(dense) == 1:
                lows.append(f"M{high[0][0]:.1f},{high[0][1]:.1f}V{low[0][1]:.1f}")
            else:
                lows.append(_line(low))
                veils.append(f"{_line(high)}L{_line(low[::-1])[1:]}z")
    style = {"stroke_dasharray": dash or None}
    return tag(
        "g",
        tag("path", d="".join(veils), class_=f"veil f-{role}") if veils else None,
        tag("path", d="".join(lows), class_=f"s-{role} low") if lows else None,
        tag("path", d="".join(tops), class_=f"s-{role}", **style),
    )


def _dense(run: Run) -> list[Run]:
    """Part a run where columns are empty: nobody knows what the lowest value was in between."""
    parts: list[Run] = [run[:1]]
    for (last, _), entry in pairwise(run):
        if entry[0] - last > _NEAR:
            parts.append([])
        parts[-1].append(entry)
    return parts


def _line(points: Sequence[Point]) -> str:
    """Write points as path data; those on a level line between others are left out."""
    if len(points) == 1:
        (x, y), = points  # fmt: skip
        return f"M{x - 0.7:.1f},{y:.1f}h1.4"
    kept = [
        point
        for place, point in enumerate(points)
        if place in (0, len(points) - 1)
        or not abs(points[place - 1][1] - point[1]) < 0.05 > abs(points[place + 1][1] - point[1])
    ]
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in kept)
