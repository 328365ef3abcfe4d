"""A chart as lines: a legend, the dots with an axis at each side that has one, and the time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from memtui.panes.cells import Line, Role, Span, cells
from memtui.panes.gctrace.canvas import BLANK, DOTS_ACROSS, DOTS_DOWN, dots
from memtui.panes.gctrace.peaks import Point, broken_at
from memtui.panes.gctrace.scales import Scale
from memtui.panes.gctrace.window import Stretch
from memtui.panes.moments import clock, day_and_clock
from memtui.panes.plot import LABEL_CELLS

LABEL_ASIDE_CELLS = 5
_TIME_STEPS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 6 * 3600,
    12 * 3600, 24 * 3600,
)  # fmt: skip
_ONE_DAY_S = 86400
_BLANK: Role = "border"
"""No series has this role: so the spans of a series hold dots alone, and blanks are others."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A series to be drawn: its points in time, on which scale, and what the legend says.

    ``jumps``: from point to point; lines between them are drawn only while there are few.
    """

    role: Role
    points: Sequence[Point]
    scale: Scale
    legend: str
    jumps: bool = False


def legend(series: Sequence[Drawn], width: int) -> Line:
    """Return the names and last values of the series; the last ones give way."""
    spans = [Span(" " * LABEL_CELLS)]
    for number, one in enumerate(each for each in series if each.legend):
        added = [Span("  " if number else ""), Span(one.legend, one.role)]
        if cells((*spans, *added)) > width:
            break
        spans += added
    return tuple(spans)


def picture(
    series: Sequence[Drawn],
    stretch: Stretch,
    breaks: Sequence[float],
    height: int,
    *,
    left: Scale,
    aside: Scale | None,
) -> list[Line]:
    """Return the plot in ``height`` rows, the last of which is the time.

    The series given first lies above the others where they meet. Lines end at ``breaks`` (moments
    at which the process started anew), which are marked.
    """
    rows = height - 1
    grids = [_grid(one, stretch, breaks, rows) for one in series]
    marks = {int((at - stretch.start) // stretch.cell_s) for at in breaks}
    role_aside: Role = next((one.role for one in series if one.scale is aside), "dim")
    at_left, at_right = left.labels(rows), aside.labels(rows) if aside else {}
    lines: list[Line] = []
    for y in range(rows):
        label = at_left.get(y, "")
        spans = [Span(f"{label:>{LABEL_CELLS - 1}}{'┤' if label else '│'}", "dim")]
        drawn = [
            _cell([grid[y][x] for grid in grids], series, is_break=x in marks)
            for x in range(stretch.columns)
        ]
        for role, group in groupby(drawn, key=lambda cell: cell[1]):
            spans.append(Span("".join(char for char, _ in group), role))
        if aside:
            spans.append(Span(f"{at_right.get(y, ''):>{LABEL_ASIDE_CELLS}}", role_aside))
        lines.append(tuple(spans))
    return [*lines, time_axis(stretch)]


def _cell(bits: Sequence[int], series: Sequence[Drawn], *, is_break: bool) -> tuple[str, Role]:
    together = 0
    for each in bits:
        together |= each
    if not together:
        return ("┊", "bad") if is_break else (" ", _BLANK)
    uppermost = next(number for number, each in enumerate(bits) if each)
    return chr(BLANK + together), series[uppermost].role


def _grid(one: Drawn, stretch: Stretch, breaks: Sequence[float], rows: int) -> list[list[int]]:
    """Return the dots of a series: a line, or dots alone where a line would go up and down only.

    Such a line would fill the plot, hide the other series, and cost ten times as much to draw.
    """
    runs = _runs(one, stretch, breaks, rows)
    travel = sum(abs(b[1] - a[1]) for run in runs for a, b in pairwise(run))
    most = stretch.columns * rows // (4 if one.jumps else 1)
    return dots(runs, stretch.columns, rows, joined=travel <= most)


def _runs(
    one: Drawn, stretch: Stretch, breaks: Sequence[float], rows: int
) -> list[Sequence[tuple[float, float]]]:
    """Return the lines of a series in dots of the canvas, cut off at its edges."""
    across = DOTS_ACROSS / stretch.cell_s
    levels = DOTS_DOWN * rows - 1

    def placed(point: Point) -> tuple[float, float]:
        x = math.floor((point[0] - stretch.start) * across)
        return x, max(-1.0, min(levels + 1.0, one.scale.place(point[1]) * levels))

    runs = []
    for run in broken_at(one.points, breaks):
        cut = _between([placed(point) for point in run], -1.0, DOTS_ACROSS * stretch.columns)
        if cut:
            runs.append(cut)
    return runs


def _between(
    points: Sequence[tuple[float, float]], left: float, right: float
) -> Sequence[tuple[float, float]]:
    """Return the part of a line between two edges; a line from far away would cost its length."""
    if points[-1][0] < left or points[0][0] > right:
        return []
    inside = list(points)
    if len(inside) > 1 and inside[0][0] < left:
        inside[0] = _at_edge(inside[0], inside[1], left)
    if len(inside) > 1 and inside[-1][0] > right:
        inside[-1] = _at_edge(inside[-2], inside[-1], right)
    return [point for point in inside if left <= point[0] <= right]


def _at_edge(start: tuple[float, float], end: tuple[float, float], x: float) -> tuple[float, float]:
    share = (x - start[0]) / (end[0] - start[0]) if end[0] != start[0] else 0.0
    return x, start[1] + (end[1] - start[1]) * share


def time_axis(stretch: Stretch) -> Line:
    """Return the row under a plot: the time of day at round moments."""
    long = stretch.length_s >= _ONE_DAY_S
    write, room = (day_and_clock, 14) if long else (clock, 11)
    step_s = next(
        (step for step in _TIME_STEPS_S if step / stretch.cell_s >= room), _TIME_STEPS_S[-1]
    )
    row = ""
    offset_s = time.localtime(stretch.start).tm_gmtoff
    first = math.ceil((stretch.start + offset_s) / step_s) * step_s - offset_s
    for moment in range(int(first), math.ceil(stretch.end), step_s):
        x = int((moment - stretch.start) / stretch.cell_s)
        label = f"╵{write(moment)}"
        if x >= len(row) and x + len(label) <= stretch.columns:
            row += " " * (x - len(row)) + label
    return (Span(" " * LABEL_CELLS), Span(row, "dim"))
