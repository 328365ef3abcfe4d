"""Computes the trend of a series: a robust slope with its confidence interval, and a shape.

In a healthy program the heap swings by half from one sample to the next. So a series is divided
into at most sixteen blocks, each represented by its median (or minimum). The slope is the median of
the slopes between all pairs of blocks (Theil 1950, Sen 1968), with Sen's interval from the
distribution of Kendall's S.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from statistics import median
from typing import TypeAlias

Series: TypeAlias = Sequence[tuple[float, float]]
"""Values with their times (Unix seconds), oldest first."""

MOST_BLOCKS = 16
FEWEST_BLOCKS = 4
LARGEST_END = 12
"""The maximum number of samples that are averaged into one end of a window."""
SIGMAS = 1.96
"""The 95 % interval of the normal distribution."""


class TrendShape(Enum):
    """The shape of a series between its first and last value."""

    FLAT = "flat"
    SLOPE = "grows"
    STEP = "grew at once"
    LEVELLED = "grew and is flat since"


@dataclass(frozen=True, slots=True)
class Trend:
    """The growth of a series over a window; slopes in units an hour, with an interval of 95 %.

    ``first`` and ``last`` are the values at its ends: the median over a fifth of the blocks, or
    averaged ends. ``blocks`` are the compared values. ``is_last_high`` is True if the series ends
    near its maximum.
    """

    slope_per_h: float
    low_per_h: float
    high_per_h: float
    first: float
    last: float
    shape: TrendShape
    is_last_high: bool
    blocks: tuple[tuple[float, float], ...]

    @property
    def growth(self) -> float:
        """The growth from the first to the last value."""
        return self.last - self.first

    @property
    def grows(self) -> bool:
        """Whether it surely grew, and has not fallen since.

        A step between two flat parts is sure, though most pairs of blocks have no slope.
        """
        is_sure = self.low_per_h > 0 or self.shape is TrendShape.STEP
        return is_sure and self.growth > 0 and self.is_last_high


def blocks_of(
    series: Series,
    most: int = MOST_BLOCKS,
    of: Callable[[Sequence[float]], float] = median,
) -> list[tuple[float, float]]:
    """Return at most ``most`` blocks of equal numbers of samples: (middle time, value)."""
    count = min(most, len(series))
    found = []
    for number in range(count):
        begin, end = number * len(series) // count, (number + 1) * len(series) // count
        block = series[begin:end]
        found.append(((block[0][0] + block[-1][0]) / 2, float(of([value for _, value in block]))))
    return found


def troughs_of(series: Series, samples: int = 3) -> list[tuple[float, float]]:
    """Return the minimum of each block of at least ``samples``."""
    return blocks_of(series, max(1, min(MOST_BLOCKS, len(series) // samples)), min)


def floor_of(series: Series, neighbours: int = 3) -> list[tuple[float, float]]:
    """Return for each value the minimum of it and of the values that follow, ``neighbours`` in all.

    A growing series stays the same; a peak shorter than ``neighbours`` disappears. The last value
    is left out, because no value follows it.
    """
    values = [value for _, value in series]
    return [
        (at, min(values[number : number + neighbours]))
        for number, (at, _) in enumerate(series[:-1])
    ]


def length_of_end(count: int) -> int:
    """Return the number of samples that make one end of ``count`` samples."""
    return max(1, min(LARGEST_END, max(min(3, count // 3), count // 16)))


def by_second(series: Series) -> list[tuple[float, float]]:
    """Return the minimum of each second: simultaneous values are one observation."""
    found: list[tuple[float, float]] = []
    for at, value in series:
        if found and at - found[-1][0] < 1.0:
            found[-1] = (found[-1][0], min(value, found[-1][1]))
        else:
            found.append((at, value))
    return found


def trend_of(series: Series, flat_share: float = 0.12, resolution: float = 0.0) -> Trend | None:
    """Return the trend of a series; None if it is too short.

    The end is flat below ``flat_share`` of the whole growth. ``resolution`` is the accuracy of the
    values in their unit: it widens the interval of the slope.
    """
    blocks = blocks_of(series)
    if len(blocks) < FEWEST_BLOCKS or blocks[-1][0] <= blocks[0][0]:
        return None
    slopes = sorted(
        (later - value) / (moment - at) * 3600
        for number, (at, value) in enumerate(blocks)
        for moment, later in blocks[number + 1 :]
        if moment > at
    )
    values = [value for _, value in blocks]
    low, high = _interval(slopes, len(blocks), _inertia(blocks, median(slopes)))
    fifth = max(1, len(values) // 5)
    first, last = median(values[:fifth]), median(values[-fifth:])
    top, bottom = max(values), min(values)
    unsure = resolution * 3600 / (blocks[-1][0] - blocks[0][0])
    # The newest step of a staircase may be in the last block alone: it counts without any fall.
    never_fell = all(later >= value for value, later in pairwise(values))
    return Trend(
        slope_per_h=median(slopes),
        low_per_h=low - unsure,
        high_per_h=high + unsure,
        first=first,
        last=last,
        shape=_shape(values, first, last, flat_share),
        is_last_high=never_fell or last >= top - 0.25 * (top - bottom),
        blocks=tuple(blocks),
    )


def swing_of(series: Series, slope_per_h: float) -> float:
    """Return the range of the values around their slope, without the outer tenths."""
    rests = sorted(value - slope_per_h * at / 3600 for at, value in series)
    far = len(rests) // 10
    return rests[-1 - far] - rests[far] if rests else 0.0


def between(trend: Trend, first: float | None, last: float | None) -> Trend:
    """Return a trend with other values at its ends, if both are known."""
    if first is None or last is None:
        return trend
    return replace(trend, first=first, last=last)


def _inertia(blocks: Sequence[tuple[float, float]], slope_per_h: float) -> float:
    """Return the factor that widens an interval because neighbouring blocks are correlated.

    A changing load drifts: sixteen values of it have the information of a few independent ones. The
    factor is from the first autocorrelation of the values around their slope, as in an
    autoregressive process of order one.
    """
    rests = [value - slope_per_h * at / 3600 for at, value in blocks]
    middle = sum(rests) / len(rests)
    rests = [rest - middle for rest in rests]
    whole = sum(rest * rest for rest in rests)
    if whole <= 0:
        return 1.0
    likeness = sum(rest * later for rest, later in pairwise(rests)) / whole
    likeness = min(0.9, max(0.0, likeness))
    return math.sqrt((1 + likeness) / (1 - likeness))


def _interval(slopes: Sequence[float], count: int, inertia: float) -> tuple[float, float]:
    """Return the bounds of Sen's interval among the sorted slopes between ``count`` values."""
    spread = inertia * SIGMAS * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    return slopes[low], slopes[high]


