"""Reads a trace from a pipe without ever blocking the writer.

A process that writes to a full pipe blocks, and a slow screen must not stall a service. One thread
reads the pipe at once into a queue of bytes, whatever the event loop does. A second thread decodes
the bytes into events. Both queues are bounded: when one is full, the oldest lines of output are
dropped and counted, and lines of the trace last.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import threading
from collections import deque
from collections.abc import AsyncGenerator

from memtui.model import Attached, Event, OutputLine, Trouble
from memtui.parse.gctrace.decoder import Decoder, OutputDecoder, TimedItem, TraceDecoder
from memtui.sources.defect import as_trouble
from memtui.sources.gctrace.timestamps import NAME, Timestamps
from memtui.sources.local_time import local_time
from memtui.sources.source import Clock, EventQueue

MOST_BYTES = 16 << 20
"""Some seconds of the fastest log; older chunks keep only lines of the trace."""

_TRACE_MARKERS = (b"gc ", b"scav")


class ByteQueue:
    """A queue of chunks between two threads, in bounded memory.

    ``lost`` counts dropped lines. An empty chunk is the end.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._size = 0
        self._reduced: deque[bytes] = deque()
        """The oldest chunks, with lines of the trace only."""
        self._complete: deque[bytes] = deque()
        self._has_chunks = threading.Condition()

    def put(self, data: bytes) -> None:
        """Add a chunk; reduce or drop old ones if the queue is full."""
        with self._has_chunks:
            self._complete.append(data)
            self._size += len(data)
            while self._size > MOST_BYTES and len(self._complete) > 1:
                self._reduce(self._complete.popleft())
            while self._size > MOST_BYTES and self._reduced:
                self._drop(self._reduced.popleft())
            self._has_chunks.notify()

    def take(self) -> bytes:
        """Wait for a chunk, and return it."""
        with self._has_chunks:
            self._has_chunks.wait_for(lambda: self._reduced or self._complete)
            data = self._reduced.popleft() if self._reduced else self._complete.popleft()
            self._size -= len(data)
            return data

    def clear(self) -> None:
        """Drop all chunks without counting them as lost, and add the end."""
        with self._has_chunks:
            self._reduced.clear()
            self._complete.clear()
            self._size = 0
        self.put(b"")

    def _reduce(self, data: bytes) -> None:
        kept = trace_lines(data)
        self._size -= len(data) - len(kept)
        self.lost += data.count(b"\n") - kept.count(b"\n")
        self._reduced.append(kept)

    def _drop(self, data: bytes) -> None:
        self._size -= len(data)
        self.lost += data.count(b"\n")


def trace_lines(data: bytes) -> bytes:
    """Return the lines of a chunk that may belong to the trace, and its first and last line.

    These two may be incomplete: the rest is in the neighboring chunks.
    """
    first, *between = data.split(b"\n")
    if not between:
        return data
    last = between.pop()
    kept = [line for line in between if any(word in line for word in _TRACE_MARKERS)]
    return b"\n".join([first, *kept, last])


PIPE_BYTES = 1 << 20
"""The largest pipe for any user: /proc/sys/fs/pipe-max-size, man fcntl, F_SETPIPE_SZ."""

READ_BYTES = 1 << 20
"""A full pipe: a thread that runs every few milliseconds keeps up with the writer."""

TURN_EVENTS = 500
"""Events between two turns of the event loop: some milliseconds of work."""


