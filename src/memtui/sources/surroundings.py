"""Where a process runs: its memory cgroups, its settings of the runtime, huge pages on the host."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path

from memtui.model import Absent, Attached, CgroupMemory, Event, Surroundings, Words
from memtui.parse.cgroup import parse_count
from memtui.sources.cgroup import cgroup_places, read_cgroup_memory, read_level, small_file
from memtui.sources.lifetime import Lifetime
from memtui.sources.proc import PROC, read_environ
from memtui.sources.source import Clock

ROOT = Path("/")
EVERY_S = 10.0
_SETTINGS = ("GOGC", "GOMEMLIMIT", "GODEBUG")
_CHOSEN = re.compile(rb"\[(\w+)\]")


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
        """Yield a Surroundings when it differs from the one before, a CgroupMemory at each beat.

        Raises SourceFailed when the process has ended; what can not be read is Absent.
        """
        last: Surroundings | None = None
        while True:
            self._lifetime.check()
            at = self._clock()
            found, memory = read_place(self._pid, self._proc, self._root)
            if last is None:
                yield Event(at, self.name, Attached("cgroup"))
            if found != last:
                yield Event(at, self.name, found)
            if memory is not None:
                yield Event(at, self.name, memory)
            last = found
            await asyncio.sleep(self._every_s)


def read_surroundings(pid: int, proc: Path = PROC, root: Path = ROOT) -> Surroundings:
    """Read them now; whatever can not be read is Absent."""
    return read_place(pid, proc, root)[0]


def read_place(
    pid: int, proc: Path = PROC, root: Path = ROOT
) -> tuple[Surroundings, CgroupMemory | None]:
    """Read the surroundings and the memory of the cgroup at one moment."""
    places = cgroup_places(pid, proc, root)
    levels = tuple(map(read_level, places))
    pages = root / "sys/kernel/mm/transparent_hugepage"
    chosen = _CHOSEN.search(small_file(pages / "enabled") or b"")
    settings = _settings(pid, proc)
    surroundings = Surroundings(
        levels=levels or Absent.NOT_REPORTED,
        cgroup_version=places[0].version if places else Absent.NOT_REPORTED,
        gogc=settings["GOGC"],
        gomemlimit=settings["GOMEMLIMIT"],
        godebug=settings["GODEBUG"],
        thp=chosen[1].decode() if chosen else Absent.NOT_REPORTED,
        max_ptes_none=parse_count(small_file(pages / "khugepaged/max_ptes_none") or b""),
    )
    return surroundings, read_cgroup_memory(places, levels, proc)


def _settings(pid: int, proc: Path) -> dict[str, Words | None]:
    try:
        known = read_environ(pid, _SETTINGS, proc)
    except PermissionError:
        return dict.fromkeys(_SETTINGS, Absent.NO_ACCESS)
    except OSError:
        return dict.fromkeys(_SETTINGS, Absent.NOT_REPORTED)
    return {name: known.get(name) for name in _SETTINGS}
