"""How a pipe is emptied as fast as it fills.

A process that writes into a full pipe stands still, and a slow screen must never stall a service:
what comes is read whether somebody takes it or not, and when too much waits the oldest lines of
output are dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncGenerator

from memtui.model import Attached, Event, OutputLine
from memtui.parse.tracelines import Decoder, OutputDecoder, TraceDecoder
from memtui.sources.moments import NAME, Moments
from memtui.sources.source import Clock
from memtui.sources.waiting import Waiting

PIPE_BYTES = 1 << 20
"""What any user may make of a pipe: /proc/sys/fs/pipe-max-size, man fcntl, F_SETPIPE_SZ."""

READ_BYTES = 64 << 10
"""Read in one turn of the event loop: some milliseconds of parsing."""


class PipeTrace:
    """The trace and the output that come through a pipe, a socket, or a file on a descriptor.

    ``fd`` belongs to the caller: it is not closed, and it is as blocking as before when the
    events are closed. ``stream`` is "stdout" for a stream that holds no trace; ``where`` says in
    a few words what the pipe is. ``dropped`` counts what nobody took in time.
    """

    name = NAME

    def __init__(
        self,
        fd: int,
        started_at: float | None,
        clock: Clock,
        stream: str = "stderr",
        where: str = "pipe",
    ) -> None:
        self._fd = fd
        self._started_at = started_at
        self._clock = clock
        self._stream = stream
        self._where = where
        self._waiting: Waiting[Event] = Waiting()

    @property
    def dropped(self) -> int:
        """How many events were lost because nobody took them in time."""
        return self._waiting.dropped

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what comes, until the other end is closed."""
        loop = asyncio.get_running_loop()
        drain = _Drain(self._fd, self._decoder(), self._moments(), self._waiting)
        was_blocking = os.get_blocking(self._fd)
        _widen(self._fd)
        try:
            os.set_blocking(self._fd, False)
            is_watched = _watch(loop, self._fd, drain)
            if self._stream == "stderr":
                yield Event(self._clock(), NAME, Attached(self._where))
            while True:
                if is_watched:
                    await drain.news.wait()
                else:
                    drain.read()
                    await asyncio.sleep(0)
                drain.news.clear()
                for event in self._waiting.take_all():
                    yield event
                if drain.is_at_end:
                    return
        finally:
            loop.remove_reader(self._fd)
            with contextlib.suppress(OSError):  # the caller may have closed it
                os.set_blocking(self._fd, was_blocking)

    def _decoder(self) -> Decoder:
        return TraceDecoder() if self._stream == "stderr" else OutputDecoder(self._stream)

    def _moments(self) -> Moments:
        return Moments(self._started_at, self._clock)


class _Drain:
    """Reads what there is and puts it where it waits; called by the event loop."""

    def __init__(
        self, fd: int, decoder: Decoder, moments: Moments, waiting: Waiting[Event]
    ) -> None:
        self.news = asyncio.Event()
        self.is_at_end = False
        self._fd = fd
        self._decoder = decoder
        self._moments = moments
        self._waiting = waiting

    def read(self) -> None:
        """Read once; at the end of the stream, or when it breaks, stop watching it."""
        try:
            data = os.read(self._fd, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        items = self._decoder.feed(data) if data else self._decoder.flush()
        for item in items:
            self._waiting.put(self._moments.live(item), is_line=isinstance(item, OutputLine))
        if not data:
            self.is_at_end = True
            asyncio.get_running_loop().remove_reader(self._fd)
        self.news.set()


def _watch(loop: asyncio.AbstractEventLoop, fd: int, drain: _Drain) -> bool:
    """Let the loop call ``drain`` when there is something; False for a file, which always has."""
    try:
        loop.add_reader(fd, drain.read)
    except PermissionError:  # epoll(7) refuses what never blocks
        return False
    return True


def _widen(fd: int) -> None:
    """Make a pipe hold more, for the moments in which the event loop is busy."""
    with contextlib.suppress(OSError):  # a socket, a file, or the user has used up the allowance
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
