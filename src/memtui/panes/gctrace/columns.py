"""The columns of the table: how each is written, by what it is sorted, and what it means.

How the numbers of a cycle are written, and a cycle in one line of words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from memtui import units
from memtui.local_time import time_of_day
from memtui.model import GcCycle, GcPause
from memtui.render.cells import Line, Role, Span, cell_len
from memtui.render.table import Column, table
from memtui.timeline.cycles import cycle_trigger, gc_cpu_share

MIB = 1 << 20


def mb(count: int | None) -> str:
    """Format bytes as the trace does: whole MB, cut; a dash where the line has no such number."""
    return "–" if count is None else str(count // MIB)


def heap_of(cycle: GcCycle) -> str:
    """Write the heap at the start of the cycle, at its end, and what was alive: 24→25→12."""
    sizes = (cycle.heap_start_bytes, cycle.heap_end_bytes, cycle.heap_live_bytes)
    return "→".join(mb(each) for each in sizes if each is not None)


def goal_of(cycle: GcCycle) -> str:
    """Write the goal in MB; "none" when there was none."""
    return "none" if cycle.goal_bytes is None else mb(cycle.goal_bytes)


def reason(cycle: GcCycle) -> str:
    """Return why there was this cycle: its kind, or that it served to find leaked goroutines."""
    return "leak check" if cycle.leak_check else cycle_trigger(cycle)


def longest_pause(cycle: GcCycle) -> float:
    """Return the longest single stop of the world in the cycle, in milliseconds."""
    return max(cycle.pauses_ms, default=0.0)


def share(value: float | None) -> str:
    """Write a share of the CPU (0 to 1) in three cells: <1%, 4%, 38%; a dash when unknown."""
    if value is None:
        return "–"
    if 0 < value < 0.01:
        return "<1%"
    return f"{value * 100:.0f}%"


def exact_share(value: float | None) -> str:
    """Write a share (0 to 1) with two digits that count: 0.042%, 0.31%, 4.2%, 38%."""
    if value is None:
        return "–"
    percent = value * 100
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.2g}%"


def stopped(milliseconds: float) -> str:
    """Write the length of a stop: 12µs below a tenth of a millisecond, else 0.31ms, 12ms."""
    if 0 < milliseconds < 0.1:
        return f"{milliseconds * 1000:.0f}µs"
    return units.milliseconds(milliseconds)


def in_words(cycle: GcCycle, before: GcCycle | None = None) -> Line:
    """Describe in a line what a cycle did; with the one before it, also what it took of the CPU."""
    start, end = mb(cycle.heap_start_bytes), mb(cycle.heap_end_bytes)
    kind = "" if reason(cycle) == "background" else f" {reason(cycle)}"
    spans = [Span(f"gc {cycle.number}{kind}", "gc"), Span(f"  heap {start} → {end} MB", "live")]
    if cycle.heap_live_bytes is not None:
        spans.append(Span(f", {mb(cycle.heap_live_bytes)} MB alive", "live"))
    goal = "no goal" if cycle.goal_bytes is None else f"goal {mb(cycle.goal_bytes)} MB"
    spans.append(Span(f", {goal}", "goal"))
    spans.append(Span(f", stopped {stopped(sum(cycle.pauses_ms))}"))
    now = gc_cpu_share(before, cycle)
    if now is not None:
        spans.append(Span(f", GC {exact_share(now)} of CPU"))
    elif cycle.gc_cpu_percent is not None:
        spans.append(Span(f", GC {cycle.gc_cpu_percent}% of CPU since start"))
    return tuple(spans)


def pause_in_words(pause: GcPause) -> Line:
    """Describe in a line what is known of a cycle from MemStats."""
    spans = [Span(f"gc {pause.number}", "gc"), Span(f"  stopped {stopped(pause.pause_s * 1000)}")]
    if pause.next_goal_bytes is not None:
        spans.append(Span(f", the next one at {units.size(pause.next_goal_bytes)}", "goal"))
    return (*spans, Span("; heap and CPU: with GODEBUG=gctrace=1 at the start", "dim"))


S = TypeVar("S", GcCycle, GcPause)

ROOM_FOR_BOTH_PAUSES = 54
UNKNOWN = -1.0
"""Sorts before every number that can be printed."""
KINDS = ("background", "periodic", "forced", "leak check")


class CycleEntry(NamedTuple, Generic[S]):
    """A row: a cycle, its moment (Unix seconds), and the cycle before it."""

    at: float
    cycle: S
    before: S | None = None


@dataclass(frozen=True, slots=True)
class Figure(Generic[S]):
    """A column of the table.

    ``yields``: how soon it gives way where there is no room, the highest first. Rows are sorted by
    ``key``, the smallest first unless ``descending``. ``meaning`` says what the numbers are.
    """

    title: str
    yields: int
    write: Callable[[CycleEntry[S]], str | Span]
    key: Callable[[CycleEntry[S]], float]
    meaning: str
    role: Role = "text"
    width: int = 0
    text: bool = False
    descending: bool = True


def _known(number: float | None) -> float:
    return UNKNOWN if number is None else number


def _since_start(entry: CycleEntry[GcCycle]) -> str:
    at_s = entry.cycle.at_s
    if at_s is None:
        return time_of_day(entry.at)
    return f"@{at_s:.2f}s" if at_s < 60 else f"@{units.duration(at_s)}"


def _kind(entry: CycleEntry[GcCycle]) -> Span:
    kind = reason(entry.cycle)
    return Span(kind, "dim" if kind == "background" else "gc")


def _share_now(entry: CycleEntry[GcCycle]) -> float | None:
    return gc_cpu_share(entry.before, entry.cycle)


def _mark_ms(entry: CycleEntry[GcCycle]) -> float:
    return max(0.0, sum(entry.cycle.clock_ms) - sum(entry.cycle.pauses_ms))


def _percent(entry: CycleEntry[GcCycle]) -> str:
    percent = entry.cycle.gc_cpu_percent
    return "–" if percent is None else f"{percent}%"


def _goal(entry: CycleEntry[GcCycle]) -> float:
    goal = entry.cycle.goal_bytes
    return float("inf") if goal is None else goal


def _next_goal(entry: CycleEntry[GcPause]) -> str:
    goal = entry.cycle.next_goal_bytes
    return "–" if goal is None else units.size(goal)


def _cpu_ms(title: str, place: int, meaning: str) -> Figure[GcCycle]:
    """Return the column of one of the CPU times; ``place`` counts from the last one printed."""

    def read(entry: CycleEntry[GcCycle]) -> float:
        return entry.cycle.cpu_ms[place] if len(entry.cycle.cpu_ms) >= -place else UNKNOWN

    def write(entry: CycleEntry[GcCycle]) -> str:
        value = read(entry)
        return "–" if value == UNKNOWN else f"{value:g}"

    return Figure(title, 12, write, read, meaning, "dim")


_PAUSE: Figure[GcCycle] = Figure(
    "pause", 3,
    lambda entry: f"{longest_pause(entry.cycle):g}",
    lambda entry: longest_pause(entry.cycle),
    "ms of the longest stop of the world",
)  # fmt: skip
_BOTH_PAUSES = replace(
    _PAUSE,
    title="pause ms",
    write=lambda entry: "+".join(f"{each:g}" for each in entry.cycle.pauses_ms),
    meaning="both stops of the world; it goes by the longer one",
)
_TIME: Figure[GcCycle] = Figure(
    "time", 2, lambda entry: time_of_day(entry.at), lambda entry: entry.at,
    "when the cycle began", "dim", width=8, descending=False,
)  # fmt: skip
_TIME_OF_TRACE = replace(
    _TIME, write=_since_start, meaning="when the cycle began, from the start of the process"
)
_CYCLES: tuple[Figure[GcCycle], ...] = (
    Figure(
        "gc", 0,
        lambda entry: str(entry.cycle.number),
        lambda entry: entry.cycle.number,
        "cycles of the collector, counted from 1 by each process",
        width=3, descending=False,
    ),
    _TIME,
    Figure(
        "heap MB", 0,
        lambda entry: heap_of(entry.cycle),
        lambda entry: _known(entry.cycle.heap_live_bytes),
        "at start → at end → found alive, which it goes by",
        "live", width=9,
    ),
    Figure(
        "goal", 1, lambda entry: goal_of(entry.cycle), _goal,
        "MB where it was to end, by GOGC and GOMEMLIMIT", "goal",
    ),
    _PAUSE,
    Figure(
        "mark", 10, lambda entry: f"{_mark_ms(entry):.3g}", _mark_ms,
        "ms of marking while the program ran on", "dim", width=5,
    ),
    Figure(
        "now", 4, lambda entry: share(_share_now(entry)), lambda entry: _known(_share_now(entry)),
        "GC's share of all CPU since the cycle before", "gc",
    ),
    Figure(
        "cpu", 7, _percent, lambda entry: _known(entry.cycle.gc_cpu_percent),
        "GC's share of all CPU since the start of the process", "dim",
    ),
    Figure(
        "stacks", 8,
        lambda entry: mb(entry.cycle.stacks_bytes),
        lambda entry: _known(entry.cycle.stacks_bytes),
        "MB that were scanned; more goroutines, more stacks", "dim",
    ),
    Figure(
        "globals", 9,
        lambda entry: mb(entry.cycle.globals_bytes),
        lambda entry: _known(entry.cycle.globals_bytes),
        "MB of global variables that were scanned", "dim",
    ),
    _cpu_ms("assist", -4, "CPU ms that allocating goroutines had to help with"),
    _cpu_ms("backgr", -3, "CPU ms of the workers in the background"),
    _cpu_ms("idle", -2, "CPU ms of marking where nothing else was to do"),
    Figure(
        "P", 11, lambda entry: str(entry.cycle.procs), lambda entry: entry.cycle.procs,
        "GOMAXPROCS: how many threads may run Go code at once", "dim", width=2,
    ),
    Figure(
        "kind", 6, _kind, lambda entry: KINDS.index(reason(entry.cycle)),
        "periodic: after 2 min without one; forced: runtime.GC",
        width=10, text=True,
    ),
)  # fmt: skip
PAUSES: tuple[Figure[GcPause], ...] = (
    Figure(
        "gc", 0,
        lambda entry: str(entry.cycle.number),
        lambda entry: entry.cycle.number,
        "cycles of the collector, counted from 1 (NumGC)",
        width=3, descending=False,
    ),
    Figure(
        "time", 2, lambda entry: time_of_day(entry.at), lambda entry: entry.at,
        "when the cycle ended (PauseEnd)", "dim", width=8, descending=False,
    ),
    Figure(
        "pause", 0,
        lambda entry: units.milliseconds(entry.cycle.pause_s * 1000),
        lambda entry: entry.cycle.pause_s,
        "for how long the program stood still in the whole cycle (PauseNs)",
        width=6,
    ),
    Figure(
        "next goal", 1, _next_goal, lambda entry: _known(entry.cycle.next_goal_bytes),
        "the goal of the cycle after this one (NextGC), where it was read in time", "goal",
    ),
)  # fmt: skip


def cycles_at(width: int, has_start: bool) -> tuple[Figure[GcCycle], ...]:
    """Return the columns of the cycles: both pauses of each where there is room.

    Where nobody knows when the process began (``has_start``), times are those that a trace prints.
    """
    instead = {} if width < ROOM_FOR_BOTH_PAUSES else {_PAUSE.title: _BOTH_PAUSES}
    if not has_start:
        instead[_TIME.title] = _TIME_OF_TRACE
    return tuple(instead.get(figure.title, figure) for figure in _CYCLES)


def cycle_lines(
    figures: Sequence[Figure[S]],
    entries: Sequence[CycleEntry[S]],
    width: int,
    *,
    sorted_by: int | None,
    descending: bool,
    widest: dict[str, int] | None = None,
) -> tuple[Line, list[Line]]:
    """Return the head line and a line a cycle; the head marks the column that they go by.

    ``widest`` is what ``table`` remembers of the widths.
    """
    columns = [
        _column(figure, ("▲", "▼")[descending] if at == sorted_by else "")
        for at, figure in enumerate(figures)
    ]
    rows = [[figure.write(entry) for figure in figures] for entry in entries]
    return table(columns, rows, width, widest)


def _column(figure: Figure[S], mark: str) -> Column:
    """Return the column of a figure; the one that rows are sorted by never gives way."""
    title = figure.title + mark
    width = max(figure.width, cell_len(title))
    return Column(title, width, 0 if mark else figure.yields, figure.role, text=figure.text)
