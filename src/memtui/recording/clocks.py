"""Reads the clocks of a recording, and explains differences between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

STEP_S = 2.0
"""If clocks differ by more than this since the last flush, one was set, or the host slept."""
STALL_S = 10.0
"""If the last flush is longer ago than this, memtui itself was held up."""

Clock = Callable[[], float]

_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Continues while the host sleeps; CLOCK_MONOTONIC on systems without CLOCK_BOOTTIME."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time of day, a clock that is never set, and one that continues while the host sleeps."""

    wall: Clock = time.time
    steady: Clock = time.monotonic
    boot: Clock = field(default=lambda: time.clock_gettime(_BOOT))

    @classmethod
    def from_one(cls, clock: Clock) -> Clocks:
        """Return clocks that all read the same, to write events of an earlier time."""
        return cls(clock, clock, clock)

    def now(self) -> ClockReadings:
        """Read all clocks."""
        return ClockReadings(whole_ms(self.wall()), self.steady(), self.boot())


@dataclass(frozen=True, slots=True)
class ClockReadings:
    """The readings of all clocks at one moment."""

    wall: float
    steady: float
    boot: float

    def steps_since(self, seen: ClockReadings) -> list[str]:
        """Return what happened since ``seen``: a clock was set, or the host or memtui paused."""
        passed_s = self.steady - seen.steady
        slept_s = self.boot - seen.boot - passed_s
        stepped_s = self.wall - seen.wall - passed_s - slept_s
        reasons = []
        if slept_s > STEP_S:
            reasons.append(f"the host was suspended for {slept_s:.0f} s")
        if abs(stepped_s) > STEP_S:
            way = "forward" if stepped_s > 0 else "back"
            reasons.append(f"the clock was set {way} by {abs(stepped_s):.0f} s")
        if passed_s > STALL_S:
            reasons.append(f"memtui was held up for {passed_s:.0f} s")
        return reasons


def whole_ms(at: float) -> float:
    """Return a time rounded down to the millisecond, as in the first bytes of a member."""
    return math.floor(at * 1000) / 1000
