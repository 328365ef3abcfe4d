"""Splits RES into parts that sum to it exactly, at a moment and over a window.

An unknown part is None, not 0, and its bytes are in the last part. Go counts mapped memory, and an
untouched page is not resident: if the parts exceed RES, the excess is subtracted from the runtime's
own memory first, then from the heap (:data:`NEVER_TOUCHED`). No part is negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from statistics import median
from typing import Any

from memtui import units
from memtui.diagnosis.point import Point
from memtui.diagnosis.trends import length_of_end
from memtui.model import MappingGroups, MappingKind


class PartName(Enum):
    """A part of RES; the value is its name in JSON."""

    LIVE = "live_heap"
    GARBAGE = "garbage"
    OBJECTS = "heap_objects"
    FRAGMENTATION = "fragmentation"
    UNRETURNED = "freed_not_returned"
    STACKS = "stacks"
    RUNTIME = "runtime"
    SPANS = "runtime_spans"
    CACHES = "runtime_caches"
    GC = "runtime_gc"
    PROFILER = "runtime_profiler"
    OTHER = "runtime_other"
    FILES = "files"
    SHARED = "shared_memory"
    LAZY = "lazily_freed"
    REST = "not_explained"
    GO_HEAP = "mappings_go_heap"
    GO_RUNTIME = "mappings_go_runtime"
    C_HEAP = "mappings_c_heap"
    THREADS = "mappings_thread_stacks"
    OTHER_ANON = "mappings_other"


TITLES: Mapping[PartName, str] = {
    PartName.LIVE: "live heap",
    PartName.GARBAGE: "not yet collected",
    PartName.OBJECTS: "heap objects",
    PartName.FRAGMENTATION: "fragmentation",
    PartName.UNRETURNED: "freed, not returned",
    PartName.STACKS: "stacks",
    PartName.RUNTIME: "runtime's own",
    PartName.SPANS: "spans",
    PartName.CACHES: "caches",
    PartName.GC: "collector",
    PartName.PROFILER: "profiler's buckets",
    PartName.OTHER: "other",
    PartName.FILES: "binary, mapped files",
    PartName.SHARED: "shared memory",
    PartName.LAZY: "lazily freed",
    PartName.REST: "not explained by Go",
    PartName.GO_HEAP: "Go heap",
    PartName.GO_RUNTIME: "Go runtime",
    PartName.C_HEAP: "C heap",
    PartName.THREADS: "thread stacks",
    PartName.OTHER_ANON: "other mappings",
}

WITHIN_RUNTIME = (
    PartName.SPANS, PartName.CACHES, PartName.GC, PartName.PROFILER, PartName.OTHER,
)  # fmt: skip

MEANINGS: Mapping[PartName, str] = {
    PartName.LIVE: "live at the last GC cycle",
    PartName.GARBAGE: "allocated since the last GC cycle, or garbage that is not swept: "
    "HeapAlloc − live",
    PartName.OBJECTS: "HeapAlloc: live objects and garbage together",
    PartName.FRAGMENTATION: "unused slots in spans: HeapInuse − HeapAlloc",
    PartName.UNRETURNED: "HeapIdle − HeapReleased; half of the heap is usual after a GC cycle",
    PartName.STACKS: "StackSys: stacks of goroutines, and of threads that Go started",
    PartName.RUNTIME: "the runtime's own structures, limited to what can be resident",
    PartName.SPANS: "MSpanSys",
    PartName.CACHES: "MCacheSys",
    PartName.GC: "GCSys",
    PartName.PROFILER: "BuckHashSys: the profiler's table of stacks",
    PartName.OTHER: "OtherSys",
    PartName.FILES: "RssFile",
    PartName.SHARED: "RssShmem",
    PartName.LAZY: "LazyFree: freed with MADV_FREE, the kernel reclaims it under memory pressure",
    PartName.REST: "cgo, mmap, huge pages",
    PartName.GO_HEAP: "resident pages of the Go heap's mappings (smaps)",
    PartName.GO_RUNTIME: "resident pages of the runtime's other mappings (smaps)",
    PartName.C_HEAP: "malloc: [heap] and glibc arenas (smaps)",
    PartName.THREADS: "thread stacks made by C (smaps)",
    PartName.OTHER_ANON: "anonymous mappings of other kinds (smaps)",
}

KINDS: Mapping[MappingKind, PartName] = {
    MappingKind.GO_HEAP: PartName.GO_HEAP,
    MappingKind.GO_RUNTIME: PartName.GO_RUNTIME,
    MappingKind.C_MALLOC: PartName.C_HEAP,
    MappingKind.THREAD_STACKS: PartName.THREADS,
    MappingKind.OTHER: PartName.OTHER_ANON,
}
"""The kinds of mappings in the last part, if smaps was read.

