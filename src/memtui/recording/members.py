"""Packs and finds gzip members, whose lines of JSON have a CRC each.

A field in the first bytes of each member makes it possible to find one from any place in a file. A
line holds the events of one second: a line and a CRC for each event would add a tenth to the size.
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
"""The first bytes of a gzip member with extra fields (RFC 1952)."""

_FIXED = struct.Struct("<4sIBB")
_FIELD = struct.Struct("<H2sHcBQQ")
_CRC = struct.Struct("<I")
HEAD_BYTES = _FIXED.size + _FIELD.size + _CRC.size
"""Bytes before the compressed data of a member."""

_UNIX = 3
_FIELD_BYTES = _FIELD.size - 6 + _CRC.size
_XLEN_BYTES = _FIELD_BYTES + 4

FLUSHED = b"\x00\x00\xff\xff"
"""The end of a sync flush: an empty stored block (RFC 1951; zlib.h, Z_SYNC_FLUSH)."""
LAST_BLOCK = b"\x03\x00"
"""An empty last block, which closes a flushed stream."""


MAX_MEMBER_BYTES = 64 << 20
"""A member of samples that unpacks to more was not written by memtui."""
MAX_PROFILE_BYTES = 512 << 20
"""The same for a profile: 256 MiB in base64."""

_STEP_BYTES = 1 << 16
_SALVAGE_BYTES = 64

ReadAt = Callable[[int, int], bytes]
"""Returns up to a number of bytes (second argument) at an offset (first); fewer only at the end."""


class MemberKind(Enum):
    """The kind of content of a member."""

    SAMPLES = b"S"
    PROFILE = b"P"


@dataclass(frozen=True, slots=True)
class Member:
    """The place of a member in a file, and its start time (Unix seconds).

    ``length`` is its number of bytes in the file, 0 if it was unknown when the member was begun.
    """

    offset: int
    kind: MemberKind
    start: float
    length: int
    major: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A span for which nothing was recorded, and the reason."""

    start: float
    end: float
    reason: str


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of a file that cannot be read: its offset, the time at which it begins, the reason.

    ``is_tail``: the end of a file that is being written, or whose writer was killed.
    """

    file: str
    offset: int
    start: float
    reason: str
    is_tail: bool = False


def pack_head(kind: MemberKind, start: float, length: int = 0, major: int = 1) -> bytes:
    """Return the first bytes of a member."""
    start_ms = max(0, round(start * 1000))
    fixed = _FIXED.pack(MAGIC, (start_ms // 1000) & 0xFFFFFFFF, 0, _UNIX)
    field = _FIELD.pack(_XLEN_BYTES, b"MT", _FIELD_BYTES, kind.value, major, start_ms, length)
    return fixed + field + _CRC.pack(zlib.crc32(fixed + field))


def read_head(data: bytes, at: int, offset: int) -> Member | None:
    """Return the member whose first bytes are at ``data[at]``; None if no member begins there.

    ``offset`` is the place of ``data[at]`` in the file.
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
    """The unpacked data of a member, as far as it is readable.

    ``end`` is the offset of its end; None if its end is missing. ``reason`` describes the damage,
    "" if there is none: a missing end is not damage.
    """

    data: bytes
    end: int | None
    reason: str

    def lines(self) -> tuple[list[bytes], bytes]:
        """Return the lines, and the bytes after the last newline.

        A flipped bit in a distance of deflate (RFC 1951, 3.2.5) may repeat an earlier line with its
        valid CRC. A repeated line counts once, unless the CRC of the whole member proves it.
        """
        *lines, rest = self.data.split(b"\n")
        is_proven = self.end is not None and not self.reason
        return lines if is_proven else list(dict.fromkeys(lines)), rest


def inflate(read_at: ReadAt, member: Member, limit: int = MAX_MEMBER_BYTES) -> Inflated:
    """Unpack a member up to its damage or its torn end; at most ``limit`` bytes."""
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
    is_right = tail == pack_trailer(zlib.crc32(data), len(data))
    return Inflated(data, offset + 8, "" if is_right else "damaged: wrong CRC of a member")


def pack_trailer(crc: int, size: int) -> bytes:
    """Return the last eight bytes of a member."""
    return struct.pack("<II", crc & 0xFFFFFFFF, size & 0xFFFFFFFF)


def _salvaged(inflater: zlib._Decompress, chunk: bytes, limit: int) -> bytes:
    """Unpack the data before the damage, in small steps."""
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


_CRC_KEY = b',"c":"'
_MAX_IN_LINE = 256
_CRC_BYTES = len(_CRC_KEY) + 8 + len(b'"}')

_MAX_NUMBER = 1 << 64
"""Larger numbers are never written; one of a thousand digits would take minutes to format."""
_encode_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def json_bytes(value: Json) -> bytes:
    """Return a value as JSON."""
    return _encode_json(value).encode()


def _bounded(digits: str) -> int:
    """Return a whole number; raise ValueError if it is out of range, or for NaN and Infinity."""
    number = int(digits)
    if not -_MAX_NUMBER <= number <= _MAX_NUMBER:
        raise ValueError("a number is out of range")
    return number


_decoder = json.JSONDecoder(parse_int=_bounded, parse_constant=_bounded)


def checked_line(record: Mapping[str, Json]) -> bytes:
    """Return a record as a line: its last key ``c`` is the CRC-32 of all bytes before ``,"c":``."""
    text = json_bytes(record)[:-1]
    return b'%b,"c":"%08x"}\n' % (text, zlib.crc32(text))


def batch_lines(records: Sequence[Record]) -> bytes:
    """Return the lines of records, ``{"e":[...]}``: one, or more if there are many."""
    starts = range(0, len(records), _MAX_IN_LINE)
    return b"".join([checked_line({"e": records[at : at + _MAX_IN_LINE]}) for at in starts])


def batch_records(line: Record) -> list[Json]:
    """Return the records of a line; none if the line is not a batch."""
    found = line.get("e")
    return found if isinstance(found, list) else []


def is_intact(line: bytes) -> bool:
    """Return whether the CRC of a line is right."""
    return line[-_CRC_BYTES:] == b'%b%08x"}' % (_CRC_KEY, zlib.crc32(line[:-_CRC_BYTES]))


def read_checked_line(line: bytes) -> Record | None:
    """Return the record of a line without newline; None if it is damaged."""
    return read_object(line[:-_CRC_BYTES] + b"}") if is_intact(line) else None


def unchecked(line: bytes) -> bytes:
    """Return a line without its CRC and the closing brace."""
    return line[:-_CRC_BYTES]


def read_object(text: bytes) -> Record | None:
    """Return a JSON object; None if the text is not one."""
    try:
        found = _decoder.decode(text.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
