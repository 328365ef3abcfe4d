"""Computes the trend of the live heap: measured, or estimated from the GC goal.

The GC sets its next goal from the live heap: live + (live + stacks + globals) × GOGC/100 since Go
1.18 (runtime/mgcpacer.go). So NextGC follows the live heap without its swing, as long as GOGC is
constant. HeapAlloc shows a change of GOGC, because it is never below the live heap.

The live heap is known once per GC cycle, so the trend is over cycles, not over seconds: a value
that lasts a minute without a cycle is one value. The trend uses troughs: memory of a request is
live in the cycle that runs during the request, and garbage in one of the next two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from statistics import median

from memtui.diagnosis.point import Point
from memtui.diagnosis.thresholds import Thresholds
from memtui.diagnosis.trends import (
    Series,
    Trend,
    between,
    by_second,
    floor_of,
    length_of_end,
    swing_of,
    trend_of,
    troughs_of,
)

CLOSE = 0.97
"""HeapAlloc may be this share of an estimated live heap, which includes globals and rounding."""
FAR = 0.8
"""HeapAlloc below this share shows that the estimate is wrong; objects with a finalizer count as
live for one more cycle."""

NEAR_LIVE = 1.5
"""HeapAlloc up to this multiple of the live heap is near it."""

NEAR_LIMIT = 0.7
"""A goal above this share of the memory limit may be set by the limit instead of GOGC."""


class LiveSource(Enum):
    """The source of the live heap; the value describes it."""

    MEASURED = "measured by each GC cycle"
    BY_GOAL = "derived from NextGC and GOGC"
    BY_TROUGHS = "minima of HeapAlloc"


@dataclass(frozen=True, slots=True)
class LiveHeap:
    """The trend of the live heap in bytes, and its source.

    ``swing`` is its range from cycle to cycle, around the slope. ``is_sure`` is False if the data
    fit a growing live heap as well as a constant one with another goal. ``goal_moved_alone`` is
    True if the goal grew without the live heap; then the trend is that of a wrong estimate.
    """

    trend: Trend
    source: LiveSource
    swing: float = 0.0
    is_sure: bool = True
    goal_moved_alone: bool = False

    @property
    def first(self) -> float:
        """The live heap at the start of the window."""
        return self.trend.first

    @property
    def last(self) -> float:
        """The live heap at its end."""
        return self.trend.first if self.goal_moved_alone else self.trend.last

    @property
    def growth(self) -> float:
        """The growth over the window."""
        return self.last - self.first


def live_heap(
    points: Sequence[Point],
    found_alive: Series,
    gogc: int | None,
    limits: Thresholds,
) -> LiveHeap | None:
    """Return the live heap of a window; None if the data are insufficient.

    ``found_alive`` are the live heaps of the cycles of a trace, empty without one; ``gogc`` is that
    of the environment, None for off.
    """
    measured = found_alive or _by_cycle(points, lambda point: point.live)
    if measured:
        return _trend_of_minima(measured, LiveSource.MEASURED, limits)
    concluded = _by_cycle(points, lambda point: _estimated(point, gogc))
    if concluded:
        live = _trend_of_minima(concluded, LiveSource.BY_GOAL, limits)
        if live is not None and not _contradicts(points, gogc, limits):
            return _checked_with_alloc(points, live, gogc, limits)
    allocated = [(point.at, float(point.alloc)) for point in points if point.alloc is not None]
    return _trend_of_minima(troughs_of(allocated), LiveSource.BY_TROUGHS, limits)


def _trend_of_minima(series: Series, source: LiveSource, limits: Thresholds) -> LiveHeap | None:
    """Return the trend of the minima of a few cycles, and the swing of single cycles."""
    floor = floor_of(by_second(series))
    trend = trend_of(floor, limits.flat_share)
    if trend is None:
        return None
    values, length = [value for _, value in floor], length_of_end(len(floor))
    ends = median(values[:length]), median(values[-length:])
    return LiveHeap(between(trend, *ends), source, swing_of(series, trend.slope_per_h))


def _by_cycle(points: Sequence[Point], column: Callable[[Point], float | None]) -> Series:
    """Return a column once per cycle; empty if too few values are known."""
    series = [(point, value) for point in points if (value := column(point)) is not None]
    if len(series) < max(4, 0.8 * len(points)):
        return []
    found: list[tuple[float, float]] = []
    cycle: int | None = None
    for point, value in series:
        if point.cycles is None or point.cycles != cycle:
            found.append((point.at, value))
        cycle = point.cycles
    return found


def _estimated(point: Point, started_with: int | None) -> float | None:
    """Return the live heap of which this goal was computed; None if GOGC did not set it.

    The setting in force is used if the page has it.
    """
    gogc = started_with if point.gogc is None else point.gogc
    if point.goal is None or gogc is None or gogc <= 0:
        return None
    if point.limit is not None and point.goal > NEAR_LIMIT * point.limit:
        return None
    share = gogc / 100
    return max(0.0, (point.goal - share * (point.stacks or 0)) / (1 + share))


def _contradicts(points: Sequence[Point], gogc: int | None, limits: Thresholds) -> bool:
    """Return whether HeapAlloc shows that another GOGC, or a memory limit, set the goals.

    HeapAlloc is anywhere between the live heap and the goal. If no sample is near the estimated
    live heap, though some would be by chance, the live heap is larger than estimated:
    debug.SetGCPercent and debug.SetMemoryLimit are not visible from outside.
    """
    chance = 1.0
    for point in points:
        value, aim = _estimated(point, gogc), point.goal
        if value is None or aim is None or point.alloc is None or point.gogc is not None:
            continue
        if point.alloc < NEAR_LIVE * value:
            return False
        chance *= max(0.0, (aim - NEAR_LIVE * value) / (aim - value)) if aim > value else 1.0
    return chance < limits.chance / 10


def _checked_with_alloc(
    points: Sequence[Point], live: LiveHeap, gogc: int | None, limits: Thresholds
) -> LiveHeap:
    """Return an estimated live heap, checked with HeapAlloc, which is never below the live heap.

    If the live heap had not grown, HeapAlloc would be anywhere between its first value and the
    goal: the probability that it is never below the estimate shows how sure the estimate is.
    """
    if live.growth <= max(limits.growth_bytes, limits.live_share * live.first):
        return live
    below, far_below, chance, seen = 0, 0, 1.0, 0
    for point in points:
        value, found, aim = _estimated(point, gogc), point.alloc, point.goal
        if value is None or found is None or aim is None or not live.first < value < aim:
            continue
        seen += 1
        below += found < CLOSE * value
        far_below += found < FAR * value
        chance *= max(0.0, 1 - (value - live.first) / (aim - live.first))
    if far_below > max(2, 0.15 * seen):
        return replace(live, goal_moved_alone=True)
    return replace(live, is_sure=chance < limits.chance and below <= 0.05 * seen)
