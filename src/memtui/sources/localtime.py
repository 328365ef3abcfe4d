"""Which moment a date without a year is, in the time zone of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable

from memtui.parse.prefixes import LocalTime

_DAY_S = 86400


def local_time(clock: Callable[[], float]) -> LocalTime:
    """Return what makes Unix seconds of it: the latest such moment that is not to come.

    A day is allowed for a clock that is ahead of this one.
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
