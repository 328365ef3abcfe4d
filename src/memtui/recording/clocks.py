"""The clocks of a recording, and what differences between them mean."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

STEP_S = 2.0
"""Clocks that moved apart by more than this since the last flush: one was set, or all slept."""
STALL_S = 10.0
"""Nothing was written for longer than this: memtui itself stood still."""

Clock = Callable[[], float]

_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps; where there is no CLOCK_BOOTTIME, CLOCK_MONOTONIC does."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time of day, one that is never set, and one that goes on while the machine sleeps."""

    wall: Clock = time.time
    steady: Clock = time.monotonic
    boot: Clock = field(default=lambda: time.clock_gettime(_BOOT))

    @classmethod
    def made(cls, clock: Clock) -> Clocks:
        """Return clocks that all go as one does: a session that is played faster than it was."""
        return cls(clock, clock, clock)

    def now(self) -> ClockReadings:
        """Read all of them."""
        return ClockReadings(whole_ms(self.wall()), self.steady(), self.boot())


@dataclass(frozen=True, slots=True)
class ClockReadings:
    """What all clocks say at once."""

    wall: float
    steady: float
    boot: float

    def steps_since(self, seen: ClockReadings) -> list[str]:
        """Return whether a clock was set, or the host or memtui paused, since ``seen``."""
        passed_s = self.steady - seen.steady
        slept_s = self.boot - seen.boot - passed_s
        stepped_s = self.wall - seen.wall - passed_s - slept_s
        reasons = []
        if slept_s > STEP_S:
            reasons.append(f"the machine was suspended for {slept_s:.0f} s")
        if abs(stepped_s) > STEP_S:
            way = "forward" if stepped_s > 0 else "back"
            reasons.append(f"the clock was set {way} by {abs(stepped_s):.0f} s")
        if passed_s > STALL_S:
            reasons.append(f"memtui was held up for {passed_s:.0f} s")
        return reasons


def whole_ms(at: float) -> float:
    """Return a moment as the first bytes of a member have it, never a later one."""
    return math.floor(at * 1000) / 1000
