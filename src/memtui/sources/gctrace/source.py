"""Reads gctrace and other output from the stderr of a process, from a file, or from a command."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from memtui.model import Attached, Event, GcCycle, Restart, Trouble
from memtui.parse.gctrace.decoder import TraceDecoder
from memtui.parse.process.proc import ParseError
from memtui.sources.gctrace.command import command_output
from memtui.sources.gctrace.follow_file import FollowedFile, Turn, follow
from memtui.sources.gctrace.pipe import PipeTrace
from memtui.sources.gctrace.stderr import cannot_follow, has_gctrace, stderr_of
from memtui.sources.gctrace.timestamps import NAME, Backlog, Timestamps
from memtui.sources.local_time import local_time
from memtui.sources.process.proc import access_hint
from memtui.sources.process.reader import reader_at
from memtui.sources.source import Clock, SourceFailed

TAIL_BYTES = 256 << 10
"""Read of the previous output of a process: more than a thousand cycles."""
_TROUBLES = {
    Turn.LOST: Trouble(
        "the file is gone",
        "memtui still reads it until a new file has its name",
        0.0,
    ),
    Turn.CUT: Trouble("the file was truncated; reading from its start", "", 0.0),
    Turn.REOPENED: Trouble("the file was replaced; reading the new one", "", 0.0),
    Turn.FULL: Trouble(
        "the disk of the log is full: lines may be missing",
        "reading continues when there is room",
        0.0,
    ),
}
_READ_ON = (Turn.OPENED, Turn.CUT, Turn.REOPENED, Turn.ROOM)


class StderrTrace:
    """The trace of a running process whose standard error is a regular file.

    The file is opened as /proc/PID/fd/2, so it may be renamed or unlinked, or have another name
    here. Other kinds of stderr are never opened: ``events`` raises a final :class:`SourceFailed`
    with the kind and how to get its lines.
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
        """Yield the end of the file, then new lines, until the process ends."""
        target = _StderrFile(self._pid, self._started_at, self._proc)
        timestamps = Timestamps(self._started_at, self._clock)
        chunks = follow(target)
        async with aclosing(_trace(chunks, target.where, timestamps, select=True)) as events:
            async for event in events:
                yield event


class FileTrace:
    """The trace in a named file: read from its start, then followed by its name.

    With ``started_at``, only lines of the process that started then are reported. A missing file
    is tried again, because a service may create it later. A named pipe is read once, to its end.
    """

    name = NAME

    def __init__(self, path: Path, started_at: float | None, clock: Clock) -> None:
        self._path = path
        self._started_at = started_at
        self._clock = clock

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the content of the file, then new lines, without end."""
        where = f"following {self._path}"
        if self._path.is_fifo():
            async with aclosing(self._pipe_events(where)) as events:
                async for event in events:
                    yield event
            return
        target = _NamedFile(self._path, self._started_at)
        timestamps = Timestamps(self._started_at, self._clock)
        select = self._started_at is not None
        chunks = follow(target)
        async with aclosing(_trace(chunks, lambda: where, timestamps, select=select)) as events:
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
    """The trace in the output of a command of the user: ``docker logs -f web``.

    The command is restarted when it ends, as kubectl logs does after some hours. It prints the
    old lines again then; cycles that were reported before are left out.
    """

    name = NAME

    def __init__(self, command: str, started_at: float | None, clock: Clock) -> None:
        self._command = command
        self._started_at = started_at
        self._clock = clock
        self._last_number = 0

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield its output; raise :class:`SourceFailed` when it ends."""
        timestamps = Timestamps(self._started_at, self._clock)
        where = f"from {self._command}"
        select = self._started_at is not None or self._last_number > 0
        trace = _trace(
            command_output(self._command),
            lambda: where,
            timestamps,
            select=select,
            after=self._last_number,
        )
        async with aclosing(trace) as events:
            async for event in events:
                if isinstance(event.sample, GcCycle):
                    self._last_number = event.sample.number
                yield event


