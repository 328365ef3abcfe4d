"""off-heap: memory outside of Go grew: C malloc, mmap by the program, thread stacks.

glibc creates malloc arenas for threads, up to eight per CPU, and an arena keeps memory that was
freed in it (man mallopt, M_ARENA_MAX).
"""

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
    PaneName,
    Rival,
    ruled_out,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.outside_go import Outside, growth_outside, readings, thread_stack_growth
from memtui.diagnosis.rules.criteria import (  # fmt: skip
    change_evidence,
    confidence_of,
    is_rising,
    missing_sources,
    res_evidence,
    share_of,
    slope_evidence,
)
from memtui.diagnosis.rules.huge_pages import are_huge_pages
from memtui.diagnosis.rules.thread_growth import new_threads, threads_evidence
from memtui.diagnosis.trends import Trend
from memtui.diagnosis.window import Access, Window

MOST_OF_RES = 0.5
"""Memory outside of Go that does not grow is reported from this share of RES on."""
FEWEST_ARENAS = 4
LITTLE_HEAP = 0.25
"""A Go heap below this share of the growth outside of Go starts almost no GC cycles."""

USELESS = ("GC, debug.FreeOSMemory, GOGC, GOMEMLIMIT: Go does not count this memory.",)
ADVICE = Advice(
    code=(
        "Check memory that cgo allocates and Go must free (C.CString, C.malloc), C libraries, and "
        "syscall.Mmap without Munmap.",
        "Use a tool for C: heaptrack, jemalloc's profiler, bpftrace on malloc.",
    ),
    environment=("MALLOC_ARENA_MAX=2 if many threads call malloc of glibc.",),
    useless=USELESS,
)
STACKS_ADVICE = Advice(
    code=(
        "Limit the number of goroutines in C or in system calls: each needs a thread, and the "
        "thread keeps the stack of its deepest call.",
        "Make the calls less deep, or give the threads of a C library a smaller stack.",
    ),
    environment=("ulimit -s sets the stack size of pthread_create.",),
    useless=USELESS,
)
AWAITS_GC = (
    "C memory that Go frees in finalizers or cleanups waits for a GC, and a small Go heap starts "
    "none for up to two minutes. Force a GC: if RES falls, this was the cause. Then free the "
    "memory "
    "with an explicit Close, and keep the finalizer only as a safety net.",
)


def off_heap(window: Window) -> Finding | None:
    """Return a finding if memory outside of Go grew, or is most of RES."""
    found = _growth(window) if window.grows else None
    return found or (None if window.grows and _may_have_grown(window) else _level(window))


def _may_have_grown(window: Window) -> bool:
    """Return whether memory outside of Go may have grown enough to matter."""
    trend = window.trend(lambda point: point.beyond_go)
    grown = trend.growth if trend and window.access is Access.FULL else growth_outside(window)
    return grown is None or grown >= window.least_part


def _growth(window: Window) -> Finding | None:
    if window.access is not Access.FULL:
        return _growth_from_smaps(window)
    trend = window.trend(lambda point: point.beyond_go)
    if trend is None or not is_rising(trend, window.least_part) or are_huge_pages(window):
        return None
    of_threads = thread_stack_growth(window) or 0 if new_threads(window) else 0
    if trend.growth - of_threads < window.least_part:
        return None
    last = window.ends[1]
    if not window.has_rollup and trend.growth <= (last.released or 0):
        return None  # it may as well be lazily freed, or in huge pages
    share = share_of(trend.growth, window.growth)
    evidence = (
        res_evidence(window),
        change_evidence("anonymous memory outside of Go", trend.first, trend.last, PaneName.LEDGER),
        slope_evidence("memory outside of Go", trend, PaneName.LEDGER),
        *_mapping_evidence(window),
    )
    return _growth_finding(
        window, trend.growth - of_threads, evidence, confidence_of(window, share, trend), trend
    )


def _growth_finding(
    window: Window,
    growth: float,
    evidence: tuple[Evidence, ...],
    confidence: Confidence,
    trend: Trend | None,
) -> Finding:
    last = readings(window)[1]
    what = "C code, mmap, or thread stacks"
    line = "C malloc, mmap, threads"
    if last is not None and last.are_stacks:
        what = line = "stacks of threads that run C"
    awaits = _awaits_gc(window, growth)
    waits = (
        " No GC cycle ran, and C memory that Go frees in finalizers or cleanups waits for one."
        if awaits
        else ""
    )
    return Finding(
        cause=Cause.OFF_HEAP,
        sentence=f"Memory outside of Go grew by {SIZE}: {what}.{waits}",
        line=f"{GREW} outside of Go ({line}).",
        brief=f"{GREW} outside of Go.",
        claim=Claim(growth, (PartName.REST,)),
        of_growth=True,
        confidence=confidence,
        evidence=(*evidence, *awaits),
        advice=_advice(last, awaits=bool(awaits)),
        rivals=_rivals(window, trend),
        refuted_by=("The growth is at the addresses of the Go heap.",),
        raised_by=_missing_sources(window),
    )


def _missing_sources(window: Window) -> tuple[str, ...]:
    more = () if window.groups else ("smaps (on a key) would separate C malloc from mmap",)
    return missing_sources(window) + more


def _rivals(window: Window, trend: Trend | None) -> tuple[Rival, ...]:
    why = "MemStats did not grow by as much."
    if trend is None:
        why = "the growth is not at the addresses of the Go heap."
    lazy = (ruled_out(Cause.LAZILY_FREED, "LazyFree is small."),) if window.has_rollup else ()
    return (
        ruled_out(Cause.HEAP_LEAK, why),
        ruled_out(Cause.FILE_MAPPED, "it is anonymous memory."),
        *lazy,
    )


