"""Recovers damaged recordings."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from memtui.recording.header import VERSION, Header, OtherVersion, header_record
from memtui.recording.members import (
    FLUSHED,
    HEAD_BYTES,
    LAST_BLOCK,
    MAX_PROFILE_BYTES,
    Inflated,
    Member,
    MemberKind,
    ReadAt,
    checked_line,
    inflate,
    member_before,
    pack_head,
    pack_trailer,
    read_checked_line,
)
from memtui.recording.output_file import CannotRecord, OutFile, WriteFailed, open_existing
from memtui.recording.segment import Segment, read_content
from memtui.recording.summary import summarize
from memtui.timeline import SpanSummary


@dataclass(frozen=True, slots=True)
class Tail:
    """A file is whole when it is cut at ``cut_at`` and ``closing`` is written behind it."""

    cut_at: int
    closing: bytes = b""
    was_torn: bool = False
    last: Member | None = None


def find_tail(read_at: ReadAt, size: int) -> Tail:
    """Return what makes a file of ``size`` bytes whole again.

    A member that was torn is cut at its last whole flush. One that is damaged in its middle is
    left as it is: what stands behind the damage may still be read, line by line.
    """
    last = member_before(read_at, size)
    if last is None:
        return Tail(0, was_torn=size > 0)
    if last.kind is MemberKind.PROFILE:
        end = last.offset + last.length
        whole = last.length > HEAD_BYTES and end <= size
        cut = end if whole else last.offset
        return Tail(cut, was_torn=cut < size or not whole, last=last if whole else None)
    found = inflate(read_at, last)
    if found.end is not None:
        return Tail(found.end, was_torn=found.end < size, last=last)
    if found.reason:
        return Tail(size, was_torn=True, last=last)
    return _torn(read_at(last.offset, size - last.offset), last, found)


def _torn(raw: bytes, member: Member, found: Inflated) -> Tail:
    """Cut a torn member at its last flush after which all can be read."""
    at = raw.rfind(FLUSHED)
    while at >= HEAD_BYTES:
        cut = at + len(FLUSHED)
        data = _whole(raw[HEAD_BYTES:cut])
        if data is not None:
            closing = LAST_BLOCK + pack_trailer(zlib.crc32(data), len(data))
            return Tail(member.offset + cut, closing, was_torn=True, last=member)
        at = raw.rfind(FLUSHED, 0, at + len(FLUSHED) - 1)
    return Tail(member.offset, was_torn=True)


def _whole(deflated: bytes) -> bytes | None:
    """Return the lines of a stream that was cut at a flush; None when it was not one."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(deflated + LAST_BLOCK)
    except zlib.error:
        return None
    if not inflater.eof or inflater.unused_data or not data.endswith(b"\n"):
        return None
    whole = all(read_checked_line(line) is not None for line in data[:-1].split(b"\n"))
    return data if whole else None


@dataclass(frozen=True, slots=True)
class PreviousEnd:
    """What a writer before this one left: its last moments, and whether it was killed."""

    start: float = 0.0
    end: float | None = None
    was_torn: bool = False
    summary: SpanSummary | None = None
    profile_at: float | None = None


def reopen(path: Path) -> tuple[OutFile, PreviousEnd]:
    """Open a recording to append to it; what a killed writer left torn is cut and closed first.

    Raises CannotRecord.
    """
    file = open_existing(path)
    try:
        return file, _made_whole(file, path)
    except OtherVersion as error:
        file.close()
        raise CannotRecord(f"{path}: {error}", "give another file to -o") from None
    except WriteFailed as failed:
        file.close()
        raise CannotRecord(f"cannot record to {path}: {failed.reason}") from None


def _made_whole(file: OutFile, path: Path) -> PreviousEnd:
    def read_at(offset: int, length: int) -> bytes:
        return os.pread(file.descriptor, length, offset)

    tail = find_tail(read_at, file.size)
    newest = member_before(read_at, tail.cut_at)
    while newest is not None and newest.kind is not MemberKind.SAMPLES:
        newest = member_before(read_at, newest.offset)
    left = PreviousEnd(was_torn=tail.was_torn)
    if newest is not None:
        content = read_content(read_at, newest, path.name)
        summary = summarize(newest.start, content.events)
        profile_at = content.header.profile_at if content.header else None
        left = PreviousEnd(newest.start, summary.end, tail.was_torn, summary, profile_at)
    file.cut(tail.cut_at)
    if tail.closing:
        file.write(tail.closing)
    return left


@dataclass(frozen=True, slots=True)
class SalvageResult:
    """A member of the new file: its bytes, and how many lines of the old one it lacks.

    ``data`` is empty where nothing could be saved. ``was_whole`` tells that it is as it was.
    """

    member: Member
    data: bytes
    lines_lost: int
    was_whole: bool


def salvaged_members(part: Segment) -> Iterator[SalvageResult]:
    """Yield the members of a file, each as it was or with what is whole in it."""
    known: Header | None = None
    for member in part.members(part.first):
        if member.kind is MemberKind.PROFILE:
            yield _profile(part, member)
            continue
        found = inflate(part.read_at, member)
        lines, rest = found.lines()
        good = [line for line in lines if read_checked_line(line) is not None]
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
    return checked_line(header_record(header))[:-1]


def _closed(member: Member, lines: list[bytes]) -> bytes:
    data = b"".join(line + b"\n" for line in lines)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(data) + deflater.flush()
    return (
        pack_head(MemberKind.SAMPLES, member.start)
        + packed
        + pack_trailer(zlib.crc32(data), len(data))
    )


def _profile(part: Segment, member: Member) -> SalvageResult:
    end = inflate(part.read_at, member, MAX_PROFILE_BYTES).end
    is_whole = (  # its first bytes may lie about its length
        end == member.offset + member.length and part.profile(member, whole=True) is not None
    )
    data = part.read_at(member.offset, member.length) if is_whole else b""
    return SalvageResult(member, data, 0 if is_whole else 1, was_whole=is_whole)
