"""Moments as the clock on the wall shows them."""

from __future__ import annotations

import time


def clock(at: float) -> str:
    """Format a moment (Unix seconds) as the local time of day: 14:03:20."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def day_or_clock(at: float, now: float) -> str:
    """Write a moment in ten cells: the time if it is of the day of ``now``, else the date.

    Both are Unix seconds; ``now`` is the moment of the view, which a recording has too.
    """
    then, today = time.localtime(at), time.localtime(now)
    is_today = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d", then)


def day_and_clock(at: float) -> str:
    """Format a moment (Unix seconds) as local day and time: 11-22 14:03."""
    return time.strftime("%m-%d %H:%M", time.localtime(at))


def is_same_day(one: float, other: float) -> bool:
    """Return whether two moments (Unix seconds) are on one day of local time."""
    return time.localtime(one)[:3] == time.localtime(other)[:3]


def date_and_clock(at: float) -> str:
    """Format a moment (Unix seconds) as local date and time: 2026-11-22 14:03:20."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
