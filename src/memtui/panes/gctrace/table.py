"""The tables of the pane: cycles in order of arrival or sorted by a column, and all output."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic

from memtui.model import GcCycle, OutputLine, ProcessIdentity, ScavengeLine, TornLine
from memtui.panes.gctrace.columns import CycleEntry, Figure, S, cycle_lines, cycles_at
from memtui.render.cells import Line, Span, line
from memtui.render.table import Selection
from memtui.sanitize import plain
from memtui.timeline import TraceLine, Track, View

BY_NUMBER = 0
"""The column of the order of arrival; only then does the table follow its end."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """The column that rows are sorted by, and the direction."""

    column: int = BY_NUMBER
    descending: bool = False

    @property
    def by_arrival(self) -> bool:
        """Whether the newest row is the last one."""
        return self == Sorting()

    def next(self, figures: Sequence[Figure[S]]) -> Sorting:
        """Return the sorting by the next column, in its usual direction."""
        column = (self.column + 1) % len(figures)
        return Sorting(column, figures[column].descending)

    def reversed(self) -> Sorting:
        """Return the other direction."""
        return Sorting(self.column, not self.descending)


class CycleOrder(Generic[S]):
    """The cycles of a track, sorted by a column.

    New cycles are merged into the sorted ones, in one pass. A row is identified by the number of
    its event on the track.
    """

    def __init__(self, track: Track[S], figure: Figure[S]) -> None:
        self.track: Track[S] = track
        self.figure: Figure[S] = figure
        self._numbers = range(0)
        self._entries: dict[int, CycleEntry[S]] = {}
        self._sorted: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def update(self, numbers: range) -> None:
        """Add new events, and remove those that are no longer in memory."""
        if numbers == self._numbers:
            return
        if numbers.stop < self._numbers.stop:
            self._numbers, self._entries, self._sorted = range(0), {}, []
        removed = range(self._numbers.start, min(numbers.start, self._numbers.stop))
        for number in removed:
            del self._entries[number]
        if removed:
            self._sorted = [each for each in self._sorted if each[1] >= numbers.start]
        fresh = range(max(numbers.start, self._numbers.stop), numbers.stop)
        key = self.figure.key
        for number, entry in zip(fresh, entries_of(self.track, fresh), strict=True):
            self._entries[number] = entry
            self._sorted.append((key(entry), number))
        self._sorted.sort()  # fast: a sorted run and a short one after it
        self._numbers = numbers

    def rows(self, places: range, *, descending: bool) -> list[CycleEntry[S]]:
        """Return the rows in these places, counted from the top, that exist."""
        existing = range(places.start, min(places.stop, len(self._sorted)))
        return [self._entries[self.number_at(at, descending=descending)] for at in existing]

    def number_at(self, place: int, *, descending: bool) -> int:
        """Return the number of the event in a place, counted from the top."""
        return self._sorted[-1 - place if descending else place][1]

    def place_of(self, number: int, *, descending: bool) -> int | None:
        """Return the place of an event by its number; None if it is no longer in memory."""
        entry = self._entries.get(number)
        if entry is None:
            return None
        at = bisect_left(self._sorted, (self.figure.key(entry), number))
        return len(self._sorted) - 1 - at if descending else at


def entries_of(track: Track[S], numbers: range) -> list[CycleEntry[S]]:
    """Return the cycles with these numbers that are in memory, each with the previous one."""
    if not numbers:
        return []
    before: S | None = None
    found = []
    rows = track.rows(range(max(0, numbers.start - 1), numbers.stop))
    if len(rows) > len(numbers):
        before = rows.pop(0)[1]
    for at, cycle in rows:
        found.append(CycleEntry(at, cycle, before))
        before = cycle
    return found


FigureMaker = Callable[[int, bool], Sequence[Figure[S]]]
"""Returns the columns for a width; the flag is whether the start of the process is known."""

CycleWords = Callable[[CycleEntry[S]], Line]
"""Returns a cycle in one line."""

CycleCard = Callable[[CycleEntry[S], int], list[Line]]
"""Returns every field of a cycle, in lines of a width."""


class CycleTable(Generic[S]):
    """The cycles of one kind of sample, in order of arrival or sorted by a column.

    In order of arrival, rows are the numbers of events, and the table follows its end. Sorted, rows
    are places from 0: the selection stays with its cycle when others are added, or at the top
    with any cycle.
    """

    def __init__(
        self, kind: type[S], figures_at: FigureMaker[S], words: CycleWords[S], card: CycleCard[S]
    ) -> None:
        self.sorting = Sorting()
        self.words: CycleWords[S] = words
        self.card: CycleCard[S] = card
        self._kind: type[S] = kind
        self._figures_at: FigureMaker[S] = figures_at
        self._order: CycleOrder[S] | None = None
        self._chosen: int | None = None
        self._widest: dict[str, int] = {}

    @property
    def follows(self) -> bool:
        """Whether an untouched selection follows the end."""
        return self.sorting.by_arrival

    def sort_by_next(self) -> None:
        """Sort by the next column."""
        self.sorting = self.sorting.next(self._figures_at(0, True))
        self._order, self._chosen = None, None

    def reverse(self) -> None:
        """Reverse the order."""
        self.sorting = self.sorting.reversed()
        self._chosen = None

    def sorting_hint(self, width: int) -> Line:
        """Return the column that the table is sorted by, and its meaning."""
        figure = self._figures_at(width, True)[self.sorting.column]
        first = "largest" if self.sorting.descending else "smallest"
        return (
            Span(f"by {figure.title}", "title"),
            Span(f", {first} first: "),
            Span(figure.meaning, figure.role if figure.role != "dim" else "text"),
        )

    def rows(self, view: View) -> range:
        """Return the numbers of the rows that can be selected."""
        if self.sorting.by_arrival:
            return self._track(view).numbers(view.until)
        return range(len(self._ordered(view)))

    def choose(self, view: View, place: int | None) -> None:
        """Record the selected row, so that the selection stays with its cycle."""
        order = None if self.sorting.by_arrival else self._ordered(view)
        self._chosen = None
        if order is not None and place and place < len(order):
            self._chosen = order.number_at(place, descending=self.sorting.descending)

    def hold(self, view: View, place: int) -> None:
        """Keep the selection on the cycle in this place, even at the top."""
        if not self.sorting.by_arrival and place < len(order := self._ordered(view)):
            self._chosen = order.number_at(place, descending=self.sorting.descending)

    def placed(self, view: View, selection: Selection) -> Selection:
        """Return the selection at the current place of its cycle."""
        if self.sorting.by_arrival:
            return selection
        order, place = self._ordered(view), None
        if self._chosen is not None:
            place = order.place_of(self._chosen, descending=self.sorting.descending)
        return replace(selection, row=place or 0)

    def words_of(self, view: View, row: int) -> Line:
        """Return the cycle of a row in one line; nothing if there is none."""
        found = self._entries(view, range(row, row + 1))
        return self.words(found[0]) if found else ()

    def card_of(self, view: View, row: int, width: int) -> list[Line]:
        """Return every field of the cycle of a row; nothing if there is none."""
        found = self._entries(view, range(row, row + 1))
        return self.card(found[0], width) if found else []

    def lines(self, view: View, rows: range, width: int) -> tuple[Line, list[Line]]:
        """Return the header of the table and some of its rows."""
        has_start = view.sample(ProcessIdentity) is not None
        return cycle_lines(
            self._figures_at(width, has_start),
            self._entries(view, rows),
            width,
            sorted_by=self.sorting.column,
            descending=self.sorting.descending,
            widest=self._widest,
        )

    def _track(self, view: View) -> Track[S]:
        return view.timeline.track(self._kind)

    def _entries(self, view: View, rows: range) -> list[CycleEntry[S]]:
        if self.sorting.by_arrival:
            return entries_of(self._track(view), rows)
        return self._ordered(view).rows(rows, descending=self.sorting.descending)

    def _ordered(self, view: View) -> CycleOrder[S]:
        track = self._track(view)
        if self._order is None or self._order.track is not track:
            self._order = CycleOrder(track, self._figures_at(0, True)[self.sorting.column])
        self._order.update(track.numbers(view.until))
        return self._order


def other_line(sample: TraceLine) -> Line:
    """Return a line that is not a cycle, as it was written."""
    match sample:
        case OutputLine(text, stream):
            return line(Span(plain(text), "text" if stream == "stderr" else "dim"))
        case TornLine(text):
            return line(Span("torn ", "bad"), Span(plain(text), "dim"))
        case ScavengeLine():
            return line(Span(plain(sample.line), "dim"))
        case _:
            return line(Span("── the process restarted: counters start again ──", "bad"))


def output_lines(
    lines: Sequence[tuple[float, TraceLine]], width: int, *, has_start: bool
) -> tuple[Line, list[Line]]:
    """Return the header, and a row for each line of output."""
    cycles: list[CycleEntry[GcCycle]] = []
    for at, sample in lines:
        if isinstance(sample, GcCycle):
            cycles.append(CycleEntry(at, sample, cycles[-1].cycle if cycles else None))
    figures = cycles_at(width, has_start)
    head, rows = cycle_lines(figures, cycles, width, sorted_by=None, descending=False)
    cycle_rows = iter(rows)
    return head, [
        next(cycle_rows) if isinstance(sample, GcCycle) else other_line(sample)
        for _, sample in lines
    ]


class AllOutput:
    """All lines of output with the interface of CycleTable; it follows its end.

    ``words`` and ``card`` format the cycles among them.
    """

    follows = True

    def __init__(self, words: CycleWords[GcCycle], card: CycleCard[GcCycle]) -> None:
        self._words: CycleWords[GcCycle] = words
        self._card: CycleCard[GcCycle] = card

    def rows(self, view: View) -> range:
        """Return the numbers of the lines."""
        return view.timeline.lines.numbers(view.until)

    def choose(self, view: View, place: int | None) -> None:
        """Do nothing: lines keep their numbers."""

    def hold(self, view: View, place: int) -> None:
        """Do nothing: lines keep their numbers."""

    def placed(self, view: View, selection: Selection) -> Selection:
        """Return the selection unchanged."""
        return selection

    def words_of(self, view: View, row: int) -> Line:
        """Return a line in words; nothing if there is none."""
        at, sample = self._line(view, row)
        if isinstance(sample, GcCycle):
            return self._words(CycleEntry(at, sample))
        return () if sample is None else other_line(sample)

    def card_of(self, view: View, row: int, width: int) -> list[Line]:
        """Return every field of the cycle in a line; nothing if it is not a cycle."""
        at, sample = self._line(view, row)
        return self._card(CycleEntry(at, sample), width) if isinstance(sample, GcCycle) else []

    def lines(self, view: View, rows: range, width: int) -> tuple[Line, list[Line]]:
        """Return the header of the table and some of its rows."""
        has_start = view.sample(ProcessIdentity) is not None
        return output_lines(view.timeline.lines.rows(rows), width, has_start=has_start)

    def _line(self, view: View, row: int) -> tuple[float, TraceLine | None]:
        found = view.timeline.lines.rows(range(row, row + 1))
        return found[0] if found else (0.0, None)
