"""The mappings of a process, and the environment in which it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from memtui.model.process import Absent, Reading, Words


@dataclass(frozen=True, slots=True)
class Resident:
    """The sizes of smaps and smaps_rollup, in bytes (man proc_pid_smaps).

    ``lazy_free_bytes`` was released with MADV_FREE and counts as resident until the kernel
    reclaims it. ``anon_huge_bytes`` is in transparent huge pages. A line that the kernel lacks is
    Absent: LazyFree exists since Linux 4.12.
    """

    rss_bytes: Reading
    pss_bytes: Reading
    shared_clean_bytes: Reading
    shared_dirty_bytes: Reading
    private_clean_bytes: Reading
    private_dirty_bytes: Reading
    anonymous_bytes: Reading
    lazy_free_bytes: Reading
    anon_huge_bytes: Reading
    swap_bytes: Reading


@dataclass(frozen=True, slots=True)
class MappingSample:
    """/proc/PID/smaps_rollup: the sum over all mappings; ``took_s`` is the time of the
    read.

    The kernel walks the page tables for it, about 20 ms per GiB, and delays mmap in the process.
    ``rarely`` is one sentence that explains why it is read less often than asked for, else ""; it
    is not recorded.
    """

    resident: Resident
    took_s: float
    rarely: str = field(default="", compare=False)


class MappingKind(Enum):
    """The use of a mapping; the value is its label."""

    GO_HEAP = "Go heap"
    GO_RUNTIME = "Go runtime"
    C_MALLOC = "C malloc"
    THREAD_STACKS = "thread stacks"
    FILE = "files"
    SHARED_MEMORY = "shared memory"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MappedName:
    """All mappings of one name: all pieces of a file, or all ``socket:[…]``.

    ``name`` is the name in smaps without the number of a socket or pipe, or a range of addresses
    for a mapping without a name.
    """

    name: str
    count: int
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class MappingGroup:
    """All mappings of one kind: their number, size and resident size.

    ``largest`` is the name with the most resident memory, as in smaps (a path, a name in brackets),
    or a range of addresses; ``largest_rss_bytes`` is its resident size. ``names`` are the largest
    names, that one first.
    """

    kind: MappingKind
    count: int
    size_bytes: int
    resident: Resident
    largest: str
    largest_rss_bytes: int
    names: tuple[MappedName, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingGroups:
    """/proc/PID/smaps by kind, largest resident size first.

    ``by_name``: the runtime named its mappings (Go 1.25 and newer, CONFIG_ANON_VMA_NAME). Without
    names their kind is derived from their addresses, which is a good guess.
    """

    groups: tuple[MappingGroup, ...]
    by_name: bool
    took_s: float


@dataclass(frozen=True, slots=True)
class CgroupLevel:
    """One memory cgroup above a process, in bytes.

    ``limit_bytes`` and ``high_bytes`` are None when there is no limit. Above
    ``high_bytes`` (v2 only) the kernel slows the group down instead of killing.
    ``inactive_file_bytes`` is part of ``current_bytes``; the kernel reclaims it before the OOM
    killer runs.
    """

    path: str
    limit_bytes: int | Absent | None
    high_bytes: int | Absent | None
    current_bytes: Reading
    inactive_file_bytes: Reading

    @property
    def margin_bytes(self) -> int | None:
        """What can be allocated before the OOM killer runs; None if unknown.

        Negative for a moment while the kernel reclaims.
        """
        if not isinstance(self.limit_bytes, int) or isinstance(self.current_bytes, Absent):
            return None
        cache = 0 if isinstance(self.inactive_file_bytes, Absent) else self.inactive_file_bytes
        return self.limit_bytes - (self.current_bytes - cache)


@dataclass(frozen=True, slots=True)
class Environment:
    """Limits and settings outside the process that its memory depends on.

    ``levels`` are its memory cgroup and all visible ones above, its own first; Absent where no
    cgroup is visible. ``cgroup_version`` is 1 or 2. ``gogc``, ``gomemlimit`` and ``godebug`` are
    the environment variables with which it was started (None: not set); the program may have
    changed the settings since. ``thp`` is the host's setting for transparent huge pages ("always",
    "madvise", "never"), ``max_ptes_none`` how many of the 512 pages of a huge page khugepaged may
    add that were not resident (Documentation/admin-guide/mm/transhuge.rst).
    """

    levels: tuple[CgroupLevel, ...] | Absent
    cgroup_version: Reading
    gogc: Words | None
    gomemlimit: Words | None
    godebug: Words | None
    thp: Words
    max_ptes_none: Reading

    @property
    def limit_bytes(self) -> int | Absent | None:
        """The smallest limit of all levels; None without a limit, Absent if unknown."""
        if isinstance(self.levels, Absent):
            return self.levels
        known = [each.limit_bytes for each in self.levels if isinstance(each.limit_bytes, int)]
        return min(known, default=None)

    @property
    def tightest(self) -> CgroupLevel | None:
        """The level with the smallest margin; not always the one with the smallest limit."""
        levels = () if isinstance(self.levels, Absent) else self.levels
        known = [(margin, each) for each in levels if (margin := each.margin_bytes) is not None]
        return min(known, key=lambda entry: entry[0])[1] if known else None
