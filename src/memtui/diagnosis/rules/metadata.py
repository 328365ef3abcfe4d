"""runtime-metadata: what the runtime keeps for itself grew: profiler's buckets, spans, bitmaps."""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import (
    GREW,
    SIZE,
    Advice,
    Cause,
    Claim,
    Evidence,
    Finding,
    Place,
    ruled_out,
)
from memtui.diagnosis.ledger import TITLES, WITHIN_RUNTIME, PartName
from memtui.diagnosis.rules.judging import (
    confidence_of,
    grew,
    is_rising,
    res_moved,
    share_of,
    to_be_surer,
)  # fmt: skip
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=(
        "Profiler's buckets grow with the number of different stacks that allocate or block: raise "
        "runtime.MemProfileRate, lower the block and mutex profile rates, avoid deep recursion.",
        "GODEBUG=profstackdepth=32 (Go 1.23 and newer) makes fewer different stacks of deep ones.",
        "Spans and collector grow with the heap: look at its peak.",
    ),
    useless=("debug.FreeOSMemory or GC: the runtime never returns this memory.",),
)


def runtime_metadata(window: Window) -> Finding | None:
    """Say that the runtime's own memory grew, and which."""
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
        res_moved(window),
        grew("runtime's own", trend.first, trend.last, Place.LEDGER),
        Evidence(f"{TITLES[top]} {units.change(rows[top])}", Place.LEDGER,
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
        rivals=(ruled_out(Cause.HEAP_LEAK, "this memory holds no object of the program."),),
        refuted_by=("The row stays flat while RES goes on growing.",),
        raised_by=to_be_surer(window),
    )
