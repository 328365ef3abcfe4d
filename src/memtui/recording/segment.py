"""One file of a recording: its members are found by bisection, from any place in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from memtui.model import Event
from memtui.recording.gzip_members import (
    HEAD_BYTES,
    Damage,
    Kind,
    Member,
    after,
    before,
    inflate,
    read_head,
)
from memtui.recording.header import Brief, Header
from memtui.recording.member_content import (
    MemberContent,
    brief_of,
    damage_of,
    header_of,
    notable_of,
    profile_of,
    read_content,
)

__all__ = ["NotARecording", "Segment"]

SAME_S = 0.002
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
        first = after(self.read_at, 0, self.size)
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
        return before(self.read_at, self.size) or self.first

    def find(self, at: float) -> Member:
        """Return the last member that begins at ``at`` or before it; else the first one."""
        low, high = self.first, self.size
        while high - low.offset > 1:
            middle = after(self.read_at, (low.offset + high) // 2, high)
            if middle is None or middle.start > at:
                high = (low.offset + high) // 2
            else:
                low = middle
        return low

    def samples_at(self, at: float) -> Member | None:
        """Return the member of samples that holds for a moment; None if all begin later."""
        member: Member | None = self.find(at)
        while member is not None and member.kind is not Kind.SAMPLES:
            member = before(self.read_at, member.offset)
        return None if member is None or member.start > at else member

    def before(self, member: Member) -> Member | None:
        """Return the member in front of this one."""
        return before(self.read_at, member.offset)

    def profiles_before(self, member: Member, start: float) -> Member:
        """Return the first of the profiles right before a member that are of ``start`` or later.

        The member itself where there are none. A profile stands before the samples that were
        written with it.
        """
        while (found := self.before(member)) is not None:
            if found.kind is not Kind.PROFILE or found.start < start - SAME_S:
                break
            member = found
        return member

    def next(self, member: Member, end: int | None = None) -> Member | None:
        """Return the member behind this one; ``end`` is where this one ends, if that is known."""
        if member.kind is Kind.PROFILE and member.length > HEAD_BYTES:
            end = member.offset + member.length
        if end is not None:
            found = read_head(self.read_at(end, HEAD_BYTES), 0, end)
            if found is not None:
                return found
        return after(self.read_at, member.offset + HEAD_BYTES, self.size)

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
