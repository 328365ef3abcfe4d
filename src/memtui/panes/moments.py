"""Moments as the clock on the wall shows them."""

from __future__ import annotations

import time


def clock(at: float) -> str:
    """Write a moment (Unix seconds) as the local time of day: 14:03:20."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def day_or_clock(at: float) -> str:
    """Write a moment (Unix seconds) in ten cells: the time if it was today, else the date."""
    then = time.localtime(at)
    today = time.strftime("%Y-%m-%d") == time.strftime("%Y-%m-%d", then)
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d", then)


def day_and_clock(at: float) -> str:
    """Write a moment (Unix seconds) as local day and time: 11-22 14:03."""
    return time.strftime("%m-%d %H:%M", time.localtime(at))


def is_same_day(one: float, other: float) -> bool:
    """Return whether two moments (Unix seconds) are on one day of local time."""
    return time.localtime(one)[:3] == time.localtime(other)[:3]


def date_and_clock(at: float) -> str:
    """Write a moment (Unix seconds) as local date and time: 2026-11-22 14:03:20."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
