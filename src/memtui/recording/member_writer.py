"""Encodes events into members: redaction, lost events, compression."""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from memtui.model import (
    Event,
    GcCycle,
    OutputLine,
    ProcessIdentity,
    Profile,
    TornLine,
)
from memtui.recording.codec import NAMES, Record, encode, without_functions
from memtui.recording.header import VERSION
from memtui.recording.members import (
    HEAD_BYTES,
    LAST_BLOCK,
    MemberKind,
    batch_lines,
    checked_line,
    pack_head,
    pack_trailer,
)
from memtui.recording.summary import SummaryBuilder

_LEVEL = 9
_BASE64_BYTES = 3 << 18
"""Bytes of a profile in one line."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is redacted from recordings, unless set: process arguments, log lines."""

    args: bool = False
    log: bool = False

    def apply(self, event: Event) -> Event | None:
        """Return the redacted event; None if it is not recorded."""
        sample = event.sample
        if isinstance(sample, ProcessIdentity) and not self.args:
            return replace(event, sample=replace(sample, command=sample.command[:1]))
        if isinstance(sample, OutputLine) and not self.log:
            return None
        if isinstance(sample, TornLine) and not self.log:
            return replace(event, sample=TornLine(""))
        return event


EncodedEvent: TypeAlias = tuple[Event, Record | None]
"""An event and its record; None for a profile, which gets a member of its own."""


class EncodingLoss:
    """The events that could not be encoded: their number, their kinds, the first error.

    ``words`` describes all of them, ``unreported`` those since the last header. Both contain kinds
    and the type of the error only: a message may contain a secret.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._kinds: Counter[str] = Counter()
        self._unreported: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """The number of lost events."""
        return self._kinds.total()

    @property
    def words(self) -> str:
        """ "3 events not written (process, gc): KeyError"; "" if none was lost."""
        return self._words(self._kinds)

    @property
    def unreported(self) -> str:
        """The same for the events that no header mentions yet."""
        return self._words(self._unreported)

    def add(self, event: Event, error: Exception) -> None:
        """Count an event that could not be encoded."""
        self.error = self.error or error
        kind = NAMES.get(type(event.sample), "unknown")
        self._kinds[kind] += 1
        self._unreported[kind] += 1

    def mark_reported(self) -> None:
        """Note that a header mentions all losses so far."""
        self._unreported.clear()

    def _words(self, kinds: Counter[str]) -> str:
        if not kinds:
            return ""
        count = "1 event" if kinds.total() == 1 else f"{kinds.total()} events"
        return f"{count} not written ({', '.join(kinds)}): {type(self.error).__name__}"


def encode_events(events: Iterable[Event], lost: EncodingLoss) -> list[EncodedEvent]:
    """Return the events that can be encoded, with their records; add the others to ``lost``."""
    found: list[EncodedEvent] = []
    for event in events:
        try:
            found.append((event, None if isinstance(event.sample, Profile) else encode(event)))
        except Exception as error:  # noqa: BLE001 - one bad event must not cost the others
            lost.add(event, error)
    return found


def encode_lines(rows: Sequence[EncodedEvent], lost: EncodingLoss) -> tuple[list[Event], bytes]:
    """Return the events of rows that can be written, and their lines."""
    try:
        return [event for event, _ in rows], batch_lines([record for _, record in rows if record])
    except Exception:  # noqa: BLE001 - JSON lacks a value of a record: find it
        written = [each for each in rows if _can_be_written(each, lost)]
        return [event for event, _ in written], batch_lines(
            [record for _, record in written if record]
        )


def _can_be_written(row: EncodedEvent, lost: EncodingLoss) -> bool:
    event, record = row
    try:
        checked_line(record or {})
    except Exception as error:  # noqa: BLE001 - as above
        lost.add(event, error)
        return False
    return True


def encode_profile(event: Event, start: float, lost: EncodingLoss) -> bytes:
    """Return the member of a profile; b"" if it cannot be encoded, which is added to ``lost``."""
    try:
        return pack_profile(event, start)
    except Exception as error:  # noqa: BLE001 - as above
        lost.add(event, error)
        return b""


class OpenMember:
    """The member that is being written: its compressor, and the size of what is in the file."""

    def __init__(self, start: float, began_s: float, cycle: GcCycle | None) -> None:
        self.start = start
        self.began_s = began_s
        self.size = 0
        self.is_broken = False
        """Whether its last lines could not be written: it gets no more lines."""
        self.summary = SummaryBuilder(start, cycle)
        self._crc = 0
        self._deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def pack(self, lines: bytes) -> bytes:
        """Return the compressed lines up to a flush."""
        return self._deflater.compress(lines) + self._deflater.flush(zlib.Z_SYNC_FLUSH)

    def add_written(self, lines: bytes) -> None:
        """Count lines that are in the file."""
        self._crc = zlib.crc32(lines, self._crc)
        self.size += len(lines)

    def end(self) -> bytes:
        """Return the bytes that close it after its last flush."""
        return LAST_BLOCK + pack_trailer(self._crc, self.size)


def pack_profile(event: Event, start: float) -> bytes:
    """Return a member with one profile: its totals, then its bytes as lines of base64."""
    profile = event.sample
    assert isinstance(profile, Profile)
    data = profile.data or b""
    first = encode(replace(event, sample=without_functions(profile)))
    lines = [checked_line({**first, "version": list(VERSION)})]
    for at in range(0, len(data), _BASE64_BYTES):
        text = base64.b64encode(data[at : at + _BASE64_BYTES]).decode()
        lines.append(checked_line({"k": "bytes", "data": text}))
    whole = b"".join(lines)
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(whole) + deflater.flush()
    length = HEAD_BYTES + len(packed) + 8
    end = pack_trailer(zlib.crc32(whole), len(whole))
    return pack_head(MemberKind.PROFILE, start, length, VERSION[0]) + packed + end
