"""In which order the rows of the table stand: as they came, or sorted by a column."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from memtui.panes.gctrace.columns import Entry, Figure, S
from memtui.timeline import Track

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


class Order(Generic[S]):
    """The cycles that a track holds, sorted by a column.

    New ones are merged into those that are sorted already: a live table costs what came, and one
    pass over what is held. A row is known by the number of its event on the track.
    """

    def __init__(self, track: Track[S], figure: Figure[S]) -> None:
        self.track: Track[S] = track
        self.figure: Figure[S] = figure
        self._numbers = range(0)
        self._entries: dict[int, Entry[S]] = {}
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

    def rows(self, places: range, *, descending: bool) -> list[Entry[S]]:
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


def entries_of(track: Track[S], numbers: range) -> list[Entry[S]]:
    """Return the cycles with these numbers that are held, each with the one before it."""
    if not numbers:
        return []
    before: S | None = None
    found = []
    rows = track.rows(range(max(0, numbers.start - 1), numbers.stop))
    if len(rows) > len(numbers):
        before = rows.pop(0)[1]
    for at, cycle in rows:
        found.append(Entry(at, cycle, before))
        before = cycle
    return found
