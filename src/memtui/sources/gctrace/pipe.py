"""How a pipe is emptied as fast as it fills.

A process that writes into a full pipe stands still, and a slow screen must never stall a service:
what comes is read by a thread of its own, whether somebody takes it or not and whatever the event
loop waits for. Another thread makes lines of it; when too much waits, before that or after, the
oldest lines of output are dropped and counted.

What was read from a pipe and not looked at yet: in bounded memory, the trace lost last.

Reading lines takes longer than writing them, so a service that floods its log would wait for
memtui: what it writes is taken at once, and looked at later, as far as there is room.
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
"""Some seconds of the fastest log: after that only the lines of the trace are kept."""

_OF_TRACE = (b"gc ", b"scav")


class ByteQueue:
    """A queue of chunks between one thread that puts and one that takes.

    ``lost`` counts the lines that made room. An empty chunk is the end.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._size = 0
        self._thin: deque[bytes] = deque()
        """The oldest, of which nothing but the trace is left."""
        self._whole: deque[bytes] = deque()
        self._has_any = threading.Condition()

    def put(self, data: bytes) -> None:
        """Add a chunk; old ones make room."""
        with self._has_any:
            self._whole.append(data)
            self._size += len(data)
            while self._size > MOST_BYTES and len(self._whole) > 1:
                self._make_thin(self._whole.popleft())
            while self._size > MOST_BYTES and self._thin:
                self._forget(self._thin.popleft())
            self._has_any.notify()

    def take(self) -> bytes:
        """Wait for a chunk, and return it."""
        with self._has_any:
            self._has_any.wait_for(lambda: self._thin or self._whole)
            data = self._thin.popleft() if self._thin else self._whole.popleft()
            self._size -= len(data)
            return data

    def clear(self) -> None:
        """Forget what waits, and put the end; it does not count as lost."""
        with self._has_any:
            self._thin.clear()
            self._whole.clear()
            self._size = 0
        self.put(b"")

    def _make_thin(self, data: bytes) -> None:
        kept = of_trace(data)
        self._size -= len(data) - len(kept)
        self.lost += data.count(b"\n") - kept.count(b"\n")
        self._thin.append(kept)

    def _forget(self, data: bytes) -> None:
        self._size -= len(data)
        self.lost += data.count(b"\n")


def of_trace(data: bytes) -> bytes:
    """Return the lines of a chunk that may be of the trace, and both its ends.

    The ends are parts of lines that the chunks beside it hold the rest of.
    """
    first, *between = data.split(b"\n")
    if not between:
        return data
    last = between.pop()
    kept = [line for line in between if any(word in line for word in _OF_TRACE)]
    return b"\n".join([first, *kept, last])


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
        drain: PipeReader | None = None,
    ) -> None:
        self.name = NAME if stream == "stderr" else stream
        self._fd = fd
        self._started_at = started_at
        self._clock = clock
        self._stream = stream
        self._where = where
        self._waiting: EventQueue[Event] = EventQueue()
        self._drain = drain or PipeReader(fd)

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

    def _moments(self) -> Timestamps:
        return Timestamps(self._started_at, self._clock)


class PipeReader:
    """Reads what there is, all the time, and does nothing else.

    ``unread`` holds what was read. It may ``begin`` long before anybody looks: memtui itself takes
    half a second to start.
    """

    def __init__(self, fd: int) -> None:
        self.unread = ByteQueue()
        self._fd = fd
        self._thread: threading.Thread | None = None

    @classmethod
    def begun(cls, fd: int) -> PipeReader:
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
        unread: ByteQueue,
        decoder: Decoder,
        moments: Timestamps,
        waiting: EventQueue[Event],
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
    if not hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux only
        return
    with contextlib.suppress(OSError):  # a socket, a file, or the user has used up the allowance
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
