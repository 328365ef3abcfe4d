"""The trace of the collector, and the output around it, in files: of a process, or of a name."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from memtui.model import Attached, Event, GcCycle, Restart, Trouble
from memtui.parse.gctrace.decoder import TraceDecoder
from memtui.parse.process.proc import ParseError
from memtui.sources.gctrace.command import output_of
from memtui.sources.gctrace.follow_file import FollowedFile, Turn, follow
from memtui.sources.gctrace.pipe import PipeTrace
from memtui.sources.gctrace.stderr import has_gctrace, not_to_be_opened, stderr_of
from memtui.sources.gctrace.timestamps import NAME, Backlog, Timestamps
from memtui.sources.local_time import local_time
from memtui.sources.process.proc import access_hint
from memtui.sources.process.reader import reader_at
from memtui.sources.source import Clock, SourceFailed

TAIL_BYTES = 256 << 10
"""Of what a process has written before: more than a thousand cycles."""
_TROUBLES = {
    Turn.LOST: Trouble(
        "the file is gone",
        "what its writer adds to it is still read, until a file has that name again",
        0.0,
    ),
    Turn.CUT: Trouble("the file was truncated: it is read from its start", "", 0.0),
    Turn.REOPENED: Trouble("another file took its place, and is read now", "", 0.0),
    Turn.FULL: Trouble(
        "the disk of the log is full: lines may be missing", "it is read on when there is room", 0.0
    ),
}
_READ_ON = (Turn.OPENED, Turn.CUT, Turn.REOPENED, Turn.ROOM)


class StderrTrace:
    """The trace of a running process whose standard error is a regular file.

    The file is opened as /proc/PID/fd/2, and so survives to be renamed, unlinked, or seen under
    another name than ours. Anything else is never opened: ``events`` raises
    :class:`SourceFailed` for good, and says what it is and where its lines can be had.
    """

    name = NAME

    def __init__(
        self, pid: int, started_at: float | None, clock: Clock, proc: Path = Path("/proc")
    ) -> None:
        self._pid = pid
        self._started_at = started_at
        self._clock = clock
        self._proc = proc

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the end of what is there, and then all that comes; end with the process."""
        target = _StderrFile(self._pid, self._started_at, self._proc)
        moments = Timestamps(self._started_at, self._clock)
        chunks = follow(target)
        async with aclosing(_trace(chunks, target.where, moments, sift=True)) as events:
            async for event in events:
                yield event


class FileTrace:
    """The trace in a file that has a name: read from its start, and then followed by its name.

    With ``started_at`` only what the process that started then has written is told. A missing
    file is tried again: a service may not have made it yet. A named pipe is emptied, once.
    """

    name = NAME

    def __init__(self, path: Path, started_at: float | None, clock: Clock) -> None:
        self._path = path
        self._started_at = started_at
        self._clock = clock

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield all that is there, and then all that comes; a file has no end."""
        where = f"following {self._path}"
        if self._path.is_fifo():
            async with aclosing(self._pipe_events(where)) as events:
                async for event in events:
                    yield event
            return
        target = _NamedFile(self._path, self._started_at)
        moments = Timestamps(self._started_at, self._clock)
        sift = self._started_at is not None
        chunks = follow(target)
        async with aclosing(_trace(chunks, lambda: where, moments, sift=sift)) as events:
            async for event in events:
                yield event

    async def _pipe_events(self, where: str) -> AsyncGenerator[Event, None]:
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _cannot_open(self._path, error) from None
        try:
            pipe = PipeTrace(fd, self._started_at, self._clock, where=where)
            async with aclosing(pipe.events()) as events:
                async for event in events:
                    yield event
        finally:
            os.close(fd)


class CommandTrace:
    """The trace that a command writes, which the user gave: ``docker logs -f web``.

    It is started again when it ends, as kubectl logs does after some hours. Such a command tells
    the old lines again: cycles that were told already are left out.
    """

    name = NAME

    def __init__(self, command: str, started_at: float | None, clock: Clock) -> None:
        self._command = command
        self._started_at = started_at
        self._clock = clock
        self._last_number = 0

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what it writes; raise :class:`SourceFailed` when it ends."""
        moments = Timestamps(self._started_at, self._clock)
        where = f"from {self._command}"
        sift = self._started_at is not None or self._last_number > 0
        trace = _trace(
            output_of(self._command), lambda: where, moments, sift=sift, after=self._last_number
        )
        async with aclosing(trace) as events:
            async for event in events:
                if isinstance(event.sample, GcCycle):
                    self._last_number = event.sample.number
                yield event


