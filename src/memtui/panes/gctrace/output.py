"""All that the program and its runtime wrote, line by line, with the cycles in columns between."""

from __future__ import annotations

from collections.abc import Sequence

from memtui.model import GcCycle, OutputLine, ProcessIdentity, ScavengeLine, TornLine
from memtui.panes.gctrace.columns import CycleEntry, cycle_lines, cycles_at
from memtui.panes.gctrace.table import Card, Words
from memtui.render.cells import Line, Span, line
from memtui.render.table import Selection
from memtui.sanitize import plain
from memtui.timeline import TraceLine, View


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
    cycles: list[CycleEntry[GcCycle]] = []
    for at, sample in lines:
        if isinstance(sample, GcCycle):
            cycles.append(CycleEntry(at, sample, cycles[-1].cycle if cycles else None))
    figures = cycles_at(width, has_start)
    head, rows = cycle_lines(figures, cycles, width, sorted_by=None, descending=False)
    of_cycles = iter(rows)
    return head, [
        next(of_cycles) if isinstance(sample, GcCycle) else other_line(sample)
        for _, sample in lines
    ]


class AllOutput:
    """All lines as they came, driven by the same verbs as a table of cycles; it follows its end.

    ``words`` and ``card`` say a cycle among them.
    """

    follows = True

    def __init__(self, words: Words[GcCycle], card: Card[GcCycle]) -> None:
        self._words: Words[GcCycle] = words
        self._card: Card[GcCycle] = card

    def rows(self, view: View) -> range:
        """Return the numbers of the lines."""
        return view.timeline.lines.numbers(view.until)

    def choose(self, view: View, place: int | None) -> None:
        """A line stays where it is: nothing is to be noted."""

    def hold(self, view: View, place: int) -> None:
        """A line stays where it is."""

    def placed(self, view: View, selection: Selection) -> Selection:
        """Return the selection as it is."""
        return selection

    def words_of(self, view: View, row: int) -> Line:
        """Return a line in words; nothing where there is none."""
        at, sample = self._line(view, row)
        if isinstance(sample, GcCycle):
            return self._words(CycleEntry(at, sample))
        return () if sample is None else other_line(sample)

    def card_of(self, view: View, row: int, width: int) -> list[Line]:
        """Return every field of the cycle in a line; nothing where it is none."""
        at, sample = self._line(view, row)
        return self._card(CycleEntry(at, sample), width) if isinstance(sample, GcCycle) else []

    def lines(self, view: View, rows: range, width: int) -> tuple[Line, list[Line]]:
        """Return the head of the table and some of its rows."""
        has_start = view.sample(ProcessIdentity) is not None
        return output_lines(view.timeline.lines.rows(rows), width, has_start=has_start)

    def _line(self, view: View, row: int) -> tuple[float, TraceLine | None]:
        found = view.timeline.lines.rows(range(row, row + 1))
        return found[0] if found else (0.0, None)
