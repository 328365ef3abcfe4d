"""Finds the moment of a date without a year, in the time zone of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable

from memtui.parse.gctrace.lines import LocalTime

_DAY_S = 86400


def local_time(clock: Callable[[], float]) -> LocalTime:
    """Return a function from a date without a year to Unix seconds: the latest such moment.

    The moment is not in the future, but for one day: the clock of the log may be ahead.
    """

    def moment(month: int, day: int, hour: int, minute: int, second: float) -> float | None:
        now = clock()
        year = time.localtime(now).tm_year
        for each in (year, year - 1):
            at = time.mktime((each, month, day, hour, minute, 0, 0, 0, -1)) + second
            if at < now + _DAY_S:
                return at
        return None

    return moment
