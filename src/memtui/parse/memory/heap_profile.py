"""Decodes the allocation profile of a Go runtime: the buckets of runtime/mprof.go.

Source: Go 1.27.3 runtime/mprof.go, memProfileInternal; runtime/pprof/protomem.go.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from memtui.parse.memory.errors import (
    InconsistentError,
    LayoutError,
    NoAllocationProfileError,
)
from memtui.parse.memory.functions import Frame, FunctionTable
from memtui.parse.memory.layout import Memory, read_one
from memtui.parse.memory.locate import LocatedRuntime

_MEMORY = 1
_MOST_STACK = 1024
MOST_BUCKETS = 200_000
_GENERATIONS = 3
_GUESSED_STACK = 32
_RUNTIME_PREFIXES = ("runtime.", "internal/runtime/")


@dataclass(frozen=True, slots=True)
class AllocationRecord:
    """Sampled allocations of one size at one stack, not scaled.

    ``stack`` holds a program counter for each function, inlined ones too, innermost first.
    """

    size_bytes: int
    stack: tuple[int, ...]
    allocs: int
    frees: int
    alloc_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class HeapProfileReading:
    """The allocation profile at the end of the last cycle; ``rate`` is MemProfileRate in bytes.

    ``is_partial`` is True when there are more than MOST_BUCKETS records.
    """

    records: tuple[AllocationRecord, ...]
    rate: int
    is_partial: bool


def read_heap_profile(memory: Memory, runtime: LocatedRuntime) -> HeapProfileReading:
    """Return the records that runtime.MemProfile(inuseZero=true) returns.

    Raises NoAllocationProfileError for a program without a profile, InconsistentError when a cycle
    ended meanwhile, LayoutError when the records are impossible.
    """
    if not runtime.is_same_minor:
        raise LayoutError(
            f"the allocation profile of {runtime.go_version[:40]} is newer than memtui's table",
            "use heap?debug=0 of net/http/pprof",
        )
    rate = int.from_bytes(read_one(memory, runtime.addresses["MemProfileRate"], 8), "little")
    if rate == 0:
        raise NoAllocationProfileError(
            "this binary keeps no allocation profile: it was linked without the profiler,"
            " or MemProfileRate is 0",
            'import _ "net/http/pprof" or runtime/pprof',
        )
    if rate >> 63:
        raise LayoutError("MemProfileRate is negative")
    cycle = read_one(memory, runtime.addresses["mProfCycle"], 4)
    address = int.from_bytes(read_one(memory, runtime.addresses["mbuckets"], 8), "little")
    reader = _Buckets(memory, runtime)
    number = int.from_bytes(cycle, "little")
    generation = None if number & 1 else (number >> 1) % _GENERATIONS
    records, is_partial = reader.read(address, generation)
    if read_one(memory, runtime.addresses["mProfCycle"], 4) != cycle:
        raise InconsistentError("a cycle ended meanwhile")
    return HeapProfileReading(records, rate, is_partial)


class _Buckets:
    """Follows the linked list of buckets."""

    def __init__(self, memory: Memory, runtime: LocatedRuntime) -> None:
        self._memory = memory
        self._layout = layout = runtime.layout
        self._functions = runtime.functions
        self._head_bytes = layout["bucket.sizeof"]
        self._record_bytes = layout["memRecord.sizeof"]
        self._cycle_words = layout["memRecordCycle.sizeof"] // 8

    def read(
        self, address: int, generation: int | None
    ) -> tuple[tuple[AllocationRecord, ...], bool]:
        """Return the records, and whether there are more."""
        raw: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
        seen: set[int] = set()
        while address and len(raw) < MOST_BUCKETS:
            if address in seen:
                raise InconsistentError("the list of records leads back into itself")
            seen.add(address)
            address, size, stack, words = self._bucket(address)
            raw.append((size, stack, words))
        active = [self._sum(words, generation) for _, _, words in raw]
        if not any(sums[0] or sums[1] for sums in active):
            active = [self._sum(words, *range(_GENERATIONS)) for _, _, words in raw]
        records = []
        for (size, stack, _), sums in zip(raw, active, strict=True):
            allocs, frees = sums[0], sums[1]
            if frees > allocs or allocs >> 56:
                raise InconsistentError("a record has more frees than allocations")
            sizes = sums[2:] if len(sums) == 4 else (allocs * size, frees * size)
            records.append(AllocationRecord(size, stack, allocs, frees, sizes[0], sizes[1]))
        return tuple(records), bool(address)

    def _bucket(self, address: int) -> tuple[int, int, tuple[int, ...], tuple[int, ...]]:
        """Return the next bucket, the size of an object, the stack, and the words of the record."""
        layout = self._layout
        guessed = self._head_bytes + 8 * _GUESSED_STACK + self._record_bytes
        (data,) = self._memory.read([(address, guessed)])
        if len(data) < self._head_bytes:
            raise InconsistentError("a record of the allocation profile is not readable")

        def word(name: str) -> int:
            offset = layout[f"bucket.{name}"]
            return int.from_bytes(data[offset : offset + 8], "little")

        depth = word("nstk")
        if word("typ") != _MEMORY or depth > _MOST_STACK:
            raise LayoutError("a record of the allocation profile is of an unknown kind")
        wanted = self._head_bytes + 8 * depth + self._record_bytes
        if len(data) < wanted:
            data = read_one(self._memory, address, wanted)
        stack = struct.unpack_from(f"<{depth}Q", data, self._head_bytes)
        functions = self._functions
        if not all(functions.text <= pc <= functions.end_of_text for pc in stack):
            raise LayoutError("a stack of the allocation profile leads outside the program")
        words = struct.unpack_from(
            f"<{self._record_bytes // 8}Q", data, self._head_bytes + 8 * depth
        )
        return word("allnext"), word("size"), stack, words

    def _sum(self, words: tuple[int, ...], *generations: int | None) -> tuple[int, ...]:
        """Return the active numbers of a record plus those of some generations to come."""
        count = self._cycle_words
        total = list(words[:count])
        first = self._layout["memRecord.future"] // 8
        for generation in generations:
            if generation is not None:
                start = first + generation * count
                total = [
                    (a + b) % (1 << 64)
                    for a, b in zip(total, words[start : start + count], strict=True)
                ]
        return tuple(total)


def record_frames(record: AllocationRecord, functions: FunctionTable) -> tuple[Frame, ...]:
    """Return the functions of a record, innermost first, without those of the runtime in front.

    Each program counter stands for one function: inlined ones have a counter of their own.
    """
    frames = []
    for pc in record.stack:
        entry = functions.entry_of(pc)
        frame = functions.frame(pc - 1 if entry is not None and pc > entry else pc)
        if frame is not None and frame.function != "runtime.goexit":
            frames.append(frame)
    for index, frame in enumerate(frames):
        if not frame.function.startswith(_RUNTIME_PREFIXES):
            return tuple(frames[index:])
    return tuple(frames)


def scale(count: int, size_bytes: int, rate: int) -> tuple[int, int]:
    """Return count and bytes of all allocations, estimated from the sampled ones.

    Source: runtime/pprof/protomem.go, scaleHeapSample.
    """
    if count == 0 or size_bytes == 0:
        return 0, 0
    if rate <= 1:
        return count, size_bytes
    average = size_bytes / count
    factor = 1 / (1 - math.exp(-average / rate))
    return int(count * factor), int(size_bytes * factor)
