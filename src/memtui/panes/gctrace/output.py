"""What the program and its runtime wrote, line by line, with the cycles in columns between."""

from __future__ import annotations

from collections.abc import Sequence

from memtui.model import GcCycle, OutputLine, ScavengeLine, TornLine
from memtui.panes.cells import Line, Span, line
from memtui.panes.gctrace.columns import Entry, cycle_lines, cycles_at
from memtui.plain import plain
from memtui.timeline import TraceLine


def other_line(sample: TraceLine) -> Line:
    """Return a line that is not of a cycle, as it came."""
    match sample:
        case OutputLine(text, stream):
            return line(Span(plain(text), "text" if stream == "stderr" else "dim"))
        case TornLine(text):
            return line(Span("torn ", "bad"), Span(plain(text), "dim"))
        case ScavengeLine():
            return line(Span(plain(sample.line), "dim"))
        case _:
            return line(Span("── started anew: the counters begin again ──", "bad"))


def output_lines(
    lines: Sequence[tuple[float, TraceLine]], width: int, *, has_start: bool
) -> tuple[Line, list[Line]]:
    """Return the head line, and a line for each that was written."""
    cycles: list[Entry[GcCycle]] = []
    for at, sample in lines:
        if isinstance(sample, GcCycle):
            cycles.append(Entry(at, sample, cycles[-1].cycle if cycles else None))
    figures = cycles_at(width, has_start)
    head, rows = cycle_lines(figures, cycles, width, sorted_by=None, descending=False)
    of_cycles = iter(rows)
    return head, [
        next(of_cycles) if isinstance(sample, GcCycle) else other_line(sample)
        for _, sample in lines
    ]
