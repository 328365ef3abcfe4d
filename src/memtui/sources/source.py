"""What every source is, and how one that fails is tried again.

What waits for a reader that may be slow: in bounded memory, the least important lost first.

What is said while an answer is long in coming, so that nobody takes the silence for calm.
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
    """Return a duration without the digits that say nothing, and take room in a recording."""
    return round(seconds, 6)


class SourceFailed(Exception):  # noqa: N818 - it says what happened
    """A source cannot read: a reason in one line, a hint, and whether to give up for good."""

    def __init__(self, reason: str, hint: str = "", *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.final = final


class Source(Protocol):
    """Something that can be asked or listened to.

    ``events`` runs until there is nothing more to tell, raises :class:`SourceFailed` when it
    cannot read, and may be called again after that. Closing the generator releases all it holds.
    """

    @property
    def name(self) -> str:
        """The stem of the pane that shows it: "process", "gctrace", "profile"."""
        ...

    def events(self) -> AsyncGenerator[Event, None]:
        """Yield what is read, as it is read."""
        ...


@runtime_checkable
class Refreshable(Protocol):
    """A source that can be asked to read now."""

    def refresh(self) -> None:
        """Read at once instead of at the next beat: the user wants it."""
        ...

    def look(self) -> None:
        """Read at once what is read by itself at all, unless it costs the target too much."""
        ...

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until ``refresh`` is called."""
        ...


async def keep_trying(
    source: Source, clock: Clock, sleep: Sleep = asyncio.sleep
) -> AsyncGenerator[Event, None]:
    """Yield the events of ``source``; when it fails, a Trouble, a growing pause, and again.

    The pause starts anew at FIRST_PAUSE_S after each event that is no Trouble, and doubles up to
    LONGEST_PAUSE_S. A source that has come to its end, or failed for good, ends this too.
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


async def drive(source: Source, tell: Callable[[Event], None], clock: Clock) -> None:
    """Tell all that a source brings, for as long as it lives, and when memtui itself fails."""
    sleep = source.pause if isinstance(source, Refreshable) else asyncio.sleep
    try:
        async with aclosing(keep_trying(source, clock, sleep)) as events:
            async for event in events:
                tell(event)
    except Exception as error:  # noqa: BLE001 - a defect in one source must not end the others
        tell(Event(clock(), source.name, as_trouble(error)))


class NothingThere:
    """A source that has nothing to read: it says why, once."""

    def __init__(self, name: str, reason: str, hint: str, clock: Clock) -> None:
        self.name = name
        self._trouble = Trouble(reason, hint)
        self._clock = clock

    async def events(self) -> AsyncGenerator[Event, None]:
        """Tell the reason."""
        yield Event(self._clock(), self.name, self._trouble)


T = TypeVar("T")

MOST_LINES = 4096
"""Lines of output that wait; the timeline keeps no more of them either."""

MOST_FACTS = 65_536
"""All else that waits: at 2,000 collections a second more than half a minute of them."""


class EventQueue(Generic[T]):
    """A queue in the order of arrival; the oldest lines of output make room, then the oldest facts.

    ``dropped`` counts what was lost. One thread may put while another takes.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._lock = Lock()
        self._arrived = 0
        self._lines: deque[tuple[int, T]] = deque()
        self._facts: deque[tuple[int, T]] = deque()

    def put(self, item: T, *, is_line: bool) -> None:
        """Add an item; ``is_line`` for a line of output."""
        queue, most = (self._lines, MOST_LINES) if is_line else (self._facts, MOST_FACTS)
        with self._lock:
            if len(queue) >= most:
                queue.popleft()
                self.dropped += 1
            queue.append((self._arrived, item))
            self._arrived += 1

    def take_all(self) -> list[T]:
        """Return what waits, and forget it."""
        with self._lock:
            merged = heapq.merge(self._lines, self._facts, key=lambda entry: entry[0])
            items = [item for _, item in merged]
            self._lines.clear()
            self._facts.clear()
            return items

    def clear(self) -> None:
        """Forget what waits; it does not count as dropped."""
        self.take_all()


Reply = TypeVar("Reply")

SLOW_S = 1.5
"""After so long a silence is told: with a beat of the screen, within two seconds."""
_USUAL_TIMES = 3


@asynccontextmanager
async def asked(question: Coroutine[object, object, Reply]) -> AsyncIterator[asyncio.Future[Reply]]:
    """Ask, while whoever did it may go on; the question is dropped when this is left."""
    asking = asyncio.ensure_future(question)
    try:
        yield asking
    finally:
        asking.cancel()


async def silence(asking: asyncio.Future[Reply], where: str, last_took_s: float) -> Trouble | None:
    """Wait for an answer; return what to say when there is none yet, None when there is.

    An answer is late after SLOW_S, or after some times what the last one took. Any sample of the
    source takes the trouble back.
    """
    after_s = max(SLOW_S, _USUAL_TIMES * last_took_s)
    done, _ = await asyncio.wait([asking], timeout=after_s)
    if done:
        return None
    return Trouble(f"{where} has not answered for {after_s:.1f} s", "memtui waits for it", 0.0)
