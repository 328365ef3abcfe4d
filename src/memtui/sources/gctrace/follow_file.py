"""How a file that others write is followed: through rotation, truncation, holes and unlinking."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncGenerator
from enum import Enum, auto
from itertools import count
from typing import Protocol

from memtui.sources.source import SourceFailed

POLL_S = 0.5
"""Between two looks at a file that did not grow: what is seen is painted once a second."""

LOOKS_AROUND = 4
"""At each so many looks it is asked too whether the file is still the right one: that costs more
than all the rest of it, some reads of /proc."""

SLICE_BYTES = 256 << 10
"""Read between two turns of the event loop."""

KNOWN_BYTES = 256
"""So many of the bytes read last are known again: longer than a line of the trace, whose ends are
all alike."""


class Turn(Enum):
    """What happened between two chunks."""

    OPENED = auto()
    """The file is open, nothing has been read yet."""
    CAUGHT_UP = auto()
    """All that the file held when it was opened has been read."""
    CUT = auto()
    """The file was truncated: what comes next does not go on where the last chunk ended."""
    REOPENED = auto()
    """Another file took its place, and is read now."""
    LOST = auto()
    """No file has its name any more: it is read on, and its successor is waited for."""
    FULL = auto()
    """There is no room any more where it lies: what its writer could not write is missing."""
    ROOM = auto()
    """There is room again."""


class FollowedFile:
    """One open regular file and the place up to which it has been read.

    ``tail_bytes`` reads no more than the end of what is there, from its first whole line on;
    a file that nobody wrote since ``since`` (Unix seconds) is read from its end.
    Raises OSError as open(2) does, and :class:`SourceFailed` when it is no regular file.
    """

    def __init__(
        self, path: str | os.PathLike[str], tail_bytes: int | None, since: float | None
    ) -> None:
        # Non-blocking, for a pipe that took the place of the file since somebody looked.
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        found = os.fstat(self._fd)
        if not stat.S_ISREG(found.st_mode):
            self.close()
            what = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise SourceFailed(f"{os.fspath(path)} is {what}", final=True)
        self.identity = (found.st_dev, found.st_ino)
        self._backlog_end = found.st_size
        self._at = 0 if tail_bytes is None else max(0, found.st_size - tail_bytes)
        self._in_partial_line = self._at > 0 and os.pread(self._fd, 1, self._at - 1) != b"\n"
        if since is not None and found.st_mtime < since - 1:
            self._at, self._in_partial_line = found.st_size, False
        self._known = b""
        """What stands before the place up to which it has been read."""
        self._seen = (-1, -1)
        """The size (bytes) and the time of the last write (ns), when somebody looked last."""
        self._done: tuple[int, int] | None = None
        """The same of when it was read to its end: it need not be read while it stays so."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    @property
    def is_caught_up(self) -> bool:
        """Whether what it held when it was opened has been read."""
        return self._at >= self._backlog_end

    @property
    def is_full(self) -> bool:
        """Whether nobody but root can write any more where it lies (man 3 statvfs, f_bavail)."""
        found = os.fstatvfs(self._fd)
        return found.f_bavail == 0 < found.f_blocks

    def was_cut(self) -> bool:
        """Whether the file was truncated since it was read; it is read from its start then.

        It is shorter than what was read, or has grown again meanwhile, and other bytes stand where
        the last ones stood. A writer without O_APPEND goes on at its old place after a truncation:
        what lies between is a hole, and the file as long as before. Then nothing was lost, and
        nothing is told.
        """
        found = os.fstat(self._fd)
        self._seen = (found.st_size, found.st_mtime_ns)
        if self.is_at_rest or (found.st_size >= self._at and self._is_as_it_was()):
            return False
        self._at, self._backlog_end, self._known = 0, 0, b""
        self._in_partial_line = False
        return True

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody had written since it was read to its end, when ``was_cut`` looked."""
        return self._seen == self._done

    def _is_as_it_was(self) -> bool:
        there = os.pread(self._fd, len(self._known), self._at - len(self._known))
        return there == self._known or not there.strip(b"\0")

    def read(self) -> bytes:
        """Return the next bytes, at most SLICE_BYTES; none when there are no more yet."""
        while data := os.pread(self._fd, SLICE_BYTES, self._at):
            self._at += len(data)
            self._known = (self._known + data[-KNOWN_BYTES:])[-KNOWN_BYTES:]
            if not data.strip(b"\0"):
                self._skip_hole()
                continue
            if not self._in_partial_line:
                return data
            _, newline, data = data.partition(b"\n")
            if newline:
                self._in_partial_line = False
                if data:
                    return data
        self._done = self._seen
        return b""

    def _skip_hole(self) -> None:
        """Jump over a hole, which reads as NULs and may be as long as a log ever was."""
        if not hasattr(os, "SEEK_DATA"):
            return
        try:
            data_at = os.lseek(self._fd, self._at, os.SEEK_DATA)
        except OSError:  # ENXIO: nothing but the hole up to the end; EINVAL: no such thing here
            return
        if data_at > self._at:
            self._at, self._known = data_at, b""


class FollowTarget(Protocol):
    """What leads to a file that is to be followed."""

    def open(self) -> FollowedFile:
        """Open the file; raise :class:`SourceFailed`."""
        ...

    def has_moved(self, file: FollowedFile) -> bool:
        """Whether another file took the place of ``file``."""
        ...

    def is_lost(self) -> bool:
        """Whether no file has the place any more that ``open`` looks at."""
        ...

    def is_over(self) -> bool:
        """Whether nobody will write any more."""
        ...


async def follow(target: FollowTarget) -> AsyncGenerator[bytes | Turn, None]:
    """Yield what stands in a file and what is added to it, until the target is over.

    Raise :class:`SourceFailed` when the file cannot be opened or read.
    """
    file, was_lost, was_full = target.open(), False, False
    try:
        yield Turn.OPENED
        for look in count():
            # Both are asked first: what was written until then is read before the file is left.
            is_asked = look % LOOKS_AROUND == 0
            is_over = is_asked and target.is_over()
            has_moved = is_asked and not is_over and target.has_moved(file)
            while True:
                if file.was_cut():
                    yield Turn.CUT
                if file.is_at_rest or not (data := file.read()):
                    break
                yield data
                if file.is_caught_up:
                    yield Turn.CAUGHT_UP
                await asyncio.sleep(0)
            yield Turn.CAUGHT_UP
            if has_moved:
                successor = target.open()
                file.close()
                file = successor
                yield Turn.REOPENED
            elif is_over:
                return
            elif was_lost != (was_lost := target.is_lost()) and was_lost:
                yield Turn.LOST
            if is_asked and was_full != (was_full := file.is_full):
                yield Turn.FULL if was_full else Turn.ROOM
            await asyncio.sleep(POLL_S)
    except OSError as error:
        raise SourceFailed(f"cannot read on: {error.strerror or error}") from error
    finally:
        file.close()