def _shape(values: Sequence[float], first: float, last: float, flat_share: float) -> TrendShape:
    """Return the shape: flat, a slope, a step, or growth that has ended.

    The end is flat if the last two fifths grew by less than ``flat_share``. A step is between two
    flat parts; a warm-up rises from the start of the window.
    """
    whole = last - first
    if whole <= 0:
        return TrendShape.FLAT
    if _is_step(values, first, whole):
        return TrendShape.STEP
    fifth = max(1, len(values) // 5)
    before_end = median(values[-3 * fifth : -2 * fifth] or values[:1])
    return TrendShape.SLOPE if last - before_end >= flat_share * whole else TrendShape.LEVELLED


def _is_step(values: Sequence[float], first: float, whole: float) -> bool:
    """Return whether all growth is between two neighbours, or with one value between them.

    At least two values are before it, and at least three and a fifth of all are after it.
    """
    crossed = next(number for number, value in enumerate(values) if value >= first + whole / 2)
    for end in (crossed, crossed - 1):  # the block with the step may be a mixture
        before, after = values[:end], values[crossed + 1 :]
        if len(before) < 2 or len(after) < max(3, len(values) // 5):
            continue
        is_calm = max(before) - min(before) < 0.2 * whole
        if is_calm and min(after) - max(before) > 0.7 * whole:
            return True
    return False


def moved_at(trend: Trend) -> float:
    """Return when a growing series left its first level for the last time.

    The level is the first block plus four times the noise, or plus a tenth of the growth if that is
    more.
    """
    values = [value for _, value in trend.blocks]
    level = values[0] + max(4 * _noise(values), 0.1 * trend.growth)
    at = trend.blocks[0][0]
    for (_moment, value), (later, _) in zip(trend.blocks, trend.blocks[1:], strict=False):
        if value <= level:
            at = later
    return at


def _noise(values: Sequence[float]) -> float:
    """Return the typical change between neighbours around their own trend (MAD of differences)."""
    steps = [later - value for value, later in pairwise(values)]
    middle = median(steps)
    return median([abs(step - middle) for step in steps])


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """The time until a limit is reached in seconds: likely, soonest, latest.

    ``latest_s`` is None if the slope may be 0.
    """

    likely_s: float
    soonest_s: float
    latest_s: float | None


def time_to(limit: float, now: float, trend: Trend) -> TimeLeft | None:
    """Return the time from the size ``now`` to ``limit``; None without growth."""
    if not trend.grows or trend.slope_per_h <= 0:
        return None
    room = max(0.0, limit - now) * 3600
    latest = room / trend.low_per_h if trend.low_per_h > 0 else None
    return TimeLeft(room / trend.slope_per_h, room / trend.high_per_h, latest)
