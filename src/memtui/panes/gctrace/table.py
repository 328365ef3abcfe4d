"""The table of the cycles: its order, the selected one, and the rows that are to be seen.

In which order the rows of the table stand: as they came, or sorted by a column.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic

from memtui.model import ProcessIdentity
from memtui.panes.gctrace.columns import CycleEntry, Figure, S, cycle_lines
from memtui.render.cells import Line, Span
from memtui.render.table import Selection
from memtui.timeline import Track, View

BY_NUMBER = 0
"""The column by which rows stand as they came; the table follows its end only then."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """Which column the rows go by, and in which direction."""

    column: int = BY_NUMBER
    descending: bool = False

    @property
    def as_they_came(self) -> bool:
        """Whether the newest row stands last."""
        return self == Sorting()

    def next(self, figures: Sequence[Figure[S]]) -> Sorting:
        """Return the sorting by the next column, in the direction that people look for first."""
        column = (self.column + 1) % len(figures)
        return Sorting(column, figures[column].descending)

    def reversed(self) -> Sorting:
        """Return the other direction."""
        return Sorting(self.column, not self.descending)


class CycleOrder(Generic[S]):
    """The cycles that a track holds, sorted by a column.

    New ones are merged into those that are sorted already: a live table costs what came, and one
    pass over what is held. A row is known by the number of its event on the track.
    """

    def __init__(self, track: Track[S], figure: Figure[S]) -> None:
        self.track: Track[S] = track
        self.figure: Figure[S] = figure
        self._numbers = range(0)
        self._entries: dict[int, CycleEntry[S]] = {}
        self._sorted: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def take(self, numbers: range) -> None:
        """Sort in what came, and forget what is held no longer."""
        if numbers == self._numbers:
            return
        if numbers.stop < self._numbers.stop:
            self._numbers, self._entries, self._sorted = range(0), {}, []
        gone = range(self._numbers.start, min(numbers.start, self._numbers.stop))
        for number in gone:
            del self._entries[number]
        if gone:
            self._sorted = [each for each in self._sorted if each[1] >= numbers.start]
        fresh = range(max(numbers.start, self._numbers.stop), numbers.stop)
        key = self.figure.key
        for number, entry in zip(fresh, entries_of(self.track, fresh), strict=True):
            self._entries[number] = entry
            self._sorted.append((key(entry), number))
        self._sorted.sort()  # one run in order and a short one behind it: a merge
        self._numbers = numbers

    def rows(self, places: range, *, descending: bool) -> list[CycleEntry[S]]:
        """Return the rows in these places, counted from the top, as far as there are any."""
        held = range(places.start, min(places.stop, len(self._sorted)))
        return [self._entries[self.number_at(at, descending=descending)] for at in held]

    def number_at(self, place: int, *, descending: bool) -> int:
        """Return the number of the event in a place, counted from the top."""
        return self._sorted[-1 - place if descending else place][1]

    def place_of(self, number: int, *, descending: bool) -> int | None:
        """Return the place of an event by its number; None when it is held no longer."""
        entry = self._entries.get(number)
        if entry is None:
            return None
        at = bisect_left(self._sorted, (self.figure.key(entry), number))
        return len(self._sorted) - 1 - at if descending else at


def entries_of(track: Track[S], numbers: range) -> list[CycleEntry[S]]:
    """Return the cycles with these numbers that are held, each with the one before it."""
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
"""Makes the columns for a width; the flag tells whether the start of the process is known."""

Words = Callable[[CycleEntry[S]], Line]
"""Says a cycle in one line."""

Card = Callable[[CycleEntry[S], int], list[Line]]
"""Says every field of a cycle, in lines of a width."""


class CycleTable(Generic[S]):
    """The cycles of one kind of sample, as they came or sorted by a column.

    As they came, a row is known by the number of its event, and the table follows its end. Sorted,
    rows are places from 0 on: the selection stays with its cycle while others are sorted in
    around it, or at the top, with whichever cycle that is.
    """

    def __init__(
        self, kind: type[S], figures_at: FigureMaker[S], words: Words[S], card: Card[S]
    ) -> None:
        self.sorting = Sorting()
        self.words: Words[S] = words
        self.card: Card[S] = card
        self._kind: type[S] = kind
        self._figures_at: FigureMaker[S] = figures_at
        self._order: CycleOrder[S] | None = None
        self._chosen: int | None = None
        self._widest: dict[str, int] = {}

    @property
    def follows(self) -> bool:
        """Whether an untouched selection follows the end."""
        return self.sorting.as_they_came

    def sort_by_next(self) -> None:
        """Sort by the next column."""
        self.sorting = self.sorting.next(self._figures_at(0, True))
        self._order, self._chosen = None, None

    def reverse(self) -> None:
        """Turn the order round."""
        self.sorting = self.sorting.reversed()
        self._chosen = None

    def explained(self, width: int) -> Line:
        """Say by what the table is sorted, and what those numbers are."""
        figure = self._figures_at(width, True)[self.sorting.column]
        first = "largest" if self.sorting.descending else "smallest"
        return (
            Span(f"by {figure.title}", "title"),
            Span(f", {first} first: "),
            Span(figure.meaning, figure.role if figure.role != "dim" else "text"),
        )

    def rows(self, view: View) -> range:
        """Return the numbers of the rows that can be selected."""
        if self.sorting.as_they_came:
            return self._track(view).numbers(view.until)
        return range(len(self._ordered(view)))

    def choose(self, view: View, place: int | None) -> None:
        """Note which row was selected, so that the selection can stay with its cycle."""
        order = None if self.sorting.as_they_came else self._ordered(view)
        self._chosen = None
        if order is not None and place and place < len(order):
            self._chosen = order.number_at(place, descending=self.sorting.descending)

    def hold(self, view: View, place: int) -> None:
        """Let the selection stay with the cycle in this place, also with that at the top."""
        if not self.sorting.as_they_came and place < len(order := self._ordered(view)):
            self._chosen = order.number_at(place, descending=self.sorting.descending)

    def placed(self, view: View, selection: Selection) -> Selection:
        """Return the selection where its cycle stands now."""
        if self.sorting.as_they_came:
            return selection
        order, place = self._ordered(view), None
        if self._chosen is not None:
            place = order.place_of(self._chosen, descending=self.sorting.descending)
        return replace(selection, row=place or 0)

    def words_of(self, view: View, row: int) -> Line:
        """Return the cycle of a row in one line; nothing where there is none."""
        found = self._entries(view, range(row, row + 1))
        return self.words(found[0]) if found else ()

    def card_of(self, view: View, row: int, width: int) -> list[Line]:
        """Return every field of the cycle of a row; nothing where there is none."""
        found = self._entries(view, range(row, row + 1))
        return self.card(found[0], width) if found else []

    def lines(self, view: View, rows: range, width: int) -> tuple[Line, list[Line]]:
        """Return the head of the table and some of its rows."""
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
        if self.sorting.as_they_came:
            return entries_of(self._track(view), rows)
        return self._ordered(view).rows(rows, descending=self.sorting.descending)

    def _ordered(self, view: View) -> CycleOrder[S]:
        track = self._track(view)
        if self._order is None or self._order.track is not track:
            self._order = CycleOrder(track, self._figures_at(0, True)[self.sorting.column])
        self._order.take(track.numbers(view.until))
        return self._order
