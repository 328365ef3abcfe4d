"""The time of a session: the time of day, which here never goes back."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Callable

from memtui.model import Event, Mark, Trouble
from memtui.sources.source import Clock

STEP_S = 2.0
"""The time of day moved by more than this against one that is never set: its clock was set."""


class OnwardClock:
    """Tells the time of day; after it was set back, so much more that it goes on.

    A chart has one place for each moment, and a trend goes on whatever somebody does to a clock.
    What it is ahead since is taken back when the clock is set forward again. May be asked by any
    thread.
    """

    def __init__(self, wall: Clock = time.time, steady: Clock = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._seen: tuple[float, float] | None = None
        self._ahead_s = 0.0
        self.changed: Callable[[float], None] = lambda by_s: None
        """Called, in whatever thread, when it got ahead by so many seconds, or less so."""

    def __call__(self) -> float:
        """Return the time of the session, in Unix seconds."""
        with self._lock:
            wall, steady = self._wall(), self._steady()
            by_s = self._step(wall, steady)
            now = wall + self._ahead_s
        if by_s:
            self.changed(by_s)
        return now

    def of_day(self, at: float) -> float:
        """Return the moment of something that somebody dated by the time of day, until now."""
        now = self()
        return at + self._ahead_s if at + self._ahead_s <= now else at

    def _step(self, wall: float, steady: float) -> float:
        """Note what the clocks say; return by how much this one got ahead just now."""
        seen, self._seen = self._seen, (wall, steady)
        if seen is None:
            return 0.0
        stepped_s = (wall - seen[0]) - (steady - seen[1])
        if abs(stepped_s) <= STEP_S:
            return 0.0
        by_s = max(-stepped_s, -self._ahead_s)
        self._ahead_s += by_s
        return by_s


class ClockSource:
    """Tells when the clock was set back: as a trouble, and as a mark that stays on the charts."""

    name = "clock"

    def __init__(self, clock: OnwardClock) -> None:
        self._clock = clock

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what is said of each change; it polls nothing."""
        loop, changes = asyncio.get_running_loop(), asyncio.Queue[float]()
        self._clock.changed = lambda by_s: _tell(loop, changes, by_s)
        try:
            while True:
                by_s = await changes.get()
                at, said = self._clock(), _said(by_s)
                if by_s > 0:
                    yield Event(at, "process", Trouble(f"the clock went {said}", retry_s=0.0))
                yield Event(at, self.name, Mark(f"the clock was set {said}"))
        finally:
            self._clock.changed = lambda by_s: None


def _tell(loop: asyncio.AbstractEventLoop, changes: asyncio.Queue[float], by_s: float) -> None:
    with contextlib.suppress(RuntimeError):  # the session has ended, the tape still writes
        loop.call_soon_threadsafe(changes.put_nowait, by_s)


def _said(by_s: float) -> str:
    if by_s > 0:
        return f"back by {by_s:.0f} s: times go on here as if it was not"
    return f"forward by {-by_s:.0f} s: so much less are times here ahead of it"


def moment_of_day(clock: Clock, at: float) -> float:
    """Return the moment, by a clock, of something that was dated by the time of day."""
    return clock.of_day(at) if isinstance(clock, OnwardClock) else at
