"""One file of a recording: its members are found by bisection, from any place in it.

What one member says: its header, its events, and what of it is damaged.
"""

from __future__ import annotations

import base64
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from memtui.model import Event, Profile
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
from memtui.recording.header import Brief, Header, read_brief, read_header
from memtui.recording.members import (
    HEAD_BYTES,
    MOST_MEMBER_BYTES,
    MOST_PROFILE_BYTES,
    Damage,
    Inflated,
    Member,
    MemberKind,
    ReadAt,
    batch_records,
    inflate,
    is_intact,
    member_after,
    member_before,
    read_checked_line,
    read_head,
)

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
        record = read_checked_line(line)
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
    limit = MOST_MEMBER_BYTES if member.kind is MemberKind.SAMPLES else MOST_PROFILE_BYTES
    found = inflate(read_at, member, limit)
    lines, rest = found.lines()
    bad = sum(not is_intact(line) for line in lines)
    return _damage(member, file, found, bad, rest)


class Events:
    """Collects the events of lines; counts the records that are bad, and those of newer kinds."""

    def __init__(self, fields: Fields = FIELDS) -> None:
        self.fields = fields
        self.events: list[Event] = []
        self.bad = self.unknown = 0

    def read(self, line: Record) -> None:
        """Read the records of a line."""
        for record in batch_records(line):
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
            return line if is_intact(line) else None
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
    return None if line is None else read_checked_line(line)


def notable_of(read_at: ReadAt, member: Member, kinds: Sequence[str]) -> list[Event]:
    """Return the events of rare kinds of a member of samples: no other line of it is read."""
    signs = [b'"k":"%b"' % kind.encode() for kind in kinds]
    lines, _ = inflate(read_at, member).lines()
    reader = Events()
    for line in lines[1:]:
        record = read_checked_line(line) if any(sign in line for sign in signs) else None
        for each in batch_records(record or {}):
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
        record = read_checked_line(line)
        text: Json = record.get("data") if record and record.get("k") == "bytes" else None
        if not isinstance(text, str):
            return None
        try:
            parts.append(base64.b64decode(text, validate=True))
        except ValueError:  # binascii.Error is one, and text that is not ASCII is another
            return None
    return b"".join(parts)


__all__ = ["NotARecording", "Segment"]

START_TOLERANCE_S = 0.002
"""Moments that differ by less are the same: headers tell them to the millisecond."""
MOST_MEMBERS = 1 << 20
"""Two years of them; each takes some hundred bytes of memory."""


