"""A profile in a file, or the sum of several, read again when one of them has changed.

Writes what was fetched into a file of its own, for other tools to read.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from memtui import units
from memtui.model import Event, ProfileRequest
from memtui.sources.profile.source import FetchedProfile, ProfileSource
from memtui.sources.profile.worker.client import AnswerFailed, ProfileWorker
from memtui.sources.source import Clock, SourceFailed


class FileProfileSource(ProfileSource):
    """A profile in a file, read again when the file has changed.

    Files in ``also`` are added to it. The profile in ``base`` comes before it, once.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        every_s: float | None = 1.0,
        worker: ProfileWorker | None = None,
        also: Sequence[Path] = (),
        base: Path | None = None,
    ) -> None:
        super().__init__(ProfileRequest("file"), clock, every_s, worker)
        self._paths = (path, *also)
        self._base = base
        self._read_states: list[tuple[int, ...]] = []

    async def _fetch(self, request: ProfileRequest) -> FetchedProfile:
        self._read_states = [_state(path) for path in self._paths]
        return await self._fetched(self._paths)

    async def _quietly(self) -> AsyncGenerator[Event, None]:
        """Yield the base before the first profile, and then the profile."""
        if self._base is not None:
            at, profile = await self._read(self.usual, await self._fetched([self._base]), None)
            yield Event(at, self.name, profile)
            self._base = None
        async with aclosing(super()._quietly()) as telling:
            async for event in telling:
                yield event

    async def _fetched(self, paths: Sequence[Path]) -> FetchedProfile:
        """Read files, and add up what several of them hold."""
        began = time.perf_counter()
        read = [await asyncio.to_thread(_read, path, self._limit_bytes) for path in paths]
        where = str(paths[0])
        if len(paths) > 1:
            where += f" and {len(paths) - 1} more"
            try:
                read = [await self._worker.merge(tuple(read))]
            except AnswerFailed as none:
                raise SourceFailed(f"{where}: {none}", "files of one kind can be merged") from None
        return FetchedProfile(where, read[0], time.perf_counter() - began)

    def _is_new(self) -> bool:
        """Tell whether a file has changed since it was read."""
        return [_state(path) for path in self._paths] != self._read_states


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


_MOST_TRIES = 100


def profile_stem(name: str, pid: int | None, what: str, at: float) -> str:
    """Return the name of a file for a profile: orders-1234-heap-20261124-140301.pb.gz.

    ``name`` comes from outside: of it only letters, digits and "._-" are kept.
    """
    safe = "".join(char if char.isascii() and char.isalnum() else "_" for char in name)[:40]
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(at))
    parts = [safe.strip("_") or "profile", *([str(pid)] if pid is not None else []), what, moment]
    return "-".join(parts)


def save_profile(folder: Path, stem: str, data: bytes) -> Path:
    """Write a profile as it came, gzipped or not, under a name that nobody used; return its path.

    It is readable by its owner alone, for names of functions and binaries are nobody else's
    business. Nothing is overwritten and no link is followed. Raises SourceFailed.
    """
    end = ".pb.gz" if data.startswith(b"\x1f\x8b") else ".pb"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for number in range(_MOST_TRIES):
        path = folder / f"{stem}{f'-{number + 1}' if number else ''}{end}"
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            continue
        except OSError as error:
            raise _not_saved(path, error) from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _not_saved(path, error) from None
        return path
    raise SourceFailed(f"not saved: {folder / stem}{end} and {_MOST_TRIES - 1} more are there")


def _not_saved(path: Path, error: OSError) -> SourceFailed:
    return SourceFailed(f"not saved: {path}: {(error.strerror or str(error)).lower()}")
