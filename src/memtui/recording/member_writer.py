"""Members of a recording as they are written: one that is open for events, one of a profile.

What a recorder remembers of the events that went by: for headers and their summaries.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace

from memtui.model import (
    Event,
    GcCycle,
    Profile,
)
from memtui.recording.checked_lines import sealed
from memtui.recording.codec import encode, totals
from memtui.recording.gzip_members import HEAD_BYTES, LAST_BLOCK, Kind, head, trailer
from memtui.recording.header import VERSION
from memtui.recording.summary import Tally

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
        self.tally = Tally(start, cycle)
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
        return LAST_BLOCK + trailer(self._crc, self.size)


def profile_member(event: Event, start: float) -> bytes:
    """Return a member with one profile: what it is of, and its bytes in lines of base64."""
    profile = event.sample
    assert isinstance(profile, Profile)
    data = profile.data or b""
    first = encode(replace(event, sample=totals(profile)))
    lines = [sealed({**first, "version": list(VERSION)})]
    for at in range(0, len(data), _BASE64_BYTES):
        text = base64.b64encode(data[at : at + _BASE64_BYTES]).decode()
        lines.append(sealed({"k": "bytes", "data": text}))
    whole = b"".join(lines)
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(whole) + deflater.flush()
    length = HEAD_BYTES + len(packed) + 8
    end = trailer(zlib.crc32(whole), len(whole))
    return head(Kind.PROFILE, start, length, VERSION[0]) + packed + end
