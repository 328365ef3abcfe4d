"""Unpacks profiles within a size limit and splits them into records, without decoding these.

Counts the stacks and frames of a profile in the same way.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from memtui import units
from memtui.parse.profile.file_type import describe_bytes
from memtui.pprof.stacks import StacksError

_CHUNK_BYTES = 1 << 20
_PIECE_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
_SAMPLE, _STRING = 0x12, 0x32
"""The tags of fields 2 and 6 of a profile, which have a length before them."""
_SHORT = frozenset((0x0A, 0x12, 0x1A, 0x22, 0x2A, 0x32))
"""The tags of fields 1 to 6, which have a length before them."""
_MOST_SAMPLE_BYTES = 1 << 20
_MOST_RECORD_BYTES = 1 << 16
_MOST_STRING_BYTES = 1 << 20


class ProfileError(StacksError):
    """These bytes cannot be decoded as a profile; the message is one line."""


class ProfileTooLargeError(ProfileError):
    """A profile is larger than the limit, packed or unpacked."""


class ProfileSections(NamedTuple):
    """A profile split in two: ``tables`` is all but the samples, ``samples`` where these are.

    ``samples`` are ranges (start, end) of ``raw``. Each holds whole samples of about 256 KiB, so
    that a large profile is decoded piece by piece: 1 MB of forged samples is 40 MB decoded.
    """

    raw: bytes | bytearray
    tables: bytes
    samples: tuple[tuple[int, int], ...]


def unpack(data: bytes, limit_bytes: int) -> bytes | bytearray:
    """Return a profile without its gzip; never holds more than ``limit_bytes`` of it.

    Raises ProfileError.
    """
    if not data:
        raise ProfileError("empty: no profile in 0 bytes")
    too_large = ProfileTooLargeError(f"larger than {units.size(limit_bytes)} unpacked")
    if not data.startswith(_GZIP):
        if len(data) > limit_bytes:
            raise too_large
        return data
    raw = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while chunk := packed.read(_CHUNK_BYTES):
                if len(raw) + len(chunk) > limit_bytes:
                    raise too_large
                raw += chunk
    except EOFError:
        raise ProfileError(
            f"cut off: its gzip stream ends early, after {len(data)} bytes"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ProfileError(f"damaged gzip: {error}") from None
    return raw


def split_sections(raw: bytes | bytearray, limit_bytes: int) -> ProfileSections:
    """Split a profile into its tables and its samples. Raises ProfileError.

    A record is larger decoded than packed: an empty sample is 2 bytes in the profile and 60 in
    memory. So the number of records and the size of the tables are limited too, far above those
    of a real profile of ``limit_bytes``. The whole needs at most three times ``limit_bytes``.
    """
    try:
        return _split_records(raw, limit_bytes)
    except IndexError:
        raise ProfileError(describe_bytes(raw)) from None


def _split_records(raw: bytes | bytearray, limit_bytes: int) -> ProfileSections:
    """Walk over the records; raise IndexError if the last one is incomplete."""
    view = memoryview(raw)
    tables: list[memoryview] = []
    spans: list[tuple[int, int]] = []
    at, end = 0, len(raw)
    # Where a run of other records starts; where a piece starts, and where its last sample ends.
    other = first = last = -1
    count = others = others_bytes = 0
    most = max(limit_bytes >> 6, 1 << 16)
    most_others, most_bytes = max(limit_bytes >> 9, 1 << 16), max(limit_bytes >> 4, 1 << 20)
    while at < end:
        began, tag, length = at, raw[at], raw[at + 1]
        if length < 0x80 and tag in _SHORT:
            at += 2 + length
        else:
            at = _record_end(raw, at)
        if tag == _SAMPLE:
            if other >= 0:
                tables.append(view[other:began])
                other = -1
            if first < 0:
                first = began
            elif began - first >= _PIECE_BYTES:
                spans.append((first, last))
                first = began
            last = at
            count += 1
            if at - began > _MOST_SAMPLE_BYTES or count > most:
                raise ProfileError("forged: too many or too large samples")
        else:
            if other < 0:
                other = began
            others += 1
            if tag != _STRING:
                others_bytes += at - began
            if at - began > (_MOST_RECORD_BYTES if tag != _STRING else _MOST_STRING_BYTES):
                raise ProfileError("forged: a record is too large")
            if others > most_others or others_bytes > most_bytes:
                raise ProfileError("forged: its tables are too large")
    if at > end:
        raise IndexError
    if other >= 0:
        tables.append(view[other:end])
    if first >= 0:
        spans.append((first, last))
    return ProfileSections(raw, b"".join(tables), tuple(spans))


def _record_end(raw: bytes | bytearray, at: int) -> int:
    """Return the end of the record that starts at ``at``; raises IndexError, ProfileError."""
    tag, at = _varint(raw, at)
    kind = tag & 7
    if kind == 0:
        return _varint(raw, at)[1]
    if kind == 2:
        length, at = _varint(raw, at)
        return at + length
    if kind in (1, 5) and tag >> 3:
        return at + (8 if kind == 1 else 4)
    raise ProfileError(describe_bytes(raw))


def _varint(raw: bytes | bytearray, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = raw[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
        if shift > 63:
            raise ProfileError(describe_bytes(raw))


def sample_pieces(sections: ProfileSections) -> Iterator[bytes]:
    """Yield the bytes of each piece of samples."""
    for start, end in sections.samples:
        yield bytes(memoryview(sections.raw)[start:end])


_LENGTH = 2
_PACKED_LOCATIONS, _ONE_LOCATION = 0x0A, 0x08
_CONTINUED = bytes(range(0x80, 0x100))
"""A varint ends with the first byte below 0x80 (protobuf encoding)."""
_HEAD_BYTES, _STACK_BYTES, _FRAME_BYTES = 16 << 10, 60, 120


@dataclass(frozen=True, slots=True)
class ProfileShape:
    """The number of stacks of a profile, and of all their frames."""

    stacks: int
    frames: int

    @property
    def text_bytes(self) -> int:
        """The estimated size of the same profile as text (debug=1), in bytes.

        The text has a line for each stack and each frame, and a trailer. Measured: 84 bytes a
        frame with short names and paths; real ones are longer.
        """
        return _HEAD_BYTES + _STACK_BYTES * self.stacks + _FRAME_BYTES * self.frames


def count_stacks(data: bytes, limit_bytes: int) -> ProfileShape:
    """Count the samples of a profile.proto, gzipped or not; raise ProfileError."""
    raw = bytes(unpack(data, limit_bytes))
    stacks = frames = at = 0
    try:
        while at < len(raw):
            tag, at = _varint(raw, at)
            wire = tag & 7
            if wire == 1 or wire == 5:
                at += 8 if wire == 1 else 4
                continue
            value, at = _varint(raw, at)
            if wire == _LENGTH:
                if tag == _SAMPLE:
                    stacks += 1
                    frames += _count_frames(raw[at : at + value])
                at += value
    except IndexError:
        raise ProfileError(describe_bytes(raw)) from None
    if at > len(raw):
        raise ProfileError(describe_bytes(raw))
    return ProfileShape(stacks, frames)


def _count_frames(sample: bytes) -> int:
    """Count the location ids of a sample: packed into one field, or a field for each.

    Go writes the values before them (runtime/pprof/proto.go, pbSample).
    """
    count = at = 0
    while at < len(sample):
        tag = sample[at]
        value, at = _varint(sample, at + 1)
        if tag & 7 == _LENGTH:
            if tag == _PACKED_LOCATIONS:
                count += len(sample[at : at + value].translate(None, _CONTINUED))
            at += value
        elif tag == _ONE_LOCATION:
            count += 1
    return count
