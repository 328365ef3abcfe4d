"""What the live heap did, also where no page tells it: measured, or concluded from the goal.

The collector sets its next goal from what it found alive: live + (live + stacks + globals) ×
GOGC/100 since Go 1.18 (runtime/mgcpacer.go), so NextGC is the live heap without its swing, as long
as GOGC stays. When GOGC was changed, HeapAlloc gives it away: it never lies below what is alive.

A live heap is known once a cycle. It is judged over cycles and not over seconds: a value that stays
for a minute because no cycle came is one value. And by its troughs: what a request holds while a
cycle runs is alive in that cycle, and gone in one of the next two.
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
"""HeapAlloc may lie so far below a concluded live heap: globals and rounding are in it."""
FAR = 0.8
"""So far below it lies only when the conclusion is wrong; what has a finalizer counts as alive for
a cycle longer than it is."""

NEAR_LIVE = 1.5
"""HeapAlloc up to this times the live heap counts as near it."""

NEAR_LIMIT = 0.7
"""A goal so near the memory limit may be made by the limit: that is less than what GOGC allows."""


class LiveSource(Enum):
    """How the live heap is known; the value says it."""

    MEASURED = "measured by each GC cycle"
    BY_GOAL = "derived from NextGC and GOGC"
    BY_TROUGHS = "the troughs of HeapAlloc"


@dataclass(frozen=True, slots=True)
class LiveHeap:
    """The trend of the live heap, in bytes, and how it is known.

    ``swing`` is how far it lies apart from cycle to cycle, its slope taken out.
    ``is_sure`` is False when what was seen fits a live heap that grew as well as one that did
    not, with another goal. ``goal_moved_alone`` tells that the goal grew and the live heap not;
    the trend then is that of the conclusion, which is wrong.
    """

    trend: Trend
    source: LiveSource
    swing: float = 0.0
    is_sure: bool = True
    goal_moved_alone: bool = False

    @property
    def first(self) -> float:
        """What was alive at the beginning of the window."""
        return self.trend.first

    @property
    def last(self) -> float:
        """What is alive at its end."""
        return self.trend.first if self.goal_moved_alone else self.trend.last

    @property
    def growth(self) -> float:
        """By how much it grew."""
        return self.last - self.first


def live_heap(
    points: Sequence[Point],
    found_alive: Series,
    gogc: int | None,
    limits: Thresholds,
) -> LiveHeap | None:
    """Judge the live heap of a window; None when too little is known.

    ``found_alive`` is what the cycles of a trace found, empty without one; ``gogc`` is what the
    process was started with, None for off.
    """
    measured = found_alive or _by_cycle(points, lambda point: point.live)
    if measured:
        return _judged(measured, LiveSource.MEASURED, limits)
    concluded = _by_cycle(points, lambda point: _concluded(point, gogc))
    if concluded:
        live = _judged(concluded, LiveSource.BY_GOAL, limits)
        if live is not None and not _contradicts(points, gogc, limits):
            return _checked(points, live, gogc, limits)
    allocated = [(point.at, float(point.alloc)) for point in points if point.alloc is not None]
    return _judged(troughs_of(allocated), LiveSource.BY_TROUGHS, limits)


def _judged(series: Series, source: LiveSource, limits: Thresholds) -> LiveHeap | None:
    """Return what the lowest of each few cycles did, and how far single cycles swing."""
    floor = floor_of(by_second(series))
    trend = trend_of(floor, limits.flat_share)
    if trend is None:
        return None
    values, length = [value for _, value in floor], length_of_end(len(floor))
    ends = median(values[:length]), median(values[-length:])
    return LiveHeap(between(trend, *ends), source, swing_of(series, trend.slope_per_h))


def _by_cycle(points: Sequence[Point], column: Callable[[Point], float | None]) -> Series:
    """Return a column once a cycle, empty when it is known too seldom."""
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


def _concluded(point: Point, started_with: int | None) -> float | None:
    """Return the live heap that this goal was made for; None when GOGC did not make it.

    The setting in force counts, where the page tells it.
    """
    gogc = started_with if point.gogc is None else point.gogc
    if point.goal is None or gogc is None or gogc <= 0:
        return None
    if point.limit is not None and point.goal > NEAR_LIMIT * point.limit:
        return None
    share = gogc / 100
    return max(0.0, (point.goal - share * (point.stacks or 0)) / (1 + share))


def _contradicts(points: Sequence[Point], gogc: int | None, limits: Thresholds) -> bool:
    """Return whether HeapAlloc shows that another GOGC, or a memory limit, made the goals.

    HeapAlloc lies anywhere between the live heap and the goal. If it never once comes near a
    concluded live heap, in samples that would by chance, more is alive than was concluded:
    debug.SetGCPercent and debug.SetMemoryLimit are not seen from outside.
    """
    chance = 1.0
    for point in points:
        value, aim = _concluded(point, gogc), point.goal
        if value is None or aim is None or point.alloc is None or point.gogc is not None:
            continue
        if point.alloc < NEAR_LIVE * value:
            return False
        chance *= max(0.0, (aim - NEAR_LIVE * value) / (aim - value)) if aim > value else 1.0
    return chance < limits.chance / 10


def _checked(
    points: Sequence[Point], live: LiveHeap, gogc: int | None, limits: Thresholds
) -> LiveHeap:
    """Hold a concluded live heap against HeapAlloc, which is never less than what is alive.

    Were the live heap still what it was, HeapAlloc would lie anywhere between it and the goal: the
    chance that it never once lies below the concluded value tells how sure the conclusion is.
    """
    if live.growth <= max(limits.growth_bytes, limits.live_share * live.first):
        return live
    below, far_below, chance, seen = 0, 0, 1.0, 0
    for point in points:
        value, found, aim = _concluded(point, gogc), point.alloc, point.goal
        if value is None or found is None or aim is None or not live.first < value < aim:
            continue
        seen += 1
        below += found < CLOSE * value
        far_below += found < FAR * value
        chance *= max(0.0, 1 - (value - live.first) / (aim - live.first))
    if far_below > max(2, 0.15 * seen):
        return replace(live, goal_moved_alone=True)
    return replace(live, is_sure=chance < limits.chance and below <= 0.05 * seen)
