"""off-heap: memory that Go knows nothing of: C malloc, mmap of the program's own, thread stacks.

A thread that calls malloc of glibc gets an arena of its own, up to eight for each CPU, and an arena
keeps what was freed in it (man mallopt, M_ARENA_MAX).
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
"""Memory outside of Go is named though it does not grow from this share of RES on."""
FEWEST_ARENAS = 4
LITTLE_HEAP = 0.25
"""A Go heap below this share of what grew outside of it brings next to no GC cycle."""

USELESS = ("GC, debug.FreeOSMemory, GOGC, GOMEMLIMIT: Go does not count this memory.",)
ADVICE = Advice(
    code=(
        "Look at what cgo allocates and Go must free (C.CString, C.malloc), at libraries in C, and "
        "at syscall.Mmap without Munmap.",
        "Use a tool for C: heaptrack, jemalloc's profiler, bpftrace on malloc.",
    ),
    environment=("MALLOC_ARENA_MAX=2 when many threads call malloc of glibc.",),
    useless=USELESS,
)
STACKS_ADVICE = Advice(
    code=(
        "Bound how many goroutines are in C, or in a system call, at once: each takes a thread, "
        "and the thread keeps the stack that its deepest call touched.",
        "Make the calls less deep, or give the threads of a library in C a smaller stack.",
    ),
    environment=("ulimit -s sets the size of the stacks that pthread_create makes.",),
    useless=USELESS,
)
AWAITS_GC = (
    "C memory that Go frees in finalizers or cleanups waits for a GC, and a small Go heap brings "
    "none for up to two minutes. Force a GC: if RES falls, this was the cause. Then free it by an "
    "explicit Close, with the finalizer as a safety net only.",
)


def off_heap(window: Window) -> Finding | None:
    """Report that memory outside of Go grew, or that it is most of RES."""
    found = _growth(window) if window.grows else None
    return found or (None if window.grows and _may_have_grown(window) else _level(window))


def _may_have_grown(window: Window) -> bool:
    """Return whether memory outside of Go may have grown by as much as counts."""
    trend = window.trend(lambda point: point.beyond_go)
    grown = trend.growth if trend and window.access is Access.FULL else growth_outside(window)
    return grown is None or grown >= window.least_part


def _growth(window: Window) -> Finding | None:
    if window.access is not Access.FULL:
        return _by_mappings(window)
    trend = window.trend(lambda point: point.beyond_go)
    if trend is None or not is_rising(trend, window.least_part) or are_huge_pages(window):
        return None
    of_threads = thread_stack_growth(window) or 0 if new_threads(window) else 0
    if trend.growth - of_threads < window.least_part:
        return None
    last = window.ends[1]
    if not window.has_rollup and trend.growth <= (last.released or 0):
        return None  # as likely lazily freed, or filled again by huge pages
    share = share_of(trend.growth, window.growth)
    evidence = (
        res_evidence(window),
        change_evidence(
            "anonymous memory that Go does not hold", trend.first, trend.last, PaneName.LEDGER
        ),
        slope_evidence("memory outside of Go", trend, PaneName.LEDGER),
        *_kinds(window),
    )
    return _finding(
        window, trend.growth - of_threads, evidence, confidence_of(window, share, trend), trend
    )


def _finding(
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
        " No GC cycle ran: C memory that Go frees in finalizers or cleanups waits for one."
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
        refuted_by=("What grew lies at the addresses of the Go heap.",),
        raised_by=_surer(window),
    )


def _surer(window: Window) -> tuple[str, ...]:
    more = () if window.groups else ("smaps (on a key) would separate C malloc from mmap",)
    return missing_sources(window) + more


def _rivals(window: Window, trend: Trend | None) -> tuple[Rival, ...]:
    why = "MemStats did not grow by as much."
    if trend is None:
        why = "what grew is not at the addresses of the Go heap."
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
    # A GC is what helps here, so it must not be called useless.
    useless = ("debug.FreeOSMemory, GOMEMLIMIT: Go does not count this memory.",)
    return Advice(AWAITS_GC + ADVICE.code, ADVICE.environment, ADVICE.host, useless)


def _awaits_gc(window: Window, growth: float) -> tuple[Evidence, ...]:
    """Report that no cycle ran while memory outside of Go grew, and why; empty when one did."""
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


def _kinds(window: Window) -> tuple[Evidence, ...]:
    """Describe what the mappings outside of Go are at the end, and how many threads there are."""
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
    """Return what is outside of Go for certain, in bytes; None when that is not known.

    Huge pages fill up what Go returned, so as much as that is not counted where mappings are not
    known.
    """
    last, end = readings(window)[1], window.ends[1] if window.points else None
    beyond = end.beyond_go if end is not None and window.access is Access.FULL else None
    if last is not None:
        # MemStats count what lies at these addresses, if they count that much.
        return None if beyond is not None and beyond < last.size / 2 else last.size
    if end is None or beyond is None or not window.has_rollup:
        return None
    return beyond - min(end.huge or 0, end.released or 0)


def _level(window: Window) -> Finding | None:
    """Name memory outside of Go that is most of RES though it does not grow."""
    last, size = readings(window)[1], _size_outside(window)
    if size is None or size < max(window.big, MOST_OF_RES * window.res) or are_huge_pages(window):
        return None
    kind = ("stacks of threads that run C" if last is not None and last.are_stacks
            else "C malloc, mmap, or thread stacks")  # fmt: skip
    arenas = "" if last is None or last.arenas < FEWEST_ARENAS else (
        f", in about {last.arenas} malloc arenas")  # fmt: skip
    return Finding(
        cause=Cause.OFF_HEAP,
        sentence=f"{SIZE} of RES {units.size(window.res)} are outside of Go: {kind}{arenas}. It "
        "does not grow now.",
        line=f"{SIZE} are outside of Go ({kind}{arenas}).",
        brief=f"{SIZE} outside of Go.",
        claim=Claim(size, (PartName.REST,), is_level=True),
        of_growth=False,
        confidence=Confidence.HIGH if last and window.access is Access.FULL else Confidence.MEDIUM,
        evidence=(res_evidence(window), *_kinds(window)),
        advice=_advice(last, awaits=False),
        rivals=(ruled_out(Cause.HEAP_LEAK, "it is not at the addresses of the Go heap."),)
        if last is not None
        else (),
        refuted_by=("It is at the addresses of the Go heap.",),
        raised_by=_surer(window),
    )


def _by_mappings(window: Window) -> Finding | None:
    """Conclude it from smaps: what grew does not lie at the Go heap's addresses.

    Where the kernel names no mappings, those of other kinds may be the runtime's own.
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
    words = f"mappings that are not the Go heap's {least}{units.change(grown)}, the Go heap's "
    words += units.change(heap) if first is not None else f"at most {units.change(heap)}"
    figures = (("outside", grown), ("heap", heap))
    found = (res_evidence(window), Evidence(words, PaneName.PROCESS, figures), *_kinds(window))
    return _finding(window, grown, found, Confidence.MEDIUM, None)
