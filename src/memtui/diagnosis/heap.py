"""What the live heap did, also where no page tells it: measured, or concluded from the goal.

The collector sets its next goal from what it found alive: live + (live + stacks + globals) ×
GOGC/100 since Go 1.18 (runtime/mgcpacer.go), so NextGC is the live heap without its swing, as long
as GOGC stays. When GOGC was changed, HeapAlloc gives it away: it never lies below what is alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from memtui.diagnosis.point import Point
from memtui.diagnosis.thresholds import Thresholds
from memtui.diagnosis.trends import Series, Trend, trend_of, troughs_of

CLOSE = 0.97
"""HeapAlloc may lie so far below a concluded live heap: globals and rounding are in it."""


class LiveSource(Enum):
    """How the live heap is known; the value says it."""

    MEASURED = "found alive by each cycle"
    BY_GOAL = "concluded from NextGC and GOGC"
    BY_TROUGHS = "the troughs of HeapAlloc"


@dataclass(frozen=True, slots=True)
class LiveHeap:
    """The trend of the live heap, in bytes, and how it is known.

    ``is_sure`` is False when what was seen fits a live heap that grew as well as one that did
    not, with another goal. ``goal_moved_alone`` tells that the goal grew and the live heap not.
    """

    trend: Trend
    source: LiveSource
    first: float
    last: float
    is_sure: bool = True
    goal_moved_alone: bool = False

    @property
    def growth(self) -> float:
        """By how much it grew."""
        return self.trend.growth


def live_heap(points: Sequence[Point], gogc: int | None, limits: Thresholds) -> LiveHeap | None:
    """Judge the live heap of a window; None when too little is known.

    ``gogc`` is what the process was started with, None for off.
    """
    measured = [(point.at, float(point.live)) for point in points if point.live is not None]
    if measured and len(measured) >= 0.8 * len(points):
        return _of(measured, LiveSource.MEASURED, limits)
    concluded = _concluded(points, gogc) if gogc else []
    if len(concluded) >= max(4, 0.8 * len(points)):
        return _checked(points, concluded, limits)
    allocated = [(point.at, float(point.alloc)) for point in points if point.alloc is not None]
    return _of(troughs_of(allocated), LiveSource.BY_TROUGHS, limits)


def _of(series: Series, source: LiveSource, limits: Thresholds) -> LiveHeap | None:
    trend = trend_of(series, limits.flat_share)
    if trend is None:
        return None
    first = trend.blocks[0][1]
    return LiveHeap(trend, source, first, first + trend.growth)


def _concluded(points: Sequence[Point], gogc: int) -> list[tuple[float, float]]:
    share = gogc / 100
    return [
        (point.at, max(0.0, (point.goal - share * (point.stacks or 0)) / (1 + share)))
        for point in points
        if point.goal is not None
    ]


def _checked(
    points: Sequence[Point], concluded: Sequence[tuple[float, float]], limits: Thresholds
) -> LiveHeap | None:
    """Hold a concluded live heap against HeapAlloc, which is never less than what is alive.

    Were the live heap still what it was, HeapAlloc would lie anywhere between it and the goal: the
    chance that it never once lies below the concluded value tells how sure the conclusion is.
    """
    live = _of(concluded, LiveSource.BY_GOAL, limits)
    if live is None or live.growth <= 0:
        return live
    alloc = {point.at: point.alloc for point in points}
    goal = {point.at: point.goal for point in points}
    below, chance, seen = 0, 1.0, 0
    for at, value in concluded:
        found, aim = alloc[at], goal[at]
        if found is None or aim is None or value <= live.first or aim <= live.first:
            continue
        seen += 1
        below += found < CLOSE * value
        chance *= max(0.0, 1 - (value - live.first) / (aim - live.first))
    if below > max(1, 0.1 * seen):
        return LiveHeap(
            live.trend, live.source, live.first, live.first, is_sure=True, goal_moved_alone=True
        )
    return LiveHeap(live.trend, live.source, live.first, live.last, is_sure=chance < limits.chance)
