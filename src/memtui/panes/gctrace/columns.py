"""The columns of the table: format, sort key and meaning of each; a cycle in one sentence."""

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
    """Format bytes as the trace does: whole MB, rounded down; a dash if unknown."""
    return "–" if count is None else str(count // MIB)


def format_heap(cycle: GcCycle) -> str:
    """Format the heap at the start and at the end of a cycle, and the live heap: 24→25→12."""
    sizes = (cycle.heap_start_bytes, cycle.heap_end_bytes, cycle.heap_live_bytes)
    return "→".join(mb(each) for each in sizes if each is not None)


def format_goal(cycle: GcCycle) -> str:
    """Format the goal in MB; "none" without one."""
    return "none" if cycle.goal_bytes is None else mb(cycle.goal_bytes)


def reason(cycle: GcCycle) -> str:
    """Return the reason for a cycle: its kind, or "leak check" for leaked goroutines."""
    return "leak check" if cycle.leak_check else cycle_trigger(cycle)


def longest_pause(cycle: GcCycle) -> float:
    """Return the longest stop-the-world pause of a cycle, in milliseconds."""
    return max(cycle.pauses_ms, default=0.0)


def share(value: float | None) -> str:
    """Format a share of the CPU (0 to 1) in three cells: <1%, 4%, 38%; a dash if unknown."""
    if value is None:
        return "–"
    if 0 < value < 0.01:
        return "<1%"
    return f"{value * 100:.0f}%"


def exact_share(value: float | None) -> str:
    """Format a share (0 to 1) with two significant digits: 0.042%, 0.31%, 4.2%, 38%."""
    if value is None:
        return "–"
    percent = value * 100
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.2g}%"


def stopped(milliseconds: float) -> str:
    """Format the length of a pause: 12µs below 0.1 ms, else 0.31ms, 12ms."""
    if 0 < milliseconds < 0.1:
        return f"{milliseconds * 1000:.0f}µs"
    return units.milliseconds(milliseconds)


def in_words(cycle: GcCycle, before: GcCycle | None = None) -> Line:
    """Return a cycle in one line; with the previous cycle, also its share of the CPU."""
    start, end = mb(cycle.heap_start_bytes), mb(cycle.heap_end_bytes)
    kind = "" if reason(cycle) == "background" else f" {reason(cycle)}"
    spans = [Span(f"gc {cycle.number}{kind}", "gc"), Span(f"  heap {start} → {end} MB", "live")]
    if cycle.heap_live_bytes is not None:
        spans.append(Span(f", {mb(cycle.heap_live_bytes)} MB live", "live"))
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
    """Return a cycle from MemStats in one line."""
    spans = [Span(f"gc {pause.number}", "gc"), Span(f"  stopped {stopped(pause.pause_s * 1000)}")]
    if pause.next_goal_bytes is not None:
        spans.append(Span(f", next goal {units.size(pause.next_goal_bytes)}", "goal"))
    return (*spans, Span("; for heap and CPU start it with GODEBUG=gctrace=1", "dim"))


S = TypeVar("S", GcCycle, GcPause)

ROOM_FOR_BOTH_PAUSES = 54
UNKNOWN = -1.0
"""Sorts before every possible number."""
KINDS = ("background", "periodic", "forced", "leak check")


class CycleEntry(NamedTuple, Generic[S]):
    """A row: a cycle, its moment (Unix seconds), and the previous cycle."""

    at: float
    cycle: S
    before: S | None = None


@dataclass(frozen=True, slots=True)
class Figure(Generic[S]):
    """A column of the table.

    ``yields``: in a narrow table the columns with the highest values are left out first. Rows are
    sorted by ``key``, the smallest first unless ``descending``. ``meaning`` explains the numbers.
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


def _or_unknown(number: float | None) -> float:
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
    """Return the column of a CPU time; ``place`` counts from the last one in the line."""

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
    "ms of the longest stop-the-world pause",
)  # fmt: skip
_BOTH_PAUSES = replace(
    _PAUSE,
    title="pause ms",
    write=lambda entry: "+".join(f"{each:g}" for each in entry.cycle.pauses_ms),
    meaning="both stop-the-world pauses in ms; sorted by the longer one",
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
        "number of the GC cycle; each process counts from 1",
        width=3, descending=False,
    ),
    _TIME,
    Figure(
        "heap MB", 0,
        lambda entry: format_heap(entry.cycle),
        lambda entry: _or_unknown(entry.cycle.heap_live_bytes),
        "at start → at end → live; sorted by live",
        "live", width=9,
    ),
    Figure(
        "goal", 1, lambda entry: format_goal(entry.cycle), _goal,
        "heap size in MB at which the cycle should end (GOGC, GOMEMLIMIT)", "goal",
    ),
    _PAUSE,
    Figure(
        "mark", 10, lambda entry: f"{_mark_ms(entry):.3g}", _mark_ms,
        "ms of marking while the program ran", "dim", width=5,
    ),
    Figure(
        "now", 4,
        lambda entry: share(_share_now(entry)),
        lambda entry: _or_unknown(_share_now(entry)),
        "share of all CPU used by the GC since the previous cycle", "gc",
    ),
    Figure(
        "cpu", 7, _percent, lambda entry: _or_unknown(entry.cycle.gc_cpu_percent),
        "share of all CPU used by the GC since the process started", "dim",
    ),
    Figure(
        "stacks", 8,
        lambda entry: mb(entry.cycle.stacks_bytes),
        lambda entry: _or_unknown(entry.cycle.stacks_bytes),
        "MB of scanned stacks; they grow with the number of goroutines", "dim",
    ),
    Figure(
        "globals", 9,
        lambda entry: mb(entry.cycle.globals_bytes),
        lambda entry: _or_unknown(entry.cycle.globals_bytes),
        "MB of scanned global variables", "dim",
    ),
    _cpu_ms("assist", -4, "CPU ms of allocating goroutines that had to help"),
    _cpu_ms("backgr", -3, "CPU ms of dedicated background workers"),
    _cpu_ms("idle", -2, "CPU ms of marking on idle processors"),
    Figure(
        "P", 11, lambda entry: str(entry.cycle.procs), lambda entry: entry.cycle.procs,
        "GOMAXPROCS: threads that run Go code at once", "dim", width=2,
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
        "number of the GC cycle, counted from 1 (NumGC)",
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
        "stop-the-world time of the whole cycle (PauseNs)",
        width=6,
    ),
    Figure(
        "next goal", 1, _next_goal, lambda entry: _or_unknown(entry.cycle.next_goal_bytes),
        "goal of the next cycle (NextGC), if read in time", "goal",
    ),
)  # fmt: skip


def cycles_at(width: int, has_start: bool) -> tuple[Figure[GcCycle], ...]:
    """Return the columns of the cycles: with both pauses of each if there is room.

    Without the start of the process (``has_start``), times are those of the trace.
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
    """Return the header and a line for each cycle; the header marks the sorted column.

    ``widest`` keeps the widths of ``table`` between calls.
    """
    columns = [
        _column(figure, ("▲", "▼")[descending] if at == sorted_by else "")
        for at, figure in enumerate(figures)
    ]
    rows = [[figure.write(entry) for figure in figures] for entry in entries]
    return table(columns, rows, width, widest)


def _column(figure: Figure[S], mark: str) -> Column:
    """Return the column of a figure; the sorted one is never left out."""
    title = figure.title + mark
    width = max(figure.width, cell_len(title))
    return Column(title, width, 0 if mark else figure.yields, figure.role, text=figure.text)
