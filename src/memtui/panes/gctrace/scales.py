"""Scales of the plots: where a value stands between bottom and top, and ticks for people.

Series cut down to the cells of a plot: of each cell the lowest and the highest value.

Which time the plots show: how long it is, and whether it follows now or stays.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from memtui import units
from memtui.model import Sample
from memtui.render.braille_plot import scale
from memtui.render.plotext_plot import DOTS_DOWN
from memtui.timeline import Track

_LEAST_MS = 0.001
"""The runtime prints 0 for what took less than a microsecond."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis: ``place`` of a value, from 0 (bottom) to 1 (top), and ticks, ascending."""

    place: Callable[[float], float]
    ticks: Sequence[tuple[float, str]]

    def labels(self, rows: int) -> list[tuple[float, str]]:
        """Return the labels with their places in dots; every second, third, … if too close."""
        levels = rows * DOTS_DOWN - 1
        every = 1
        while every < len(self.ticks) and rows * every < len(self.ticks) * 1.5:
            every += 1
        return [(self.place(value) * levels, label) for value, label in self.ticks[::every]]


def in_bytes(lowest: float, highest: float, height: int) -> Scale:
    """Return a scale from 0 with ticks at powers of two."""
    top, step = scale(max(1, int(highest)), max(1, round(height / 3)))
    ticks = [(float(tick), _short(units.size(tick))) for tick in range(0, top + 1, step)]
    return Scale(lambda value: value / top, ticks)


def in_ms(lowest: float, highest: float, height: int) -> Scale:
    """Return a scale from 0 with ticks at 1, 2 or 5 times a power of ten, in milliseconds."""
    wanted = max(highest, _LEAST_MS) / max(1, height // 3)
    power = 10.0 ** math.floor(math.log10(wanted))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= wanted * 0.999)
    count = max(1, math.ceil(highest / step - 1e-9))
    ticks = [(number * step, time_tick(number * step)) for number in range(count + 1)]
    return Scale(lambda value: value / (step * count), ticks)


def in_ms_by_powers(lowest: float, highest: float, height: int) -> Scale:
    """Return a scale of powers of ten: pauses of 20 µs and marking of 20 ms are both seen."""
    bottom = math.floor(math.log10(max(lowest, _LEAST_MS)) + 1e-9)
    top = max(bottom + 1, math.ceil(math.log10(max(highest, _LEAST_MS)) - 1e-9))

    def place(value: float) -> float:
        return (math.log10(max(value, 10.0**bottom)) - bottom) / (top - bottom)

    ticks = [(10.0**power, time_tick(10.0**power)) for power in range(bottom, top + 1)]
    if lowest <= _LEAST_MS:
        ticks[0] = (ticks[0][0], f"<{ticks[0][1]}")
    return Scale(place, ticks)


def in_percent(lowest: float, highest: float, height: int) -> Scale:
    """Return a scale from 0 to 100."""
    steps = 4 if height >= 12 else 2
    ticks = [(tick, f"{tick:.0f}%") for tick in (100 * at / steps for at in range(steps + 1))]
    return Scale(lambda value: min(1.0, value / 100), ticks)


def time_tick(milliseconds: float) -> str:
    """Write a round time: 0, 10µs, 0.5ms, 20ms, 1s."""
    if not milliseconds:
        return "0"
    for unit, ms in (("s", 1000.0), ("ms", 1.0)):
        if milliseconds >= ms * 0.999:
            return f"{milliseconds / ms:.3g}{unit}"
    return f"{milliseconds * 1000:.3g}µs"


def _short(size: str) -> str:
    """Write a round size without its zeros: 16M."""
    return re.sub(r"\.0+(?=\D|$)", "", size)


LENGTHS_S = (10, 30, 60, 120, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600, 72 * 3600)
SHORTEST_BY_ITSELF_S = 60
LONGEST_BY_ITSELF_S = 600
PANNED = 4
"""A step sideways is a fourth of the time shown."""


@dataclass(frozen=True, slots=True)
class PlotSpan:
    """The time of a plot: ``columns`` cells of ``cell_s`` seconds each.

    It starts at a whole number of cells since 1970, so that a cell holds the same events however
    the window moves.
    """

    first_cell: int
    columns: int
    cell_s: float
    length_s: int

    @property
    def start(self) -> float:
        """When it starts, in Unix seconds."""
        return self.first_cell * self.cell_s

    @property
    def end(self) -> float:
        """When it ends, in Unix seconds."""
        return (self.first_cell + self.columns) * self.cell_s


@dataclass(frozen=True, slots=True)
class PlotWindow:
    """The chosen length in seconds (None: automatic) and end (None: follow now)."""

    length_s: int | None = None
    end: float | None = None

    def stretch(self, first: float, now: float, columns: int) -> PlotSpan:
        """Return the time to draw; ``first`` is the moment of the first cycle of all.

        By itself it starts there and grows as it fills, up to ten minutes.
        """
        length_s = self.length_s or _fitting(now - first)
        cell_s = length_s / columns
        if self.end is None and now - first < length_s:
            return PlotSpan(math.floor(first / cell_s), columns, cell_s, length_s)
        end = now if self.end is None else self.end
        return PlotSpan(math.floor(end / cell_s) + 1 - columns, columns, cell_s, length_s)

    def zoomed(self, by: int, shown: PlotSpan) -> PlotWindow:
        """Return a longer (``by`` > 0) or a shorter time; one that stays keeps its middle."""
        at = LENGTHS_S.index(shown.length_s) + by
        length_s = LENGTHS_S[max(0, min(at, len(LENGTHS_S) - 1))]
        end = self.end
        if end is not None:
            end += (length_s - shown.length_s) / 2
        return PlotWindow(length_s, end)

    def panned(self, by: int, shown: PlotSpan, first: float, now: float) -> PlotWindow:
        """Return a time earlier (``by`` < 0) or later; at the end it follows now again."""
        end = (now if self.end is None else self.end) + by * shown.length_s / PANNED
        if end >= now:
            return replace(self, length_s=shown.length_s, end=None)
        return PlotWindow(shown.length_s, max(end, min(now, first + shown.length_s / PANNED)))

    def following(self) -> PlotWindow:
        """Return the same length up to now; if it follows now already, the automatic length."""
        return PlotWindow() if self.end is None else replace(self, end=None)


def _fitting(age_s: float) -> int:
    usual = (s for s in LENGTHS_S if SHORTEST_BY_ITSELF_S <= s <= LONGEST_BY_ITSELF_S)
    return next((length_s for length_s in usual if length_s > age_s), LONGEST_BY_ITSELF_S)


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

    def points(self, series: int, stretch: PlotSpan) -> list[Point]:
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