async def _trace(
    stream: AsyncGenerator[bytes | Turn, None],
    where: Callable[[], str],
    timestamps: Timestamps,
    *,
    select: bool,
    after: int = 0,
) -> AsyncGenerator[Event, None]:
    """Yield the events of a stream; with ``select`` only those of the watched process.

    ``after`` is the number of the last cycle that was reported before.
    """
    zone = local_time(timestamps.clock)
    decoder, last_number = TraceDecoder(local_time=zone), 0
    backlog = Backlog(timestamps, after) if select else None
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
                    if select and not last_number:  # the restart ended an earlier process
                        items = [each for each in items if not isinstance(each[0], Restart)]
                    events = [timestamps.event(*each) for each in items]
            for event in events:
                if isinstance(event.sample, GcCycle):
                    last_number = event.sample.number
                yield event
            if isinstance(chunk, Turn):
                for sample in _turn_samples(chunk, where):
                    yield Event(timestamps.clock(), NAME, sample)
            if chunk is Turn.REOPENED and select:
                decoder = TraceDecoder(local_time=zone)
                backlog = Backlog(timestamps, last_number)
    for each in decoder.flush():
        yield timestamps.event(*each)


def _turn_samples(turn: Turn, where: Callable[[], str]) -> list[Attached | Trouble]:
    """Return the samples of a turn; also short troubles, for the recording."""
    trouble = _TROUBLES.get(turn)
    found: list[Attached | Trouble] = [trouble] if trouble else []
    if turn in _READ_ON:
        found.append(Attached(where()))
    return found


class _StderrFile:
    """The file that is file descriptor 2 of a process."""

    def __init__(self, pid: int, started_at: float | None, proc: Path) -> None:
        self._pid = pid
        self._started_at = started_at
        self._proc = proc
        self._start_ticks = self._ticks()

    def where(self) -> str:
        """Return the name of the file, and whether gctrace is off."""
        where = f"following {stderr_of(self._pid, self._proc).name}"
        if has_gctrace(self._pid, self._proc) is False:
            where += " — GODEBUG has no gctrace=1, so the runtime prints nothing"
        return where

    def open(self) -> FollowedFile:
        """Open it through /proc if it is a file; another file may have its name by now."""
        stderr = stderr_of(self._pid, self._proc)
        if not stderr.is_file:
            raise cannot_follow(stderr, self._pid, self._proc)
        link = self._proc / str(self._pid) / "fd" / "2"
        try:
            return FollowedFile(link, TAIL_BYTES, self._started_at)
        except PermissionError:
            reason = f"no permission to read {stderr.name}"
            raise SourceFailed(reason, access_hint(), final=True) from None
        except OSError:
            raise SourceFailed(f"process {self._pid} has ended", final=True) from None

    def has_moved(self, file: FollowedFile) -> bool:
        """Return whether the process has another file as its stderr."""
        try:
            stderr = stderr_of(self._pid, self._proc)
        except SourceFailed:  # closed or not readable: the open file is still followed
            return False
        return stderr.is_file and stderr.identity != file.identity

    def is_lost(self) -> bool:
        """Return False: the process has it open, whatever its name is."""
        return False

    def is_over(self) -> bool:
        """Return whether the process has ended."""
        return self._ticks() != self._start_ticks

    def _ticks(self) -> int | None:
        """Return the start of the process in clock ticks; None if it has ended, or is a zombie."""
        try:
            found = reader_at(self._proc).stat(self._pid)
        except (OSError, ParseError):
            return None
        return None if found.is_over else found.start_ticks


class _NamedFile:
    """The file that has a name, whichever it is."""

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
        """Return whether another file has the name; a missing name may come back."""
        try:
            found = os.stat(self._path)
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and (found.st_dev, found.st_ino) != file.identity

    def is_lost(self) -> bool:
        """Return whether no file has the name."""
        return not os.path.lexists(self._path)

    def is_over(self) -> bool:
        """Return False: a file can always grow."""
        return False


def _cannot_open(path: Path, error: OSError) -> SourceFailed:
    match error:
        case FileNotFoundError():
            return SourceFailed(f"no such file: {path}", "waiting for it to appear")
        case PermissionError():
            return SourceFailed(f"no permission to read {path}", "run memtui as its owner")
        case _:
            return SourceFailed(f"cannot open {path}: {error.strerror}")
