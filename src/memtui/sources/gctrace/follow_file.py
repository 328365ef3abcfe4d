"""Follows a file that others write, through rotation, truncation, holes and unlinking."""

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
"""The time between two checks of a file that did not grow."""

TARGET_CHECKS = 4
"""Only every fourth check is of the target as well, because it costs reads of /proc."""

SLICE_BYTES = 256 << 10
"""Bytes read between two turns of the event loop."""

KNOWN_BYTES = 256
"""The last bytes read are compared to find a truncation: more than a line of the trace."""


class Turn(Enum):
    """What happened between two chunks."""

    OPENED = auto()
    """The file is open; nothing has been read yet."""
    CAUGHT_UP = auto()
    """The content that the file had when it was opened has been read."""
    CUT = auto()
    """The file was truncated: the next chunk does not follow the last one."""
    REOPENED = auto()
    """Another file has its place; the next chunk is from there."""
    LOST = auto()
    """No file has its name now: the open file is read until there is a new one."""
    FULL = auto()
    """Its disk is full: lines that its writer could not write are missing."""
    ROOM = auto()
    """The disk has room again."""


class FollowedFile:
    """An open regular file and the position up to which it has been read.

    With ``tail_bytes`` only the end of its content is read, from the first complete line. A file
    without a write since ``since`` (Unix seconds) is read from its end. Raises OSError as open(2)
    does, and :class:`SourceFailed` if it is not a regular file.
    """

    def __init__(
        self, path: str | os.PathLike[str], tail_bytes: int | None, since: float | None
    ) -> None:
        # Non-blocking, in case a pipe has taken the place of the file.
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        found = os.fstat(self._fd)
        if not stat.S_ISREG(found.st_mode):
            self.close()
            what = "a directory" if stat.S_ISDIR(found.st_mode) else "not a regular file"
            raise SourceFailed(f"{os.fspath(path)} is {what}", final=True)
        self.identity = (found.st_dev, found.st_ino)
        self._backlog_end = found.st_size
        self._at = 0 if tail_bytes is None else max(0, found.st_size - tail_bytes)
        self._in_partial_line = self._at > 0 and os.pread(self._fd, 1, self._at - 1) != b"\n"
        if since is not None and found.st_mtime < since - 1:
            self._at, self._in_partial_line = found.st_size, False
        self._known = b""
        """The bytes before the position."""
        self._seen = (-1, -1)
        """The size (bytes) and the time of the last write (ns) at the last check."""
        self._done: tuple[int, int] | None = None
        """The same when it was last read to its end: until they change it need not be read."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    @property
    def is_caught_up(self) -> bool:
        """Whether the content that it had when it was opened has been read."""
        return self._at >= self._backlog_end

    @property
    def is_full(self) -> bool:
        """Whether only root can still write to its disk (man 3 statvfs, f_bavail)."""
        found = os.fstatvfs(self._fd)
        return found.f_bavail == 0 < found.f_blocks

    def was_cut(self) -> bool:
        """Return whether the file was truncated since the last read; reading restarts then.

        It is shorter than the position, or it has grown again with other bytes before the position.
        A writer without O_APPEND continues at its old position after a truncation: the file has a
        hole and its old length. Nothing is lost then, and this returns False.
        """
        found = os.fstat(self._fd)
        self._seen = (found.st_size, found.st_mtime_ns)
        if self.is_at_rest or (found.st_size >= self._at and self._has_known_bytes()):
            return False
        self._at, self._backlog_end, self._known = 0, 0, b""
        self._in_partial_line = False
        return True

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing was written between the last complete read and the last ``was_cut``."""
        return self._seen == self._done

    def _has_known_bytes(self) -> bool:
        found = os.pread(self._fd, len(self._known), self._at - len(self._known))
        return found == self._known or not found.strip(b"\0")

    def read(self) -> bytes:
        """Return the next bytes, at most SLICE_BYTES; none if there are no more yet."""
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
        """Skip a hole, which reads as NULs and may be as long as the log was."""
        if not hasattr(os, "SEEK_DATA"):
            return
        try:
            data_at = os.lseek(self._fd, self._at, os.SEEK_DATA)
        except OSError:  # ENXIO: a hole up to the end; EINVAL: not supported
            return
        if data_at > self._at:
            self._at, self._known = data_at, b""


class FollowTarget(Protocol):
    """Finds the file to follow."""

    def open(self) -> FollowedFile:
        """Open the file; raise :class:`SourceFailed`."""
        ...

    def has_moved(self, file: FollowedFile) -> bool:
        """Return whether another file has the place of ``file``."""
        ...

    def is_lost(self) -> bool:
        """Return whether ``open`` would find no file."""
        ...

    def is_over(self) -> bool:
        """Return whether no more writes can follow."""
        ...


async def follow(target: FollowTarget) -> AsyncGenerator[bytes | Turn, None]:
    """Yield the content of a file and new bytes, until the target is over.

    Raise :class:`SourceFailed` if the file cannot be opened or read.
    """
    file, was_lost, was_full = target.open(), False, False
    try:
        yield Turn.OPENED
        for check in count():
            # Both are checked first: all earlier writes are read before the file is closed.
            is_target_check = check % TARGET_CHECKS == 0
            is_over = is_target_check and target.is_over()
            has_moved = is_target_check and not is_over and target.has_moved(file)
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
            if is_target_check and was_full != (was_full := file.is_full):
                yield Turn.FULL if was_full else Turn.ROOM
            await asyncio.sleep(POLL_S)
    except OSError as error:
        raise SourceFailed(f"cannot continue reading: {error.strerror or error}") from error
    finally:
        file.close()
