"""runtime-metadata: the runtime's own memory grew, such as profiler buckets and spans."""

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
    ruled_out,
)
from memtui.diagnosis.ledger import TITLES, WITHIN_RUNTIME, PartName
from memtui.diagnosis.rules.criteria import (  # fmt: skip
    change_evidence,
    confidence_of,
    is_rising,
    missing_sources,
    res_evidence,
    share_of,
)
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=(
        "Profiler buckets grow with the number of distinct stacks that allocate or block. Raise "
        "runtime.MemProfileRate, lower the block and mutex profile rates, avoid deep recursion.",
        "GODEBUG=profstackdepth=32 (Go 1.23 and newer) reduces the number of distinct deep stacks.",
        "Spans and GC structures grow with the heap: look at its peak.",
    ),
    useless=("debug.FreeOSMemory or GC: the runtime never returns this memory.",),
)


LEAST_OF_RES, LEAST_OF_LIVE = 0.3, 2.0
"""Tables that do not grow matter from these shares of RES and of the live heap on. Small programs
have up to 0.2 of RES, with 4 to 6 MiB."""
PEAK = 2.5
"""The peak of RES must be at least this multiple of the current RES."""

AFTER_PEAK = Advice(
    code=(
        "Restart, or use a newer Go: the runtime keeps the structures of its peak "
        "(golang/go#43402).",
        "Make the peak smaller: stream, batch, limit concurrent requests.",
    ),
    environment=("GOMEMLIMIT limits the part of the next peak that is garbage.",),
    useless=("debug.FreeOSMemory or GC: the runtime never returns this memory.",),
)


def runtime_metadata(window: Window) -> Finding | None:
    """Return a finding if the runtime's own memory grew, with the part that grew most."""
    if window.access is not Access.FULL or not window.grows:
        return None
    trend = window.trend(lambda point: point.own)
    if trend is None or not is_rising(trend, window.least_part):
        return None
    share = share_of(trend.growth, window.growth)
    ledger = window.ledger
    rows = {name: ledger.grown(name) if ledger else 0 for name in WITHIN_RUNTIME}
    top = max(rows, key=lambda name: rows[name])
    which = f": {TITLES[top]} {units.change(rows[top])}" if rows[top] > 0 else ""
    found = (
        res_evidence(window),
        change_evidence("runtime's own", trend.first, trend.last, PaneName.LEDGER),
        Evidence(f"{TITLES[top]} {units.change(rows[top])}", PaneName.LEDGER,
                 ((top.value, rows[top]),)),
    )  # fmt: skip
    return Finding(
        cause=Cause.RUNTIME_METADATA,
        sentence=f"The runtime's own memory grew by {SIZE}{which}.",
        line=f"{GREW} of the runtime's own{which}.",
        brief=f"{GREW} of the runtime's own.",
        claim=Claim(trend.growth, (PartName.RUNTIME,)),
        of_growth=True,
        confidence=confidence_of(window, share, trend),
        evidence=found,
        advice=ADVICE,
        rivals=(ruled_out(Cause.HEAP_LEAK, "this memory holds no objects of the program."),),
        refuted_by=("This part is flat while RES continues to grow.",),
        raised_by=missing_sources(window),
    )


def tables_after_peak(window: Window) -> Finding | None:
    """Return a finding if runtime tables that grew at an old peak are much of RES.

    Spans, bitmaps and the GC's lists grow with the heap, and the runtime never frees them.
    """
    ledger, peak = window.ledger, window.peak
    if window.access is not Access.FULL or ledger is None or not peak:
        return None
    kept = ledger.size(PartName.RUNTIME)
    live = window.live_now if window.live_now is not None else window.ends[1].alloc
    is_large = kept > max(window.big, LEAST_OF_RES * window.res)
    if not is_large or live is None or kept < LEAST_OF_LIVE * live or peak < PEAK * window.res:
        return None
    rows = {name: ledger.size(name) for name in WITHIN_RUNTIME}
    largest = sorted(rows, key=lambda name: -rows[name])[:2]
    which = ", ".join(f"{TITLES[name]} {units.size(rows[name])}" for name in largest)
    size, was = units.size(kept), units.size(peak)
    return Finding(
        cause=Cause.RUNTIME_METADATA,
        sentence=f"The runtime keeps {size} of tables from a RES peak of {was} ({which}): "
        "only a restart, or a newer Go, releases it.",
        line=f"the runtime keeps {size} of tables from a peak of {was}; only a restart frees them.",
        brief=f"{size} of runtime tables from a peak of {was}.",
        claim=Claim(kept, (PartName.RUNTIME,), is_level=True),
        of_growth=False,
        confidence=Confidence.HIGH if kept > 0.5 * window.res else Confidence.MEDIUM,
        evidence=(
            res_evidence(window),
            Evidence(f"runtime's own {size}: {which}", PaneName.LEDGER,
                     ((PartName.RUNTIME.value, kept),
                      *((name.value, rows[name]) for name in largest))),
            Evidence(f"live heap {units.size(live)}", PaneName.LEDGER, (("live", live),)),
            *((peak_seen,) if (peak_seen := peak_evidence(window)) else ()),
        ),
        advice=AFTER_PEAK,
        rivals=(ruled_out(Cause.HEAP_LEAK, f"the live heap is only {units.size(live)}."),),
        refuted_by=("The tables shrink without a restart.",),
        raised_by=missing_sources(window),
    )  # fmt: skip


def peak_evidence(window: Window) -> Evidence | None:
    """Return evidence of the peak of RES if it is far above the current RES."""
    peak = window.peak
    if not peak or peak < PEAK * window.res:
        return None
    words = (
        f"RES peaked at {units.size(peak)} (VmHWM): spans and GC tables of the peak stay "
        "until a restart"
    )
    return Evidence(words, PaneName.PROCESS, (("peak", peak),))
