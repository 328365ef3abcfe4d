"""Computes MemStats from the variables of a Go runtime, as runtime.ReadMemStats does.

Source: readmemstats_m and doubleCheckReadMemStats in Go 1.27.3 runtime/mstats.go, heapGoalInternal
and memoryLimitHeapGoal in mgcpacer.go; the formulas are the same since Go 1.19 but where noted.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from memtui.model import Absent, MemStats
from memtui.parse.memory.errors import InconsistentError, LayoutError
from memtui.parse.memory.layout import Memory, read_one
from memtui.parse.memory.locate import LocatedRuntime
from memtui.parse.runtime.memstats import RING, Cycle

_WORD = 1 << 64
_SPAN_CLASSES = 136
_MOST_PROCESSORS = 4096
_NO_GOAL = 1 << 62
_MOST_SPAN_READ = 112
"""The bytes of an mspan that hold all fields read here."""


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """What one reading of a runtime gives: MemStats, and what the program could not report itself.

    ``heap_live_bytes`` in ``stats`` is exact. ``heap_now_bytes`` is the live heap of the last
    cycle and what was allocated since (gcController.heapLive). ``cycles`` are those in the rings
    of pauses, oldest first. ``total_alloc_flushed_bytes`` never decreases from one reading to the
    next: it lacks what the processors have not added up yet. ``goroutines_ever`` is the length of
    runtime.allgs, an upper bound of the count.
    """

    stats: MemStats
    cycles: tuple[Cycle, ...]
    heap_now_bytes: int
    total_alloc_flushed_bytes: int
    goroutines_ever: int
    processors: int


@dataclass(frozen=True, slots=True)
class Caches:
    """The addresses of the caches of the processors (runtime.mcache), and of allp itself."""

    allp: tuple[int, int]
    addresses: tuple[int, ...]


def read_caches(memory: Memory, runtime: LocatedRuntime) -> Caches:
    """Return where the caches of the processors are; they stay there until GOMAXPROCS changes."""
    start, length = struct.unpack("<QQ", read_one(memory, runtime.addresses["allp"], 16))
    if not 0 < length <= _MOST_PROCESSORS:
        raise InconsistentError(f"the runtime seems to have {length} processors")
    pointers = struct.unpack(f"<{length}Q", read_one(memory, start, 8 * length))
    offset = runtime.layout["p.mcache"]
    found = memory.read([(pointer + offset, 8) for pointer in pointers if pointer])
    caches = [int.from_bytes(each, "little") for each in found if len(each) == 8]
    return Caches((start, length), tuple(cache for cache in caches if cache))


def read_memstats(memory: Memory, runtime: LocatedRuntime, caches: Caches) -> MemoryReading:
    """Return MemStats of this moment.

    Raises InconsistentError when the runtime changed them meanwhile: then read again. It also
    does when GOMAXPROCS changed: then find the caches again.
    """
    layout, at = runtime.layout, runtime.addresses
    fixed = [
        (at["gcController"], layout["gcControllerState.sizeof"]),
        (at["memstats"], layout["mstats.gc_cpu_fraction"] + 8),
        (at["mheap_"] + layout["mheap.spanalloc"] + layout["fixalloc.inuse"], 8),
        (at["mheap_"] + layout["mheap.cachealloc"] + layout["fixalloc.inuse"], 8),
        (at["allp"], 16),
        (at["allgs"], 16),
    ]
    cache_places = [
        (cache + layout["mcache.tinyAllocs"], 16 + 8 * _SPAN_CLASSES) for cache in caches.addresses
    ]
    found = memory.read([*fixed, *cache_places])
    for (address, size), data in zip([*fixed, *cache_places], found, strict=True):
        if len(data) != size:
            raise LayoutError(f"{size} bytes at {address:#x} are not readable")
    controller, memstats, spans, caches_inuse, allp, allgs = found[: len(fixed)]
    if struct.unpack("<QQ", allp) != caches.allp:
        raise InconsistentError("GOMAXPROCS changed")
    numbers = _Numbers(runtime, controller, memstats)
    cached = _read_cached(memory, runtime, cache_places, found[len(fixed) :])
    return numbers.reading(
        cached,
        int.from_bytes(spans, "little"),
        int.from_bytes(caches_inuse, "little"),
        goroutines=int.from_bytes(allgs[8:], "little"),
        processors=caches.allp[1],
    )


@dataclass(frozen=True, slots=True)
class _Cached:
    """Allocations that the caches have not added to the totals yet: bytes, objects, tiny ones."""

    allocated_bytes: int
    objects: int
    tiny: int


def _read_cached(
    memory: Memory,
    runtime: LocatedRuntime,
    places: Sequence[tuple[int, int]],
    raw: Sequence[bytes],
) -> _Cached:
    """Return the part of the caches: for each span that one holds, what was allocated in it since.

    A span that left its cache meanwhile is already part of later totals, so it is not counted.
    """
    layout = runtime.layout
    skipped = layout["mcache.alloc"] - layout["mcache.tinyAllocs"]
    held: list[tuple[int, int]] = []
    tiny = 0
    unpack = struct.Struct(f"<{_SPAN_CLASSES}Q").unpack_from
    for data in raw:
        tiny += int.from_bytes(data[:8], "little")
        held += [(number, span) for number, span in enumerate(unpack(data, skipped)) if span]
    again = [(address + skipped, 8 * _SPAN_CLASSES) for address, _ in places]
    found = memory.read([*((span, _MOST_SPAN_READ) for _, span in held), *again])
    still: set[int] = set()
    for data in found[len(held) :]:
        if len(data) == 8 * _SPAN_CLASSES:
            still.update(unpack(data))
    count, before = layout["mspan.allocCount"], layout["mspan.allocCountBeforeCache"]
    allocated = objects = 0
    for (number, span), data in zip(held, found[: len(held)], strict=True):
        size_class = number >> 1
        if size_class == 0 or span not in still or len(data) != _MOST_SPAN_READ:
            continue
        fresh = int.from_bytes(data[count : count + 2], "little") - int.from_bytes(
            data[before : before + 2], "little"
        )
        if fresh > 0:
            allocated += fresh * layout.classes[size_class]
            objects += fresh
    return _Cached(allocated, objects, tiny)


class _Numbers:
    """The numbers of one reading, checked against one another."""

    def __init__(self, runtime: LocatedRuntime, controller: bytes, memstats: bytes) -> None:
        self._layout = runtime.layout
        self._controller = controller
        self._memstats = memstats
        self._read_deltas()

    def _gc(self, name: str) -> int:
        offset = self._layout[f"gcControllerState.{name}"]
        return int.from_bytes(self._controller[offset : offset + 8], "little")

    def _stat(self, name: str, size: int = 8) -> int:
        offset = self._layout[f"mstats.{name}"]
        return int.from_bytes(self._memstats[offset : offset + size], "little")

    def _read_deltas(self) -> None:
        """Add up the three generations of heap statistics, modulo 2^64."""
        layout = self._layout
        size = layout["heapStatsDelta.sizeof"]
        start = layout["mstats.heapStats"]
        words = size // 8
        parts = struct.unpack_from(f"<{3 * words}Q", self._memstats, start)
        total = [
            sum(each) % _WORD
            for each in zip(
                parts[:words], parts[words : 2 * words], parts[2 * words :], strict=True
            )
        ]

        def one(name: str) -> int:
            offset = layout.fields.get(f"heapStatsDelta.{name}")
            return 0 if offset is None else total[offset // 8]

        def by_class(name: str) -> list[int]:
            offset = layout[f"heapStatsDelta.{name}"] // 8
            return total[offset : offset + len(layout.classes)]

        small_allocs, small_frees = by_class("smallAllocCount"), by_class("smallFreeCount")
        self.committed, self.released = one("committed"), one("released")
        self.in_heap, self.in_stacks = one("inHeap"), one("inStacks")
        self.in_buffers, self.in_bits = one("inWorkBufs"), one("inPtrScalarBits")
        self.tiny = one("tinyAllocCount")
        self.allocated = one("largeAlloc") + _weighted(small_allocs, layout.classes)
        self.freed = one("largeFree") + _weighted(small_frees, layout.classes)
        self.mallocs = one("largeAllocCount") + sum(small_allocs)
        self.frees = one("largeFreeCount") + sum(small_frees)

    def reading(
        self, cached: _Cached, spans: int, caches: int, *, goroutines: int, processors: int
    ) -> MemoryReading:
        """Return the reading; raise InconsistentError when its numbers contradict one another."""
        inuse, free, released = (
            self._gc("heapInUse"),
            self._gc("heapFree"),
            self._gc("heapReleased"),
        )
        sizes = {
            name: self._stat(name)
            for name in (
                "stacks_sys", "mspan_sys", "mcache_sys", "buckhash_sys", "gcMiscSys", "other_sys"
            )
        }  # fmt: skip
        total = (
            inuse + free + released + sum(sizes.values())
            + self.in_stacks + self.in_buffers + self.in_bits
        )  # fmt: skip
        self._check(inuse, free, released, total)
        total_alloc = self.allocated + cached.allocated_bytes
        tiny = self.tiny + cached.tiny
        alloc = total_alloc - self.freed
        mallocs, frees = self.mallocs + cached.objects + tiny, self.frees + tiny
        goal = self._goal(total_alloc - self.freed)
        last_gc, percent = self._stat("last_gc_unix"), _signed(self._gc("gcPercent"), 32)
        limit = _signed(self._gc("memoryLimit"), 64)
        (fraction,) = struct.unpack_from(
            "<d", self._memstats, self._layout["mstats.gc_cpu_fraction"]
        )
        num_gc = self._stat("numgc", 4)
        stats = MemStats(
            heap_alloc_bytes=alloc,
            heap_inuse_bytes=inuse,
            heap_idle_bytes=free + released,
            heap_released_bytes=released,
            heap_sys_bytes=inuse + free + released,
            heap_objects=mallocs - frees,
            heap_live_bytes=self._gc("heapMarked") if num_gc else Absent.NOT_REPORTED,
            stack_inuse_bytes=self.in_stacks,
            stack_sys_bytes=self.in_stacks + sizes["stacks_sys"],
            mspan_inuse_bytes=spans,
            mspan_sys_bytes=sizes["mspan_sys"],
            mcache_inuse_bytes=caches,
            mcache_sys_bytes=sizes["mcache_sys"],
            buck_hash_sys_bytes=sizes["buckhash_sys"],
            gc_sys_bytes=sizes["gcMiscSys"] + self.in_buffers + self.in_bits,
            other_sys_bytes=sizes["other_sys"],
            sys_bytes=total,
            total_alloc_bytes=total_alloc,
            mallocs=mallocs,
            frees=frees,
            next_gc_bytes=None if goal >= _NO_GOAL else goal,
            last_gc_at=last_gc / 1e9 if last_gc else Absent.NOT_REPORTED,
            num_gc=num_gc,
            num_forced_gc=self._stat("numforcedgc", 4),
            gc_cpu_fraction=fraction if 0 <= fraction <= 1 else Absent.NOT_REPORTED,
            gogc_percent=percent if percent >= 0 else None,
            memory_limit_bytes=limit if 0 <= limit < _NO_GOAL else None,
        )
        return MemoryReading(
            stats,
            decode_ring(self._memstats, self._layout["mstats.pause_ns"],
                        self._layout["mstats.pause_end"], num_gc),
            self._gc("heapLive"),
            self._gc("totalAlloc"),
            goroutines,
            processors,
        )  # fmt: skip

    def _check(self, inuse: int, free: int, released: int, total: int) -> None:
        """Raise InconsistentError unless the six equalities of the runtime's own check hold."""
        equal = (
            self.in_heap == inuse,
            self.released == released,
            self.committed - self.in_stacks - self.in_buffers - self.in_bits == inuse + free,
            self.allocated == self._gc("totalAlloc"),
            self.freed == self._gc("totalFree"),
            total - released == self._gc("mappedReady"),
        )
        if not all(equal) or not 0 <= self.freed <= self.allocated < _NO_GOAL:
            failed = ", ".join(str(number + 1) for number, each in enumerate(equal) if not each)
            raise InconsistentError(f"equality {failed or 'of freed and allocated'} does not hold")

    def _goal(self, live: int) -> int:
        """Return NextGC (gcControllerState.heapGoalInternal)."""
        goal, marked, triggered = (
            self._gc("gcPercentHeapGoal"), self._gc("heapMarked"), self._gc("triggered")
        )  # fmt: skip
        by_limit = self._goal_of_limit(live, marked)
        if by_limit < goal:
            return by_limit
        goal = max(goal, self._gc("sweepDistMinTrigger"))
        if triggered != _WORD - 1:
            goal = max(goal, triggered + (64 << 10))
        return goal

    def _goal_of_limit(self, live: int, marked: int) -> int:
        limit, ready = self._gc("memoryLimit"), self._gc("mappedReady")
        other = ready - self._gc("heapFree") - live
        over = max(0, ready - limit)
        if other + over >= limit:
            return marked
        goal = limit - (other + over)
        least = 1 << 20
        # Go 1.19 has the 1 MiB alone.
        headroom = least if self._layout.minor <= (1, 19) else max(goal // 100 * 3, least)
        if goal < headroom or goal - headroom < headroom:
            goal = headroom
        else:
            goal -= headroom
        return max(goal, marked)


def decode_ring(memstats: bytes, pauses_at: int, ends_at: int, newest: int) -> tuple[Cycle, ...]:
    """Return the cycles in the rings of pauses, oldest first (at most 256)."""
    pauses = struct.unpack_from(f"<{RING}Q", memstats, pauses_at)
    ends = struct.unpack_from(f"<{RING}Q", memstats, ends_at)
    numbers = range(max(1, newest - RING + 1), newest + 1)
    return tuple(
        Cycle(number, ends[(number - 1) % RING] / 1e9, pauses[(number - 1) % RING] / 1e9)
        for number in numbers
    )


def _weighted(counts: Sequence[int], classes: Sequence[int]) -> int:
    return sum(count * size for count, size in zip(counts, classes, strict=True))


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
