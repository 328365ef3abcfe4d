"""Formats moments as local time, for the screen and the reports."""

from __future__ import annotations

import math
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


_TICK_STEPS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 6 * 3600,
    12 * 3600, 24 * 3600,
)  # fmt: skip
_ONE_DAY_S = 86400


def time_ticks(start: float, end: float, columns: int) -> list[tuple[float, str]]:
    """Return round moments between two (Unix seconds), and their labels.

    The labels have room on an axis of ``columns`` cells, each in the middle below its moment.
    """
    cell_s = (end - start) / columns
    is_long = end - start >= _ONE_DAY_S
    write, room = (day_and_time, 14) if is_long else (time_of_day, 11)
    step_s = next((step for step in _TICK_STEPS_S if step / cell_s >= room), _TICK_STEPS_S[-1])
    offset_s = time.localtime(start).tm_gmtoff
    first = math.ceil((start + offset_s) / step_s) * step_s - offset_s
    half = (room - 2) / 2 * cell_s
    return [
        (float(moment), write(moment))
        for moment in range(int(first), math.ceil(end), step_s)
        if start + half <= moment <= end - half
    ]
