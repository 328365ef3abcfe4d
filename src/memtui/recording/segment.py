"""Reads one file of a recording: finds its members by bisection and decodes them."""

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
from memtui.recording.header import Header, read_header, read_header_line
from memtui.recording.members import (
    HEAD_BYTES,
    MAX_MEMBER_BYTES,
    MAX_PROFILE_BYTES,
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

START_TOLERANCE_S = 0.002
"""Times that differ by less are the same: the first bytes of a member have milliseconds."""
MAX_MEMBERS = 1 << 20
"""Members in two years; each takes a few hundred bytes of memory."""
MAX_EVENTS = 1 << 19
"""Events in a member: a program with the smallest heap makes a quarter of them in a minute."""

_MAX_LINE_BYTES = 1 << 20
_HEAD_STEP_BYTES = 1 << 10
"""The compressed size of a header is about this."""


class NotARecording(Exception):  # noqa: N818 - names the condition
    """A file cannot be read as a recording: the reason in one line, and a hint."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class MemberContent:
    """The content of a member; ``end`` is the offset of its end, None while open or if torn.

    ``header`` is None in a profile, and if the first line is damaged. ``unknown`` is the number
    of records that only a newer memtui can read.
    """

    header: Header | None
    events: tuple[Event, ...]
    end: int | None
    damage: Damage | None = None
    unknown: int = 0


class EventReader:
    """Collects the events of lines; counts bad records, and records of newer kinds."""

    def __init__(self, fields: Fields = FIELDS) -> None:
        self.fields = fields
        self.events: list[Event] = []
        self.bad = self.unknown = 0

    def read_line(self, line: Record) -> None:
        """Read the records of a line."""
        for record in batch_records(line):
            if len(self.events) >= MAX_EVENTS:
                self.bad += 1
                return
            self.read_record(record)

    def read_record(self, record: Json) -> None:
        """Read a record."""
        try:
            if not isinstance(record, dict):
                raise BadRecord("a record is an object")
            self.events.append(decode(record, self.fields))
        except UnknownRecord:
            self.unknown += 1
        except BadRecord:
            self.bad += 1


class Segment:
    """One file, opened for reading only; it may grow or be cut meanwhile. Raises NotARecording."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise NotARecording(f"no such file: {path}") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise NotARecording(f"cannot read {path}: {reason}") from None
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            self.close()
            raise NotARecording(f"cannot read {path}: not a regular file")
        first = member_after(self.read_at, 0, self.size)
        if first is None:
            is_empty = self.size == 0
            self.close()
            raise NotARecording(
                f"{path} is {'empty' if is_empty else 'not a memtui recording'}",
                "" if is_empty else "memtui record -o FILE makes one",
            )
        self.first = first
        self.unread: Damage | None = None
        """The members after MAX_MEMBERS, which are not read; None until a walk reaches them."""

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def size(self) -> int:
        """The current size of the file, in bytes."""
        return os.fstat(self._descriptor).st_size

    @property
    def inode(self) -> tuple[int, int]:
        """The device and the inode of the file, which stay when it is renamed."""
        found = os.fstat(self._descriptor)
        return found.st_dev, found.st_ino

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes at an offset; fewer at the end, none after a read error."""
        try:
            return os.pread(self._descriptor, length, offset)
        except (OSError, OverflowError):  # a forged length gives an offset beyond any file
            return b""

    # Members

    def last(self) -> Member:
        """Return the last member."""
        return member_before(self.read_at, self.size) or self.first

    def find(self, at: float) -> Member:
        """Return the last member that begins at ``at`` or earlier; else the first member."""
        low, high = self.first, self.size
        while high - low.offset > 1:
            middle = member_after(self.read_at, (low.offset + high) // 2, high)
            if middle is None or middle.start > at:
                high = (low.offset + high) // 2
            else:
                low = middle
        return low

    def samples_at(self, at: float) -> Member | None:
        """Return the member of samples that is current at ``at``; None if all begin later."""
        member: Member | None = self.find(at)
        while member is not None and member.kind is not MemberKind.SAMPLES:
            member = self.previous(member)
        return None if member is None or member.start > at else member

    def previous(self, member: Member) -> Member | None:
        """Return the member before this one."""
        return member_before(self.read_at, member.offset)

    def profiles_before(self, member: Member, start: float) -> Member:
        """Return the first of the profiles directly before a member, from ``start`` on.

        The member itself if there are none. A profile is written before the samples of its flush.
        """
        while (found := self.previous(member)) is not None:
            if found.kind is not MemberKind.PROFILE or found.start < start - START_TOLERANCE_S:
                break
            member = found
        return member

    def next(self, member: Member, end: int | None = None) -> Member | None:
        """Return the member after this one; ``end`` is the offset of the end, if known."""
        if member.kind is MemberKind.PROFILE and member.length > HEAD_BYTES:
            end = member.offset + member.length
        if end is not None:
            found = read_head(self.read_at(end, HEAD_BYTES), 0, end)
            if found is not None:
                return found
        return member_after(self.read_at, member.offset + HEAD_BYTES, self.size)

    def members(self, first: Member) -> Iterator[Member]:
        """Yield at most MAX_MEMBERS members from ``first`` on, reading only their first bytes."""
        member: Member | None = first
        for _ in range(MAX_MEMBERS):
            if member is None:
                return
            yield member
            member = self.next(member)
        if member is not None:
            reason = f"not read from here on: more than {MAX_MEMBERS:,} members"
            self.unread = Damage(self.path.name, member.offset, member.start, reason)

    # Content

    def content(self, member: Member) -> MemberContent:
        """Return the content of a member of samples. Raises OtherVersion."""
        return read_content(self.read_at, member, self.path.name)

    def header(self, member: Member, *, newest: bool = True) -> Header | None:
        """Return the header of a member of samples; None if it is damaged. Raises OtherVersion.

        Without ``newest`` its ``last`` is empty: decoding it takes longer than all the rest.
        """
        line = self._first_line(member)
        if line is None:
            return None
        try:
            if newest:
                return read_header(read_checked_line(line) or {})
            return read_header_line(line)
        except BadRecord:
            return None

    def rare_events(self, member: Member, kinds: Sequence[str]) -> list[Event]:
        """Return the events of rare kinds of a member of samples, decoding only their lines."""
        signs = [b'"k":"%b"' % kind.encode() for kind in kinds]
        lines, _ = inflate(self.read_at, member).lines()
        reader = EventReader()
        for line in lines[1:]:
            record = read_checked_line(line) if any(sign in line for sign in signs) else None
            for each in batch_records(record or {}):
                if isinstance(each, dict) and each.get("k") in kinds:
                    reader.read_record(each)
        return reader.events

    def profile(self, member: Member, *, whole: bool) -> Event | None:
        """Return the profile of a member: its totals, or if ``whole`` its bytes and functions too.

        None if it is damaged.
        """
        record = read_checked_line(self._first_line(member) or b"")
        if record is None:
            return None
        try:
            event = decode(record)
            if not whole or not isinstance(event.sample, Profile):
                return event if isinstance(event.sample, Profile) else None
            data = self._profile_data(member)
        except (BadRecord, UnknownRecord):
            return None
        if data is None or len(data) != event.sample.size_bytes:
            return None
        return Event(event.at, event.source, with_data(event.sample, data))

    def _profile_data(self, member: Member) -> bytes | None:
        found = inflate(self.read_at, member, MAX_PROFILE_BYTES)
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
            except ValueError:  # binascii.Error, or text that is not ASCII
                return None
        return b"".join(parts)

    def _first_line(self, member: Member) -> bytes | None:
        """Return the first line of a member, unpacking little more; None if it is damaged."""
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        offset, found = member.offset + HEAD_BYTES, b""
        while len(found) < _MAX_LINE_BYTES:
            chunk = self.read_at(offset, _HEAD_STEP_BYTES)
            if not chunk:
                return None
            try:
                found += inflater.decompress(chunk, _MAX_LINE_BYTES)
            except zlib.error:
                return None
            line, newline, _ = found.partition(b"\n")
            if newline:
                return line if is_intact(line) else None
            if inflater.eof:
                return None
            offset += len(chunk)
        return None

    # Damage

    def damage(self, member: Member) -> Damage | None:
        """Return the damage of a member, by its CRCs alone; None if it is undamaged."""
        is_samples = member.kind is MemberKind.SAMPLES
        limit = MAX_MEMBER_BYTES if is_samples else MAX_PROFILE_BYTES
        found = inflate(self.read_at, member, limit)
        lines, rest = found.lines()
        bad = sum(not is_intact(line) for line in lines)
        return _find_damage(member, self.path.name, found, bad, rest)

    def stray_bytes(self) -> Iterator[Damage]:
        """Yield the bytes before the first member and after the last one, if there are any.

        They are a member whose first bytes are damaged. Between two others it shows as a gap.
        """
        if self.first.offset:
            reason = f"damaged: {self.first.offset} bytes before the first member"
            yield Damage(self.path.name, 0, self.first.start, reason)
        last = self.last()
        end = last.offset + last.length
        if not last.length:
            end = inflate(self.read_at, last).end or self.size
        if end < self.size:
            reason = f"damaged: {self.size - end} bytes after the last member"
            is_tail = self.size - end < HEAD_BYTES
            yield Damage(self.path.name, end, last.start, reason, is_tail)


def read_content(read_at: ReadAt, member: Member, file: str) -> MemberContent:
    """Return the undamaged content of a member of samples, never a wrong value.

    Raises OtherVersion.
    """
    found = inflate(read_at, member)
    lines, rest = found.lines()
    header: Header | None = None
    reader = EventReader()
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
            reader.read_line(record)
    damage = _find_damage(member, file, found, reader.bad, rest)
    return MemberContent(header, tuple(reader.events), found.end, damage, reader.unknown)


def _find_damage(
    member: Member, file: str, found: Inflated, bad: int, rest: bytes
) -> Damage | None:
    if found.reason:
        return Damage(file, member.offset, member.start, found.reason)
    if bad:
        return Damage(file, member.offset, member.start, f"{bad} damaged lines")
    if found.end is None:
        return Damage(file, member.offset, member.start, "no end", is_tail=True)
    if rest:
        return Damage(file, member.offset, member.start, "ends within a line")
    return None
