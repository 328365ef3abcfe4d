"""fragmentation: few live objects keep many spans in use.

Go does not move objects, and a span belongs to one size class until its last object is freed. The
few survivors of many objects keep their spans in use (HeapInuse − HeapAlloc).
"""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import (
    SIZE,
    Advice,
    Cause,
    Claim,
    Denial,
    Evidence,
    Finding,
    PaneName,
    ruled_out,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.rules.criteria import confidence_of, missing_sources, res_evidence, share_of
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=(
        "Copy the few objects that outlive a batch, so that the spans of the batch become free.",
        "Allocate long-lived objects apart from short-lived ones: batches, slices of values, "
        "arenas.",
    ),
    useless=("debug.FreeOSMemory: Go cannot return a span that holds an object.", "GOMEMLIMIT."),
)


def fragmentation(window: Window) -> Finding | None:
    """Return a finding if many slots of the heap stay unused in every phase of the GC."""
    if window.access is not Access.FULL or window.cycles_seen < 2:
        return None
    wastes = [
        (point.inuse - point.alloc, point.inuse)
        for point in window.points
        if point.inuse is not None and point.alloc is not None
    ]
    later = sorted(wastes[len(wastes) // 2 :])
    if len(later) < 4:
        return None
    # Every program has unused slots right after a cycle, and fills them before the next one.
    size, inuse = later[len(later) // 5][0], max(inuse for _, inuse in later)
    limits = window.thresholds
    least = max(limits.big_bytes, limits.waste * inuse, limits.waste_share * window.res)
    if size <= least:
        return None
    grown = window.ledger.grown(PartName.FRAGMENTATION) if window.ledger else 0
    of_growth = window.grows and grown >= window.least_part
    share = share_of(grown, window.growth) if of_growth else share_of(size, window.res)
    words = units.size(size)
    percent = units.share(size, inuse)
    found = (
        res_evidence(window),
        Evidence(
            f"at least {words} of unused slots in spans all the time, {percent} of HeapInuse",
            PaneName.LEDGER,
            (("waste", size), ("heap_inuse", inuse)),
        ),
    )
    return Finding(
        cause=Cause.FRAGMENTATION,
        sentence=f"The heap is fragmented: {SIZE} of its spans is unused space between live "
        "objects.",
        line=f"{SIZE} of unused slots between live objects: fragmentation.",
        brief=f"{SIZE} of fragmentation.",
        claim=Claim(grown if of_growth else size, (PartName.FRAGMENTATION,)),
        denies=Denial.LEAK,
        of_growth=of_growth,
        confidence=confidence_of(window, max(share, 0.3)),
        evidence=found,
        advice=ADVICE,
        rivals=(
            ruled_out(Cause.FREED_NOT_RETURNED, "these spans are in use."),
            ruled_out(Cause.HEAP_LEAK, "these slots hold no objects."),
        ),
        refuted_by=(
            "Objects fill the slots before the next GC cycle: HeapInuse − HeapAlloc shrinks.",
        ),
        raised_by=missing_sources(window),
    )
