"""Defines sources, retries the ones that fail, and queues their events in bounded memory.

Reports a slow response, so that it is not mistaken for "no news".
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from threading import Lock
from typing import Generic, Protocol, TypeVar, runtime_checkable

from memtui.model import Event, Trouble
from memtui.sources.defect import as_trouble

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0

Clock = Callable[[], float]
"""The time as Unix seconds."""

Sleep = Callable[[float], Awaitable[None]]


def to_microseconds(seconds: float) -> float:
    """Return a duration rounded to microseconds, so that it takes less space in a recording."""
    return round(seconds, 6)


class SourceFailed(Exception):  # noqa: N818 - the name states what happened
    """A source cannot read: a reason in one line, a hint, and whether retrying is useless."""

    def __init__(self, reason: str, hint: str = "", *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.final = final


class Source(Protocol):
    """Reads samples of one kind and yields them as events.

    ``events`` runs until nothing more can come, raises :class:`SourceFailed` when it cannot read,
    and may be called again after that. Closing the generator releases all resources.
    """

    @property
    def name(self) -> str:
        """The name on its events and in SOURCES: "process", "gctrace", "profile"."""
        ...

    def events(self) -> AsyncGenerator[Event, None]:
        """Yield each sample when it has been read."""
        ...


@runtime_checkable
class Refreshable(Protocol):
    """A source that can read on request."""

    def refresh(self) -> None:
        """Read now, because the user requested it."""
        ...

    def look(self) -> None:
        """Read now what is read periodically, unless it is too expensive for the target."""
        ...

    async def pause(self, seconds: float) -> None:
        """Sleep, at most until ``refresh`` is called."""
        ...


async def keep_trying(
    source: Source, clock: Clock, sleep: Sleep = asyncio.sleep
) -> AsyncGenerator[Event, None]:
    """Yield the events of ``source``; after a failure yield a Trouble, pause, and retry.

    The pause is FIRST_PAUSE_S after an event other than a Trouble, and doubles with each failure up
    to LONGEST_PAUSE_S. Returns when the source returns or fails with ``final``.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            async with aclosing(source.events()) as events:
                async for event in events:
                    if not isinstance(event.sample, Trouble):
                        pause_s = FIRST_PAUSE_S
                    yield event
            return
        except SourceFailed as failed:
            retry_s = None if failed.final else pause_s
            trouble = Trouble(failed.reason, failed.hint, retry_s)
        yield Event(clock(), source.name, trouble)
        if retry_s is None:
            return
        await sleep(retry_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def drive(source: Source, emit: Callable[[Event], None], clock: Clock) -> None:
    """Emit all events of a source until it ends, and a Trouble for a defect in memtui."""
    sleep = source.pause if isinstance(source, Refreshable) else asyncio.sleep
    try:
        async with aclosing(keep_trying(source, clock, sleep)) as events:
            async for event in events:
                emit(event)
    except Exception as error:  # noqa: BLE001 - a defect in one source must not end the others
        emit(Event(clock(), source.name, as_trouble(error)))


class UnavailableSource:
    """A source without anything to read: it yields the reason once."""

    def __init__(self, name: str, reason: str, hint: str, clock: Clock) -> None:
        self.name = name
        self._trouble = Trouble(reason, hint)
        self._clock = clock

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the reason."""
        yield Event(self._clock(), self.name, self._trouble)


T = TypeVar("T")

MOST_LINES = 4096
"""Queued lines of output; the timeline keeps no more of them either."""

MOST_OTHERS = 65_536
"""Other queued events: more than half a minute of them at 2,000 GC cycles a second."""


class EventQueue(Generic[T]):
    """A bounded queue in the order of arrival.

    Lines of output and other events have a bound each; a full one drops its oldest item.
    ``dropped`` counts these. One thread may put while another takes.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._lock = Lock()
        self._arrived = 0
        self._lines: deque[tuple[int, T]] = deque()
        self._others: deque[tuple[int, T]] = deque()

    def put(self, item: T, *, is_line: bool) -> None:
        """Add an item; ``is_line`` for a line of output."""
        queue, most = (self._lines, MOST_LINES) if is_line else (self._others, MOST_OTHERS)
        with self._lock:
            if len(queue) >= most:
                queue.popleft()
                self.dropped += 1
            queue.append((self._arrived, item))
            self._arrived += 1

    def take_all(self) -> list[T]:
        """Remove and return all items."""
        with self._lock:
            merged = heapq.merge(self._lines, self._others, key=lambda entry: entry[0])
            items = [item for _, item in merged]
            self._lines.clear()
            self._others.clear()
            return items

    def clear(self) -> None:
        """Remove all items; they do not count as dropped."""
        self.take_all()


Reply = TypeVar("Reply")

SLOW_S = 1.5
"""A response that takes longer is slow; with the screen's interval it is shown within 2 s."""
_SLOW_FACTOR = 3


@asynccontextmanager
async def started_request(
    request: Coroutine[object, object, Reply],
) -> AsyncIterator[asyncio.Future[Reply]]:
    """Start a request and cancel it on exit from the block."""
    response = asyncio.ensure_future(request)
    try:
        yield response
    finally:
        response.cancel()


async def slow_notice(
    response: asyncio.Future[Reply], where: str, last_took_s: float
) -> Trouble | None:
    """Wait for a response; return a notice if it is slow, None if it has arrived.

    It is slow after SLOW_S, or after three times the duration of the last one. Any sample of the
    source clears the notice.
    """
    after_s = max(SLOW_S, _SLOW_FACTOR * last_took_s)
    done, _ = await asyncio.wait([response], timeout=after_s)
    if done:
        return None
    return Trouble(f"{where} has not answered for {after_s:.1f} s", "memtui waits for it", 0.0)
