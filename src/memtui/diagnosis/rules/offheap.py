"""off-heap: memory that Go knows nothing of: C malloc, mmap of the program's own, thread stacks."""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import (
    GREW,
    SIZE,
    Advice,
    Cause,
    Claim,
    Confidence,
    Evidence,
    Finding,
    Place,
    ruled_out,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.rules.huge import are_huge_pages
from memtui.diagnosis.rules.judging import (
    confidence_of,
    grew,
    is_rising,
    res_moved,
    share_of,
    slope,
    to_be_surer,
)  # fmt: skip
from memtui.diagnosis.trends import Trend
from memtui.diagnosis.window import Access, Window
from memtui.model import MappingKind

ADVICE = Advice(
    code=(
        "Look at what cgo allocates and Go must free (C.CString, C.malloc), at libraries in C, and "
        "at syscall.Mmap without Munmap.",
        "A tool for C finds it: heaptrack, jemalloc's profiler, bpftrace on malloc.",
    ),
    environment=("MALLOC_ARENA_MAX=2 when many threads call malloc of glibc.",),
    useless=("GC, debug.FreeOSMemory, GOGC, GOMEMLIMIT: Go does not count this memory.",),
)

OUTSIDE = (MappingKind.C_MALLOC, MappingKind.THREAD_STACKS)


def off_heap(window: Window) -> Finding | None:
    """Say that memory outside of Go grew."""
    if not window.grows:
        return None
    if window.access is not Access.FULL:
        return _by_mappings(window)
    trend = window.trend(lambda point: point.beyond_go)
    if trend is None or not is_rising(trend, window.least_part) or are_huge_pages(window):
        return None
    last = window.ends[1]
    if not window.has_rollup and trend.growth <= (last.released or 0):
        return None  # as likely lazily freed, or filled again by huge pages
    share = share_of(trend.growth, window.growth)
    evidence = (
        res_moved(window),
        grew("anonymous memory that Go does not hold", trend.first, trend.last, Place.LEDGER),
        slope("memory outside of Go", trend, Place.LEDGER),
        *_threads(window),
    )
    return _finding(window, trend.growth, evidence, confidence_of(window, share, trend), trend)


def _finding(
    window: Window,
    growth: float,
    evidence: tuple[Evidence, ...],
    confidence: Confidence,
    trend: Trend | None,
) -> Finding:
    return Finding(
        cause=Cause.OFF_HEAP,
        sentence=f"Memory outside of Go grew by {SIZE}: C code, mmap, or thread stacks.",
        line=f"{GREW} outside of Go (C malloc, mmap, threads).",
        brief=f"{GREW} outside of Go.",
        claim=Claim(growth, (PartName.REST,)),
        of_growth=True,
        confidence=confidence,
        evidence=evidence,
        advice=ADVICE,
        rivals=(
            ruled_out(
                Cause.HEAP_LEAK,
                "MemStats did not grow by as much."
                if trend
                else "what grew is not at the addresses of the Go heap.",
            ),
            ruled_out(Cause.FILE_MAPPED, "it is anonymous memory."),
            *((ruled_out(Cause.LAZILY_FREED, "LazyFree is small."),) if window.has_rollup else ()),
        ),
        refuted_by=("What grew lies at the addresses of the Go heap.",),
        raised_by=to_be_surer(window)
        + (() if window.groups else ("smaps, on a key, tells C malloc from mmap",)),
    )


def _threads(window: Window) -> tuple[Evidence, ...]:
    first, last = window.ends
    if first.threads is None or last.threads is None or last.threads - first.threads < 8:
        return ()
    figures = (("from", first.threads), ("to", last.threads))
    return (Evidence(f"threads {first.threads} → {last.threads}", Place.PROCESS, figures),)


def _by_mappings(window: Window) -> Finding | None:
    """Conclude it from smaps read twice: what grew does not lie at the Go heap's addresses.

    Where the kernel names no mappings, those of other kinds may be the runtime's own.
    """
    if len(window.groups) < 2:
        return None
    grown = 0
    heap = 0
    (_, before), (_, after) = window.groups[0], window.groups[-1]
    for groups, sign in ((before, -1), (after, 1)):
        for group in groups.groups:
            size = group.resident.anonymous_bytes
            if not isinstance(size, int):
                continue
            is_named_other = groups.by_name and group.kind is MappingKind.OTHER
            if group.kind in OUTSIDE or is_named_other:
                grown += sign * size
            elif group.kind is MappingKind.GO_HEAP:
                heap += sign * size
    if grown < window.least_part or heap > grown / 2:
        return None
    words = f"mappings that are not the Go heap's {units.change(grown)}, the Go heap's "
    found = (
        res_moved(window),
        Evidence(words + units.change(heap), Place.PROCESS, (("outside", grown), ("heap", heap))),
    )
    return _finding(window, grown, found, Confidence.MEDIUM, None)
