"""How a pipe is emptied as fast as it fills.

A process that writes into a full pipe stands still, and a slow screen must never stall a service:
what comes is read by a thread of its own, whether somebody takes it or not and whatever the event
loop waits for. Another thread makes lines of it; when too much waits, before that or after, the
oldest lines of output are dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import threading
from collections.abc import AsyncGenerator

from memtui.model import Attached, Event, OutputLine, Trouble
from memtui.parse.tracelines import Decoder, OutputDecoder, TimedItem, TraceDecoder
from memtui.sources.defect import as_trouble
from memtui.sources.localtime import local_time
from memtui.sources.moments import NAME, Moments
from memtui.sources.source import Clock
from memtui.sources.unread import Unread
from memtui.sources.waiting import Waiting

PIPE_BYTES = 1 << 20
"""What any user may make of a pipe: /proc/sys/fs/pipe-max-size, man fcntl, F_SETPIPE_SZ."""

READ_BYTES = 1 << 20
"""All that a pipe holds: a thread that gets its turn every few milliseconds keeps up so."""

TURN_EVENTS = 500
"""Events between two turns of the event loop, when many wait: some milliseconds of work."""


class PipeTrace:
    """The trace and the output that come through a pipe, a socket, or a file on a descriptor.

    ``fd`` belongs to the caller: it is not closed. ``stream`` is "stdout" for a stream that holds
    no trace; ``where`` says in a few words what the pipe is. ``dropped`` counts what nobody took
    in time.
    """

    def __init__(
        self,
        fd: int,
        started_at: float | None,
        clock: Clock,
        stream: str = "stderr",
        where: str = "pipe",
        drain: Drain | None = None,
    ) -> None:
        self.name = NAME if stream == "stderr" else stream
        self._fd = fd
        self._started_at = started_at
        self._clock = clock
        self._stream = stream
        self._where = where
        self._waiting: Waiting[Event] = Waiting()
        self._drain = drain or Drain(fd)

    @property
    def dropped(self) -> int:
        """How many events and lines were lost because nobody took them in time."""
        return self._waiting.dropped + self._drain.unread.lost

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what comes, until the other end is closed."""
        if self._stream == "stderr":
            yield Event(self._clock(), NAME, Attached(self._where))
        news = asyncio.Event()
        drain = self._drain
        lines = _Lines(drain.unread, self._decoder(), self._moments(), self._waiting, news)
        drain.begin()
        lines.start()
        told = self.dropped
        try:
            while True:
                was_at_end = lines.is_at_end  # asked first: nothing arrives after the end
                if self.dropped > told:
                    lost = OutputLine(
                        f"… {self.dropped - told} lines came too fast …", self._stream
                    )
                    told = self.dropped
                    yield Event(self._clock(), NAME, lost)
                for number, event in enumerate(self._waiting.take_all(), 1):
                    yield event
                    if number % TURN_EVENTS == 0:
                        await asyncio.sleep(0)
                if was_at_end and self._stream == "stderr":
                    trouble = Trouble("the input has ended", "what came until then is kept")
                    yield Event(self._clock(), NAME, trouble)
                if was_at_end:
                    return
                await news.wait()
                news.clear()
        finally:
            drain.stop()
            lines.stop()

    def _decoder(self) -> Decoder:
        if self._stream != "stderr":
            return OutputDecoder(self._stream)
        return TraceDecoder(local_time=local_time(self._clock))

    def _moments(self) -> Moments:
        return Moments(self._started_at, self._clock)


class Drain:
    """Reads what there is, all the time, and does nothing else.

    ``unread`` holds what was read. It may ``begin`` long before anybody looks: memtui itself takes
    half a second to start.
    """

    def __init__(self, fd: int) -> None:
        self.unread = Unread()
        self._fd = fd
        self._thread: threading.Thread | None = None

    @classmethod
    def begun(cls, fd: int) -> Drain:
        """Return one that reads already."""
        drain = cls(fd)
        drain.begin()
        return drain

    def begin(self) -> None:
        """Read from now on, in a thread of its own; once is enough."""
        if self._thread is None:
            self._stopped, self._wake = os.pipe2(os.O_CLOEXEC)
            _widen(self._fd)
            self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        """Read until the end of the stream, or until told to stop."""
        poll = select.poll()
        poll.register(self._stopped, select.POLLIN)
        poll.register(self._fd, select.POLLIN)
        while not any(fd == self._stopped for fd, _ in poll.poll()):
            try:
                data = os.read(self._fd, READ_BYTES)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError:  # a broken socket ends as a closed one does
                break
            if not data:
                break
            self.unread.put(data)
        self.unread.put(b"")

    def stop(self) -> None:
        """Stop reading; return when nothing is read any more: at once, or after one read."""
        if self._thread is not None:
            os.write(self._wake, b"x")
            self._thread.join()
            os.close(self._wake)
            os.close(self._stopped)
            self._thread = None


class _Lines(threading.Thread):
    """Makes events of what was read, and puts them where they wait; sets ``news`` in the loop."""

    def __init__(
        self,
        unread: Unread,
        decoder: Decoder,
        moments: Moments,
        waiting: Waiting[Event],
        news: asyncio.Event,
    ) -> None:
        super().__init__(name="lines", daemon=True)
        self.is_at_end = False
        self._unread = unread
        self._decoder = decoder
        self._moments = moments
        self._waiting = waiting
        self._news = news
        self._loop = asyncio.get_running_loop()

    def run(self) -> None:
        """Look at all that was read, up to the end."""
        while not self.is_at_end:
            data = self._unread.take()
            for item, at in self._decoded(data):
                event = self._moments.live(item, at)
                self._waiting.put(event, is_line=isinstance(item, OutputLine))
            self.is_at_end = not data
            with contextlib.suppress(RuntimeError):  # the loop is closed: memtui is ending
                self._loop.call_soon_threadsafe(self._news.set)

    def stop(self) -> None:
        """Forget what was not looked at; return when nothing is looked at any more."""
        self._unread.clear()
        self.join()

    def _decoded(self, data: bytes) -> list[TimedItem]:
        try:
            return self._decoder.feed(data) if data else self._decoder.flush()
        except Exception as error:  # noqa: BLE001 - the rest must be looked at, defect or not
            event = Event(self._moments.clock(), NAME, as_trouble(error))
            self._waiting.put(event, is_line=False)
            self._decoder = OutputDecoder("stderr")
            return []


def _widen(fd: int) -> None:
    """Make a pipe hold more, for the moments in which memtui does not get the processor."""
    with contextlib.suppress(OSError):  # a socket, a file, or the user has used up the allowance
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
