"""Pane 3: the newest collections, and on a key what else the program wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from memtui import units
from memtui.model import (
    Attached,
    GcCycle,
    OutputLine,
    ProcessIdentity,
    Restart,
    ScavengeLine,
    TornLine,
)
from memtui.panes.cells import Line, Picture, Span, cut, line
from memtui.panes.moments import clock
from memtui.panes.pane import Pane, explained
from memtui.panes.table import Column, Selection, marked, table
from memtui.plain import plain
from memtui.timeline import TraceLine, Track, View

MIB = 1 << 20
ROOM_FOR_BOTH_PAUSES = 54

_COLUMNS = (
    Column("gc", 3),
    Column("time", 8, yields=2, role="dim"),
    Column("heap MB", 9, role="live"),
    Column("goal", 4, yields=1, role="goal"),
    Column("pause", 5, yields=3),
    Column("cpu", 3, yields=4, role="gc"),
    Column("", 6, yields=5, role="dim", text=True),
)


def _mb(count: int | None) -> str:
    return "–" if count is None else str(count // MIB)


def heap_of(cycle: GcCycle) -> str:
    """Write the heap at the start of the cycle, at its end, and what was alive: 24→25→12."""
    sizes = (cycle.heap_start_bytes, cycle.heap_end_bytes, cycle.heap_live_bytes)
    return "→".join(_mb(each) for each in sizes if each is not None)


def goal_of(cycle: GcCycle) -> str:
    """Write the goal in MB; "none" when there was none."""
    return "none" if cycle.goal_bytes is None else str(cycle.goal_bytes // MIB)


def _waiting_for(view: View) -> str:
    identity = view.sample(ProcessIdentity)
    if view.ended():
        return "it ended before its first GC cycle; o shows what it wrote"
    if identity is not None and identity.go_version is None:
        return (
            f"{plain(identity.name)} is not a Go program. If it starts one: "
            "let it exec the program, or watch that one with memtui --name"
        )
    return "waiting for the first GC cycle …"


def _cycle_row(cycle: GcCycle, when: str, wide: bool) -> tuple[str, ...]:
    pauses = cycle.pauses_ms
    pause = "+".join(f"{each:g}" for each in pauses) if wide else f"{max(pauses, default=0):g}"
    percent = "" if cycle.gc_cpu_percent is None else f"{cycle.gc_cpu_percent}%"
    note = "forced" if cycle.forced else ""
    return (str(cycle.number), when, heap_of(cycle), goal_of(cycle), pause, percent, note)


def _other_line(sample: TraceLine) -> Line:
    match sample:
        case OutputLine(text, stream):
            return line(Span(plain(text), "text" if stream == "stderr" else "dim"))
        case TornLine(text):
            return line(Span("torn ", "bad"), Span(plain(text), "dim"))
        case ScavengeLine():
            return line(Span(plain(sample.line), "dim"))
        case _:
            return line(Span("── started anew: the counters begin again ──", "bad"))


def _when(at: float, cycle: GcCycle, *, has_start: bool) -> str:
    """Write when a cycle began; where nobody knows when the process did, as the trace does."""
    return clock(at) if has_start or cycle.at_s is None else f"@{units.duration(cycle.at_s)}"


def lines_of(
    entries: Sequence[tuple[float, TraceLine]], width: int, *, has_start: bool
) -> tuple[Line, list[Line]]:
    """Return the head line, and a line an entry: cycles in columns, other lines as they came."""
    wide = width >= ROOM_FOR_BOTH_PAUSES
    cycles = [
        _cycle_row(sample, _when(at, sample, has_start=has_start), wide)
        for at, sample in entries
        if isinstance(sample, GcCycle)
    ]
    head, rows = table(_COLUMNS, cycles, width)
    of_cycles = iter(rows)
    return head, [
        next(of_cycles) if isinstance(sample, GcCycle) else _other_line(sample)
        for _, sample in entries
    ]


class GcTracePane(Pane):
    """The tail of the trace."""

    NUMBER = 3
    NAME = "gctrace"
    SOURCE = "gctrace"
    KINDS = (GcCycle, ScavengeLine, OutputLine, TornLine, Restart)
    TAIL = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "output", "output", id="gctrace.output"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.everything = False

    def keys(self) -> Sequence[tuple[str, str]]:
        """Name the keys of this pane."""
        return (("o", "cycles alone" if self.everything else "all output"),)

    def action_output(self) -> None:
        """Show the program's other lines too, or the cycles alone again."""
        self.everything = not self.everything
        self._move(Selection(None))

    def _track(self, view: View) -> Track[TraceLine] | Track[GcCycle]:
        return view.timeline.lines if self.everything else view.timeline.track(GcCycle)

    def _entries(self, view: View, numbers: range) -> list[tuple[float, TraceLine]]:
        return [(at, sample) for at, sample in self._track(view).rows(numbers)]

    def rows(self, view: View) -> range:
        """Return the numbers of the entries that are held."""
        return self._track(view).numbers(view.until)

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw the newest entries, or those around the selected one."""
        numbers = self.rows(view)
        title = line(Span("all output" if self.everything else "gctrace", "title"))
        if not numbers:
            rows = explained(view, self.SOURCE, width, _waiting_for(view))
            return Picture(title, self._status(view), rows=rows, is_empty=True)
        height -= 1
        self.selection = self.selection.within(numbers, height)
        top = self.selection.top
        shown = range(top, min(top + height, numbers.stop))
        has_start = view.sample(ProcessIdentity) is not None
        head, rows = lines_of(self._entries(view, shown), width - 1, has_start=has_start)
        drawn = [(Span(" "), *row) for row in rows]
        if self.has_focus and self.selection.row is not None and drawn:
            at = self.selection.at(numbers) - top
            drawn[at] = marked(drawn[at], width)
        below = numbers.stop - shown.stop
        foot = line(Span(f"{below} more ↓", "dim")) if below else self._place(view, width)
        return Picture(title, self._status(view), foot=foot, rows=[(Span(" "), *head), *drawn])

    def _place(self, view: View, width: int) -> Line:
        state = view.state(self.SOURCE)
        if state is None or not isinstance(state[1], Attached):
            return ()
        return line(Span(cut(plain(state[1].where), width - 6), "dim"))

    def _status(self, view: View) -> Line:
        cycles = view.timeline.track(GcCycle).numbers(view.until).stop
        torn = view.timeline.track(TornLine).numbers(view.until).stop
        said = f"{cycles} cycle{'' if cycles == 1 else 's'}"
        restarts = view.timeline.track(Restart).numbers(view.until).stop
        spans = [Span(said, "dim")]
        if restarts:
            spans.append(Span(f" {restarts} restart{'' if restarts == 1 else 's'}", "bad"))
        if torn:
            spans.append(Span(f" {torn} torn", "bad"))
        return tuple(spans)

    def hint(self, view: View) -> Line:
        """Say the selected cycle in words."""
        numbers = self.rows(view)
        found = self._entries(view, range(self.selection.at(numbers), numbers.stop))[:1]
        if not found:
            return line("start the program with GODEBUG=gctrace=1 to see its collections here")
        sample = found[0][1]
        return in_words(sample) if isinstance(sample, GcCycle) else _other_line(sample)


def in_words(cycle: GcCycle) -> Line:
    """Say in a line what a cycle did."""
    start, end = _mb(cycle.heap_start_bytes), _mb(cycle.heap_end_bytes)
    spans = [Span(f"gc {cycle.number}", "gc"), Span(f"  heap {start} → {end} MB", "live")]
    if cycle.heap_live_bytes is not None:
        spans.append(Span(f", {_mb(cycle.heap_live_bytes)} MB alive", "live"))
    goal = "no goal" if cycle.goal_bytes is None else f"goal {_mb(cycle.goal_bytes)} MB"
    spans.append(Span(f", {goal}", "goal"))
    spans.append(Span(f", stopped {units.milliseconds(sum(cycle.pauses_ms))}"))
    if cycle.gc_cpu_percent is not None:
        spans.append(Span(f", GC {cycle.gc_cpu_percent}% of CPU since start"))
    if cycle.forced:
        spans.append(Span(", forced"))
    return tuple(spans)
