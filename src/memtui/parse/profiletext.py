"""The text form of profiles (``?debug=1``), which old tools save: stacks of named frames."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from memtui.parse.profilewire import ProfileError
from memtui.pprof.stacks import Function, Labels, Line, Location, Sample, SampleType, Stack, Stacks

_HEAP = re.compile(rb"heap profile: *\d+: *\d+ *\[ *\d+: *\d+ *\] *@ *heap/(\d+)")
_COUNT = re.compile(rb"(\w+) profile: total \d+")
_HEAP_SAMPLE = re.compile(r"(\d+): (\d+) \[(\d+): (\d+)\] @((?: 0x[0-9a-f]+)*)")
_COUNT_SAMPLE = re.compile(r"(\d+) @((?: 0x[0-9a-f]+)*)")
_FRAME = re.compile(r"#\t(0x[0-9a-f]+)\t(.+?)\+0x[0-9a-f]+\t+(.*):(\d+)")
_NAMELESS = re.compile(r"#\t(0x[0-9a-f]+)$")
_HEAP_TYPES = (
    SampleType("alloc_objects", "count"),
    SampleType("alloc_space", "bytes"),
    SampleType("inuse_objects", "count"),
    SampleType("inuse_space", "bytes"),
)
_MOST_NUMBER = 18
"""Digits of a count: more do not fit what the runtime counts with."""


@dataclass(slots=True)
class _Record:
    """One sample of the text: its values, its addresses, and the frames named below it."""

    values: tuple[int, ...]
    addresses: list[int]
    frames: list[tuple[int, str, str, int]]


def read_text(raw: bytes | bytearray, limit_bytes: int) -> Stacks | None:
    """Read the text of heap, allocs, goroutine or threadcreate with debug=1; None when it is none.

    The counts of a heap are raw samples there; they are scaled as the runtime does for the other
    form (runtime/pprof/protomem.go: scaleHeapSample). The number in the head is twice the rate
    (runtime/pprof/pprof.go: writeHeapInternal). Frames are those that the text names: the
    allocator's own are left out there, and nobody knows what was inlined. Raises ProfileError.
    """
    head = bytes(raw[:200])
    if heap := _HEAP.match(head):
        return _stacks(raw, _HEAP_TYPES, int(heap[1][:_MOST_NUMBER]) // 2, limit_bytes)
    if counted := _COUNT.match(head):
        return _stacks(raw, (SampleType(counted[1].decode(), "count"),), 0, limit_bytes)
    return None


def _stacks(
    raw: bytes | bytearray, types: tuple[SampleType, ...], rate: int, limit_bytes: int
) -> Stacks:
    locations: dict[int, Location] = {}
    ids: dict[Location, int] = {}
    stacks: list[Stack] = []
    lines = bytes(raw).decode("utf-8", "replace").split("\n")
    if len(lines) > max(limit_bytes >> 6, 1 << 16):
        raise ProfileError("forged: its text has no end")
    for record in _records(lines, len(types) > 1, rate):
        stack = []
        for location in _locations(record):
            if (id_ := ids.get(location)) is None:
                id_ = ids[location] = len(ids) + 1
                locations[id_] = location
            stack.append(id_)
        stacks.append(Stack(tuple(stack), record.values))

    def labelled() -> Iterator[tuple[Sample, Labels]]:
        return ((stack, ()) for stack in stacks)

    return Stacks(
        types=types,
        samples=lambda: iter(stacks),
        labelled=labelled,
        locations=locations,
        default_type="inuse_space" if len(types) > 1 else types[0].type,
        period=rate,
        period_type=SampleType("space", "bytes") if rate else types[0],
    )


def _records(lines: list[str], is_heap: bool, rate: int) -> Iterator[_Record]:
    """Yield the samples of the text; whatever else stands in it is passed over."""
    record: _Record | None = None
    for number, line in enumerate(lines[1:], 2):
        if found := (_HEAP_SAMPLE if is_heap else _COUNT_SAMPLE).match(line):
            if record:
                yield record
            counts = [_number(text, number) for text in found.groups()[:-1]]
            values = _scaled_pairs(counts, rate, number) if is_heap else (counts[0],)
            record = _Record(
                values, [int(each, 16) for each in found[found.lastindex or 1].split()], []
            )
        elif record and (named := _FRAME.match(line)):
            place = (int(named[1], 16), named[2], named[3], _number(named[4], number))
            record.frames.append(place)
        elif record and (nameless := _NAMELESS.match(line)):
            record.frames.append((int(nameless[1], 16), "", "", 0))
        elif line.startswith("# runtime.MemStats"):
            break
    if record:
        yield record


def _number(text: str, line: int) -> int:
    if len(text) > _MOST_NUMBER:
        raise ProfileError(f"inconsistent: line {line} has a number of {len(text)} digits")
    return int(text)


def _scaled_pairs(counts: list[int], rate: int, line: int) -> tuple[int, ...]:
    """Return allocated and live objects and bytes from "live: bytes [allocated: bytes]"."""
    live, live_bytes, all_, all_bytes = counts
    try:
        return (*_scaled(all_, all_bytes, rate), *_scaled(live, live_bytes, rate))
    except ZeroDivisionError:
        raise ProfileError(f"inconsistent: line {line} has objects of next to no bytes") from None


def _scaled(count: int, size: int, rate: int) -> tuple[int, int]:
    if not count or not size:
        return 0, 0
    if rate <= 1:
        return count, size
    factor = 1 / (1 - math.exp(-(size / count) / rate))
    return int(count * factor), int(size * factor)


def _locations(record: _Record) -> Iterator[Location]:
    """Yield where a record was, leaf first: the frames it names, else its addresses."""
    for address, name, file, line in record.frames:
        lines = (Line(Function(name, name, file), line),) if name else ()
        yield Location(lines, address)
    if not record.frames:
        for address in record.addresses:
            yield Location((), max(address - 1, 0))
