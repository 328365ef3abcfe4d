"""A recording in parts: the newest keeps its name, full ones get a number, the oldest go."""

from __future__ import annotations

import os
import re
from pathlib import Path

from memtui.recording.files import (
    CannotRecord,
    OutFile,
    WriteFailed,
    create,
)
from memtui.recording.gzip_members import before

_SHARE = 8
"""A part takes this share of the room or of the age for all: so much goes at once."""
_LEAST_BYTES = 64 << 10


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
