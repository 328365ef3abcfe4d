"""The file of a recording: opened for one writer alone, cut back when a write fails.

Where the whole part of a recording ends, and what is missing to close it.

A recording in parts: the newest keeps its name, full ones get a number, the oldest go.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from pathlib import Path

from memtui.recording.members import HEAD_BYTES, MAGIC, member_before

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class CannotRecord(Exception):  # noqa: N818 - it says what happened
    """There can be no recording at this place: one line, and a hint."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class WriteFailed(Exception):  # noqa: N818 - it says what happened
    """A write failed and the file is as it was before; ``is_final`` when nobody reads any more."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


class OutFile:
    """A locked file that grows at its end, or a stream; a failed write leaves no trace in it."""

    def __init__(self, descriptor: int, path: Path | None) -> None:
        self.path = path
        self.descriptor = descriptor
        self.size = 0 if path is None else os.fstat(descriptor).st_size
        if path is not None:
            os.lseek(descriptor, 0, os.SEEK_END)

    def write(self, data: bytes) -> None:
        """Write all of it with one call, or nothing; raise WriteFailed."""
        view = memoryview(data)
        written = 0
        try:
            while written < len(data):
                # Where one call is short, the next one says why.
                written += os.write(self.descriptor, view[written:])
        except OSError as error:
            self._cut_back()
            is_final = error.errno in (errno.EPIPE, errno.EBADF)
            raise WriteFailed(_said(error), is_final=is_final) from None
        self.size += written

    def _cut_back(self) -> None:
        if self.path is not None:
            self.cut(self.size)

    def cut(self, size: int) -> None:
        """Cut the file, and go on there."""
        os.ftruncate(self.descriptor, size)
        os.lseek(self.descriptor, size, os.SEEK_SET)
        self.size = size

    def sync(self) -> None:
        """Have the disk keep what was written; a stream has no disk."""
        if self.path is not None:
            try:
                getattr(os, "fdatasync", os.fsync)(self.descriptor)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.EROFS):
                    raise WriteFailed(_said(error)) from None

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self.descriptor)


def _said(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC:
            return "disk full"
        case errno.EDQUOT:
            return "quota used up"
        case errno.EFBIG:
            return "the file may not get larger"
        case errno.EPIPE:
            return "nobody reads any more"
        case _:
            return (error.strerror or str(error)).lower()


def create_file(path: Path, *, force: bool) -> OutFile:
    """Make a new file that its owner alone can read; with ``force`` in place of what is there.

    No link is followed. Raises CannotRecord, and FileExistsError without ``force``.
    """
    if force:
        _remove(path)
    try:
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise
    except OSError as error:
        raise _cannot(path, error) from None
    return _locked(descriptor, path)


def _remove(path: Path) -> None:
    """Remove what is there, if it is a file that no other writer has."""
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot(path, error) from None
    _locked(descriptor, path).close()
    path.unlink(missing_ok=True)


def open_existing(path: Path) -> OutFile:
    """Open a recording to append to it; raise CannotRecord when it is no recording of ours."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise _cannot(path, error) from None
    file = _locked(descriptor, path)
    start = os.pread(descriptor, HEAD_BYTES, 0)
    if start and not (start[:4] == MAGIC and start[12:14] == b"MT"):
        file.close()
        raise CannotRecord(f"{path} is there and no recording", "--force replaces it")
    return file


def _locked(descriptor: int, path: Path) -> OutFile:
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CannotRecord(f"cannot record to {path}: it is no file")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CannotRecord(
            f"{path} is being written by another memtui", "give another file to -o"
        ) from None
    except CannotRecord:
        os.close(descriptor)
        raise
    except OSError as error:
        os.close(descriptor)
        raise _cannot(path, error) from None
    return OutFile(descriptor, path)


def _cannot(path: Path, error: OSError) -> CannotRecord:
    if error.errno == errno.ELOOP:
        return CannotRecord(f"cannot record to {path}: it is a link", "give the file itself")
    if error.errno == errno.ENOENT:
        return CannotRecord(f"cannot record to {path}: no such folder")
    return CannotRecord(f"cannot record to {path}: {(error.strerror or str(error)).lower()}")


_SHARE = 8
"""A part takes this share of the room or of the age for all: so much goes at once."""
_LEAST_BYTES = 64 << 10


class Rotation:
    """When a part is full, and which of the older ones are to go.

    ``NAME.memtui`` is always the newest; ``NAME.001.memtui`` is older than ``NAME.002.memtui``.
    """

    def __init__(self, path: Path, max_bytes: int | None, max_age_s: float | None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._started: float | None = None

    def is_due(self, size: int, now: float) -> bool:
        """Return whether the part that is written now is full."""
        if self._started is None:
            self._started = now
        if self._max_bytes is not None and size >= max(_LEAST_BYTES, self._max_bytes // _SHARE):
            return True
        return self._max_age_s is not None and now - self._started >= self._max_age_s / _SHARE

    def next(self, file: OutFile, now: float) -> OutFile:
        """Give the full part a number, begin a new one, and remove the oldest; raise WriteFailed.

        When no new one can be begun, the old one goes on.
        """
        self._started = now
        older = older_files(self._path)
        number = max((file_number(each) for each in older), default=0) + 1
        aside = self._path.with_suffix(f".{number:03}{self._path.suffix}")
        try:
            os.rename(self._path, aside)
            try:
                new = create_file(self._path, force=False)
            except (CannotRecord, OSError) as error:
                os.rename(aside, self._path)
                raise WriteFailed(str(error)) from None
        except OSError as error:
            raise WriteFailed((error.strerror or str(error)).lower()) from None
        file.close()
        self._remove_old([*older, aside], now)
        return new

    def _remove_old(self, parts: list[Path], now: float) -> None:
        sizes = {each: each.stat().st_size for each in parts if each.exists()}
        room = None if self._max_bytes is None else self._max_bytes * (_SHARE - 1) // _SHARE
        for each in list(sizes):
            too_large = room is not None and sum(sizes.values()) > room
            if too_large or self._is_too_old(each, now):
                each.unlink(missing_ok=True)
                del sizes[each]

    def _is_too_old(self, path: Path, now: float) -> bool:
        if self._max_age_s is None:
            return False
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            last = member_before(
                lambda offset, length: os.pread(file.fileno(), length, offset), size
            )
        return last is not None and now - last.start > self._max_age_s


def file_number(path: Path) -> int:
    """Return the number of a full part, 0 for any other file."""
    found = re.search(r"\.(\d{3,9})\.[^.]+\Z", path.name)
    return int(found[1]) if found else 0


def older_files(path: Path) -> list[Path]:
    """Return the older parts of a recording, oldest first."""
    shape = re.compile(re.escape(path.stem) + r"\.\d{3,9}" + re.escape(path.suffix) + r"\Z")
    try:
        names = [each for each in os.listdir(path.parent) if shape.match(each)]
    except OSError:
        return []
    return sorted((path.parent / each for each in names), key=file_number)
