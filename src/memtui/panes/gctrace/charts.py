"""The plots of the pane: which series each one has, how they are written, what they mean.

A chart as lines: a legend, the dots with an axis at each side that has one, and the time.

Lines of a series as braille, drawn by plotext: only the dots, without frame, ticks or colour.

plotext writes escape codes for colours of its own, and axes of its own; neither is used. What it
draws here is one series in dots; the colours are those of the style sheet.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Generic, TypeAlias, TypeVar

from memtui import units
from memtui.local_time import day_and_time, time_of_day
from memtui.model import GcCycle, GcPause, Sample, ScavengeLine
from memtui.panes.gctrace.columns import stopped
from memtui.panes.gctrace.scales import (
    Folded,
    PlotSpan,
    Point,
    Scale,
    broken_at,
    in_bytes,
    in_ms,
    in_ms_by_powers,
    in_percent,
)
from memtui.render.braille_plot import LABEL_CELLS
from memtui.render.cells import Line, Role, Span, cells
from memtui.timeline import Timeline

S = TypeVar("S", bound=Sample)

MakeScale: TypeAlias = Callable[[float, float, int], Scale]


@dataclass(frozen=True, slots=True)
class ChartSeries(Generic[S]):
    """A series: what of a sample it draws (None: nothing is known), and how that is written.

    ``aside``: it has the scale on the right side.
    """

    name: str
    role: Role
    read: Callable[[S], float | None]
    write: Callable[[float], str]
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Chart(Generic[S]):
    """A plot of one kind of sample. The first series lies above the others.

    ``jumps``: the values of one cycle say little about those of the next.
    """

    name: str
    kind: type[S]
    traces: tuple[ChartSeries[S], ...]
    scale: MakeScale
    meaning: str
    empty: str
    """What to say, and to do, when there is nothing to draw."""
    scale_aside: MakeScale = in_percent
    jumps: bool = False

    def folded(self, timeline: Timeline, cell_s: float) -> Folded[S]:
        """Return the series of this chart, to be folded into cells of ``cell_s`` seconds."""
        return Folded(timeline.track(self.kind), [trace.read for trace in self.traces], cell_s)

    def looks(self) -> list[tuple[Role, bool]]:
        """Return of each series its colour, and whether its scale is the one on the right."""
        return [(trace.role, trace.aside) for trace in self.traces]

    def numbers(self, timeline: Timeline, until: float) -> range:
        """Return the numbers of the events that are held up to ``until``."""
        return timeline.track(self.kind).numbers(until)

    def legends(self, timeline: Timeline, until: float) -> list[str]:
        """Return the name of each series with its last value; empty where it has none."""
        last = timeline.track(self.kind).last(until)
        return [_legend(trace, trace.read(last[1]) if last else None) for trace in self.traces]


def _legend(trace: ChartSeries[S], value: float | None) -> str:
    return "" if value is None else f"{trace.name} {trace.write(value)}"


def _size(value: float) -> str:
    return units.size(int(value))


def _percent(value: float) -> str:
    return f"{value:.0f}%"


def _clock(cycle: GcCycle, place: int) -> float | None:
    """Return one of the phases; Go before 1.5 had other ones."""
    phases = cycle.clock_ms
    return phases[place] if len(phases) in (3, 5) else None


def _concurrent(cycle: GcCycle) -> float | None:
    if len(cycle.clock_ms) not in (3, 5):
        return None
    return max(0.0, sum(cycle.clock_ms) - sum(cycle.pauses_ms))


def _cpu(cycle: GcCycle, place: int) -> float | None:
    return cycle.cpu_ms[place] if len(cycle.cpu_ms) >= -place else None


_NO_CYCLES = "no cycles in this time"

HEAP: Chart[GcCycle] = Chart(
    "heap", GcCycle,
    (
        ChartSeries("live", "live", lambda cycle: cycle.heap_live_bytes, _size),
        ChartSeries("start", "dim", lambda cycle: cycle.heap_start_bytes, _size),
        ChartSeries("end", "text", lambda cycle: cycle.heap_end_bytes, _size),
        ChartSeries("goal", "goal", lambda cycle: cycle.goal_bytes, _size),
    ),
    in_bytes,
    "what each cycle found alive (grows: a leak), its start, its end, its goal",
    _NO_CYCLES,
)  # fmt: skip
SCAVENGER: Chart[ScavengeLine] = Chart(
    "scavenger", ScavengeLine,
    (
        ChartSeries("util", "gc", lambda line: line.util_percent, _percent, aside=True),
        ChartSeries("in use", "live", lambda line: line.inuse_bytes, _size),
        ChartSeries("released", "shrink", lambda line: line.released_bytes, _size),
    ),
    in_bytes,
    "released: given back or never used; low util: kept, but idle",
    "no scavenger lines: they come with GODEBUG=scavtrace=1",
)  # fmt: skip
TIMES: Chart[GcCycle] = Chart(
    "times", GcCycle,
    (
        ChartSeries("stop: mark end", "text", lambda cycle: _clock(cycle, -1), stopped),
        ChartSeries("stop: sweep end", "gc", lambda cycle: _clock(cycle, 0), stopped),
        ChartSeries("concurrent", "dim", _concurrent, stopped),
    ),
    in_ms_by_powers,
    "of each cycle: both stops of the world, and marking beside it",
    _NO_CYCLES,
    jumps=True,
)  # fmt: skip
CPU: Chart[GcCycle] = Chart(
    "GC CPU", GcCycle,
    (
        ChartSeries("assist", "bad", lambda cycle: _cpu(cycle, -4), stopped),
        ChartSeries("background", "gc", lambda cycle: _cpu(cycle, -3), stopped),
        ChartSeries("idle", "dim", lambda cycle: _cpu(cycle, -2), stopped),
    ),
    in_ms,
    "of each cycle: assist slows the program down, idle costs it nothing",
    _NO_CYCLES,
)  # fmt: skip
PAUSES: Chart[GcPause] = Chart(
    "pauses", GcPause,
    (ChartSeries("stopped", "gc", lambda pause: pause.pause_s * 1000, stopped),),
    in_ms,
    "how long the program stood still in each cycle",
    _NO_CYCLES,
)  # fmt: skip

AnyChart: TypeAlias = Chart[GcCycle] | Chart[ScavengeLine] | Chart[GcPause]
AnyFolded: TypeAlias = Folded[GcCycle] | Folded[ScavengeLine] | Folded[GcPause]

OF_TRACE: tuple[AnyChart, ...] = (HEAP, SCAVENGER, TIMES, CPU)
OF_MEMSTATS: tuple[AnyChart, ...] = (PAUSES,)

DOTS_ACROSS, DOTS_DOWN = 2, 4
"""A cell of braille."""

BLANK = 0x2800
"""The braille pattern without a dot."""


def dots(
    runs: Sequence[Sequence[tuple[float, float]]], width: int, height: int, *, joined: bool = True
) -> list[list[int]]:
    """Return the dots of each cell, from the top: the bits of a braille pattern.

    Each run is a line through points (x, y): x from 0 at the left to ``2 * width - 1``, y from 0
    at the bottom to ``4 * height - 1``. What lies outside is not drawn; a single point is a dot,
    and so is every one that is not ``joined`` to the next.
    """
    rows = _drawn(runs, width, height, joined=joined).split("\n")[:height]
    return [[_bits(char) for char in row.ljust(width)[:width]] for row in rows]


def _bits(char: str) -> int:
    return ord(char) - BLANK if "\u2800" <= char <= "\u28ff" else 0


def _drawn(
    runs: Sequence[Sequence[tuple[float, float]]], width: int, height: int, *, joined: bool
) -> str:
    """Return the text that plotext makes of the lines; it is imported when the first is drawn."""
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    plotext.xaxes(False, False)
    plotext.yaxes(False, False)
    plotext.xticks([])
    plotext.yticks([])
    plotext.xlim(0, DOTS_ACROSS * width - 1)
    plotext.ylim(0, DOTS_DOWN * height - 1)
    draw = plotext.plot if joined else plotext.scatter
    for run in runs:
        across, up = zip(*run, strict=True)
        if not joined:  # a dash is seen better than a dot
            across, up = (*across, *(x + 1 - x % DOTS_ACROSS * 2 for x in across)), up * 2
        draw(list(across), list(up), marker="braille")
    return str(plotext.uncolorize(plotext.build()))


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
    stretch: PlotSpan,
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


def _grid(one: Drawn, stretch: PlotSpan, breaks: Sequence[float], rows: int) -> list[list[int]]:
    """Return the dots of a series: a line, or dots alone where a line would go up and down only.

    Such a line would fill the plot, hide the other series, and cost ten times as much to draw.
    """
    runs = _runs(one, stretch, breaks, rows)
    travel = sum(abs(b[1] - a[1]) for run in runs for a, b in pairwise(run))
    most = stretch.columns * rows // (4 if one.jumps else 1)
    return dots(runs, stretch.columns, rows, joined=travel <= most)


def _runs(
    one: Drawn, stretch: PlotSpan, breaks: Sequence[float], rows: int
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


def time_axis(stretch: PlotSpan) -> Line:
    """Return the row under a plot: the time of day at round moments."""
    long = stretch.length_s >= _ONE_DAY_S
    write, room = (day_and_time, 14) if long else (time_of_day, 11)
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
