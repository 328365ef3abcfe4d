"""Defines a point: the known numbers of a process at one moment, a row of a window."""

from __future__ import annotations

from dataclasses import dataclass

from memtui.model import (
    Absent,
    GcCycle,
    MappingSample,
    MemStats,
    ProcessSample,
    Reading,
    RuntimeSample,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Sizes in bytes at one moment (Unix seconds); None means unknown.

    ``res``, ``anon``, ``file``, ``shmem`` and ``swap`` are the kernel's; ``lazy`` and ``huge`` are
    LazyFree and AnonHugePages of smaps_rollup, read near this moment. ``alloc``, ``inuse``,
    ``released`` are HeapAlloc, HeapInuse, HeapReleased; ``unreturned`` is HeapIdle less
    HeapReleased. ``live`` is the live heap of the last cycle. ``stacks`` to ``other`` are the
    ``…Sys`` of MemStats, ``own`` the five last together. ``goal`` is the goal in force, None also
    if there is none; ``has_goal`` separates the two. ``scanned`` is the size of scanned stacks by
    gctrace, ``cycles`` the number of cycles since the start of the process. ``gogc`` (percent, −1
    for off) and ``limit`` are the settings in force, if the page has them.
    """

    at: float
    res: int | None = None
    anon: int | None = None
    file: int | None = None
    shmem: int | None = None
    swap: int | None = None
    lazy: int | None = None
    huge: int | None = None
    alloc: int | None = None
    inuse: int | None = None
    unreturned: int | None = None
    released: int | None = None
    live: int | None = None
    stacks: int | None = None
    spans: int | None = None
    caches: int | None = None
    gc: int | None = None
    profiler: int | None = None
    other: int | None = None
    own: int | None = None
    goal: int | None = None
    has_goal: bool | None = None
    scanned: int | None = None
    goroutines: int | None = None
    threads: int | None = None
    cycles: int | None = None
    allocated: int | None = None
    gogc: int | None = None
    limit: int | None = None

    @property
    def heap(self) -> int | None:
        """The resident heap: HeapSys − HeapReleased."""
        return added(self.inuse, self.unreturned)

    @property
    def go_total(self) -> int | None:
        """The memory that Go holds: Sys − HeapReleased."""
        return added(self.heap, self.stacks, self.own)

    @property
    def footprint(self) -> int | None:
        """RES plus swapped memory: a leak may continue while RES falls."""
        return None if self.res is None else self.res + (self.swap or 0)

    @property
    def beyond_go(self) -> int | None:
        """Anonymous memory without LazyFree and without Go's memory: C, mmap, huge pages.

        In a pure Go program it is negative by the untouched memory that Go mapped (2.6 to 9.2 MiB
        by version): only its change is meaningful.
        """
        if self.anon is None or self.go_total is None:
            return None
        return self.anon + (self.swap or 0) - (self.lazy or 0) - self.go_total

    @property
    def mapped(self) -> int | None:
        """Resident pages of files and of shared memory: SHR."""
        return added(self.file, self.shmem)


def added(*parts: int | None) -> int | None:
    """Return the sum; None if one of them is unknown."""
    total = 0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def number(reading: Reading | None) -> int | None:
    """Return a reading; None if it is unknown or negative."""
    return reading if isinstance(reading, int) and reading >= 0 else None


def without(whole: Reading, *parts: Reading) -> int | None:
    """Return ``whole`` less ``parts``, None when one of them is not known."""
    numbers = [number(each) for each in (whole, *parts)]
    if any(each is None for each in numbers):
        return None
    first, *rest = (each for each in numbers if each is not None)
    return first - sum(rest)


def of_process(
    at: float,
    sample: ProcessSample,
    mapping: MappingSample | None,
    cycle: GcCycle | None,
    goal: int | None,
) -> Point:
    """Return what the kernel, and the trace if there is one, know without asking the process.

    ``goal`` is the goal in force after ``cycle``, the last one before that moment.
    """
    return Point(
        at=at,
        res=number(sample.res_bytes),
        anon=number(sample.anon_bytes),
        file=number(sample.file_bytes),
        shmem=number(sample.shmem_bytes),
        swap=number(sample.swap_bytes),
        lazy=number(mapping.resident.lazy_free_bytes) if mapping else None,
        huge=number(mapping.resident.anon_huge_bytes) if mapping else None,
        threads=number(sample.threads),
        live=cycle.heap_live_bytes if cycle else None,
        goal=goal,
        has_goal=goal is not None if cycle else None,
        scanned=cycle.stacks_bytes if cycle else None,
        cycles=cycle.number if cycle else None,
    )


def of_runtime(
    at: float,
    sample: RuntimeSample,
    mapping: MappingSample | None,
    cycle: GcCycle | None,
) -> Point:
    """Return the point of one sample of MemStats with the kernel's numbers.

    If the page lacks the live heap, that of the last cycle of the trace is used.
    """
    live = number(sample.heap_live_bytes)
    if live is None and cycle is not None:
        live = cycle.heap_live_bytes
    alloc = number(sample.heap_alloc_bytes)
    has_goal = sample.next_gc_bytes is None or isinstance(sample.next_gc_bytes, int)
    return Point(
        at=at,
        res=number(sample.rss_bytes),
        anon=number(sample.rss_anon_bytes),
        file=number(sample.rss_file_bytes),
        shmem=number(sample.rss_shmem_bytes),
        swap=number(sample.swap_bytes),
        lazy=number(mapping.resident.lazy_free_bytes) if mapping else None,
        huge=number(mapping.resident.anon_huge_bytes) if mapping else None,
        alloc=alloc,
        inuse=number(sample.heap_inuse_bytes),
        unreturned=without(sample.heap_idle_bytes, sample.heap_released_bytes),
        released=number(sample.heap_released_bytes),
        live=live if live is None or alloc is None else min(live, alloc),
        stacks=number(sample.stack_sys_bytes),
        spans=number(sample.mspan_sys_bytes),
        caches=number(sample.mcache_sys_bytes),
        gc=number(sample.gc_sys_bytes),
        profiler=number(sample.buck_hash_sys_bytes),
        other=number(sample.other_sys_bytes),
        own=_own(sample),
        goal=number(sample.next_gc_bytes),
        has_goal=sample.next_gc_bytes is not None if has_goal else None,
        scanned=cycle.stacks_bytes if cycle else None,
        goroutines=number(sample.goroutines),
        threads=number(sample.threads),
        cycles=number(sample.num_gc),
        allocated=number(sample.total_alloc_bytes),
        gogc=-1 if sample.gogc_percent is None else number(sample.gogc_percent),
        limit=number(sample.memory_limit_bytes),
    )


def _own(sample: MemStats) -> int | None:
    """Return the runtime's own memory: the sum of its parts, or the rest of Sys."""
    by_parts = added(
        number(sample.mspan_sys_bytes),
        number(sample.mcache_sys_bytes),
        number(sample.buck_hash_sys_bytes),
        number(sample.gc_sys_bytes),
        number(sample.other_sys_bytes),
    )
    if by_parts is not None:
        return by_parts
    return without(sample.sys_bytes, sample.heap_sys_bytes, sample.stack_sys_bytes)


def is_sound(sample: RuntimeSample) -> bool:
    """Return whether MemStats are plausible: nothing negative, HeapAlloc within HeapInuse.

    A number that the page does not have is not an error.
    """
    sizes = (sample.heap_alloc_bytes, sample.heap_inuse_bytes, sample.heap_idle_bytes)
    for size in (*sizes, sample.heap_released_bytes, sample.stack_sys_bytes, sample.sys_bytes):
        if not isinstance(size, Absent) and size < 0:
            return False
    alloc, inuse = number(sample.heap_alloc_bytes), number(sample.heap_inuse_bytes)
    idle, released = number(sample.heap_idle_bytes), number(sample.heap_released_bytes)
    if alloc is not None and inuse is not None and alloc > inuse:
        return False
    return idle is None or released is None or released <= idle