async def _trace(
    stream: AsyncGenerator[bytes | Turn, None],
    where: Callable[[], str],
    moments: Timestamps,
    *,
    sift: bool,
    after: int = 0,
) -> AsyncGenerator[Event, None]:
    """Yield what a stream says; with ``sift`` only what a process wrote since it started.

    ``after`` is the number of the last cycle that was told before.
    """
    zone = local_time(moments.clock)
    decoder, last_number = TraceDecoder(local_time=zone), 0
    backlog = Backlog(moments, after) if sift else None
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            if chunk is Turn.CAUGHT_UP:
                events = list(backlog.events()) if backlog else []
                backlog = None
            else:
                items = decoder.feed(chunk) if isinstance(chunk, bytes) else decoder.flush()
                if backlog:
                    backlog.add(items)
                    events = []
                else:
                    if sift and not last_number:  # what it begins anew was of another process
                        items = [each for each in items if not isinstance(each[0], Restart)]
                    events = [moments.live(*each) for each in items]
            for event in events:
                if isinstance(event.sample, GcCycle):
                    last_number = event.sample.number
                yield event
            if isinstance(chunk, Turn):
                for told in _told(chunk, where):
                    yield Event(moments.clock(), NAME, told)
            if chunk is Turn.REOPENED and sift:
                decoder = TraceDecoder(local_time=zone)
                backlog = Backlog(moments, last_number)
    for each in decoder.flush():
        yield moments.live(*each)


def _told(turn: Turn, where: Callable[[], str]) -> list[Attached | Trouble]:
    """Return what is told of a turn: what is over at once too, for it stays in a recording."""
    trouble = _TROUBLES.get(turn)
    found: list[Attached | Trouble] = [trouble] if trouble else []
    if turn in _READ_ON:
        found.append(Attached(where()))
    return found


class _StderrFile:
    """What leads to a file through file descriptor 2 of a process."""

    def __init__(self, pid: int, started_at: float | None, proc: Path) -> None:
        self._pid = pid
        self._started_at = started_at
        self._proc = proc
        self._start_ticks = self._ticks()

    def where(self) -> str:
        """Describe what is followed, and whether anything can be expected there."""
        where = f"following {stderr_of(self._pid, self._proc).name}"
        if has_gctrace(self._pid, self._proc) is False:
            where += " — GODEBUG has no gctrace=1, so the runtime prints nothing"
        return where

    def open(self) -> FollowedFile:
        """Open it through /proc, unless it is no file; its name may be that of another one."""
        stderr = stderr_of(self._pid, self._proc)
        if not stderr.is_file:
            raise not_to_be_opened(stderr, self._pid, self._proc)
        link = self._proc / str(self._pid) / "fd" / "2"
        try:
            return FollowedFile(link, TAIL_BYTES, self._started_at)
        except PermissionError:
            reason = f"no permission to read {stderr.name}"
            raise SourceFailed(reason, access_hint(), final=True) from None
        except OSError:
            raise SourceFailed(f"process {self._pid} has ended", final=True) from None

    def has_moved(self, file: FollowedFile) -> bool:
        """Whether the process has made another file its standard error."""
        try:
            stderr = stderr_of(self._pid, self._proc)
        except SourceFailed:  # closed, or closed to us: what is open is still worth following
            return False
        return stderr.is_file and stderr.identity != file.identity

    def is_lost(self) -> bool:
        """Never: the process holds it, whatever name it has."""
        return False

    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self._ticks() != self._start_ticks

    def _ticks(self) -> int | None:
        """Return when the process started; None when it is gone, or a zombie."""
        try:
            found = reader_at(self._proc).stat(self._pid)
        except (OSError, ParseError):
            return None
        return None if found.is_over else found.start_ticks


class _NamedFile:
    """What leads to a file by its name, whichever file has it."""

    def __init__(self, path: Path, started_at: float | None) -> None:
        self._path = path
        self._started_at = started_at

    def open(self) -> FollowedFile:
        """Open the file that has the name now."""
        try:
            return FollowedFile(self._path, None, self._started_at)
        except OSError as error:
            raise _cannot_open(self._path, error) from None

    def has_moved(self, file: FollowedFile) -> bool:
        """Whether another file has the name; a name that is gone may come back."""
        try:
            found = os.stat(self._path)
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and (found.st_dev, found.st_ino) != file.identity

    def is_lost(self) -> bool:
        """Whether nothing has the name."""
        return not os.path.lexists(self._path)

    def is_over(self) -> bool:
        """A file can always grow."""
        return False


def _cannot_open(path: Path, error: OSError) -> SourceFailed:
    match error:
        case FileNotFoundError():
            return SourceFailed(f"no such file: {path}", "waiting for it to appear")
        case PermissionError():
            return SourceFailed(f"no permission to read {path}", "run memtui as its owner")
        case _:
            return SourceFailed(f"cannot open {path}: {error.strerror}")
