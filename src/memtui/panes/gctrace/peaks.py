"""Series cut down to the cells of a plot: of each cell the lowest and the highest value."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from memtui.model import Sample
from memtui.panes.gctrace.window import Stretch
from memtui.timeline import Track

S = TypeVar("S", bound=Sample)

Point: TypeAlias = tuple[float, float]
"""A moment (Unix seconds) and a value."""

MOST_CELLS = 512
"""Of more cells in a series those before the time shown are let go."""


class Peaks(NamedTuple):
    """The lowest and the highest value of a cell, each with its moment."""

    low_at: float
    low: float
    high_at: float
    high: float

    def with_point(self, at: float, value: float) -> Peaks:
        """Return the peaks when there is one more value."""
        low_at, low, high_at, high = self
        if value < low:
            low_at, low = at, value
        if value > high:
            high_at, high = at, value
        return Peaks(low_at, low, high_at, high)

    def points(self) -> Sequence[Point]:
        """Return the two points in the order of time, or the one that there is."""
        low, high = (self.low_at, self.low), (self.high_at, self.high)
        return (low,) if low == high else (min(low, high), max(low, high))


class Folded(Generic[S]):
    """Some series of one kind of sample, folded into cells of one length.

    Each event is read once: as long as the length of a cell stays, and no earlier time is shown,
    only what came is added, so a live plot costs what came and what is seen, not what is held. Of
    events that the track has let go of, those that it remembers are there.
    """

    def __init__(
        self, track: Track[S], reads: Sequence[Callable[[S], float | None]], cell_s: float
    ) -> None:
        self.track = track
        self.cell_s = cell_s
        self._reads = reads
        self._forget()

    def _forget(self) -> None:
        self._seen = 0
        self._first_cell: int | None = None
        """The first cell that is whole; None when all are."""
        self._cells: list[dict[int, Peaks]] = [{} for _ in self._reads]
        self._places: list[list[int]] = [[] for _ in self._reads]

    def take(self, numbers: range, first_cell: int) -> None:
        """Add what came; ``numbers`` are those of the events that count.

        ``first_cell`` is where the time shown begins: what is before may be let go.
        """
        if numbers.stop < self._seen or (self._first_cell or first_cell) > first_cell:
            self._forget()
        if not self._seen:
            self._add(self.track.remembered())
        fresh = range(max(self._seen, numbers.start), numbers.stop)
        self._add(self.track.rows(fresh) if fresh else ())
        self._seen = numbers.stop
        if max(map(len, self._places)) > MOST_CELLS:
            self._let_go(first_cell)

    def _add(self, entries: Iterable[tuple[float, S]]) -> None:
        series = list(zip(self._reads, self._cells, self._places, strict=True))
        for at, sample in entries:
            cell = math.floor(at / self.cell_s)
            for read, cells, places in series:
                value = read(sample)
                if value is None:
                    continue
                known = cells.get(cell)
                if known is None:
                    insort(places, cell)
                    cells[cell] = Peaks(at, value, at, value)
                else:
                    cells[cell] = known.with_point(at, value)

    def _let_go(self, first_cell: int) -> None:
        """Forget what lies before a cell, but for one, from which a line comes to the edge."""
        self._first_cell = first_cell
        for cells, places in zip(self._cells, self._places, strict=True):
            gone = places[: max(0, bisect_left(places, first_cell) - 1)]
            for cell in gone:
                del cells[cell]
            del places[: len(gone)]

    def points(self, series: int, stretch: Stretch) -> list[Point]:
        """Return at most two points a cell, and one on each side, so that lines reach the edge."""
        cells, places = self._cells[series], self._places[series]
        first = bisect_left(places, stretch.first_cell)
        stop = bisect_left(places, stretch.first_cell + stretch.columns)
        found = [cells[places[first - 1]].points()[-1]] if first else []
        for cell in places[first:stop]:
            found += cells[cell].points()
        if stop < len(places):
            found.append(cells[places[stop]].points()[0])
        return found


def broken_at(points: Sequence[Point], breaks: Sequence[float]) -> list[Sequence[Point]]:
    """Return the runs of points between which no break lies: a line must not cross one."""
    runs: list[Sequence[Point]] = []
    start = 0
    for moment in breaks:
        stop = bisect_left(points, (moment, -math.inf))
        if start < stop:
            runs.append(points[start:stop])
            start = stop
    return [*runs, points[start:]] if start < len(points) else runs
