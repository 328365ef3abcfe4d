"""Decodes the text form of profiles (``?debug=1``): stacks of named frames."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from memtui.parse.profile.wire import ProfileError
from memtui.pprof.stacks import (
    Binary,
    Function,
    Labels,
    Line,
    Location,
    Sample,
    SampleType,
    Stack,
    Stacks,
)

_HEAP = re.compile(rb"heap profile: *\d+: *\d+ *\[ *\d+: *\d+ *\] *@ *heap/(\d+)")
_COUNT = re.compile(rb"(\w+) profile: total \d+")
_CONTENTION = re.compile(rb"--- (?:contention|mutex):")
_HEAP_SAMPLE = re.compile(r"(\d+): (\d+) \[(\d+): (\d+)\] @((?: 0x[0-9a-f]+)*)")
_CONTENTION_SAMPLE = re.compile(r"(\d+) (\d+) @((?: 0x[0-9a-f]+)*)")
_SETTING = re.compile(r"(cycles/second|sampling period|ms since reset) *= *(\d+)")
_COUNT_SAMPLE = re.compile(r"(\d+) @((?: 0x[0-9a-f]+)*)")
_FRAME = re.compile(r"#\t(0x[0-9a-f]+)\t(.+?)\+0x[0-9a-f]+\t+(.*):(\d+)")
_NAMELESS = re.compile(r"#\t(0x[0-9a-f]+)$")
_HEAP_TYPES = (
    SampleType("alloc_objects", "count"),
    SampleType("alloc_space", "bytes"),
    SampleType("inuse_objects", "count"),
    SampleType("inuse_space", "bytes"),
)
_CONTENTION_TYPES = (SampleType("contentions", "count"), SampleType("delay", "nanoseconds"))
_NOWHERE = Binary("", limit=(1 << 64) - 1)
"""The binary of addresses without a name, as in pprof: patterns are matched with its empty name."""
_MOST_NUMBER = 18
"""The most digits of a count: the runtime counts with 64 bits."""
_MOST_SETTINGS = 20


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of one kind of text profile: sample types, sample lines, and their values.

    ``values`` gets the counts of a line and its line number; it may raise ProfileError.
    """

    types: tuple[SampleType, ...]
    sample: re.Pattern[str]
    values: Callable[[list[int], int], tuple[int, ...]]


@dataclass(slots=True)
class _Record:
    """One sample of the text: values, addresses, and the frames named below it."""

    values: tuple[int, ...]
    addresses: list[int]
    frames: list[tuple[int, str, str, int]]


def read_text(raw: bytes | bytearray, limit_bytes: int) -> Stacks | None:
    """Decode a profile with debug=1; return None if ``raw`` has another form.

    Heap counts are unscaled samples in the text; they are scaled as the runtime does for the
    protobuf form (runtime/pprof/protomem.go: scaleHeapSample). The number in the heap header is
    twice the sampling rate (runtime/pprof/pprof.go: writeHeapInternal). The text names the frames,
    without those of the allocator and without marks for inlining. Delays are in cycles
    (profile/legacy_profile.go: parseContentionSample). Raises ProfileError.
    """
    head = bytes(raw[:200])
    if heap := _HEAP.match(head):
        rate = int(heap[1][:_MOST_NUMBER]) // 2
        form = _Form(_HEAP_TYPES, _HEAP_SAMPLE, partial(_scaled_pairs, rate))
        return _stacks(_lines(raw, limit_bytes), form, rate, SampleType("space", "bytes"))
    if counted := _COUNT.match(head):
        kind = SampleType(counted[1].decode(), "count")
        form = _Form((kind,), _COUNT_SAMPLE, _counts)
        return _stacks(_lines(raw, limit_bytes), form, 1, kind)
    if _CONTENTION.match(head):
        return _contention(_lines(raw, limit_bytes))
    return None


def _lines(raw: bytes | bytearray, limit_bytes: int) -> list[str]:
    lines = bytes(raw).decode("utf-8", "replace").split("\n")
    if len(lines) > max(limit_bytes >> 6, 1 << 16):
        raise ProfileError("forged: too many lines of text")
    return lines


def _contention(lines: list[str]) -> Stacks:
    """Decode a block or mutex profile: its settings come before the samples."""
    settings = {
        found[1]: _number(found[2], number)
        for number, line in enumerate(lines[1:_MOST_SETTINGS], 2)
        if (found := _SETTING.match(line))
    }
    period = settings.get("sampling period", 1)
    values = partial(_delays, period, settings.get("cycles/second", 0))
    form = _Form(_CONTENTION_TYPES, _CONTENTION_SAMPLE, values)
    stacks = _stacks(lines, form, period, _CONTENTION_TYPES[0])
    return replace(stacks, duration_nanos=settings.get("ms since reset", 0) * 10**6)


def _stacks(lines: list[str], form: _Form, period: int, period_type: SampleType) -> Stacks:
    locations: dict[int, Location] = {}
    ids: dict[Location, int] = {}
    stacks: list[Stack] = []
    for record in _records(lines, form):
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
        types=form.types,
        samples=lambda: iter(stacks),
        labelled=labelled,
        locations=locations,
        period=period,
        period_type=period_type,
    )


def _records(lines: list[str], form: _Form) -> Iterator[_Record]:
    """Yield the samples of the text; other lines are ignored."""
    record: _Record | None = None
    for number, line in enumerate(lines[1:], 2):
        if found := form.sample.match(line):
            if record:
                yield record
            counts = [_number(text, number) for text in found.groups()[:-1]]
            record = _Record(
                form.values(counts, number),
                [int(each, 16) for each in found[found.lastindex or 1].split()],
                [],
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


def _counts(counts: list[int], _line: int) -> tuple[int, ...]:
    return (counts[0],)


def _delays(period: int, hertz: int, counts: list[int], _line: int) -> tuple[int, ...]:
    """Return the number of waits, and their nanoseconds."""
    cycles, count = counts
    if period <= 0:
        return count, cycles
    delay = int(float(cycles) * float(period) / (hertz / 1e9)) if hertz else cycles
    return count * period, delay


def _scaled_pairs(rate: int, counts: list[int], line: int) -> tuple[int, ...]:
    """Return allocated and live objects and bytes from "live: bytes [allocated: bytes]"."""
    live, live_bytes, all_, all_bytes = counts
    try:
        return (*_scaled(all_, all_bytes, rate), *_scaled(live, live_bytes, rate))
    except ZeroDivisionError:
        raise ProfileError(f"inconsistent: line {line} has objects of almost 0 bytes") from None


def _scaled(count: int, size: int, rate: int) -> tuple[int, int]:
    if not count or not size:
        return 0, 0
    if rate <= 1:
        return count, size
    factor = 1 / (1 - math.exp(-(size / count) / rate))
    return int(count * factor), int(size * factor)


def _locations(record: _Record) -> Iterator[Location]:
    """Yield the locations of a record, leaf first: its named frames, else its addresses."""
    for address, name, file, line in record.frames:
        lines = (Line(Function(name, name, file), line),) if name else ()
        yield Location(lines, address, _NOWHERE if address and not name else None)
    if not record.frames:
        for address in record.addresses:
            call = max(address - 1, 0)
            yield Location((), call, _NOWHERE if call else None)
