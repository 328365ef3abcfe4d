"""Parses which memory cgroup a process is in, and the files of a cgroup (v1 and v2).

Sources: man cgroups(7); the kernel's Documentation/admin-guide/cgroup-v1/memory.rst and
cgroup-v2.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from memtui.model import Absent, Reading
from memtui.parse.process.proc import as_text

_NO_LIMIT_V1 = 1 << 62
"""v1 writes "no limit" as the largest number of pages, in bytes: 9223372036854771712."""
_ESCAPED = re.compile(r"\\([0-7]{3})")
_NUMBER = re.compile(rb"\d{1,20}")


@dataclass(frozen=True, slots=True)
class CgroupMount:
    """A mounted cgroup hierarchy: its cgroup ``root`` is mounted at ``point``."""

    version: int
    root: str
    point: str


@dataclass(frozen=True, slots=True)
class CgroupPath:
    """The memory cgroup of a process, relative to the root of its hierarchy."""

    version: int
    path: str


def parse_cgroup(text: bytes) -> tuple[CgroupPath, ...]:
    """Parse /proc/PID/cgroup: the cgroups that may count memory, the likeliest first.

    A hybrid machine has both versions. The one with the memory controller counts: v1 if the file
    lists "memory".
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
    """Parse /proc/self/mountinfo: the mounted hierarchies that count memory."""
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
    """Return a cgroup and all above it, each as the path to show and the folder to read.

    Empty if the cgroup is outside of the mounted part (another cgroup namespace).
    """
    steps = [step for step in path.path.split("/") if step]
    for mount in mounts:
        above = [step for step in mount.root.split("/") if step]
        # A process of another cgroup namespace has "/../other"; a mount may be of a part only.
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
    """Parse memory.max, memory.high or memory.limit_in_bytes; None for no limit."""
    word = text.strip()
    if word == b"max":
        return None
    limit = parse_count(text)
    return None if isinstance(limit, int) and limit >= _NO_LIMIT_V1 else limit


def parse_count(text: bytes) -> Reading:
    """Parse memory.current or memory.usage_in_bytes."""
    word = text.strip()
    return int(word) if _NUMBER.fullmatch(word) else Absent.NOT_REPORTED


_STAT_V2 = {
    b"anon": "anon_bytes",
    b"file": "file_bytes",
    b"shmem": "shmem_bytes",
    b"inactive_file": "inactive_file_bytes",
    b"kernel": "kernel_bytes",
    b"slab_reclaimable": "slab_reclaimable_bytes",
    b"slab_unreclaimable": "slab_unreclaimable_bytes",
    b"kernel_stack": "kernel_stack_bytes",
    b"pagetables": "page_tables_bytes",
    b"sock": "sock_bytes",
}
_STAT_V1 = {
    b"total_rss": "anon_bytes",
    b"total_cache": "file_bytes",
    b"total_shmem": "shmem_bytes",
    b"total_inactive_file": "inactive_file_bytes",
}
STAT_FIELDS = tuple(_STAT_V2.values())
"""The fields of CgroupMemory that come from memory.stat."""
_KERNEL_PARTS = (
    b"kernel_stack", b"pagetables", b"sec_pagetables", b"percpu", b"vmalloc", b"slab",
)  # fmt: skip


def parse_memory_stat(text: bytes, version: int) -> dict[str, Reading]:
    """Parse memory.stat to fields of CgroupMemory; missing ones are Absent.

    The ``total_`` lines of v1 include the groups below, as all lines of v2 do. v2 has "kernel"
    since Linux 5.18; before, it is the sum of the reported kernel parts. v1 has it in another file.
    """
    counts = _counts(text)
    names = _STAT_V2 if version == 2 else _STAT_V1
    found = dict.fromkeys(STAT_FIELDS, Absent.NOT_REPORTED) | {
        field: counts[name] for name, field in names.items() if name in counts
    }
    parts = [counts[name] for name in _KERNEL_PARTS if name in counts]
    if version == 2 and b"kernel" not in counts and parts:
        found["kernel_bytes"] = sum(parts)
    return found


def parse_oom_kills(text: bytes) -> Reading:
    """Parse the number of killed processes: memory.events (v2) or memory.oom_control (v1)."""
    return _counts(text).get(b"oom_kill", Absent.NOT_REPORTED)


def parse_procs(text: bytes) -> list[int]:
    """Parse cgroup.procs; 0 is a process of a PID namespace that is not visible."""
    return [int(word) for word in text.split() if _NUMBER.fullmatch(word)]


def _counts(text: bytes) -> dict[bytes, int]:
    pairs = (line.split(b" ") for line in text.split(b"\n"))
    return {
        pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and _NUMBER.fullmatch(pair[1])
    }


def parse_inactive_file(text: bytes, version: int) -> Reading:
    """Parse inactive_file of memory.stat; v1 includes the groups below in total_inactive_file."""
    for name in (b"inactive_file",) if version == 2 else (b"total_inactive_file", b"inactive_file"):
        for line in text.split(b"\n"):
            key, _, value = line.partition(b" ")
            if key == name:
                return parse_count(value)
    return Absent.NOT_REPORTED
