"""A cycle opened: every field with its value and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from memtui import units
from memtui.model import GcCycle, GcPause
from memtui.panes.cells import Line, Role, Span, wrapped
from memtui.panes.gctrace.columns import Entry
from memtui.panes.gctrace.words import exact_share, mb, reason
from memtui.panes.moments import clock
from memtui.panes.table import Column, table
from memtui.plain import plain
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


def cycle_card(entry: Entry[GcCycle], width: int) -> list[Line]:
    """Return every field of a cycle in lines of ``width`` cells, and the line as it was."""
    said = wrapped(plain(entry.cycle.line), width, "dim")
    return [*_lines(_of_cycle(entry), width), *said]


def pause_card(entry: Entry[GcPause], width: int) -> list[Line]:
    """Return what MemStats says of a cycle, in lines of ``width`` cells."""
    return _lines(_of_pause(entry.at, entry.cycle), width)


def _of_cycle(entry: Entry[GcCycle]) -> list[CardRow]:
    cycle = entry.cycle
    since = "of this process" if cycle.at_s is None else f"{_seconds(cycle.at_s)} after the start"
    kind = reason(cycle)
    percent = "–" if cycle.gc_cpu_percent is None else f"{cycle.gc_cpu_percent}%"
    return [
        CardRow("cycle", str(cycle.number), "counted from 1 by each process"),
        CardRow("began", clock(entry.at), since),
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
        CardRow("ended", clock(at), "the end of its last stop (PauseEnd)"),
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
