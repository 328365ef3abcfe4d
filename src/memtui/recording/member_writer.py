"""Members of a recording as they are written: one that is open for events, one of a profile.

What a recorder remembers of the events that went by: for headers and their summaries.

Encodes events for a recording; drops and counts the ones that cannot be encoded.

What of a session is written, and what is left out for it may be a secret.

The clocks of a recording, and what it means when they move apart.
"""

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


class OpenMember:
    """The member that is being written: what of it is in the file, and its compressor."""

    def __init__(self, start: float, began_s: float, cycle: GcCycle | None) -> None:
        self.start = start
        self.began_s = began_s
        self.size = 0
        self.is_broken = False
        """Whether its last lines could not be written: it takes no more, and is only closed."""
        self.summary = SummaryBuilder(start, cycle)
        self._crc = 0
        self._deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def packed(self, lines: bytes) -> bytes:
        """Return what lines become in the file, up to a flush."""
        return self._deflater.compress(lines) + self._deflater.flush(zlib.Z_SYNC_FLUSH)

    def wrote(self, lines: bytes) -> None:
        """Know that lines are in the file."""
        self._crc = zlib.crc32(lines, self._crc)
        self.size += len(lines)

    def end(self) -> bytes:
        """Return what closes it behind its last flush."""
        return LAST_BLOCK + pack_trailer(self._crc, self.size)


def pack_profile(event: Event, start: float) -> bytes:
    """Return a member with one profile: what it is of, and its bytes in lines of base64."""
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


EncodedEvent: TypeAlias = tuple[Event, Record | None]
"""An event and its record; None for a profile, which is encoded in a member of its own."""


class EncodingLoss:
    """The events that could not be encoded: how many, of which kinds, and the first error.

    ``words`` are for all of them, ``untold`` for those since ``tell``. Both name kinds and the type
    of the error only: a message may hold a secret.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._kinds: Counter[str] = Counter()
        self._untold: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many events were lost."""
        return self._kinds.total()

    @property
    def words(self) -> str:
        """Return "3 events not written (process, gc): KeyError"; "" when none was lost."""
        return self._words(self._kinds)

    @property
    def untold(self) -> str:
        """Return the same for the events since ``tell``."""
        return self._words(self._untold)

    def note(self, event: Event, error: Exception) -> None:
        """Count an event that could not be encoded."""
        self.error = self.error or error
        kind = NAMES.get(type(event.sample), "unknown")
        self._kinds[kind] += 1
        self._untold[kind] += 1

    def tell(self) -> None:
        """Note that the file has the words for all events so far."""
        self._untold.clear()

    def _words(self, kinds: Counter[str]) -> str:
        if not kinds:
            return ""
        many = "1 event" if kinds.total() == 1 else f"{kinds.total()} events"
        return f"{many} not written ({', '.join(kinds)}): {type(self.error).__name__}"


def encode_events(events: Iterable[Event], lost: EncodingLoss) -> list[EncodedEvent]:
    """Return the events that can be encoded, with their records; note the others in ``lost``."""
    found: list[EncodedEvent] = []
    for event in events:
        try:
            found.append((event, None if isinstance(event.sample, Profile) else encode(event)))
        except Exception as error:  # noqa: BLE001 - one bad event must not cost the others
            lost.note(event, error)
    return found


def encode_lines(rows: Sequence[EncodedEvent], lost: EncodingLoss) -> tuple[list[Event], bytes]:
    """Return the lines of some rows, and the events that are in them."""
    try:
        return [event for event, _ in rows], batch_lines([record for _, record in rows if record])
    except Exception:  # noqa: BLE001 - a record holds a value that JSON has not: find which
        sound = [each for each in rows if _is_sound(each, lost)]
        return [event for event, _ in sound], batch_lines([record for _, record in sound if record])


def _is_sound(row: EncodedEvent, lost: EncodingLoss) -> bool:
    event, record = row
    try:
        checked_line(record or {})
    except Exception as error:  # noqa: BLE001 - as above
        lost.note(event, error)
        return False
    return True


def encode_profile(event: Event, start: float, lost: EncodingLoss) -> bytes:
    """Return the member of a profile; b"" and a note in ``lost`` when it cannot be encoded."""
    try:
        return pack_profile(event, start)
    except Exception as error:  # noqa: BLE001 - as above
        lost.note(event, error)
        return b""


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is kept of that which may be a secret: arguments of the process, lines it wrote."""

    args: bool = False
    log: bool = False

    def kept(self, event: Event) -> Event | None:
        """Return what is to be recorded of an event; None for nothing."""
        sample = event.sample
        if isinstance(sample, ProcessIdentity) and not self.args:
            return replace(event, sample=replace(sample, command=sample.command[:1]))
        if isinstance(sample, OutputLine) and not self.log:
            return None
        if isinstance(sample, TornLine) and not self.log:
            return replace(event, sample=TornLine(""))
        return event
