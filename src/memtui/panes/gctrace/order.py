"""In which order the rows of the table stand: as they came, or sorted by a column."""

from __future__ import annotations

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

    New ones are merged into those that are sorted already, so that a live table costs what came,
    not what is held. A row is known by the number of its event on the track.
    """

    def __init__(self, track: Track[S], figure: Figure[S]) -> None:
        self.track = track
        self.figure = figure
        self._numbers = range(0)
        self._last: S | None = None
        self._sorted: list[tuple[float, int]] = []

    def take(self, numbers: range) -> None:
        """Sort in what came, and forget what is held no longer."""
        if numbers.stop < self._numbers.stop:
            self._numbers, self._last, self._sorted = range(0), None, []
        fresh = range(max(numbers.start, self._numbers.stop), numbers.stop)
        if numbers.start > self._numbers.start:
            self._sorted = [each for each in self._sorted if each[1] >= numbers.start]
        if fresh:
            key, before = self.figure.key, self._last
            for number, (at, cycle) in zip(fresh, self.track.rows(fresh), strict=False):
                self._sorted.append((key(Entry(at, cycle, before)), number))
                before = cycle
            self._last = before
            self._sorted.sort()
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._sorted)

    def number_at(self, place: int, *, descending: bool) -> int:
        """Return the number of the event in a place, counted from the top."""
        return self._sorted[-1 - place if descending else place][1]

    def place_of(self, number: int, *, descending: bool) -> int | None:
        """Return the place of an event by its number; None when it is held no longer."""
        places = (place for place, each in enumerate(self._sorted) if each[1] == number)
        found = next(places, None)
        return len(self._sorted) - 1 - found if descending and found is not None else found


def entries_at(track: Track[S], numbers: Sequence[int], *, has_start: bool) -> list[Entry[S]]:
    """Return the rows of these events, each with the cycle before it.

    Runs of neighbours are read at once; so a table in the order of the track is read in one go.
    """
    found: list[Entry[S]] = []
    at = 0
    while at < len(numbers):
        stop = at + 1
        while stop < len(numbers) and numbers[stop] == numbers[stop - 1] + 1:
            stop += 1
        first = numbers[at]
        rows = track.rows(range(max(0, first - 1), first + stop - at))
        before = rows[0][1] if len(rows) > stop - at else None
        for moment, cycle in rows[-(stop - at) :]:
            found.append(Entry(moment, cycle, before, has_start))
            before = cycle
        at = stop
    return found
