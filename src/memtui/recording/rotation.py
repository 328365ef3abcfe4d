"""A recording in parts: the newest keeps its name, full ones get a number, the oldest go."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from memtui.recording.files import (
    CannotRecord,
    OutFile,
    WriteFailed,
    create,
    find_tail,
    open_existing,
)
from memtui.recording.gzip_members import Kind, before
from memtui.recording.header import MemberSummary, OtherVersion
from memtui.recording.member_content import read_content
from memtui.recording.member_writer import Tally

_SHARE = 8
"""A part takes this share of the room or of the age for all: so much goes at once."""
_LEAST_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Left:
    """What a writer before this one left: its last moments, and whether it was killed."""

    start: float = 0.0
    end: float | None = None
    was_torn: bool = False
    summary: MemberSummary | None = None
    profile_at: float | None = None


def reopened(path: Path) -> tuple[OutFile, Left]:
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


def _made_whole(file: OutFile, path: Path) -> Left:
    def read_at(offset: int, length: int) -> bytes:
        return os.pread(file.descriptor, length, offset)

    tail = find_tail(read_at, file.size)
    newest = before(read_at, tail.cut_at)
    while newest is not None and newest.kind is not Kind.SAMPLES:
        newest = before(read_at, newest.offset)
    left = Left(was_torn=tail.was_torn)
    if newest is not None:
        content = read_content(read_at, newest, path.name)
        tally = Tally(newest.start)
        for event in content.events:
            tally.note(event)
        summary = tally.summary()
        profile_at = content.header.profile_at if content.header else None
        left = Left(newest.start, summary.end, tail.was_torn, summary, profile_at)
    file.cut(tail.cut_at)
    if tail.closing:
        file.write(tail.closing)
    return left


class Rotation:
    """When a part is full, and which of the older ones are to go.

    ``NAME.memtui`` is always the newest; ``NAME.001.memtui`` is older than ``NAME.002.memtui``.
    """

    def __init__(self, path: Path, max_bytes: int | None, max_age_s: float | None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._started: float | None = None

    def is_due(self, size: int, now: float) -> bool:
        """Return whether the part that is written now is full."""
        if self._started is None:
            self._started = now
        if self._max_bytes is not None and size >= max(_LEAST_BYTES, self._max_bytes // _SHARE):
            return True
        return self._max_age_s is not None and now - self._started >= self._max_age_s / _SHARE

    def next(self, file: OutFile, now: float) -> OutFile:
        """Give the full part a number, begin a new one, and remove the oldest; raise WriteFailed.

        When no new one can be begun, the old one goes on.
        """
        self._started = now
        older = parts_beside(self._path)
        number = max((number_of(each) for each in older), default=0) + 1
        aside = self._path.with_suffix(f".{number:03}{self._path.suffix}")
        try:
            os.rename(self._path, aside)
            try:
                new = create(self._path, force=False)
            except (CannotRecord, OSError) as error:
                os.rename(aside, self._path)
                raise WriteFailed(str(error)) from None
        except OSError as error:
            raise WriteFailed((error.strerror or str(error)).lower()) from None
        file.close()
        self._remove_old([*older, aside], now)
        return new

    def _remove_old(self, parts: list[Path], now: float) -> None:
        sizes = {each: each.stat().st_size for each in parts if each.exists()}
        room = None if self._max_bytes is None else self._max_bytes * (_SHARE - 1) // _SHARE
        for each in list(sizes):
            too_large = room is not None and sum(sizes.values()) > room
            if too_large or self._is_too_old(each, now):
                each.unlink(missing_ok=True)
                del sizes[each]

    def _is_too_old(self, path: Path, now: float) -> bool:
        if self._max_age_s is None:
            return False
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            last = before(lambda offset, length: os.pread(file.fileno(), length, offset), size)
        return last is not None and now - last.start > self._max_age_s


def number_of(path: Path) -> int:
    """Return the number of a full part, 0 for any other file."""
    found = re.search(r"\.(\d{3,9})\.[^.]+\Z", path.name)
    return int(found[1]) if found else 0


def parts_beside(path: Path) -> list[Path]:
    """Return the older parts of a recording, oldest first."""
    shape = re.compile(re.escape(path.stem) + r"\.\d{3,9}" + re.escape(path.suffix) + r"\Z")
    try:
        names = [each for each in os.listdir(path.parent) if shape.match(each)]
    except OSError:
        return []
    return sorted((path.parent / each for each in names), key=number_of)
