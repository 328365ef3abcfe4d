"""Explains a cycle field by field, and the columns and plots: unit, source, pitfall."""

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
    "background": "the heap approached its goal",
    "periodic": "no cycle for two minutes",
    "forced": "by runtime.GC, debug.FreeOSMemory, heap?gc=1",
    "leak check": "requested by a goroutine leak profile",
}
_PHASES: dict[int, tuple[tuple[str, str], ...]] = {
    3: (
        ("stop: sweep", "stop-the-world: sweeping ends, marking begins"),
        ("concurrent", "marking, while the program runs"),
        ("stop: mark", "stop-the-world: marking ends"),
    ),
    4: (("pause 1", "before Go 1.5: the whole cycle stops the world"),
        ("pause 2", ""), ("pause 3", ""), ("pause 4", "")),
    5: (
        ("stop: sweep", "stop-the-world: the last sweep ends"),
        ("scan", "scanning roots, while the program runs"),
        ("stop: barrier", "stop-the-world: installing the write barrier"),
        ("concurrent", "marking, while the program runs"),
        ("stop: mark", "stop-the-world: marking ends"),
    ),
}  # fmt: skip
_CPU = {
    -5: ("CPU stop: sweep", "stopped processors, multiplied by the time"),
    -4: ("CPU assist", "allocating goroutines that helped: slows them"),
    -3: ("CPU background", "dedicated workers: a fourth of the processors"),
    -2: ("CPU idle", "marking on processors that were idle"),
    -1: ("CPU stop: mark", "stopped processors, multiplied by the time"),
}


class CardRow(NamedTuple):
    """A field: its name, its value with the unit, and its meaning."""

    name: str
    value: str
    meaning: str
    role: Role = "text"


def cycle_card(entry: CycleEntry[GcCycle], width: int) -> list[Line]:
    """Return every field of a cycle in lines of ``width`` cells, then the line of the trace."""
    trace_line = wrapped(plain(entry.cycle.line), width, "dim")
    return [*_card_lines(_cycle_rows(entry), width), *trace_line]


def pause_card(entry: CycleEntry[GcPause], width: int) -> list[Line]:
    """Return the fields of a cycle in MemStats, in lines of ``width`` cells."""
    return _card_lines(_pause_rows(entry.at, entry.cycle), width)


def _cycle_rows(entry: CycleEntry[GcCycle]) -> list[CardRow]:
    cycle = entry.cycle
    since = "of this process" if cycle.at_s is None else f"{_seconds(cycle.at_s)} after the start"
    kind = reason(cycle)
    percent = "–" if cycle.gc_cpu_percent is None else f"{cycle.gc_cpu_percent}%"
    return [
        CardRow("cycle", str(cycle.number), "each process counts from 1"),
        CardRow("began", time_of_day(entry.at), since),
        CardRow("kind", kind, _REASONS[kind], "text" if kind == "background" else "gc"),
        CardRow("GC CPU now", exact_share(gc_cpu_share(entry.before, cycle)),
                "of all processors, since the previous cycle", "gc"),
        CardRow("GC CPU", percent, "of all processors, since the process started", "gc"),
        *(CardRow(name, f"{value:g} ms", meaning, "gc" if name.startswith("stop") else "text")
          for (name, meaning), value in zip(
              _PHASES.get(len(cycle.clock_ms), ()), cycle.clock_ms, strict=False)),
        *(CardRow(name, f"{cycle.cpu_ms[at]:g} ms", meaning)
          for at, (name, meaning) in _CPU.items() if len(cycle.cpu_ms) >= -at),
        CardRow("heap at start", _mb(cycle.heap_start_bytes), "when the cycle began"),
        CardRow("heap at end", _mb(cycle.heap_end_bytes), "when marking ended, garbage included"),
        CardRow("live heap", _mb(cycle.heap_live_bytes),
                "heap that is still reachable: the number to watch", "live"),
        CardRow("goal", "none" if cycle.goal_bytes is None else _mb(cycle.goal_bytes),
                "set by GOGC and GOMEMLIMIT", "goal"),
        CardRow("stacks", _mb(cycle.stacks_bytes), "scanned stacks; Go 1.18 and newer"),
        CardRow("globals", _mb(cycle.globals_bytes), "global variables; Go 1.18 and newer"),
        CardRow("processors", str(cycle.procs), "GOMAXPROCS: threads that run Go code at once"),
    ]  # fmt: skip


