"""What is added to a recording while it is being written, line by line."""

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


class _Open:
    """A member that is read as it grows."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.offset = member.offset + HEAD_BYTES
        self.inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self.rest = b""
        self.size = 0
        self.fields: Fields = FIELDS
        self.is_told = False
        """Whether the profile of it was told."""


class Follower:
    """Tells the events that come after all that was there when it was made.

    ``poll`` costs what was added since the last one. A file that was renamed because it was full
    is left for the one that has its name now.
    """

    def __init__(self, part: Segment) -> None:
        self._part = part
        self._is_own = False
        self._open = _Open(part.last())
        self.poll()

    def close(self) -> None:
        """Let go of a file that was opened meanwhile."""
        if self._is_own:
            self._part.close()

    def poll(self) -> list[Event]:
        """Return what was added since the last call; profiles come with their totals only."""
        found: list[Event] = []
        while True:
            events = self._read()
            if events is not None:
                found += events
            elif not self._moved_on():
                return found

    def _read(self) -> list[Event] | None:
        """Return the events of a piece; None when there is no whole one yet."""
        here = self._open
        if here.member.kind is MemberKind.PROFILE:
            return self._read_profile(here)
        if here.inflater.eof:
            return self._go_to(here.offset + _TRAILER_BYTES)
        chunk = self._part.read_at(here.offset, _STEP_BYTES)
        if not chunk:
            return self._resync() if self._part.size < here.offset else None
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

    def _read_profile(self, here: _Open) -> list[Event] | None:
        # A forged length must not lead back to where we are.
        end = here.member.offset + max(HEAD_BYTES, here.member.length)
        if here.is_told:
            return self._go_to(end)
        if self._part.size < end:
            return None
        here.is_told = True
        event = self._part.profile(here.member, whole=False)
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
        """Go on with the member that begins at an offset, or behind it."""
        raw = self._part.read_at(offset, HEAD_BYTES)
        if len(raw) < HEAD_BYTES:
            return None
        found = read_head(raw, 0, offset) or member_after(
            self._part.read_at, offset, self._part.size
        )
        if found is None:
            return None
        self._open = _Open(found)
        return []

    def _resync(self) -> list[Event] | None:
        """Leave a member that cannot be read any further."""
        return self._go_to(self._open.member.offset + 1)

    def _moved_on(self) -> bool:
        """Go on with the file that has the name now, when it is another one."""
        try:
            new = Segment(self._part.path)
        except NotARecording:
            return False
        if new.inode == self._part.inode:
            new.close()
            return False
        self.close()
        self._part, self._is_own = new, True
        self._open = _Open(new.first)
        return True
