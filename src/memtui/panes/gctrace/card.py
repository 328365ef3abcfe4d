"""A cycle opened: every field with its value and what it means.

What the columns and plots of pane 3 mean: their unit, their source, and how they mislead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from memtui import units
from memtui.local_time import time_of_day
from memtui.model import GcCycle, GcPause
from memtui.panes.field_doc import FieldDoc
from memtui.panes.gctrace.charts import AnyChart
from memtui.panes.gctrace.columns import CycleEntry, Figure, exact_share, mb, reason
from memtui.render.cells import Line, Role, Span, wrapped
from memtui.render.table import Column, table
from memtui.sanitize import plain
from memtui.timeline.cycles import gc_cpu_share

CARD_CELLS = 76

_COLUMNS = (
    Column("field", 15, text=True),
    Column("value", 10),
    Column("meaning", 20, text=True, role="dim"),
)
_REASONS = {
    "background": "the heap came near its goal",
    "periodic": "there had been none for two minutes",
    "forced": "by runtime.GC, debug.FreeOSMemory, heap?gc=1",
    "leak check": "a profile of leaked goroutines was asked for",
}
_PHASES: dict[int, tuple[tuple[str, str], ...]] = {
    3: (
        ("stop: sweep", "stands still: sweeping ends, marking begins"),
        ("concurrent", "marking, while the program runs on"),
        ("stop: mark", "stands still: marking ends"),
    ),
    4: (("pause 1", "of Go before 1.5: all of the cycle stops the world"),
        ("pause 2", ""), ("pause 3", ""), ("pause 4", "")),
    5: (
        ("stop: sweep", "stands still: the last sweep ends"),
        ("scan", "roots are scanned, while the program runs on"),
        ("stop: barrier", "stands still: the write barrier is installed"),
        ("concurrent", "marking, while the program runs on"),
        ("stop: mark", "stands still: marking ends"),
    ),
}  # fmt: skip
_CPU = {
    -5: ("CPU stop: sweep", "processors that stood still, times how long"),
    -4: ("CPU assist", "allocating goroutines had to help: slows them"),
    -3: ("CPU background", "workers: a fourth of the processors"),
    -2: ("CPU idle", "marking where nothing else was to do"),
    -1: ("CPU stop: mark", "processors that stood still, times how long"),
}


class CardRow(NamedTuple):
    """A field: its name, its value with its unit, and what it means."""

    name: str
    value: str
    meaning: str
    role: Role = "text"


def cycle_card(entry: CycleEntry[GcCycle], width: int) -> list[Line]:
    """Return every field of a cycle in lines of ``width`` cells, and the line as it was."""
    said = wrapped(plain(entry.cycle.line), width, "dim")
    return [*_lines(_of_cycle(entry), width), *said]


def pause_card(entry: CycleEntry[GcPause], width: int) -> list[Line]:
    """Return what MemStats says of a cycle, in lines of ``width`` cells."""
    return _lines(_of_pause(entry.at, entry.cycle), width)


def _of_cycle(entry: CycleEntry[GcCycle]) -> list[CardRow]:
    cycle = entry.cycle
    since = "of this process" if cycle.at_s is None else f"{_seconds(cycle.at_s)} after the start"
    kind = reason(cycle)
    percent = "–" if cycle.gc_cpu_percent is None else f"{cycle.gc_cpu_percent}%"
    return [
        CardRow("cycle", str(cycle.number), "counted from 1 by each process"),
        CardRow("began", time_of_day(entry.at), since),
        CardRow("kind", kind, _REASONS[kind], "text" if kind == "background" else "gc"),
        CardRow("GC CPU now", exact_share(gc_cpu_share(entry.before, cycle)),
                "of all processors, since the cycle before", "gc"),
        CardRow("GC CPU", percent, "of all processors, since the process started", "gc"),
        *(CardRow(name, f"{value:g} ms", meaning, "gc" if name.startswith("stop") else "text")
          for (name, meaning), value in zip(
              _PHASES.get(len(cycle.clock_ms), ()), cycle.clock_ms, strict=False)),
        *(CardRow(name, f"{cycle.cpu_ms[at]:g} ms", meaning)
          for at, (name, meaning) in _CPU.items() if len(cycle.cpu_ms) >= -at),
        CardRow("heap at start", _mb(cycle.heap_start_bytes), "when the cycle began"),
        CardRow("heap at end", _mb(cycle.heap_end_bytes), "when marking ended, garbage included"),
        CardRow("live heap", _mb(cycle.heap_live_bytes),
                "what was found alive: the number to watch", "live"),
        CardRow("goal", "none" if cycle.goal_bytes is None else _mb(cycle.goal_bytes),
                "where it was to end, by GOGC and GOMEMLIMIT", "goal"),
        CardRow("stacks", _mb(cycle.stacks_bytes), "stacks that were scanned; from Go 1.18 on"),
        CardRow("globals", _mb(cycle.globals_bytes), "global variables; from Go 1.18 on"),
        CardRow("processors", str(cycle.procs), "GOMAXPROCS: threads that may run Go at once"),
    ]  # fmt: skip


def _of_pause(at: float, pause: GcPause) -> list[CardRow]:
    goal = pause.next_goal_bytes
    return [
        CardRow("cycle", str(pause.number), "counted from 1 (NumGC)"),
        CardRow("ended", time_of_day(at), "the end of its last stop (PauseEnd)"),
        CardRow("stopped", units.milliseconds(pause.pause_s * 1000),
                "the program stood still, in all (PauseNs)", "gc"),
        CardRow("next goal", "–" if goal is None else units.size(goal),
                "of the cycle after it (NextGC), read in time or not", "goal"),
    ]  # fmt: skip


def _lines(rows: Sequence[CardRow], width: int) -> list[Line]:
    cells = [(row.name, Span(row.value, row.role), row.meaning) for row in rows]
    return table(_COLUMNS, cells, width)[1]


def _mb(count: int | None) -> str:
    return "–" if count is None else f"{mb(count)} MB"


def _seconds(value: float) -> str:
    return f"{value:.3f} s" if value < 60 else units.duration(value)


_TRACE = "gctrace line"
_MEMSTATS = "MemStats"

_OF_TRACE: Mapping[str, tuple[str, str, str]] = {
    "gc": ("count", f"gc N of the {_TRACE}", "a restart of the process begins again at 1"),
    "time": ("time of day", f"@N.Ns of the {_TRACE}, and the start of the process", ""),
    "heap MB": (
        "MiB, rounded", f"N->N->N MB of the {_TRACE}",
        "the middle and the first one rise and fall with the GC; only the last one shows a leak",
    ),
    "goal": (
        "MiB, rounded", f"MB goal of the {_TRACE}",
        "the heap may grow to it without any leak: by GOGC it is twice what was found alive",
    ),
    "pause": (
        "ms of wall clock", f"first and last clock time of the {_TRACE}",
        "what a request waits is more: assists and the scheduler come on top",
    ),
    "pause ms": (
        "ms of wall clock", f"first and last clock time of the {_TRACE}",
        "what a request waits is more: assists and the scheduler come on top",
    ),
    "mark": ("ms of wall clock", f"middle clock time of the {_TRACE}", ""),
    "now": (
        "percent of all CPU", f"N% of this {_TRACE} and of the one before",
        "of all GOMAXPROCS, also of those that would have been idle",
    ),
    "cpu": (
        "percent of all CPU", f"N% of the {_TRACE}",
        "since the start of the process: after days it hides what happens now",
    ),
    "stacks": ("MiB, rounded", f"MB stacks of the {_TRACE}, Go 1.19 and newer", ""),
    "globals": ("MiB, rounded", f"MB globals of the {_TRACE}, Go 1.19 and newer", ""),
    "assist": (
        "ms of CPU", f"cpu times of the {_TRACE}", "much of it: the program allocates too fast",
    ),
    "backgr": ("ms of CPU", f"cpu times of the {_TRACE}", ""),
    "idle": ("ms of CPU", f"cpu times of the {_TRACE}", "it costs the program nothing"),
    "P": ("count", f"N P of the {_TRACE}", "in a container it may be more than the CPU limit"),
    "kind": (
        "word", f"(forced) of the {_TRACE}, and the time since the cycle before",
        "a forced one may be memtui's own: marks say so",
    ),
}  # fmt: skip
_OF_MEMSTATS: Mapping[str, tuple[str, str, str]] = {
    "gc": ("count", f"NumGC of {_MEMSTATS}", ""),
    "time": ("time of day", f"PauseEnd of {_MEMSTATS}", ""),
    "pause": ("time of wall clock", f"PauseNs of {_MEMSTATS}", "both stops of a cycle together"),
    "next goal": ("bytes", f"NextGC of {_MEMSTATS}", "known only where it was read in time"),
}
_CHARTS: Mapping[str, tuple[str, str, str]] = {
    "heap": ("bytes", _TRACE, "a saw: judge a leak by the line of what was found alive"),
    "scavenger": ("bytes; util in percent", "scavtrace lines", "they come once a second at most"),
    "times": ("ms, by powers of ten", _TRACE, "equal steps are ten times as much"),
    "GC CPU": ("ms of CPU", _TRACE, "of one cycle, not of a second"),
    "pauses": ("ms", f"PauseNs of {_MEMSTATS}", "it keeps the last 256 only"),
}


def field_docs(
    figures: Sequence[Figure[Any]], charts: Sequence[AnyChart], *, is_trace: bool
) -> list[FieldDoc]:
    """Return what the columns mean, and then the plots."""
    known = _OF_TRACE if is_trace else _OF_MEMSTATS
    found = [
        FieldDoc(each.title, each.meaning, *known[each.title], role=each.role) for each in figures
    ]
    return found + [
        FieldDoc(f"plot {each.name}"[:12], each.meaning, *_CHARTS[each.name]) for each in charts
    ]