def _advice(last: Outside | None, *, awaits: bool) -> Advice:
    if last is not None and last.are_stacks:
        return STACKS_ADVICE
    if not awaits:
        return ADVICE
    # A GC helps here, so it is not listed as useless.
    useless = ("debug.FreeOSMemory, GOMEMLIMIT: Go does not count this memory.",)
    return Advice(AWAITS_GC + ADVICE.code, ADVICE.environment, ADVICE.host, useless)


def _awaits_gc(window: Window, growth: float) -> tuple[Evidence, ...]:
    """Return evidence that no cycle ran while memory outside of Go grew; empty if one ran."""
    if window.access is Access.PROC or window.cycles_seen:
        return ()
    alloc, last = window.ends[1].alloc, readings(window)[1]
    heap = alloc if alloc is not None else last.go_heap if last else None
    if heap is None or heap > LITTLE_HEAP * growth:
        return ()
    words = (
        f"no GC cycle in {units.duration(window.seconds)}: the Go heap holds {units.size(heap)}; "
        "finalizers and cleanups run after a cycle"
    )
    return (Evidence(words, PaneName.GCTRACE, (("heap", heap),)),)


def _mapping_evidence(window: Window) -> tuple[Evidence, ...]:
    """Return evidence of the mappings outside of Go and the number of threads."""
    last, found = readings(window)[1], []
    if last is not None:
        other = "" if last.other is None else f", other mappings {units.size(last.other)}"
        words = (
            f"C malloc {units.size(last.malloc)} in {last.malloc_mappings} mappings, thread stacks"
        )
        figures = (("malloc", last.malloc), ("stacks", last.stacks), ("other", last.other or 0))
        found.append(
            Evidence(f"{words} {units.size(last.stacks)}{other}", PaneName.PROCESS, figures)
        )
        if last.arenas >= FEWEST_ARENAS and not last.are_stacks:
            found.append(_arenas(window, last))
            return tuple(found)
    moved = threads_evidence(window)
    return (*found, moved) if moved else tuple(found)


def _arenas(window: Window, last: Outside) -> Evidence:
    threads = window.ends[1].threads
    each = units.size(last.malloc // last.arenas)
    words = f"about {last.arenas} malloc arenas of 64 MiB, {each} resident in each"
    words += "" if threads is None else f"; {threads} threads"
    figures = (("arenas", last.arenas), ("each", last.malloc // last.arenas),
               ("threads", threads or 0))  # fmt: skip
    return Evidence(words, PaneName.PROCESS, figures)


def _size_outside(window: Window) -> int | None:
    """Return the memory that is surely outside of Go, in bytes; None if it is unknown.

    Huge pages may refill memory that Go returned: without smaps that amount does not count.
    """
    last, end = readings(window)[1], window.ends[1] if window.points else None
    beyond = end.beyond_go if end is not None and window.access is Access.FULL else None
    if last is not None:
        # Where MemStats count most of this memory, it belongs to Go.
        return None if beyond is not None and beyond < last.size / 2 else last.size
    if end is None or beyond is None or not window.has_rollup:
        return None
    return beyond - min(end.huge or 0, end.released or 0)


def _level(window: Window) -> Finding | None:
    """Return a finding if memory outside of Go is most of RES, without growth."""
    last, size = readings(window)[1], _size_outside(window)
    if size is None or size < max(window.big, MOST_OF_RES * window.res) or are_huge_pages(window):
        return None
    kind = ("stacks of threads that run C" if last is not None and last.are_stacks
            else "C malloc, mmap, or thread stacks")  # fmt: skip
    arenas = "" if last is None or last.arenas < FEWEST_ARENAS else (
        f", in about {last.arenas} malloc arenas")  # fmt: skip
    return Finding(
        cause=Cause.OFF_HEAP,
        sentence=f"{SIZE} of RES {units.size(window.res)} is outside of Go: {kind}{arenas}. It "
        "does not grow now.",
        line=f"{SIZE} is outside of Go ({kind}{arenas}).",
        brief=f"{SIZE} outside of Go.",
        claim=Claim(size, (PartName.REST,), is_level=True),
        of_growth=False,
        confidence=Confidence.HIGH if last and window.access is Access.FULL else Confidence.MEDIUM,
        evidence=(res_evidence(window), *_mapping_evidence(window)),
        advice=_advice(last, awaits=False),
        rivals=(ruled_out(Cause.HEAP_LEAK, "it is not at the addresses of the Go heap."),)
        if last is not None
        else (),
        refuted_by=("It is at the addresses of the Go heap.",),
        raised_by=_missing_sources(window),
    )


def _growth_from_smaps(window: Window) -> Finding | None:
    """Return the finding from smaps: the growth is not at the addresses of the Go heap.

    If the kernel does not name mappings, those of other kinds may belong to the runtime.
    """
    first, last = readings(window)
    grown = growth_outside(window)
    if grown is not None and new_threads(window):
        grown -= thread_stack_growth(window) or 0
    if last is None or grown is None or grown < window.least_part:
        return None
    heap = last.go_heap - first.go_heap if first is not None else max(0, window.growth - grown)
    if heap > grown / 2:
        return None
    least = "" if first is not None else "at least "
    words = f"mappings outside the Go heap {least}{units.change(grown)}, mappings of the Go heap "
    words += units.change(heap) if first is not None else f"at most {units.change(heap)}"
    figures = (("outside", grown), ("heap", heap))
    found = (
        res_evidence(window),
        Evidence(words, PaneName.PROCESS, figures),
        *_mapping_evidence(window),
    )
    return _growth_finding(window, grown, found, Confidence.MEDIUM, None)
