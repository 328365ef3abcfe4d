"""Writes the file of a recording, for one writer at a time, and rotates it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from pathlib import Path

from memtui.recording.members import HEAD_BYTES, MAGIC, member_before

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class CannotRecord(Exception):  # noqa: N818 - names the condition
    """A recording cannot be written here: the reason in one line, and a hint."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class WriteFailed(Exception):  # noqa: N818 - names the condition
    """A write failed, the file is unchanged; ``is_final``: the reader closed the stream."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


class OutFile:
    """A locked file that grows at its end, or a stream; a failed write leaves it unchanged."""

    def __init__(self, descriptor: int, path: Path | None) -> None:
        self.path = path
        self.descriptor = descriptor
        self.size = 0 if path is None else os.fstat(descriptor).st_size
        if path is not None:
            os.lseek(descriptor, 0, os.SEEK_END)

    def write(self, data: bytes) -> None:
        """Write all data or nothing; raise WriteFailed."""
        view = memoryview(data)
        written = 0
        try:
            while written < len(data):
                # After a short write, the next call raises the reason.
                written += os.write(self.descriptor, view[written:])
        except OSError as error:
            self._cut_back()
            is_final = error.errno in (errno.EPIPE, errno.EBADF)
            raise WriteFailed(_error_reason(error), is_final=is_final) from None
        self.size += written

    def _cut_back(self) -> None:
        if self.path is not None:
            self.cut(self.size)

    def cut(self, size: int) -> None:
        """Truncate the file and continue there."""
        os.ftruncate(self.descriptor, size)
        os.lseek(self.descriptor, size, os.SEEK_SET)
        self.size = size

    def sync(self) -> None:
        """Flush the file to the disk; does nothing for a stream."""
        if self.path is not None:
            try:
                getattr(os, "fdatasync", os.fsync)(self.descriptor)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.EROFS):
                    raise WriteFailed(_error_reason(error)) from None

    def close(self) -> None:
        """Close the file and release its lock."""
        os.close(self.descriptor)


def _error_reason(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC:
            return "disk full"
        case errno.EDQUOT:
            return "disk quota exceeded"
        case errno.EFBIG:
            return "file size limit reached"
        case errno.EPIPE:
            return "the reader closed the stream"
        case _:
            return (error.strerror or str(error)).lower()


def create_file(path: Path, *, force: bool) -> OutFile:
    """Create a file that only its owner can read; with ``force`` replace an existing one.

    Links are not followed. Raises CannotRecord, and FileExistsError without ``force``.
    """
    if force:
        _remove(path)
    try:
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise
    except OSError as error:
        raise _cannot_record(path, error) from None
    return _lock(descriptor, path)


def _remove(path: Path) -> None:
    """Remove an existing file, if it is a regular file that no other writer has locked."""
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot_record(path, error) from None
    _lock(descriptor, path).close()
    path.unlink(missing_ok=True)


def open_existing(path: Path) -> OutFile:
    """Open a recording to append to it; raise CannotRecord if it is not a memtui recording."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise _cannot_record(path, error) from None
    file = _lock(descriptor, path)
    start = os.pread(descriptor, HEAD_BYTES, 0)
    if start and not (start[:4] == MAGIC and start[12:14] == b"MT"):
        file.close()
        raise CannotRecord(f"{path} exists and is not a memtui recording", "--force replaces it")
    return file


def _lock(descriptor: int, path: Path) -> OutFile:
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CannotRecord(f"cannot record to {path}: not a regular file")
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
        raise _cannot_record(path, error) from None
    return OutFile(descriptor, path)


def _cannot_record(path: Path, error: OSError) -> CannotRecord:
    if error.errno == errno.ELOOP:
        return CannotRecord(
            f"cannot record to {path}: it is a symbolic link", "give the path of the file"
        )
    if error.errno == errno.ENOENT:
        return CannotRecord(f"cannot record to {path}: no such directory")
    return CannotRecord(f"cannot record to {path}: {(error.strerror or str(error)).lower()}")


_SHARE = 8
"""A file holds this part of the total size or age: one file is removed at a time."""
_MIN_BYTES = 64 << 10


class Rotation:
    """Decides when the file is full, and which older files to remove.

    ``NAME.memtui`` is always the newest; ``NAME.001.memtui`` is older than ``NAME.002.memtui``.
    """

    def __init__(self, path: Path, max_bytes: int | None, max_age_s: float | None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._started: float | None = None

    def is_due(self, size: int, now: float) -> bool:
        """Return whether the current file is full."""
        if self._started is None:
            self._started = now
        if self._max_bytes is not None and size >= max(_MIN_BYTES, self._max_bytes // _SHARE):
            return True
        return self._max_age_s is not None and now - self._started >= self._max_age_s / _SHARE

    def next(self, file: OutFile, now: float) -> OutFile:
        """Number the full file, create a new one, and remove the oldest; raise WriteFailed.

        If no new file can be created, the old one keeps its name.
        """
        self._started = now
        older = older_files(self._path)
        number = max((file_number(each) for each in older), default=0) + 1
        full = self._path.with_suffix(f".{number:03}{self._path.suffix}")
        try:
            os.rename(self._path, full)
            try:
                new = create_file(self._path, force=False)
            except (CannotRecord, OSError) as error:
                os.rename(full, self._path)
                raise WriteFailed(str(error)) from None
        except OSError as error:
            raise WriteFailed((error.strerror or str(error)).lower()) from None
        file.close()
        self._remove_old([*older, full], now)
        return new

    def _remove_old(self, parts: list[Path], now: float) -> None:
        sizes = {each: each.stat().st_size for each in parts if each.exists()}
        max_bytes = None if self._max_bytes is None else self._max_bytes * (_SHARE - 1) // _SHARE
        for each in list(sizes):
            too_large = max_bytes is not None and sum(sizes.values()) > max_bytes
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
    """Return the number of a full file, 0 for any other file."""
    found = re.search(r"\.(\d{3,9})\.[^.]+\Z", path.name)
    return int(found[1]) if found else 0


def older_files(path: Path) -> list[Path]:
    """Return the older files of a recording, oldest first."""
    shape = re.compile(re.escape(path.stem) + r"\.\d{3,9}" + re.escape(path.suffix) + r"\Z")
    try:
        names = [each for each in os.listdir(path.parent) if shape.match(each)]
    except OSError:
        return []
    return sorted((path.parent / each for each in names), key=file_number)
