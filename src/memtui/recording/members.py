"""Gzip members with a field of our own, so that each can be found from any place in a file.

Lines of JSON that carry a CRC, so that a flipped bit is never read as a value.

A line holds all that came in one second: with a line and a CRC for each event a recording would be
a tenth larger.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from memtui.recording.codec import LAST_MOMENT, Json, Record

MAGIC = b"\x1f\x8b\x08\x04"
"""A gzip member that has extra fields (RFC 1952)."""

_FIXED = struct.Struct("<4sIBB")
_FIELD = struct.Struct("<H2sHcBQQ")
_CRC = struct.Struct("<I")
HEAD_BYTES = _FIXED.size + _FIELD.size + _CRC.size
"""A member begins with so many bytes before its compressed data."""

_UNIX = 3
_FIELD_BYTES = _FIELD.size - 6 + _CRC.size
_XLEN_BYTES = _FIELD_BYTES + 4

FLUSHED = b"\x00\x00\xff\xff"
"""What a sync flush ends with: an empty stored block (RFC 1951, zlib.h, Z_SYNC_FLUSH)."""
LAST_BLOCK = b"\x03\x00"
"""An empty last block: closes a stream that was flushed."""


MAX_MEMBER_BYTES = 64 << 20
"""A member of samples that unpacks to more was not written by us."""
MAX_PROFILE_BYTES = 512 << 20
"""The same of a profile: 256 MiB of it in base64."""

_STEP_BYTES = 1 << 16
_SALVAGE_BYTES = 64

ReadAt = Callable[[int, int], bytes]
"""Returns at most so many bytes (second) at an offset (first); fewer only at the end."""


class MemberKind(Enum):
    """What a member holds."""

    SAMPLES = b"S"
    PROFILE = b"P"


@dataclass(frozen=True, slots=True)
class Member:
    """A member found in a file: where it begins, and its first moment (Unix seconds).

    ``length`` is the number of its bytes in the file, 0 where it was not known when it was begun.
    """

    offset: int
    kind: MemberKind
    start: float
    length: int
    major: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A span for which nothing was recorded, and why."""

    start: float
    end: float
    reason: str


@dataclass(frozen=True, slots=True)
class Damage:
    """Part of a file that could not be read: where, from which moment on, and how many lines.

    ``is_tail`` is the end of a file that is being written, or whose writer was killed.
    """

    file: str
    offset: int
    start: float
    reason: str
    is_tail: bool = False


