"""The memory that the kernel charges to the memory cgroup of a process, its container."""

from __future__ import annotations

from dataclasses import dataclass

from memtui.model.process import Absent, Reading


@dataclass(frozen=True, slots=True)
class CgroupMemory:
    """One memory cgroup with everything below it, in bytes (memory.stat of cgroup v1 and v2).

    It is the innermost cgroup of the process with a limit, or its own if none has one; ``path`` is
    the path of its CgroupLevel in Environment. ``limit_bytes`` is None without a limit.

    ``usage_bytes`` contains ``anon_bytes``, ``file_bytes`` (page cache with tmpfs),
    ``kernel_bytes`` and ``sock_bytes``. ``shmem_bytes`` and ``inactive_file_bytes`` are parts of
    ``file_bytes``; ``slab_reclaimable_bytes`` (dentries, inodes), ``slab_unreclaimable_bytes``,
    ``kernel_stack_bytes`` and ``page_tables_bytes`` are parts of ``kernel_bytes``. Absent in v1:
    slab, kernel stacks, page tables and sock. ``oom_kills`` counts processes killed in the group.

    ``processes`` is the number of processes in the group, ``processes_res_bytes`` the sum of their
    RES, ``processes_anon_bytes`` the anonymous part of it. A page that two of them share counts
    twice. The sums are Absent if the group has processes of a PID namespace that is not visible
    from here; all three are Absent if there are too many processes to read.
    """

    path: str
    limit_bytes: int | Absent | None
    usage_bytes: Reading
    anon_bytes: Reading
    file_bytes: Reading
    shmem_bytes: Reading
    inactive_file_bytes: Reading
    kernel_bytes: Reading
    slab_reclaimable_bytes: Reading
    slab_unreclaimable_bytes: Reading
    kernel_stack_bytes: Reading
    page_tables_bytes: Reading
    sock_bytes: Reading
    oom_kills: Reading
    processes: Reading
    processes_res_bytes: Reading
    processes_anon_bytes: Reading

    @property
    def outside_processes_bytes(self) -> int | None:
        """The usage that is in no process's RES; None if unknown.

        At least 0: pages of files that are charged to another cgroup count in RES alone.
        """
        if isinstance(self.usage_bytes, Absent) or isinstance(self.processes_res_bytes, Absent):
            return None
        return max(0, self.usage_bytes - self.processes_res_bytes)

    @property
    def reclaimable_bytes(self) -> int | None:
        """What the kernel can reclaim before the OOM killer runs: page cache, reclaimable slab.

        It does not include tmpfs. It includes dirty pages and the files of running programs, which
        are slow to reclaim. None if unknown.
        """
        if isinstance(self.file_bytes, Absent) or isinstance(self.shmem_bytes, Absent):
            return None
        cache = max(0, self.file_bytes - self.shmem_bytes)
        return cache + _or_0(self.slab_reclaimable_bytes)

    @property
    def unreclaimable_bytes(self) -> int | None:
        """What the kernel cannot reclaim without swap; None if unknown.

        Anonymous memory, tmpfs, sockets, and kernel memory without reclaimable slab. In v1, which
        does not report slab, all kernel memory counts.
        """
        if isinstance(self.usage_bytes, Absent) or self.reclaimable_bytes is None:
            return None
        return max(0, self.usage_bytes - self.reclaimable_bytes)

    @property
    def margin_bytes(self) -> int | None:
        """What can be allocated before the OOM killer runs; None without a limit."""
        if not isinstance(self.limit_bytes, int) or self.unreclaimable_bytes is None:
            return None
        return self.limit_bytes - self.unreclaimable_bytes


def _or_0(reading: Reading) -> int:
    return 0 if isinstance(reading, Absent) else reading
