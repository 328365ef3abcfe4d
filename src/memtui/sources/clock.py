"""Provides the time of a session: the time of day, made monotonic."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Callable

from memtui.model import Event, Mark, Trouble
from memtui.sources.source import Clock

STEP_S = 2.0
"""If the time of day moves by more than this against the monotonic clock, it was set."""


class SessionClock:
    """Returns the time of day, plus an offset so that it never goes back.

    When the clock of the host is set back, the offset grows by the same amount, because charts and
    trends need increasing times. When it is set forward again, the offset shrinks. Any thread may
    call it.
    """

    def __init__(self, wall: Clock = time.time, steady: Clock = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._seen: tuple[float, float] | None = None
        self._ahead_s = 0.0
        self.changed: Callable[[float], None] = lambda by_s: None
        """Called with the change of the offset in seconds, in any thread."""

    def __call__(self) -> float:
        """Return the time of the session, in Unix seconds."""
        with self._lock:
            wall, steady = self._wall(), self._steady()
            by_s = self._step(wall, steady)
            now = wall + self._ahead_s
        if by_s:
            self.changed(by_s)
        return now

    def from_wall(self, at: float) -> float:
        """Return the session time of an event that was stamped with the time of day."""
        now = self()
        return at + self._ahead_s if at + self._ahead_s <= now else at

    def _step(self, wall: float, steady: float) -> float:
        """Read the clocks; return the change of the offset."""
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
    """Reports that the clock of the host was set: as a Trouble, and as a mark on the charts."""

    name = "clock"

    def __init__(self, clock: SessionClock) -> None:
        self._clock = clock

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield a mark for each change, before it a Trouble if it was set back; polls nothing."""
        loop, changes = asyncio.get_running_loop(), asyncio.Queue[float]()
        self._clock.changed = lambda by_s: _enqueue(loop, changes, by_s)
        try:
            while True:
                by_s = await changes.get()
                at, change = self._clock(), _change_words(by_s)
                if by_s > 0:
                    yield Event(at, "process", Trouble(f"the clock went {change}", retry_s=0.0))
                yield Event(at, self.name, Mark(f"the clock was set {change}"))
        finally:
            self._clock.changed = lambda by_s: None


def _enqueue(loop: asyncio.AbstractEventLoop, changes: asyncio.Queue[float], by_s: float) -> None:
    with contextlib.suppress(RuntimeError):  # the session has ended, the recorder still writes
        loop.call_soon_threadsafe(changes.put_nowait, by_s)


def _change_words(by_s: float) -> str:
    if by_s > 0:
        return f"back by {by_s:.0f} s: times shown here continue without the step"
    return f"forward by {-by_s:.0f} s: times shown here are {-by_s:.0f} s less ahead of it"


def session_time(clock: Clock, at: float) -> float:
    """Return the time on ``clock`` of an event that was stamped with the time of day."""
    return clock.from_wall(at) if isinstance(clock, SessionClock) else at
