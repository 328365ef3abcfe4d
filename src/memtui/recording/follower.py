"""Reads what is appended to a recording while it is being written."""

from __future__ import annotations

import contextlib
import zlib

from memtui.model import Event
from memtui.recording.codec import FIELDS, BadRecord, Fields
from memtui.recording.header import OtherVersion, read_header
from memtui.recording.members import (
    HEAD_BYTES,
    MAX_MEMBER_BYTES,
    Member,
    MemberKind,
    member_after,
    read_checked_line,
    read_head,
)
from memtui.recording.segment import EventReader, NotARecording, Segment

_STEP_BYTES = 1 << 18
_TRAILER_BYTES = 8


class GrowingMember:
    """A member that is read while it grows."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.offset = member.offset + HEAD_BYTES
        self.inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self.rest = b""
        self.size = 0
        self.fields: Fields = FIELDS
        self.is_reported = False
        """Whether the profile in it was returned."""


class Follower:
    """Reads the events that are appended after it was created.

    ``poll`` costs as much as was appended since the last call. When the file is renamed because it
    is full, the follower continues with the new file of that name.
    """

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._is_own = False
        self._open = GrowingMember(segment.last())
        self.poll()

    def close(self) -> None:
        """Close the file, unless it is that of the caller."""
        if self._is_own:
            self._segment.close()

    def poll(self) -> list[Event]:
        """Return the events appended since the last call; profiles have only their totals."""
        found: list[Event] = []
        while True:
            events = self._read()
            if events is not None:
                found += events
            elif not self._open_successor():
                return found

    def _read(self) -> list[Event] | None:
        """Return the events of the next chunk; None if it is not complete yet."""
        here = self._open
        if here.member.kind is MemberKind.PROFILE:
            return self._read_profile(here)
        if here.inflater.eof:
            return self._go_to(here.offset + _TRAILER_BYTES)
        chunk = self._segment.read_at(here.offset, _STEP_BYTES)
        if not chunk:
            return self._resync() if self._segment.size < here.offset else None
        try:
            data = here.inflater.decompress(chunk, MAX_MEMBER_BYTES)
        except zlib.error:
            return self._resync()
        here.offset += len(chunk) - len(here.inflater.unused_data)
        here.size += len(data)
        if here.size > MAX_MEMBER_BYTES or here.inflater.unconsumed_tail:
            return self._resync()
        *lines, here.rest = (here.rest + data).split(b"\n")
        return [event for line in lines for event in self._events(line)]

    def _read_profile(self, here: GrowingMember) -> list[Event] | None:
        # A forged length must not lead back to this offset.
        end = here.member.offset + max(HEAD_BYTES, here.member.length)
        if here.is_reported:
            return self._go_to(end)
        if self._segment.size < end:
            return None
        here.is_reported = True
        event = self._segment.profile(here.member, whole=False)
        return [event] if event else []

    def _events(self, line: bytes) -> list[Event]:
        record = read_checked_line(line)
        if record is None:
            return []
        if record.get("k") == "header":
            with contextlib.suppress(BadRecord, OtherVersion):
                self._open.fields = read_header(record).fields
            return []
        reader = EventReader(self._open.fields)
        reader.read_line(record)
        return reader.events

    def _go_to(self, offset: int) -> list[Event] | None:
        """Continue with the member that begins at an offset, or after it."""
        raw = self._segment.read_at(offset, HEAD_BYTES)
        if len(raw) < HEAD_BYTES:
            return None
        found = read_head(raw, 0, offset) or member_after(
            self._segment.read_at, offset, self._segment.size
        )
        if found is None:
            return None
        self._open = GrowingMember(found)
        return []

    def _resync(self) -> list[Event] | None:
        """Skip a member that cannot be read any further."""
        return self._go_to(self._open.member.offset + 1)

    def _open_successor(self) -> bool:
        """Continue with the file that has the name now, if it is another one."""
        try:
            new = Segment(self._segment.path)
        except NotARecording:
            return False
        if new.inode == self._segment.inode:
            new.close()
            return False
        self.close()
        self._segment, self._is_own = new, True
        self._open = GrowingMember(new.first)
        return True
