"""Reads profiles from files, one or the sum of several, and saves fetched profiles to files."""

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
    """The profile in a file, read again when the file changes.

    Files in ``also`` are added to it. The profile in ``base`` is yielded once before it.
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
        return await self._read_files(self._paths)

    async def _fetch_periodic(self) -> AsyncGenerator[Event, None]:
        """Yield the profile, and the base before the first one."""
        if self._base is not None:
            fetched = await self._read_files([self._base])
            at, profile = await self._decode(self.default_request, fetched, None)
            yield Event(at, self.name, profile)
            self._base = None
        async with aclosing(super()._fetch_periodic()) as events:
            async for event in events:
                yield event

    async def _read_files(self, paths: Sequence[Path]) -> FetchedProfile:
        """Read files, and merge the profiles of several."""
        began = time.perf_counter()
        read = [await asyncio.to_thread(_read, path, self._limit_bytes) for path in paths]
        where = str(paths[0])
        if len(paths) > 1:
            where += f" and {len(paths) - 1} more"
            try:
                read = [await self._worker.merge(tuple(read))]
            except AnswerFailed as error:
                hint = "only profiles of one kind can be merged"
                raise SourceFailed(f"{where}: {error}", hint) from None
        return FetchedProfile(where, read[0], time.perf_counter() - began)

    def _is_new(self) -> bool:
        """Return whether a file has changed since it was read."""
        return [_state(path) for path in self._paths] != self._read_states


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written: identity, size, time; () without access."""
    try:
        seen = path.stat()
    except OSError:
        return ()
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _read(path: Path, limit_bytes: int) -> bytes:
    """Read a regular file: reading anything else could block, or never end."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise SourceFailed(f"{path} is a directory", "give a file in it")
        if not stat.S_ISREG(mode):
            raise SourceFailed(f"{path} is not a regular file", "save the profile to a file first")
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except FileNotFoundError:
        raise SourceFailed(f"{path}: no such file") from None
    except PermissionError:
        raise SourceFailed(f"{path}: no access", "run memtui as a user that may read it") from None
    except OSError as error:
        raise SourceFailed(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > limit_bytes:
        raise SourceFailed(
            f"{path} is larger than {units.size(limit_bytes)}",
            "--max-profile-size raises the limit",
        )
    return data


_MOST_TRIES = 100


def profile_stem(name: str, pid: int | None, what: str, at: float) -> str:
    """Return a file name without suffix for a profile: orders-1234-heap-20261124-140301.

    ``name`` is foreign text: all but ASCII letters and digits become underscores. ``at`` is Unix
    seconds.
    """
    safe = "".join(char if char.isascii() and char.isalnum() else "_" for char in name)[:40]
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(at))
    parts = [safe.strip("_") or "profile", *([str(pid)] if pid is not None else []), what, moment]
    return "-".join(parts)


def save_profile(folder: Path, stem: str, data: bytes) -> Path:
    """Write a profile as fetched, gzipped or not, to a new file; return its path.

    Only the owner may read it: names of functions and binaries are private. No file is overwritten
    and no link is followed. Raises SourceFailed.
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
    raise SourceFailed(f"not saved: {folder / stem}{end} and {_MOST_TRIES - 1} more exist")


def _not_saved(path: Path, error: OSError) -> SourceFailed:
    return SourceFailed(f"not saved: {path}: {(error.strerror or str(error)).lower()}")
