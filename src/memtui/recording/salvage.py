"""A new file with all that is whole in an old one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from memtui.recording.checked_lines import sealed, unsealed
from memtui.recording.gzip_members import MOST_PROFILE_BYTES, Kind, Member, head, inflate, trailer
from memtui.recording.header import VERSION, Header, OtherVersion, header_record
from memtui.recording.segment import Segment


@dataclass(frozen=True, slots=True)
class SalvageResult:
    """A member of the new file: its bytes, and how many lines of the old one it lacks.

    ``data`` is empty where nothing could be saved. ``was_whole`` tells that it is as it was.
    """

    member: Member
    data: bytes
    lines_lost: int
    was_whole: bool


def mended(part: Segment) -> Iterator[SalvageResult]:
    """Yield the members of a file, each as it was or with what is whole in it."""
    known: Header | None = None
    for member in part.members(part.first):
        if member.kind is Kind.PROFILE:
            yield _profile(part, member)
            continue
        found = inflate(part.read_at, member)
        lines, rest = found.lines()
        good = [line for line in lines if unsealed(line) is not None]
        try:
            header = part.header(member)
        except OtherVersion:  # a newer memtui can save it; the old file stays as it is
            yield SalvageResult(member, b"", len(lines), was_whole=False)
            continue
        lost = len(lines) - len(good) + bool(rest)
        if found.end is not None and not found.reason and not lost:
            data = part.read_at(member.offset, found.end - member.offset)
            yield SalvageResult(member, data, 0, was_whole=True)
        elif header is None and known is None:
            yield SalvageResult(member, b"", len(lines), was_whole=False)
        else:
            first = [] if header else [_borrowed(known, member)]
            yield SalvageResult(member, _closed(member, [*first, *good]), lost, was_whole=False)
        known = header or known


def _borrowed(known: Header | None, member: Member) -> bytes:
    """Return a header for lines that lost theirs: names and process are those of the one before."""
    assert known is not None
    header = Header(
        version=VERSION, at=member.start, written_by=known.written_by, session=known.session,
        host=known.host, pid=known.pid, start_ticks=known.start_ticks, name=known.name,
        interval_s=known.interval_s, fields=known.fields, last=known.last,
    )  # fmt: skip
    return sealed(header_record(header))[:-1]


def _closed(member: Member, lines: list[bytes]) -> bytes:
    data = b"".join(line + b"\n" for line in lines)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(data) + deflater.flush()
    return head(Kind.SAMPLES, member.start) + packed + trailer(zlib.crc32(data), len(data))


def _profile(part: Segment, member: Member) -> SalvageResult:
    end = inflate(part.read_at, member, MOST_PROFILE_BYTES).end
    is_whole = (  # its first bytes may lie about its length
        end == member.offset + member.length and part.profile(member, whole=True) is not None
    )
    data = part.read_at(member.offset, member.length) if is_whole else b""
    return SalvageResult(member, data, 0 if is_whole else 1, was_whole=is_whole)
