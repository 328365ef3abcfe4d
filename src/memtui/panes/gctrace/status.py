"""The texts around the table: counts and summary of the cycles, title and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtui.model import (
    Attached,
    GcCycle,
    GcPause,
    OutputLine,
    ProcessIdentity,
    Restart,
    Sample,
    ScavengeLine,
    TornLine,
)
from memtui.panes.gctrace.columns import exact_share, stopped
from memtui.panes.gctrace.plots import Plots, from_memstats
from memtui.render.cells import Line, Role, Span, cells, cut, line, wrapped
from memtui.sanitize import plain
from memtui.timeline import View
from memtui.timeline.cycles import CycleSummary, summarize_cycles

MOST_SUMMARISED = 512
"""At most this number of the newest cycles is summarized: it bounds the cost of a paint."""


@dataclass(frozen=True, slots=True)
class Status:
    """The numbers of the status line."""

    cycles: int
    pauses: int
    restarts: int
    read: int
    torn: int
    other: int
    summary: CycleSummary


def status_of(view: View, start: float, end: float) -> Status:
    """Return the counts up to the moment of the view, and the summary of the cycles in a window."""

    def count(kind: type[Sample]) -> int:
        return view.timeline.track(kind).numbers(view.until).stop

    cycles, until = count(GcCycle), min(end, view.until)
    newest = view.timeline.track(GcCycle).tail(MOST_SUMMARISED, until)
    pauses = [] if cycles else view.timeline.track(GcPause).tail(MOST_SUMMARISED, until)
    return Status(
        cycles=cycles,
        pauses=count(GcPause),
        restarts=count(Restart),
        read=cycles + count(ScavengeLine),
        torn=count(TornLine),
        other=count(OutputLine),
        summary=_pause_summary([entry for entry in pauses if entry[0] >= start])
        if pauses
        else summarize_cycles(entry for entry in newest if entry[0] >= start),
    )


def _pause_summary(pauses: Sequence[tuple[float, GcPause]]) -> CycleSummary:
    """Return the summary of cycles with pauses only (the total of each)."""
    stops = sorted(pause.pause_s * 1000 for _, pause in pauses)
    wall_s = pauses[-1][0] - pauses[0][0] if pauses else 0.0
    return CycleSummary(
        cycles=len(stops),
        per_minute=(len(stops) - 1) / wall_s * 60 if wall_s > 0 else None,
        longest_pause_ms=stops[-1] if stops else None,
        median_pause_ms=stops[(len(stops) - 1) // 2] if stops else None,
        in_gc=None,
    )


def in_frame(status: Status, room: int, *, with_summary: bool = True) -> Line:
    """Return the short form: cycles and problems, then rate and longest pause, if they fit."""
    cycles = status.cycles or status.pauses
    parts: list[Line] = [(Span(_counted(cycles, "cycle"), "dim"),)]
    if status.restarts:
        parts.append((Span(_counted(status.restarts, "restart"), "bad"),))
    if status.torn:
        parts.append((Span(f"{_count(status.torn)} torn", "bad"),))
    if with_summary and status.summary.per_minute is not None:
        parts.append((Span(_rate(status.summary.per_minute), "dim"),))
    if with_summary and status.summary.longest_pause_ms is not None:
        parts.append((Span(f"max {stopped(status.summary.longest_pause_ms)}", "dim"),))
    return _joined(parts, " ", room)


def in_full(status: Status, width: int) -> Line:
    """Return the status line, in words if there is room."""
    whole = _joined(_parts(status, in_words=True), "  ", 10_000)
    return whole if cells(whole) <= width else _joined(_parts(status, in_words=False), "  ", width)


def _parts(status: Status, *, in_words: bool) -> list[Line]:
    """Return rate, stop-the-world pauses, share of time and counts of lines, if known."""
    summary = status.summary
    parts: list[Line] = []
    if summary.per_minute is not None:
        parts.append((Span(_rate(summary.per_minute)),))
    if summary.longest_pause_ms is not None and summary.median_pause_ms is not None:
        median, longest = stopped(summary.median_pause_ms), stopped(summary.longest_pause_ms)
        words = ("stop-the-world: median ", ", longest ") if in_words else ("stop ", " max ")
        parts.append((Span(words[0]), Span(median, "gc"), Span(words[1]), Span(longest, "gc")))
    if summary.in_gc is not None:
        share = Span(exact_share(summary.in_gc), "gc")
        parts.append((share, Span(" of the time in GC")) if in_words else (Span("in GC "), share))
    return [*parts, *_line_counts(status, "lines: " if in_words else "")]


def _line_counts(status: Status, title: str) -> list[Line]:
    """Return the counts of lines; nothing without a trace."""
    if not status.read + status.torn + status.other:
        return []
    torn: Role = "bad" if status.torn else "dim"
    return [
        (
            Span(f"{title}{_count(status.read)} read ", "dim"),
            Span(f"{_count(status.torn)} torn", torn),
            Span(f" {_count(status.other)} other", "dim"),
        )
    ]


def _joined(parts: Sequence[Line], between: str, room: int) -> Line:
    """Return the first parts that fit."""
    spans: list[Span] = []
    for part in parts:
        added = [Span(between), *part] if spans else [*part]
        if spans and cells((*spans, *added)) > room:
            break
        spans += added
    return tuple(spans)


def _rate(per_minute: float) -> str:
    if per_minute >= 600:
        return f"{_count(round(per_minute / 60))}/s"
    return f"{per_minute:.0f}/min" if per_minute >= 9.5 else f"{per_minute:.1f}/min"


def _count(number: int) -> str:
    return str(number) if number < 100_000 else f"{number // 1000}k"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


NO_TRACE = (
    "heap and CPU of each cycle: start the program with GODEBUG=gctrace=1 "
    "(it cannot be switched on later)"
)


def title_of(view: View, *, everything: bool) -> Line:
    """Return what the pane shows, and its source if it is not a trace."""
    if everything:
        return line(Span("all output", "title"))
    return line(Span("gc from MemStats" if from_memstats(view) else "gctrace", "title"))


def pager(plots: Plots, view: View) -> Line:
    """Return the key of the plots and their names; the visible one is bright."""
    spans = [Span("p", "key")]
    for at, name in enumerate(plots.names(view)):
        spans.append(Span(" · " if at else " ", "dim"))
        spans.append(Span(name, "title" if at == plots.place(view) else "dim"))
    return tuple(spans)


def place_of(view: View, source: str, width: int) -> Line:
    """Return the origin of the trace."""
    state = view.state(source)
    if state is None or not isinstance(state[1], Attached):
        return ()
    return line(Span(cut(plain(state[1].where), width - 6), "dim"))


def note(view: View, width: int) -> list[Line]:
    """Return how to get a trace, if there is none."""
    if not from_memstats(view):
        return []
    return [(Span(" "), *row) for row in wrapped(NO_TRACE, width - 2, "dim")]


def waiting_for(view: View) -> str:
    """Return why there are no cycles yet."""
    identity = view.sample(ProcessIdentity)
    if view.ended():
        return "the process ended before its first GC cycle; o shows its output"
    if identity is not None and identity.go_version is None:
        return (
            f"{plain(identity.name)} is not a Go program. If it starts one: "
            "use exec, or watch that program with memtui --name"
        )
    return "waiting for the first GC cycle …"
