"""The plots of the pane: which series each one has, how they are written, what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from memtui import units
from memtui.model import GcCycle, GcPause, Sample, ScavengeLine
from memtui.panes.cells import Role
from memtui.panes.gctrace.peaks import Folded
from memtui.panes.gctrace.scales import Scale, in_bytes, in_ms, in_ms_by_powers, in_percent
from memtui.panes.gctrace.words import stopped
from memtui.timeline import Timeline

S = TypeVar("S", bound=Sample)

MakeScale: TypeAlias = Callable[[float, float, int], Scale]


@dataclass(frozen=True, slots=True)
class Trace(Generic[S]):
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
    traces: tuple[Trace[S], ...]
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


def _legend(trace: Trace[S], value: float | None) -> str:
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
        Trace("live", "live", lambda cycle: cycle.heap_live_bytes, _size),
        Trace("start", "dim", lambda cycle: cycle.heap_start_bytes, _size),
        Trace("end", "text", lambda cycle: cycle.heap_end_bytes, _size),
        Trace("goal", "goal", lambda cycle: cycle.goal_bytes, _size),
    ),
    in_bytes,
    "what each cycle found alive (grows: a leak), its start, its end, its goal",
    _NO_CYCLES,
)  # fmt: skip
SCAVENGER: Chart[ScavengeLine] = Chart(
    "scavenger", ScavengeLine,
    (
        Trace("util", "gc", lambda line: line.util_percent, _percent, aside=True),
        Trace("in use", "live", lambda line: line.inuse_bytes, _size),
        Trace("released", "shrink", lambda line: line.released_bytes, _size),
    ),
    in_bytes,
    "released: given back or never used; low util: kept, but idle",
    "no scavenger lines: they come with GODEBUG=scavtrace=1",
)  # fmt: skip
TIMES: Chart[GcCycle] = Chart(
    "times", GcCycle,
    (
        Trace("stop: mark end", "text", lambda cycle: _clock(cycle, -1), stopped),
        Trace("stop: sweep end", "gc", lambda cycle: _clock(cycle, 0), stopped),
        Trace("concurrent", "dim", _concurrent, stopped),
    ),
    in_ms_by_powers,
    "of each cycle: both stops of the world, and marking beside it",
    _NO_CYCLES,
    jumps=True,
)  # fmt: skip
CPU: Chart[GcCycle] = Chart(
    "GC CPU", GcCycle,
    (
        Trace("assist", "bad", lambda cycle: _cpu(cycle, -4), stopped),
        Trace("background", "gc", lambda cycle: _cpu(cycle, -3), stopped),
        Trace("idle", "dim", lambda cycle: _cpu(cycle, -2), stopped),
    ),
    in_ms,
    "of each cycle: assist slows the program down, idle costs it nothing",
    _NO_CYCLES,
)  # fmt: skip
PAUSES: Chart[GcPause] = Chart(
    "pauses", GcPause,
    (Trace("stopped", "gc", lambda pause: pause.pause_s * 1000, stopped),),
    in_ms,
    "how long the program stood still in each cycle",
    _NO_CYCLES,
)  # fmt: skip

AnyChart: TypeAlias = Chart[GcCycle] | Chart[ScavengeLine] | Chart[GcPause]
AnyFolded: TypeAlias = Folded[GcCycle] | Folded[ScavengeLine] | Folded[GcPause]

OF_TRACE: tuple[AnyChart, ...] = (HEAP, SCAVENGER, TIMES, CPU)
OF_MEMSTATS: tuple[AnyChart, ...] = (PAUSES,)
