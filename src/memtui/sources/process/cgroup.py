"""Reads the environment of a process: memory cgroups, variables for the runtime, huge pages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from memtui.model import (
    Absent,
    CgroupLevel,
    CgroupMemory,
    Environment,
    Reading,
    Words,
)
from memtui.parse.process.cgroup import (
    levels_of,
    parse_cgroup,
    parse_cgroup_mounts,
    parse_count,
    parse_inactive_file,
    parse_limit,
    parse_memory_stat,
    parse_oom_kills,
    parse_procs,
)
from memtui.parse.process.proc import ParseError
from memtui.sources.process.proc import PAGE_BYTES, PROC, read_environ, read_statm

ROOT = Path("/")
MOST_PROCESSES = 256
"""Groups with more processes are not read: it would take more than 10 ms."""
_MOST_FOLDERS = 256
_MOST_BYTES = 1 << 16
SETTINGS = ("GOGC", "GOMEMLIMIT", "GODEBUG")
"""The variables that the Go runtime reads at its start."""
_CHOSEN = re.compile(rb"\[(\w+)\]")


@dataclass(frozen=True, slots=True)
class CgroupPlace:
    """A memory cgroup: its path in the hierarchy, and the folder with its files."""

    version: int
    path: str
    folder: Path


def cgroup_places(pid: int, proc: Path, root: Path) -> tuple[CgroupPlace, ...]:
    """Return the memory cgroup of a process and all above it that count memory, its own first.

    Empty if none is visible. The root of v2 does not count memory.
    """
    mounts = parse_cgroup_mounts(small_file(proc / "self/mountinfo") or b"")
    for path in parse_cgroup(small_file(proc / str(pid) / "cgroup") or b""):
        places = tuple(
            CgroupPlace(path.version, shown, root / folder.lstrip("/"))
            for shown, folder in levels_of(path, mounts)
        )
        if counted := tuple(each for each in places if _counts_memory(each)):
            return counted
    return ()


def read_level(place: CgroupPlace) -> CgroupLevel:
    """Read the limits and the usage of a cgroup; what cannot be read is Absent."""
    limit = _text(place, "memory.max", "memory.limit_in_bytes")
    high = small_file(place.folder / "memory.high") if place.version == 2 else None
    return CgroupLevel(
        path=place.path,
        limit_bytes=Absent.NOT_REPORTED if limit is None else parse_limit(limit),
        high_bytes=None if high is None else parse_limit(high),
        current_bytes=parse_count(_text(place, "memory.current", "memory.usage_in_bytes") or b""),
        inactive_file_bytes=parse_inactive_file(
            small_file(place.folder / "memory.stat") or b"", place.version
        ),
    )


def read_cgroup_memory(
    places: tuple[CgroupPlace, ...], levels: tuple[CgroupLevel, ...], proc: Path = PROC
) -> CgroupMemory | None:
    """Read the innermost cgroup with a limit, or the first one; None where there is none.

    ``levels`` are those of ``places``. What cannot be read is Absent.
    """
    if not places:
        return None
    pairs = list(zip(places, levels, strict=True))
    place, level = next((each for each in pairs if isinstance(each[1].limit_bytes, int)), pairs[0])
    stat = parse_memory_stat(small_file(place.folder / "memory.stat") or b"", place.version)
    if place.version == 1:
        kernel = small_file(place.folder / "memory.kmem.usage_in_bytes")
        stat["kernel_bytes"] = parse_count(kernel or b"")
    processes, res, anon = _processes(place, proc)
    return CgroupMemory(
        path=place.path,
        limit_bytes=level.limit_bytes,
        usage_bytes=level.current_bytes,
        oom_kills=parse_oom_kills(_text(place, "memory.events", "memory.oom_control") or b""),
        processes=processes,
        processes_res_bytes=res,
        processes_anon_bytes=anon,
        **stat,
    )


def _processes(place: CgroupPlace, proc: Path) -> tuple[Reading, Reading, Reading]:
    """Return the number of processes in a cgroup, the sum of their RES, and its anonymous part."""
    pids = _pids(place.folder)
    if pids is None:
        return (Absent.NOT_REPORTED,) * 3
    if 0 in pids:
        return len(pids), Absent.NO_ACCESS, Absent.NO_ACCESS
    res = anon = 0
    for pid in pids:
        try:
            statm = read_statm(pid, proc)
        except (OSError, ParseError):
            continue  # it has ended
        res += statm.res_pages * PAGE_BYTES
        anon += (statm.res_pages - statm.shr_pages) * PAGE_BYTES
    return len(pids), res, anon


def _pids(folder: Path) -> list[int] | None:
    """Return the processes of a cgroup and of those below it; None if too many or not visible."""
    found: list[int] = []
    waiting, seen = [folder], 0
    while waiting:
        place = waiting.pop()
        seen += 1
        try:
            found += parse_procs((place / "cgroup.procs").read_bytes())
            waiting += [each for each in place.iterdir() if each.is_dir()]
        except OSError:
            if place == folder:
                return None
        if len(found) > MOST_PROCESSES or seen > _MOST_FOLDERS:
            return None
    return found or None


def _counts_memory(place: CgroupPlace) -> bool:
    names = ("memory.max", "memory.current")
    if place.version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    return any(os.access(place.folder / name, os.R_OK) for name in names)


def _text(place: CgroupPlace, v2: str, v1: str) -> bytes | None:
    return small_file(place.folder / (v2 if place.version == 2 else v1))


def small_file(path: Path) -> bytes | None:
    """Return the text of a small kernel file; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return None


def read_environment(
    pid: int, proc: Path = PROC, root: Path = ROOT
) -> tuple[Environment, CgroupMemory | None]:
    """Read limits and settings, and the memory of the cgroup; what cannot be read is Absent.

    ``root`` is the root of the host's files: its cgroups are mounted below it, and /sys is there.
    """
    places = cgroup_places(pid, proc, root)
    levels = tuple(map(read_level, places))
    pages = root / "sys/kernel/mm/transparent_hugepage"
    chosen = _CHOSEN.search(small_file(pages / "enabled") or b"")
    settings = settings_of(lambda: read_environ(pid, SETTINGS, proc))
    environment = Environment(
        levels=levels or Absent.NOT_REPORTED,
        cgroup_version=places[0].version if places else Absent.NOT_REPORTED,
        gogc=settings["GOGC"],
        gomemlimit=settings["GOMEMLIMIT"],
        godebug=settings["GODEBUG"],
        thp=chosen[1].decode() if chosen else Absent.NOT_REPORTED,
        max_ptes_none=parse_count(small_file(pages / "khugepaged/max_ptes_none") or b""),
    )
    return environment, read_cgroup_memory(places, levels, proc)


def settings_of(read: Callable[[], dict[str, str]]) -> dict[str, Words | None]:
    """Return SETTINGS from what ``read`` returns, None for what is not set."""
    try:
        known = read()
    except PermissionError:
        return dict.fromkeys(SETTINGS, Absent.NO_ACCESS)
    except OSError:
        return dict.fromkeys(SETTINGS, Absent.NOT_REPORTED)
    return {name: known.get(name) for name in SETTINGS}