class PipeTrace:
    """The trace and the output in a pipe, a socket, or a file on a descriptor.

    ``fd`` belongs to the caller and is not closed. ``stream`` is "stdout" for a stream without a
    trace; ``where`` is a short description of the pipe.
    """

    def __init__(
        self,
        fd: int,
        started_at: float | None,
        clock: Clock,
        stream: str = "stderr",
        where: str = "pipe",
        reader: PipeReader | None = None,
    ) -> None:
        self.name = NAME if stream == "stderr" else stream
        self._fd = fd
        self._started_at = started_at
        self._clock = clock
        self._stream = stream
        self._where = where
        self._waiting: EventQueue[Event] = EventQueue()
        self._reader = reader or PipeReader(fd)

    @property
    def dropped(self) -> int:
        """The number of events and lines dropped because the queues were full."""
        return self._waiting.dropped + self._reader.unread.lost

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield events until the other end is closed."""
        if self._stream == "stderr":
            yield Event(self._clock(), NAME, Attached(self._where))
        news = asyncio.Event()
        reader = self._reader
        lines = _DecoderThread(
            reader.unread, self._decoder(), self._timestamps(), self._waiting, news
        )
        reader.start()
        lines.start()
        reported = self.dropped
        try:
            while True:
                was_at_end = lines.is_at_end  # read first: nothing arrives after the end
                if self.dropped > reported:
                    lost = OutputLine(
                        f"… {self.dropped - reported} lines dropped: output too fast …",
                        self._stream,
                    )
                    reported = self.dropped
                    yield Event(self._clock(), NAME, lost)
                for number, event in enumerate(self._waiting.take_all(), 1):
                    yield event
                    if number % TURN_EVENTS == 0:
                        await asyncio.sleep(0)
                if was_at_end and self._stream == "stderr":
                    trouble = Trouble("the input has ended", "earlier input is kept")
                    yield Event(self._clock(), NAME, trouble)
                if was_at_end:
                    return
                await news.wait()
                news.clear()
        finally:
            reader.stop()
            lines.stop()

    def _decoder(self) -> Decoder:
        if self._stream != "stderr":
            return OutputDecoder(self._stream)
        return TraceDecoder(local_time=local_time(self._clock))

    def _timestamps(self) -> Timestamps:
        return Timestamps(self._started_at, self._clock)


class PipeReader:
    """Reads a pipe into ``unread`` in a thread of its own.

    It can start long before the first use: memtui takes half a second to start.
    """

    def __init__(self, fd: int) -> None:
        self.unread = ByteQueue()
        self._fd = fd
        self._thread: threading.Thread | None = None

    @classmethod
    def started(cls, fd: int) -> PipeReader:
        """Return a reader that has started."""
        reader = cls(fd)
        reader.start()
        return reader

    def start(self) -> None:
        """Start the thread, if it has not started yet."""
        if self._thread is None:
            self._stopped, self._wake = os.pipe2(os.O_CLOEXEC)
            _enlarge(self._fd)
            self._thread = threading.Thread(target=self._run, name="pipe reader", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        """Read until the end of the stream, or until ``stop``."""
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
        """Stop the thread, and return when it has stopped: at once, or after one read."""
        if self._thread is not None:
            os.write(self._wake, b"x")
            self._thread.join()
            os.close(self._wake)
            os.close(self._stopped)
            self._thread = None


class _DecoderThread(threading.Thread):
    """Decodes chunks into events for the queue ``waiting``; sets ``news`` in the event loop."""

    def __init__(
        self,
        unread: ByteQueue,
        decoder: Decoder,
        timestamps: Timestamps,
        waiting: EventQueue[Event],
        news: asyncio.Event,
    ) -> None:
        super().__init__(name="lines", daemon=True)
        self.is_at_end = False
        self._unread = unread
        self._decoder = decoder
        self._timestamps = timestamps
        self._waiting = waiting
        self._news = news
        self._loop = asyncio.get_running_loop()

    def run(self) -> None:
        """Decode all chunks up to the end."""
        while not self.is_at_end:
            data = self._unread.take()
            for item, at in self._decoded(data):
                event = self._timestamps.event(item, at)
                self._waiting.put(event, is_line=isinstance(item, OutputLine))
            self.is_at_end = not data
            with contextlib.suppress(RuntimeError):  # the loop is closed: memtui is ending
                self._loop.call_soon_threadsafe(self._news.set)

    def stop(self) -> None:
        """Drop the chunks that are left, and return when the thread has stopped."""
        self._unread.clear()
        self.join()

    def _decoded(self, data: bytes) -> list[TimedItem]:
        try:
            return self._decoder.feed(data) if data else self._decoder.flush()
        except Exception as error:  # noqa: BLE001 - a defect must not end the stream
            event = Event(self._timestamps.clock(), NAME, as_trouble(error))
            self._waiting.put(event, is_line=False)
            self._decoder = OutputDecoder("stderr")
            return []


def _enlarge(fd: int) -> None:
    """Enlarge the pipe, for times when memtui does not get the processor."""
    if not hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux only
        return
    with contextlib.suppress(OSError):  # a socket, a file, or the limit of the user is reached
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