class NotARecording(Exception):  # noqa: N818 - it says what happened
    """A file cannot be read as a recording: one line, and a hint."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Segment:
    """One file, only ever read; it may grow meanwhile, or be cut. Raises NotARecording."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise NotARecording(f"no such file: {path}") from None
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            raise NotARecording(f"cannot read {path}: {said}") from None
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            self.close()
            raise NotARecording(f"cannot read {path}: it is no file")
        first = member_after(self.read_at, 0, self.size)
        if first is None:
            empty = self.size == 0
            self.close()
            raise NotARecording(
                f"{path} is {'empty' if empty else 'no recording'}",
                "" if empty else "memtui record -o FILE makes one",
            )
        self.first = first
        self.unread: Damage | None = None
        """What says that it has more members than are read, once that was met."""

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def size(self) -> int:
        """How large it is now."""
        return os.fstat(self._descriptor).st_size

    @property
    def inode(self) -> tuple[int, int]:
        """Which file it is, whatever its name."""
        found = os.fstat(self._descriptor)
        return found.st_dev, found.st_ino

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes at an offset, fewer at the end; a disk that fails is an end too."""
        try:
            return os.pread(self._descriptor, length, offset)
        except (OSError, OverflowError):  # a forged length leads beyond what a file can have
            return b""

    def last(self) -> Member:
        """Return the last member."""
        return member_before(self.read_at, self.size) or self.first

    def find(self, at: float) -> Member:
        """Return the last member that begins at ``at`` or before it; else the first one."""
        low, high = self.first, self.size
        while high - low.offset > 1:
            middle = member_after(self.read_at, (low.offset + high) // 2, high)
            if middle is None or middle.start > at:
                high = (low.offset + high) // 2
            else:
                low = middle
        return low

    def samples_at(self, at: float) -> Member | None:
        """Return the member of samples that holds for a moment; None if all begin later."""
        member: Member | None = self.find(at)
        while member is not None and member.kind is not MemberKind.SAMPLES:
            member = member_before(self.read_at, member.offset)
        return None if member is None or member.start > at else member

    def before(self, member: Member) -> Member | None:
        """Return the member in front of this one."""
        return member_before(self.read_at, member.offset)

    def profiles_before(self, member: Member, start: float) -> Member:
        """Return the first of the profiles right before a member that are of ``start`` or later.

        The member itself where there are none. A profile stands before the samples that were
        written with it.
        """
        while (found := self.before(member)) is not None:
            if found.kind is not MemberKind.PROFILE or found.start < start - START_TOLERANCE_S:
                break
            member = found
        return member

    def next(self, member: Member, end: int | None = None) -> Member | None:
        """Return the member behind this one; ``end`` is where this one ends, if that is known."""
        if member.kind is MemberKind.PROFILE and member.length > HEAD_BYTES:
            end = member.offset + member.length
        if end is not None:
            found = read_head(self.read_at(end, HEAD_BYTES), 0, end)
            if found is not None:
                return found
        return member_after(self.read_at, member.offset + HEAD_BYTES, self.size)

    def members(self, first: Member) -> Iterator[Member]:
        """Yield the members from ``first`` on, by their first bytes alone: MOST_MEMBERS of them."""
        member: Member | None = first
        for _ in range(MOST_MEMBERS):
            if member is None:
                return
            yield member
            member = self.next(member)
        if member is not None:
            words = f"not read from here on: more than {MOST_MEMBERS:,} members"
            self.unread = Damage(self.path.name, member.offset, member.start, words)

    def strays(self) -> Iterator[Damage]:
        """Yield the bytes in front of the first member and behind the last one, if there are any.

        There a member stood whose first bytes are damaged. Between others it leaves a gap.
        """
        if self.first.offset:
            words = f"damaged: {self.first.offset} bytes in front of the first member"
            yield Damage(self.path.name, 0, self.first.start, words)
        last = self.last()
        end = last.offset + last.length
        if not last.length:
            end = inflate(self.read_at, last).end or self.size
        if end < self.size:
            words = f"damaged: {self.size - end} bytes behind the last member"
            is_tail = self.size - end < HEAD_BYTES
            yield Damage(self.path.name, end, last.start, words, is_tail)

    def content(self, member: Member) -> MemberContent:
        """Return what a member of samples holds. Raises OtherVersion."""
        return read_content(self.read_at, member, self.path.name)

    def header(self, member: Member, *, newest: bool = True) -> Header | None:
        """Return the header of a member of samples, None if it is damaged; see header_of."""
        return header_of(self.read_at, member, newest=newest)

    def brief(self, member: Member) -> Brief | None:
        """Return what a chart of days needs of it. Raises OtherVersion."""
        return brief_of(self.read_at, member)

    def notable(self, member: Member, kinds: Sequence[str]) -> list[Event]:
        """Return the events of rare kinds of a member of samples."""
        return notable_of(self.read_at, member, kinds)

    def damage(self, member: Member) -> Damage | None:
        """Unpack a member and check its CRCs, decoding nothing; return what is wrong with it."""
        return damage_of(self.read_at, member, self.path.name)

    def profile(self, member: Member, *, whole: bool) -> Event | None:
        """Return the profile of a member, ``whole`` with its bytes; None when it is damaged."""
        return profile_of(self.read_at, member, whole=whole)
