"""Formats moments as local time; there is no other format of a moment on the screen."""

from __future__ import annotations

import time


def time_of_day(at: float) -> str:
    """Format a moment (Unix seconds) as the local time of day: 14:03:20."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def time_or_date(at: float, now: float) -> str:
    """Format a moment in ten cells: the time if it is on the day of ``now``, else the date.

    Both are Unix seconds; ``now`` is the time of the view, which may be in the past.
    """
    return time.strftime("%H:%M:%S" if is_same_day(at, now) else "%Y-%m-%d", time.localtime(at))


def day_and_time(at: float) -> str:
    """Format a moment (Unix seconds) as local day and time: 11-22 14:03."""
    return time.strftime("%m-%d %H:%M", time.localtime(at))


def date_and_time(at: float) -> str:
    """Format a moment (Unix seconds) as local date and time: 2026-11-22 14:03:20."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def is_same_day(one: float, other: float) -> bool:
    """Return whether two moments (Unix seconds) are on the same day of local time."""
    return time.localtime(one)[:3] == time.localtime(other)[:3]
