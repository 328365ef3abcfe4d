"""Which memory cgroup a process is in, and what the files of one say (cgroup v1 and v2).

Sources: man cgroups(7); the kernel's Documentation/admin-guide/cgroup-v1/memory.rst and
cgroup-v2.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from memtui.model import Absent, Reading
from memtui.parse.proc import as_text

_NO_LIMIT_V1 = 1 << 62
"""v1 writes no limit as the largest number of pages, in bytes: 9223372036854771712."""
_ESCAPED = re.compile(r"\\([0-7]{3})")
_WHOLE = re.compile(rb"\d{1,20}")


@dataclass(frozen=True, slots=True)
class CgroupMount:
    """Where a hierarchy of cgroups can be read: ``root`` of it is mounted at ``point``."""

    version: int
    root: str
    point: str


@dataclass(frozen=True, slots=True)
class CgroupPath:
    """The memory cgroup of a process, as seen from the root of its hierarchy."""

    version: int
    path: str


def parse_cgroup(text: bytes) -> tuple[CgroupPath, ...]:
    """Read /proc/PID/cgroup: where memory is counted, first choice first.

    On a hybrid machine both versions stand there, and the one with the controller counts: v1 if
    it names memory at all.
    """
    v1: list[CgroupPath] = []
    v2: list[CgroupPath] = []
    for line in as_text(text).split("\n"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not path.startswith("/"):
            continue
        if "memory" in controllers.split(","):
            v1.append(CgroupPath(1, path))
        elif number == "0" and not controllers:
            v2.append(CgroupPath(2, path))
    return (*v1, *v2)


def parse_cgroup_mounts(text: bytes) -> tuple[CgroupMount, ...]:
    """Read from /proc/self/mountinfo where the hierarchies that count memory are mounted."""
    found: list[CgroupMount] = []
    for line in as_text(text).split("\n"):
        before, separator, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if not separator or len(fields) < 6 or len(kinds) < 3:
            continue
        root, point = _unescaped(fields[3]), _unescaped(fields[4])
        if kinds[0] == "cgroup2":
            found.append(CgroupMount(2, root, point))
        elif kinds[0] == "cgroup" and "memory" in kinds[-1].split(","):
            found.append(CgroupMount(1, root, point))
    return tuple(found)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def levels_of(path: CgroupPath, mounts: tuple[CgroupMount, ...]) -> list[tuple[str, str]]:
    """Return the cgroup and all above it, as the path to show and the folder to read.

    Empty when it lies outside of what is mounted here, as seen from another cgroup namespace.
    """
    steps = [step for step in path.path.split("/") if step]
    for mount in mounts:
        above = [step for step in mount.root.split("/") if step]
        # Of another cgroup namespace a process sees "/../other"; a mount may show only a part.
        if mount.version == path.version and ".." not in steps and steps[: len(above)] == above:
            return [
                (
                    "/" + "/".join(steps[:depth]),
                    "/".join((mount.point.rstrip("/"), *steps[len(above) : depth])),
                )
                for depth in range(len(steps), len(above) - 1, -1)
            ]
    return []


def parse_limit(text: bytes) -> int | Absent | None:
    """Read memory.max, memory.high or memory.limit_in_bytes; None for no limit."""
    word = text.strip()
    if word == b"max":
        return None
    limit = parse_count(text)
    return None if isinstance(limit, int) and limit >= _NO_LIMIT_V1 else limit


def parse_count(text: bytes) -> Reading:
    """Read memory.current or memory.usage_in_bytes."""
    word = text.strip()
    return int(word) if _WHOLE.fullmatch(word) else Absent.NOT_REPORTED


def parse_inactive_file(text: bytes, version: int) -> Reading:
    """Read memory.stat: total_inactive_file of v1 counts the groups below too, as v2 does."""
    for name in (b"inactive_file",) if version == 2 else (b"total_inactive_file", b"inactive_file"):
        for line in text.split(b"\n"):
            key, _, value = line.partition(b" ")
            if key == name:
                return parse_count(value)
    return Absent.NOT_REPORTED