def _pause_rows(at: float, pause: GcPause) -> list[CardRow]:
    goal = pause.next_goal_bytes
    return [
        CardRow("cycle", str(pause.number), "counted from 1 (NumGC)"),
        CardRow("ended", time_of_day(at), "end of its last stop-the-world pause (PauseEnd)"),
        CardRow("stopped", units.milliseconds(pause.pause_s * 1000),
                "stop-the-world time in total (PauseNs)", "gc"),
        CardRow("next goal", "–" if goal is None else units.size(goal),
                "goal of the next cycle (NextGC), if read in time", "goal"),
    ]  # fmt: skip


def _card_lines(rows: Sequence[CardRow], width: int) -> list[Line]:
    cells = [(row.name, Span(row.value, row.role), row.meaning) for row in rows]
    return table(_COLUMNS, cells, width)[1]


def _mb(count: int | None) -> str:
    return "–" if count is None else f"{mb(count)} MB"


def _seconds(value: float) -> str:
    return f"{value:.3f} s" if value < 60 else units.duration(value)


_TRACE = "gctrace line"
_MEMSTATS = "MemStats"

_OF_TRACE: Mapping[str, tuple[str, str, str]] = {
    "gc": ("count", f"gc N of the {_TRACE}", "restarts at 1 with the process"),
    "time": ("time of day", f"@N.Ns of the {_TRACE}, and the start of the process", ""),
    "heap MB": (
        "MiB, rounded", f"N->N->N MB of the {_TRACE}",
        "start and end rise and fall with the GC; only the live heap shows a leak",
    ),
    "goal": (
        "MiB, rounded", f"MB goal of the {_TRACE}",
        "the heap grows to it without a leak: with GOGC=100 it is twice the live heap",
    ),
    "pause": (
        "ms of wall clock", f"first and last clock time of the {_TRACE}",
        "requests wait longer than this: assists and scheduling add to it",
    ),
    "pause ms": (
        "ms of wall clock", f"first and last clock time of the {_TRACE}",
        "requests wait longer than this: assists and scheduling add to it",
    ),
    "mark": ("ms of wall clock", f"middle clock time of the {_TRACE}", ""),
    "now": (
        "percent of all CPU", f"N% of this {_TRACE} and the previous one",
        "of all GOMAXPROCS processors, idle ones included",
    ),
    "cpu": (
        "percent of all CPU", f"N% of the {_TRACE}",
        "average since the start: after days it hides what happens now",
    ),
    "stacks": ("MiB, rounded", f"MB stacks of the {_TRACE}, Go 1.19 and newer", ""),
    "globals": ("MiB, rounded", f"MB globals of the {_TRACE}, Go 1.19 and newer", ""),
    "assist": (
        "ms of CPU", f"cpu times of the {_TRACE}", "a high value: the program allocates too fast",
    ),
    "backgr": ("ms of CPU", f"cpu times of the {_TRACE}", ""),
    "idle": ("ms of CPU", f"cpu times of the {_TRACE}", "it uses CPU that was free"),
    "P": ("count", f"N P of the {_TRACE}", "in a container it may exceed the CPU limit"),
    "kind": (
        "word", f"(forced) of the {_TRACE}, and the time since the previous cycle",
        "memtui may have forced it: see the marks",
    ),
}  # fmt: skip
_OF_MEMSTATS: Mapping[str, tuple[str, str, str]] = {
    "gc": ("count", f"NumGC of {_MEMSTATS}", ""),
    "time": ("time of day", f"PauseEnd of {_MEMSTATS}", ""),
    "pause": ("time of wall clock", f"PauseNs of {_MEMSTATS}", "both pauses of a cycle added"),
    "next goal": ("bytes", f"NextGC of {_MEMSTATS}", "known only if read before the next cycle"),
}
_CHARTS: Mapping[str, tuple[str, str, str]] = {
    "heap": ("bytes", _TRACE, "a sawtooth: judge a leak by the live heap only"),
    "scavenger": ("bytes; util in percent", "scavtrace lines", "at most one a second"),
    "times": ("ms, logarithmic", _TRACE, "each step is a factor of ten"),
    "GC CPU": ("ms of CPU", _TRACE, "per cycle, not per second"),
    "pauses": ("ms", f"PauseNs of {_MEMSTATS}", "MemStats keeps the last 256 only"),
}


def field_docs(
    figures: Sequence[Figure[Any]], charts: Sequence[AnyChart], *, is_trace: bool
) -> list[FieldDoc]:
    """Return what the columns mean, then the plots."""
    known = _OF_TRACE if is_trace else _OF_MEMSTATS
    found = [
        FieldDoc(each.title, each.meaning, *known[each.title], role=each.role) for each in figures
    ]
    return found + [
        FieldDoc(f"plot {each.name}"[:12], each.meaning, *_CHARTS[each.name]) for each in charts
    ]
