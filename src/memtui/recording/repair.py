"""Where the whole part of a recording ends, and what is missing to close it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from memtui.recording.container import (
    HEAD_BYTES,
    Inflated,
    Kind,
    Member,
    ReadAt,
    before,
    inflate,
    trailer,
)
from memtui.recording.sealed import unsealed

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
