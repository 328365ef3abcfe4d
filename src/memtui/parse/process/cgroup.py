"""Which memory cgroup a process is in, and what the files of one say (cgroup v1 and v2).

Sources: man cgroups(7); the kernel's Documentation/admin-guide/cgroup-v1/memory.rst and
cgroup-v2.rst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from memtui.model import Absent, Reading
from memtui.parse.process.proc import as_text

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
"""The fields of CgroupMemory that memory.stat has."""
_KERNEL_PARTS = (
    b"kernel_stack", b"pagetables", b"sec_pagetables", b"percpu", b"vmalloc", b"slab",
)  # fmt: skip


def parse_memory_stat(text: bytes, version: int) -> dict[str, Reading]:
    """Read memory.stat by the fields of CgroupMemory; what is not there is Absent.

    The ``total_`` lines of v1 count the groups below too, as all lines of v2 do. v2 has "kernel"
    since Linux 5.18; before, it is the sum of the kernel's parts that are reported. In v1 it stands
    in a file of its own.
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
    """Read the number of killed processes from memory.events (v2) or memory.oom_control (v1)."""
    return _counts(text).get(b"oom_kill", Absent.NOT_REPORTED)


def parse_procs(text: bytes) -> list[int]:
    """Read cgroup.procs; 0 stands for each process of a PID namespace that is not visible."""
    return [int(word) for word in text.split() if _WHOLE.fullmatch(word)]


def _counts(text: bytes) -> dict[bytes, int]:
    pairs = (line.split(b" ") for line in text.split(b"\n"))
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and _WHOLE.fullmatch(pair[1])}


def parse_inactive_file(text: bytes, version: int) -> Reading:
    """Read memory.stat: total_inactive_file of v1 counts the groups below too, as v2 does."""
    for name in (b"inactive_file",) if version == 2 else (b"total_inactive_file", b"inactive_file"):
        for line in text.split(b"\n"):
            key, _, value = line.partition(b" ")
            if key == name:
                return parse_count(value)
    return Absent.NOT_REPORTED
