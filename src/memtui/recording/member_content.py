"""What one member says: its header, its events, and what of it is damaged."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from memtui.model import Event, Profile
from memtui.recording.checked_lines import is_sealed, records_of, unsealed
from memtui.recording.codec import (
    FIELDS,
    BadRecord,
    Fields,
    Json,
    Record,
    UnknownRecord,
    decode,
    with_data,
)
from memtui.recording.gzip_members import (
    HEAD_BYTES,
    MOST_MEMBER_BYTES,
    MOST_PROFILE_BYTES,
    Damage,
    Inflated,
    Kind,
    Member,
    ReadAt,
    inflate,
)
from memtui.recording.header import Brief, Header, read_brief, read_header

_MOST_LINE_BYTES = 1 << 20
_HEAD_STEP_BYTES = 1 << 10
"""A header takes about so much in the file."""
_MOST_EVENTS = 1 << 19
"""In a member: a program of the smallest heap makes a quarter of that in its minute."""


@dataclass(frozen=True, slots=True)
class MemberContent:
    """What a member holds; ``end`` is where it ends, None while it is open or when it is torn.

    ``header`` is None for a member with a profile, and where the first line is damaged.
    ``unknown`` counts records that only a newer memtui can read.
    """

    header: Header | None
    events: tuple[Event, ...]
    end: int | None
    damage: Damage | None = None
    unknown: int = 0


def read_content(read_at: ReadAt, member: Member, file: str) -> MemberContent:
    """Return what a member of samples holds, as far as it is whole: never a wrong value.

    Raises OtherVersion.
    """
    found = inflate(read_at, member)
    lines, rest = found.lines()
    header: Header | None = None
    reader = Events()
    for number, line in enumerate(lines):
        record = unsealed(line)
        if record is None:
            reader.bad += 1
        elif number == 0:
            try:
                header = read_header(record)
                reader.fields = header.fields
            except BadRecord:
                reader.bad += 1
        else:
            reader.read(record)
    damage = _damage(member, file, found, reader.bad, rest)
    return MemberContent(header, tuple(reader.events), found.end, damage, reader.unknown)


def damage_of(read_at: ReadAt, member: Member, file: str) -> Damage | None:
    """Return what is wrong with a member, by its CRCs alone."""
    limit = MOST_MEMBER_BYTES if member.kind is Kind.SAMPLES else MOST_PROFILE_BYTES
    found = inflate(read_at, member, limit)
    lines, rest = found.lines()
    bad = sum(not is_sealed(line) for line in lines)
    return _damage(member, file, found, bad, rest)


class Events:
    """Collects the events of lines; counts the records that are bad, and those of newer kinds."""

    def __init__(self, fields: Fields = FIELDS) -> None:
        self.fields = fields
        self.events: list[Event] = []
        self.bad = self.unknown = 0

    def read(self, line: Record) -> None:
        """Read the records of a line."""
        for record in records_of(line):
            if len(self.events) >= _MOST_EVENTS:
                self.bad += 1
                return
            self.take(record)

    def take(self, record: Json) -> None:
        """Read a record."""
        try:
            if not isinstance(record, dict):
                raise BadRecord("a record is an object")
            self.events.append(decode(record, self.fields))
        except UnknownRecord:
            self.unknown += 1
        except BadRecord:
            self.bad += 1


def _damage(member: Member, file: str, found: Inflated, bad: int, rest: bytes) -> Damage | None:
    if found.reason:
        return Damage(file, member.offset, member.start, found.reason)
    if bad:
        return Damage(file, member.offset, member.start, f"{bad} damaged lines")
    if found.end is None:
        return Damage(file, member.offset, member.start, "no end", is_tail=True)
    if rest:
        return Damage(file, member.offset, member.start, "ends within a line")
    return None


def head_line(read_at: ReadAt, member: Member) -> bytes | None:
    """Return the first line of a member, unpacking little more; None when it is damaged."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    offset, found = member.offset + HEAD_BYTES, b""
    while len(found) < _MOST_LINE_BYTES:
        chunk = read_at(offset, _HEAD_STEP_BYTES)
        if not chunk:
            return None
        try:
            found += inflater.decompress(chunk, _MOST_LINE_BYTES)
        except zlib.error:
            return None
        line, newline, _ = found.partition(b"\n")
        if newline:
            return line if is_sealed(line) else None
        if inflater.eof:
            return None
        offset += len(chunk)
    return None


def header_of(read_at: ReadAt, member: Member, *, newest: bool = True) -> Header | None:
    """Return the header of a member of samples; None when it is damaged. Raises OtherVersion.

    The newest values in it take longer than all the rest: they may be left out.
    """
    record = _head_record(read_at, member)
    if record is None:
        return None
    try:
        return read_header(record if newest else {**record, "last": []})
    except BadRecord:
        return None


def brief_of(read_at: ReadAt, member: Member) -> Brief | None:
    """Return the same in brief: for all members, one after the other."""
    line = head_line(read_at, member)
    return None if line is None else read_brief(line)


def _head_record(read_at: ReadAt, member: Member) -> Record | None:
    line = head_line(read_at, member)
    return None if line is None else unsealed(line)


def notable_of(read_at: ReadAt, member: Member, kinds: Sequence[str]) -> list[Event]:
    """Return the events of rare kinds of a member of samples: no other line of it is read."""
    signs = [b'"k":"%b"' % kind.encode() for kind in kinds]
    lines, _ = inflate(read_at, member).lines()
    reader = Events()
    for line in lines[1:]:
        record = unsealed(line) if any(sign in line for sign in signs) else None
        for each in records_of(record or {}):
            if isinstance(each, dict) and each.get("k") in kinds:
                reader.take(each)
    return reader.events


def profile_of(read_at: ReadAt, member: Member, *, whole: bool) -> Event | None:
    """Return the profile of a member: its totals, or ``whole`` with its bytes and functions.

    None when it is damaged.
    """
    record = _head_record(read_at, member)
    if record is None:
        return None
    try:
        event = decode(record)
        if not whole or not isinstance(event.sample, Profile):
            return event if isinstance(event.sample, Profile) else None
        data = _data(read_at, member)
    except (BadRecord, UnknownRecord):
        return None
    if data is None or len(data) != event.sample.size_bytes:
        return None
    return Event(event.at, event.source, with_data(event.sample, data))


def _data(read_at: ReadAt, member: Member) -> bytes | None:
    found = inflate(read_at, member, MOST_PROFILE_BYTES)
    if found.end is None or found.reason:
        return None
    parts: list[bytes] = []
    for line in found.data.split(b"\n")[1:-1]:
        record = unsealed(line)
        text: Json = record.get("data") if record and record.get("k") == "bytes" else None
        if not isinstance(text, str):
            return None
        try:
            parts.append(base64.b64decode(text, validate=True))
        except ValueError:  # binascii.Error is one, and text that is not ASCII is another
            return None
    return b"".join(parts)
