"""What the kernel says of the mappings of a process, and of the place where it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from memtui.model.process import Absent, Reading, Words


@dataclass(frozen=True, slots=True)
class Resident:
    """The sizes of smaps and smaps_rollup, in bytes (man proc_pid_smaps).

    ``lazy_free_bytes`` was given back with MADV_FREE and is counted as resident until the kernel
    needs it. ``anon_huge_bytes`` lies in transparent huge pages. A kernel that does not know a
    line leaves it Absent: LazyFree is there since Linux 4.12.
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
    """/proc/PID/smaps_rollup: the sum over all mappings; ``took_s`` is what reading it took.

    The kernel walks the page tables for it, about 20 ms a GiB, and holds up mmap in the process.
    ``rarely`` is the reason in one sentence when it is read less often than wanted, else ""; it is
    not recorded.
    """

    resident: Resident
    took_s: float
    rarely: str = field(default="", compare=False)


class MappingKind(Enum):
    """What a mapping is for; the value is how it is called."""

    GO_HEAP = "Go heap"
    GO_RUNTIME = "Go runtime"
    C_MALLOC = "C malloc"
    THREAD_STACKS = "thread stacks"
    FILE = "files"
    SHARED_MEMORY = "shared memory"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MappedName:
    """All mappings of one name: a file in many pieces is one, so are ``socket:[…]`` of any number.

    ``name`` is that of smaps without the digits of a socket or pipe, or a range of addresses where
    there is none.
    """

    name: str
    count: int
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class MappingGroup:
    """All mappings of one kind: how many, how large, how much of it is resident.

    ``largest`` is the name with most resident memory, as smaps has it (a path, a name in brackets),
    or a range of addresses; ``largest_rss_bytes`` is its resident size. ``names`` are the largest
    few, with that one first.
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

    ``by_name`` tells whether the kernel named the mappings of Go (Go 1.25 and newer with
    CONFIG_ANON_VMA_NAME): without names the kinds are told by address, which is a good guess.
    """

    groups: tuple[MappingGroup, ...]
    by_name: bool
    took_s: float


@dataclass(frozen=True, slots=True)
class CgroupLevel:
    """One memory cgroup above a process, in bytes.

    ``limit_bytes`` and ``high_bytes`` are None when there is no limit. ``high_bytes`` (v2 only)
    is where the kernel slows the group down instead of killing. ``inactive_file_bytes`` is part
    of ``current_bytes`` and goes before anything is killed.
    """

    path: str
    limit_bytes: int | Absent | None
    high_bytes: int | Absent | None
    current_bytes: Reading
    inactive_file_bytes: Reading

    @property
    def margin_bytes(self) -> int | None:
        """What may still be allocated before the OOM killer comes; None when nobody can tell.

        Below 0 for a moment while the kernel reclaims.
        """
        if not isinstance(self.limit_bytes, int) or isinstance(self.current_bytes, Absent):
            return None
        cache = 0 if isinstance(self.inactive_file_bytes, Absent) else self.inactive_file_bytes
        return self.limit_bytes - (self.current_bytes - cache)


@dataclass(frozen=True, slots=True)
class Environment:
    """What the memory of a process depends on besides itself.

    ``levels`` are its memory cgroup and all above that can be seen, its own first; Absent where
    no cgroup can be seen. ``cgroup_version`` is 1 or 2. ``gogc``, ``gomemlimit`` and ``godebug``
    are those variables of its environment as it was started with them (None: not set); a program
    may set others later. ``thp`` is the setting of the host for transparent huge pages ("always",
    "madvise", "never"), ``max_ptes_none`` how many of the 512 pages of a huge one khugepaged may
    add that were not there (Documentation/admin-guide/mm/transhuge.rst).
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
        """The smallest limit of all levels; None when there is none, Absent when not known."""
        if isinstance(self.levels, Absent):
            return self.levels
        known = [each.limit_bytes for each in self.levels if isinstance(each.limit_bytes, int)]
        return min(known, default=None)

    @property
    def tightest(self) -> CgroupLevel | None:
        """The level with the least margin, which is not always that with the smallest limit."""
        levels = () if isinstance(self.levels, Absent) else self.levels
        known = [(margin, each) for each in levels if (margin := each.margin_bytes) is not None]
        return min(known, key=lambda entry: entry[0])[1] if known else None
