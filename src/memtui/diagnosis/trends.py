"""How a series grew, and how sure that is: robust slopes over blocks of samples.

Samples of a heap swing by half from one moment to the next in a healthy program. So a series is
cut into at most sixteen blocks, each is represented by its median (or its trough), and the slope
is the median of the slopes between all pairs of blocks (Theil 1950, Sen 1968), with Sen's interval
from the distribution of Kendall's S.
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
"""Values with their moments (Unix seconds), in the order of time."""

MOST_BLOCKS = 16
FEWEST_BLOCKS = 4
LARGEST_END = 12
"""How many samples, at most, are settled into one end of a window."""
SIGMAS = 1.96
"""Of the normal distribution: an interval of 95 %."""


class TrendShape(Enum):
    """How a series went from its first to its last value."""

    FLAT = "flat"
    SLOPE = "grows"
    STEP = "grew at once"
    LEVELLED = "grew and is flat since"


@dataclass(frozen=True, slots=True)
class Trend:
    """The growth of a series over a window; slopes in units an hour, with an interval of 95 %.

    ``first`` and ``last`` are the values at its ends: the median over a fifth of the blocks, or
    what the ends were settled to. ``blocks`` are the values that were compared. ``is_last_high``
    is True when the series ends near its highest value.
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
        """By how much it grew from its first to its last value."""
        return self.last - self.first

    @property
    def grows(self) -> bool:
        """Whether it grew beyond doubt, and has not fallen since.

        A step with a calm time on either side is beyond doubt, though most pairs of blocks have
        no slope between them.
        """
        is_sure = self.low_per_h > 0 or self.shape is TrendShape.STEP
        return is_sure and self.growth > 0 and self.is_last_high


def blocks_of(
    series: Series,
    most: int = MOST_BLOCKS,
    of: Callable[[Sequence[float]], float] = median,
) -> list[tuple[float, float]]:
    """Cut a series into at most ``most`` blocks of as many samples: (middle moment, value)."""
    count = min(most, len(series))
    found = []
    for number in range(count):
        begin, end = number * len(series) // count, (number + 1) * len(series) // count
        block = series[begin:end]
        found.append(((block[0][0] + block[-1][0]) / 2, float(of([value for _, value in block]))))
    return found


def troughs_of(series: Series, samples: int = 3) -> list[tuple[float, float]]:
    """Return the lowest value of each block of at least ``samples``: what a swing rests on."""
    return blocks_of(series, max(1, min(MOST_BLOCKS, len(series) // samples)), min)


def floor_of(series: Series, neighbours: int = 3) -> list[tuple[float, float]]:
    """Return at each moment the lowest of this value and of those that follow it.

    What only grows stays as it is; what goes up and comes back down within so many does not count.
    The last value, which none follows, is left out.
    """
    values = [value for _, value in series]
    return [
        (at, min(values[number : number + neighbours]))
        for number, (at, _) in enumerate(series[:-1])
    ]


def length_of_end(count: int) -> int:
    """Return how many of so many samples make one end."""
    return max(1, min(LARGEST_END, max(min(3, count // 3), count // 16)))


def by_second(series: Series) -> list[tuple[float, float]]:
    """Return the lowest value of each second: what comes all at once is one observation."""
    found: list[tuple[float, float]] = []
    for at, value in series:
        if found and at - found[-1][0] < 1.0:
            found[-1] = (found[-1][0], min(value, found[-1][1]))
        else:
            found.append((at, value))
    return found


def trend_of(series: Series, flat_share: float = 0.12, resolution: float = 0.0) -> Trend | None:
    """Judge a series; None when it is too short to be judged.

    ``flat_share`` is the share of the whole growth below which its end is called flat.
    ``resolution`` is the largest difference between two values that means nothing, in the unit of
    the values: the interval of the slope is widened by it.
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
    # The newest step of a staircase may lie in the last block alone: it counts if none was a fall.
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
    """Return how far apart the values lie when their slope is taken out, without the far tenths."""
    rests = sorted(value - slope_per_h * at / 3600 for at, value in series)
    far = len(rests) // 10
    return rests[-1 - far] - rests[far] if rests else 0.0


def between(trend: Trend, first: float | None, last: float | None) -> Trend:
    """Return a trend with other values at its ends, where these are known."""
    if first is None or last is None:
        return trend
    return replace(trend, first=first, last=last)


def _inertia(blocks: Sequence[tuple[float, float]], slope_per_h: float) -> float:
    """Return by how much an interval must be wider because neighbours resemble each other.

    A load that comes and goes drifts: sixteen values of it say as little as a few independent
    ones. That is what is left of the values when their slope is taken out, and how it goes with
    itself one block later (the first autocorrelation, as in a process of order one).
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
    """Tell a slope from a step, and both from a growth that has ended long ago.

    The end is flat when the last two fifths grew by less than their share. A step has a calm
    time on either side; a warm-up rises with the window's first moment.
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
    """Return whether all of the growth lies between two neighbours, or two next but one.

    At least two values lie before it and a fifth of all, three at least, behind it.
    """
    crossed = next(number for number, value in enumerate(values) if value >= first + whole / 2)
    for end in (crossed, crossed - 1):  # the block in which it happened may be half and half
        before, after = values[:end], values[crossed + 1 :]
        if len(before) < 2 or len(after) < max(3, len(values) // 5):
            continue
        is_calm = max(before) - min(before) < 0.2 * whole
        if is_calm and min(after) - max(before) > 0.7 * whole:
            return True
    return False


def moved_at(trend: Trend) -> float:
    """Return when a series that grew left its first level for good.

    That level is the first block and four times the noise above it, or a tenth of the growth,
    whichever is more.
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
    """How long until a limit is reached, in seconds: at the likely rate, soonest, latest.

    ``latest_s`` is None when the slope may as well be nothing.
    """

    likely_s: float
    soonest_s: float
    latest_s: float | None


def time_to(limit: float, now: float, trend: Trend) -> TimeLeft | None:
    """Return when what is ``now`` gets to ``limit``; None when it does not grow."""
    if not trend.grows or trend.slope_per_h <= 0:
        return None
    room = max(0.0, limit - now) * 3600
    latest = room / trend.low_per_h if trend.low_per_h > 0 else None
    return TimeLeft(room / trend.slope_per_h, room / trend.high_per_h, latest)