Files and shared memory are parts of their own; with MemStats so are the Go heap and the runtime.
"""
OF_GO = (PartName.GO_HEAP, PartName.GO_RUNTIME)

NEVER_TOUCHED = (
    PartName.RUNTIME, PartName.LIVE, PartName.OBJECTS, PartName.GARBAGE, PartName.UNRETURNED,
    PartName.FRAGMENTATION, PartName.STACKS, PartName.LAZY, PartName.SHARED, PartName.FILES,
)  # fmt: skip
"""The order in which untouched mapped pages are subtracted from the parts.

The runtime maps its tables long before it uses them (2.6 to 9.2 MiB in small programs with Go 1.19
to 1.27, measured). More is a large object that the program never wrote to, such as a ballast.
"""

HEAP_PARTS = (
    PartName.LIVE, PartName.GARBAGE, PartName.OBJECTS, PartName.FRAGMENTATION, PartName.UNRETURNED,
)  # fmt: skip
"""HeapSys less HeapReleased."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of RES and its growth in bytes; None if unknown.

    ``untouched`` is memory that Go mapped for this part beyond ``size`` and never wrote to.
    ``meaning`` describes the contents and the source of the numbers. ``parts`` are its components,
    as mapped by Go, resident or not.
    """

    name: PartName
    size: int | None
    growth: int | None
    meaning: str
    parts: tuple[Part, ...] = ()
    untouched: int = 0

    @property
    def title(self) -> str:
        """The name of the part on the screen."""
        return TITLES[self.name]


@dataclass(frozen=True, slots=True)
class Ledger:
    """RES in bytes at ``at`` (Unix seconds) and the parts that sum to it.

    ``growth`` is the growth since ``since``; both are None for a ledger of one moment. The sizes of
    the known parts sum to ``res``, their growths to ``growth``.
    """

    at: float
    since: float | None
    res: int
    growth: int | None
    parts: tuple[Part, ...]

    def part(self, name: PartName) -> Part | None:
        """Return a part by its name; None if this ledger has no such part."""
        return next((part for part in self.all_parts() if part.name is name), None)

    def size(self, name: PartName) -> int:
        """Return the size of a part; 0 if it is unknown."""
        part = self.part(name)
        return (part.size or 0) if part else 0

    def grown(self, *names: PartName) -> int:
        """Return the sum of the growth of these parts; unknown ones count as 0."""
        return sum((part.growth or 0) for name in names if (part := self.part(name)))

    def all_parts(self) -> Iterator[Part]:
        """Yield every part, each followed by its components."""
        for part in self.parts:
            yield part
            yield from part.parts


@dataclass(frozen=True, slots=True)
class Step:
    """One step from the earlier RES to the current RES, in bytes."""

    title: str
    start: int
    end: int


def _sizes(point: Point) -> dict[PartName, int | None]:
    """Return the parts of a moment without the rest; heap objects are one part or two."""
    garbage = None
    if point.live is not None and point.alloc is not None:
        garbage = max(0, point.alloc - point.live)
    heap: dict[PartName, int | None] = {PartName.LIVE: point.live, PartName.GARBAGE: garbage}
    if point.live is None and point.alloc is not None:
        heap = {PartName.OBJECTS: point.alloc}
    waste = None
    if point.inuse is not None and point.alloc is not None:
        waste = max(0, point.inuse - point.alloc)
    return heap | {
        PartName.FRAGMENTATION: waste,
        PartName.UNRETURNED: point.unreturned,
        PartName.STACKS: point.stacks,
        PartName.RUNTIME: point.own,
        PartName.FILES: point.file,
        PartName.SHARED: point.shmem,
        PartName.LAZY: point.lazy,
    }


def _runtime_components(point: Point) -> dict[PartName, int | None]:
    return {
        PartName.SPANS: point.spans,
        PartName.CACHES: point.caches,
        PartName.GC: point.gc,
        PartName.PROFILER: point.profiler,
        PartName.OTHER: point.other,
    }


def _rest(point: Point) -> int:
    return (point.res or 0) - sum(size or 0 for size in _sizes(point).values())


def settled(points: Sequence[Point]) -> Point:
    """Return one point for several neighbours: the mean of the plausible ones.

    While the scavenger works, and while lazily freed memory is used again, the numbers of the
    kernel and of Go disagree for a moment. So only the half whose rest is closest to the median
    counts. Means of parts sum to the mean of the total, medians would not.
    """
    middle = median([_rest(point) for point in points])
    nearest = sorted(points, key=lambda point: abs(_rest(point) - middle))
    chosen = nearest[: max(1, (len(points) + 1) // 2)]
    return _mean(chosen, (points[0].at + points[-1].at) / 2)


_AVERAGED = tuple(
    name
    for name in Point.__dataclass_fields__
    if name not in ("at", "has_goal", "cycles", "allocated")
)


def _mean(points: Sequence[Point], at: float) -> Point:
    means: dict[str, int | None] = {}
    for name in _AVERAGED:
        values = [getattr(point, name) for point in points]
        known = [value for value in values if value is not None]
        means[name] = round(sum(known) / len(known)) if len(known) == len(values) else None
    return replace(points[-1], at=at, **means)  # type: ignore[arg-type]  # all are int | None


def ends_of(points: Sequence[Point]) -> tuple[Point, Point]:
    """Return one averaged point for each end of a window."""
    length = length_of_end(len(points))
    return settled(points[:length]), settled(points[-length:])


def ledger_at(point: Point) -> Ledger | None:
    """Return the ledger of one moment; None if RES is unknown."""
    if point.res is None:
        return None
    return Ledger(point.at, None, point.res, None, _parts(point, None))


_COMPARED = ("live", "alloc", "inuse", "unreturned", "stacks", "own", "file", "shmem", "lazy")


def with_mappings(ledger: Ledger, groups: Sequence[MappingGroups]) -> Ledger:
    """Return a ledger whose last part is split by kinds of mappings.

    ``groups`` are the readings of smaps in the window, oldest first; growth needs two of them.
    """
    if not groups:
        return ledger
    is_split = ledger.part(PartName.UNRETURNED) is not None and any(
        part.size is not None for part in ledger.parts if part.name is PartName.UNRETURNED
    )
    last, first = _anonymous(groups[-1]), _anonymous(groups[0]) if len(groups) > 1 else {}
    inner = tuple(
        Part(
            name,
            last.get(name, 0),
            last.get(name, 0) - first.get(name, 0) if first else None,
            MEANINGS[name],
        )
        for name in KINDS.values()
        if (name in last or name in first) and not (is_split and name in OF_GO)
    )
    *parts, rest = ledger.parts
    return replace(ledger, parts=(*parts, replace(rest, parts=inner)))


def _anonymous(groups: MappingGroups) -> dict[PartName, int]:
    sizes = {
        KINDS[group.kind]: group.resident.anonymous_bytes
        for group in groups.groups
        if group.kind in KINDS
    }
    return {name: size for name, size in sizes.items() if isinstance(size, int)}


def ledger_between(before: Point, now: Point) -> Ledger | None:
    """Return the ledger of ``now`` with the growth of each part since ``before``."""
    res, earlier = now.res, before.res
    if res is None or earlier is None:
        return None
    # A part that is known at one end only would look like growth: treat it as unknown.
    half_known: dict[str, Any] = {
        name: None
        for name in _COMPARED
        if (getattr(before, name) is None) != (getattr(now, name) is None)
    }
    if half_known:
        before, now = replace(before, **half_known), replace(now, **half_known)
    return Ledger(now.at, before.at, res, res - earlier, _parts(now, before))


@dataclass(frozen=True, slots=True)
class _Split:
    """The parts of one moment: resident and untouched bytes."""

    sizes: Mapping[PartName, int | None]
    untouched: Mapping[PartName, int]
    rest: int


def _split(point: Point) -> _Split:
    """Return the parts of a moment without their untouched bytes."""
    sizes, untouched = _sizes(point), {}
    excess = -_rest(point)
    for name in NEVER_TOUCHED:
        size = sizes.get(name)
        if excess > 0 and size:
            untouched[name] = min(size, excess)
            sizes[name] = size - untouched[name]
            excess -= untouched[name]
    return _Split(sizes, untouched, max(0, -excess))


def _parts(now: Point, before: Point | None) -> tuple[Part, ...]:
    split = _split(now)
    earlier = _split(before) if before else None
    inner = _runtime_components(now)
    inner_earlier = _runtime_components(before) if before else {}
    growths = {
        name: _difference(size, earlier.sizes.get(name) if earlier else None)
        for name, size in split.sizes.items()
    }
    parts = [
        Part(
            name,
            size,
            growths[name],
            _meaning(name, split.untouched.get(name, 0)),
            tuple(
                Part(
                    each,
                    inner[each],
                    _difference(inner[each], inner_earlier.get(each)),
                    MEANINGS[each],
                )
                for each in (WITHIN_RUNTIME if name is PartName.RUNTIME else ())
            ),
            split.untouched.get(name, 0),
        )
        for name, size in split.sizes.items()
    ]
    growth = None
    if before is not None:
        whole = (now.res or 0) - (before.res or 0)
        growth = whole - sum(each or 0 for each in growths.values())
    parts.append(Part(PartName.REST, split.rest, growth, _meaning_of_rest(now, split.sizes)))
    return tuple(parts)


def _meaning(name: PartName, untouched: int) -> str:
    more = f"; {units.size(untouched)} more is mapped and was never touched" if untouched else ""
    return MEANINGS[name] + more


def _difference(size: int | None, earlier: int | None) -> int | None:
    return None if size is None or earlier is None else size - earlier


def _meaning_of_rest(now: Point, sizes: Mapping[PartName, int | None]) -> str:
    """Return the contents of the last part, with the parts that are not separable."""
    unknown = [TITLES[name] for name, size in sizes.items() if size is None]
    if now.lazy is None:
        unknown.remove(TITLES[PartName.LAZY])
    words = MEANINGS[PartName.REST]
    if unknown:
        words += "; not separated from it: " + ", ".join(unknown)
    if now.lazy is None:
        words += "; LazyFree unknown: no access to smaps_rollup"
    return words


def waterfall(ledger: Ledger) -> tuple[Step, ...]:
    """Return the steps from the earlier RES to the current RES, one per part that changed.

    The first and the last step start at 0. Empty for a ledger of one moment.
    """
    if ledger.growth is None:
        return ()
    height = ledger.res - ledger.growth
    steps = [Step("RES then", 0, height)]
    for part in ledger.parts:
        if part.growth:
            steps.append(Step(part.title, height, height + part.growth))
            height += part.growth
    return (*steps, Step("RES now", 0, ledger.res))
