"""The charts of the pane: their series, and how they become curves of a plot."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeAlias, TypeVar

from memtui import units
from memtui.local_time import time_ticks
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
from memtui.render.plotext_plot import (
    DOTS_ACROSS,
    DOTS_DOWN,
    TICK_LABEL_ROWS,
    Curve,
    Ticks,
    draw,
)
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

LABEL_ASIDE_CELLS = 5


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
    """Return the plot in ``height`` rows, of which the last two are the time axis.

    The series given first lies above the others where they meet. Lines end at ``breaks`` (moments
    of a restart), which are marked.
    """
    rows = height - TICK_LABEL_ROWS
    across = DOTS_ACROSS / stretch.cell_s
    role_aside: Role = next((one.role for one in series if one.scale is aside), "dim")
    times = time_ticks(stretch.start, stretch.end, stretch.columns)
    return draw(
        [_curve(one, stretch, breaks, rows) for one in series],
        stretch.columns,
        rows,
        time=Ticks([((at - stretch.start) * across, label) for at, label in times]),
        left=Ticks([(y, f"{label:>{LABEL_CELLS - 1}}") for y, label in left.labels(rows)]),
        right=Ticks(
            [(y, f"{label:<{LABEL_ASIDE_CELLS - 1}}") for y, label in aside.labels(rows)],
            role_aside,
        )
        if aside
        else None,
        marks=[(at - stretch.start) * across for at in breaks],
    )


def _curve(one: Drawn, stretch: PlotSpan, breaks: Sequence[float], rows: int) -> Curve:
    """Return a series as a line, or as dots where a line would only go up and down.

    Such a line would fill the plot, hide the other series, and cost ten times as much to draw.
    """
    runs = _runs(one, stretch, breaks, rows)
    travel = sum(abs(b[1] - a[1]) for run in runs for a, b in pairwise(run))
    most = stretch.columns * rows // (4 if one.jumps else 1)
    return Curve(one.role, runs, is_joined=travel <= most)


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
