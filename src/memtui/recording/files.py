"""The file of a recording: opened for one writer alone, cut back when a write fails.

Where the whole part of a recording ends, and what is missing to close it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

from memtui.recording.checked_lines import unsealed
from memtui.recording.gzip_members import (
    HEAD_BYTES,
    MAGIC,
    Inflated,
    Kind,
    Member,
    ReadAt,
    before,
    inflate,
    trailer,
)

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


def create(path: Path, *, force: bool) -> OutFile:
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


FLUSHED = b"\x00\x00\xff\xff"
"""What a sync flush ends with: an empty stored block (RFC 1951, zlib.h, Z_SYNC_FLUSH)."""
LAST_BLOCK = b"\x03\x00"
"""An empty last block: closes a stream that was flushed."""


@dataclass(frozen=True, slots=True)
class Tail:
    """A file is whole when it is cut at ``cut_at`` and ``closing`` is written behind it."""

    cut_at: int
    closing: bytes = b""
    was_torn: bool = False
    last: Member | None = None


def find_tail(read_at: ReadAt, size: int) -> Tail:
    """Return what makes a file of ``size`` bytes whole again.

    A member that was torn is cut at its last whole flush. One that is damaged in its middle is
    left as it is: what stands behind the damage may still be read, line by line.
    """
    last = before(read_at, size)
    if last is None:
        return Tail(0, was_torn=size > 0)
    if last.kind is Kind.PROFILE:
        end = last.offset + last.length
        whole = last.length > HEAD_BYTES and end <= size
        cut = end if whole else last.offset
        return Tail(cut, was_torn=cut < size or not whole, last=last if whole else None)
    found = inflate(read_at, last)
    if found.end is not None:
        return Tail(found.end, was_torn=found.end < size, last=last)
    if found.reason:
        return Tail(size, was_torn=True, last=last)
    return _torn(read_at(last.offset, size - last.offset), last, found)


def _torn(raw: bytes, member: Member, found: Inflated) -> Tail:
    """Cut a torn member at its last flush after which all can be read."""
    at = raw.rfind(FLUSHED)
    while at >= HEAD_BYTES:
        cut = at + len(FLUSHED)
        data = _whole(raw[HEAD_BYTES:cut])
        if data is not None:
            closing = LAST_BLOCK + trailer(zlib.crc32(data), len(data))
            return Tail(member.offset + cut, closing, was_torn=True, last=member)
        at = raw.rfind(FLUSHED, 0, at + len(FLUSHED) - 1)
    return Tail(member.offset, was_torn=True)


def _whole(deflated: bytes) -> bytes | None:
    """Return the lines of a stream that was cut at a flush; None when it was not one."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(deflated + LAST_BLOCK)
    except zlib.error:
        return None
    if not inflater.eof or inflater.unused_data or not data.endswith(b"\n"):
        return None
    whole = all(unsealed(line) is not None for line in data[:-1].split(b"\n"))
    return data if whole else None
