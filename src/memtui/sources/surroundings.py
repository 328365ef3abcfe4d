"""Where a process runs: its memory cgroups, its settings of the runtime, huge pages on the host."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path

from memtui.model import Absent, Attached, CgroupLevel, Event, Reading, Surroundings, Words
from memtui.parse.cgroup import (
    CgroupPath,
    levels_of,
    parse_cgroup,
    parse_cgroup_mounts,
    parse_count,
    parse_inactive_file,
    parse_limit,
)
from memtui.sources.lifetime import Lifetime
from memtui.sources.proc import PROC, read_environ
from memtui.sources.source import Clock

ROOT = Path("/")
EVERY_S = 10.0
_SETTINGS = ("GOGC", "GOMEMLIMIT", "GODEBUG")
_CHOSEN = re.compile(rb"\[(\w+)\]")
_MOST_BYTES = 1 << 16


class SurroundingsSource:
    """Reads the surroundings of a process every ``every_s`` seconds, until it ends.

    ``root`` is that of the files of the host: its cgroups are mounted below it, and /sys is there.
    """

    name = "surroundings"

    def __init__(
        self,
        pid: int,
        clock: Clock,
        every_s: float = EVERY_S,
        *,
        proc: Path = PROC,
        root: Path = ROOT,
    ) -> None:
        self._pid = pid
        self._clock = clock
        self._every_s = every_s
        self._proc = proc
        self._root = root
        self._lifetime = Lifetime(pid, proc)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield a Surroundings at each beat, if it differs from the one before.

        Raises SourceFailed when the process has ended; what can not be read is Absent.
        """
        last: Surroundings | None = None
        while True:
            self._lifetime.check()
            at = self._clock()
            found = read_surroundings(self._pid, self._proc, self._root)
            if last is None:
                yield Event(at, self.name, Attached("cgroup"))
            if found != last:
                yield Event(at, self.name, found)
            last = found
            await asyncio.sleep(self._every_s)


def read_surroundings(pid: int, proc: Path = PROC, root: Path = ROOT) -> Surroundings:
    """Read them now; whatever can not be read is Absent."""
    version, levels = _cgroup(pid, proc, root)
    pages = root / "sys/kernel/mm/transparent_hugepage"
    chosen = _CHOSEN.search(_text(pages / "enabled") or b"")
    settings = _settings(pid, proc)
    return Surroundings(
        levels=levels,
        cgroup_version=version,
        gogc=settings["GOGC"],
        gomemlimit=settings["GOMEMLIMIT"],
        godebug=settings["GODEBUG"],
        thp=chosen[1].decode() if chosen else Absent.NOT_REPORTED,
        max_ptes_none=parse_count(_text(pages / "khugepaged/max_ptes_none") or b""),
    )


def _settings(pid: int, proc: Path) -> dict[str, Words | None]:
    try:
        known = read_environ(pid, _SETTINGS, proc)
    except PermissionError:
        return dict.fromkeys(_SETTINGS, Absent.NO_ACCESS)
    except OSError:
        return dict.fromkeys(_SETTINGS, Absent.NOT_REPORTED)
    return {name: known.get(name) for name in _SETTINGS}


def _cgroup(pid: int, proc: Path, root: Path) -> tuple[Reading, tuple[CgroupLevel, ...] | Absent]:
    """Return the version and the levels of the hierarchy that counts the memory of a process."""
    mounts = parse_cgroup_mounts(_text(proc / "self/mountinfo") or b"")
    for path in parse_cgroup(_text(proc / str(pid) / "cgroup") or b""):
        levels = tuple(_levels(path, levels_of(path, mounts), root))
        if levels:
            return path.version, levels
    return Absent.NOT_REPORTED, Absent.NOT_REPORTED


def _levels(path: CgroupPath, places: list[tuple[str, str]], root: Path) -> list[CgroupLevel]:
    """Read the levels that there are: the root of v2 has no files of memory."""
    if path.version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "")
    else:
        names = ("memory.max", "memory.current", "memory.high")
    found: list[CgroupLevel] = []
    for shown, folder in places:
        place = root / folder.lstrip("/")
        limit, current, high = (_text(place / name) if name else None for name in names)
        if limit is None and current is None:
            continue
        found.append(
            CgroupLevel(
                path=shown,
                limit_bytes=Absent.NOT_REPORTED if limit is None else parse_limit(limit),
                high_bytes=None if high is None else parse_limit(high),
                current_bytes=parse_count(current or b""),
                inactive_file_bytes=parse_inactive_file(
                    _text(place / "memory.stat") or b"", path.version
                ),
            )
        )
    return found


def _text(path: Path) -> bytes | None:
    """Return a small file of the kernel; None where there is none for us."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return None
