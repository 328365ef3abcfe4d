"""A profile in a file, read again when somebody writes it anew."""

from __future__ import annotations

import asyncio
import stat
import time
from pathlib import Path

from memtui import units
from memtui.model import ProfileRequest
from memtui.sources.analyst import Analyst
from memtui.sources.profile import Fetched, ProfileSource
from memtui.sources.source import Clock, SourceFailed


class FileProfile(ProfileSource):
    """A profile in a file, read again when the file has changed."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        every_s: float | None = 1.0,
        analyst: Analyst | None = None,
    ) -> None:
        super().__init__(ProfileRequest("file"), clock, every_s, analyst)
        self._path = path
        self._read_state: tuple[int, ...] | None = None

    async def _fetch(self, request: ProfileRequest) -> Fetched:
        self._read_state = _state(self._path)
        began = time.perf_counter()
        data = await asyncio.to_thread(_read, self._path, self._limit_bytes)
        return Fetched(str(self._path), data, time.perf_counter() - began)

    def _is_new(self) -> bool:
        return _state(self._path) != self._read_state


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes when somebody writes a file; nothing while it can not be seen."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _read(path: Path, limit_bytes: int) -> bytes:
    """Read a regular file; anything else could block for ever, or never end."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise SourceFailed(f"{path} is a directory", "give one of its files")
        if not stat.S_ISREG(mode):
            raise SourceFailed(f"{path} is no regular file", "save the profile to a file first")
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except FileNotFoundError:
        raise SourceFailed(f"{path}: no such file") from None
    except PermissionError:
        raise SourceFailed(f"{path}: no access", "run memtui as a user who may read it") from None
    except OSError as error:
        raise SourceFailed(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > limit_bytes:
        raise SourceFailed(
            f"{path} is larger than {units.size(limit_bytes)}", "--max-profile-size takes more"
        )
    return data
