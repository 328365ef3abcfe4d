"""Moments as the clock on the wall shows them."""

from __future__ import annotations

import time


def clock(at: float) -> str:
    """Write a moment (Unix seconds) as the local time of day: 14:03:20."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def date(at: float) -> str:
    """Write a moment (Unix seconds) as local date and time: 2026-11-22 14:03:20."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