def pack_head(kind: MemberKind, start: float, length: int = 0, major: int = 1) -> bytes:
    """Return the first bytes of a member that begins at a moment."""
    start_ms = max(0, round(start * 1000))
    fixed = _FIXED.pack(MAGIC, (start_ms // 1000) & 0xFFFFFFFF, 0, _UNIX)
    field = _FIELD.pack(_XLEN_BYTES, b"MT", _FIELD_BYTES, kind.value, major, start_ms, length)
    return fixed + field + _CRC.pack(zlib.crc32(fixed + field))


def read_head(data: bytes, at: int, offset: int) -> Member | None:
    """Return the member whose first bytes are at ``at`` of ``data``; None when none begins there.

    ``offset`` is where ``data[at]`` lies in the file.
    """
    raw = data[at : at + HEAD_BYTES]
    if len(raw) < HEAD_BYTES or raw[:4] != MAGIC:
        return None
    if _CRC.unpack_from(raw, HEAD_BYTES - _CRC.size)[0] != zlib.crc32(raw[: -_CRC.size]):
        return None
    size, name, field_size, kind, major, start_ms, length = _FIELD.unpack_from(raw, _FIXED.size)
    if (size, name, field_size) != (_XLEN_BYTES, b"MT", _FIELD_BYTES) or kind not in b"SP":
        return None
    if start_ms / 1000 >= LAST_MOMENT:
        return None
    return Member(offset, MemberKind(kind), start_ms / 1000, length, major)


def member_after(read_at: ReadAt, offset: int, end: int) -> Member | None:
    """Return the first member that begins at ``offset`` or later, and before ``end``."""
    while offset < end:
        data = read_at(offset, _STEP_BYTES + HEAD_BYTES - 1)
        at = data.find(MAGIC)
        while 0 <= at < min(_STEP_BYTES, end - offset):
            found = read_head(data, at, offset + at)
            if found is not None:
                return found
            at = data.find(MAGIC, at + 1)
        if len(data) <= _STEP_BYTES:
            return None
        offset += _STEP_BYTES
    return None


def member_before(read_at: ReadAt, end: int) -> Member | None:
    """Return the last member that begins before ``end``."""
    while end > 0:
        offset = max(0, end - _STEP_BYTES)
        data = read_at(offset, end - offset + HEAD_BYTES - 1)
        at = data.rfind(MAGIC, 0, end - offset + len(MAGIC) - 1)
        while at >= 0:
            found = read_head(data, at, offset + at)
            if found is not None:
                return found
            at = data.rfind(MAGIC, 0, at + len(MAGIC) - 1)
        end = offset
    return None


@dataclass(frozen=True, slots=True)
class Inflated:
    """What a member holds, as far as it can be unpacked.

    ``end`` is the offset behind it; None when its end is missing. ``reason`` says what is wrong
    with it, "" when nothing is: an end that is only missing is nothing wrong.
    """

    data: bytes
    end: int | None
    reason: str

    def lines(self) -> tuple[list[bytes], bytes]:
        """Return the lines of it, and what stands behind the last newline.

        A flipped bit in a distance of deflate (RFC 1951, 3.2.5) copies an earlier line to where
        another one stood, with its right CRC. So a line counts only once, unless the CRC of the
        whole member proves that it was written twice.
        """
        *lines, rest = self.data.split(b"\n")
        is_proven = self.end is not None and not self.reason
        return lines if is_proven else list(dict.fromkeys(lines)), rest


def inflate(read_at: ReadAt, member: Member, limit: int = MAX_MEMBER_BYTES) -> Inflated:
    """Unpack a member, up to where it is damaged or torn; never more than ``limit`` bytes."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    parts: list[bytes] = []
    size = 0
    offset = member.offset + HEAD_BYTES
    while True:
        chunk = read_at(offset, _STEP_BYTES)
        if not chunk:
            return Inflated(b"".join(parts), None, "")
        saved = inflater.copy()
        try:
            part = inflater.decompress(chunk, limit - size + 1)
        except zlib.error as error:
            parts.append(_salvaged(saved, chunk, limit - size))
            return Inflated(b"".join(parts), None, f"damaged: {error}")
        parts.append(part)
        size += len(part)
        if size > limit:
            return Inflated(b"".join(parts)[:limit], None, f"unpacks to more than {limit} bytes")
        offset += len(chunk)
        if inflater.eof:
            return _ended(read_at, parts, offset - len(inflater.unused_data))


def _ended(read_at: ReadAt, parts: list[bytes], offset: int) -> Inflated:
    """Check the last eight bytes of a member: CRC and size (RFC 1952)."""
    data = b"".join(parts)
    tail = read_at(offset, 8)
    if len(tail) < 8:
        return Inflated(data, None, "")
    right = tail == pack_trailer(zlib.crc32(data), len(data))
    return Inflated(data, offset + 8, "" if right else "damaged: wrong CRC of a member")


def pack_trailer(crc: int, size: int) -> bytes:
    """Return the last eight bytes of a member."""
    return struct.pack("<II", crc & 0xFFFFFFFF, size & 0xFFFFFFFF)


def _salvaged(inflater: zlib._Decompress, chunk: bytes, limit: int) -> bytes:
    """Unpack what stands before the damage, in small steps."""
    found: list[bytes] = []
    size = 0
    try:
        for at in range(0, len(chunk), _SALVAGE_BYTES):
            found.append(inflater.decompress(chunk[at : at + _SALVAGE_BYTES], limit - size + 1))
            size += len(found[-1])
            if size > limit:
                break
    except zlib.error:
        pass
    return b"".join(found)[:limit]


_SEAL = b',"c":"'
_MOST_IN_LINE = 256
_SEAL_BYTES = len(_SEAL) + 8 + len(b'"}')

_MOST = 1 << 64
"""No number that is written is larger; one of a thousand digits would be shown for minutes."""
_text = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def json_bytes(value: Json) -> bytes:
    """Return a value as JSON."""
    return _text(value).encode()


def _bounded(digits: str) -> int:
    """Read a whole number; raise ValueError for one that nobody wrote, and for NaN and Infinity."""
    number = int(digits)
    if not -_MOST <= number <= _MOST:
        raise ValueError("no number of a recording")
    return number


_decoder = json.JSONDecoder(parse_int=_bounded, parse_constant=_bounded)


def checked_line(record: Mapping[str, Json]) -> bytes:
    """Return a record as a line, sealed by the CRC-32 of all before ``,"c":`` in hex digits."""
    said = json_bytes(record)[:-1]
    return b'%b,"c":"%08x"}\n' % (said, zlib.crc32(said))


def batch_lines(records: Sequence[Record]) -> bytes:
    """Return the lines of some records, ``{"e":[...]}``: one, or more where there are many."""
    whole = range(0, len(records), _MOST_IN_LINE)
    return b"".join([checked_line({"e": records[at : at + _MOST_IN_LINE]}) for at in whole])


def batch_records(line: Record) -> list[Json]:
    """Return the records of a line; none for a line that is no batch."""
    found = line.get("e")
    return found if isinstance(found, list) else []


def is_intact(line: bytes) -> bool:
    """Return whether a line is as it was written."""
    return line[-_SEAL_BYTES:] == b'%b%08x"}' % (_SEAL, zlib.crc32(line[:-_SEAL_BYTES]))


def read_checked_line(line: bytes) -> Record | None:
    """Return the record of a line (without its newline); None when it is damaged."""
    return read_object(line[:-_SEAL_BYTES] + b"}") if is_intact(line) else None


def unchecked(line: bytes) -> bytes:
    """Return what a sealed line says, without its seal and the brace behind it."""
    return line[:-_SEAL_BYTES]


def read_object(text: bytes) -> Record | None:
    """Return an object of JSON, None when the text is none."""
    try:
        found = _decoder.decode(text.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
