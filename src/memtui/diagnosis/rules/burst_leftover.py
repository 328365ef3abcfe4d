"""What a burst left behind in a program that fell idle: garbage, and free memory not returned.

A cycle starts when the heap reaches its goal, and at least every two minutes (Go 1.27.3
runtime/proc.go forcegcperiod). After a burst the goal is far away, so what died since the last
cycle stays until the forced one. What that frees is returned by the scavenger, except for chunks
that were dense in the last two cycles (Go 1.21 and newer, runtime/mgcscavenge.go).
"""

from __future__ import annotations

from dataclasses import dataclass

from memtui import units
from memtui.diagnosis.finding import (
    SIZE,
    Advice,
    Cause,
    Claim,
    Confidence,
    Denial,
    Evidence,
    Finding,
    PaneName,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.outside_go import readings
from memtui.diagnosis.rules.criteria import join_words, missing_sources, res_evidence
from memtui.diagnosis.thresholds import GO_OVERHEAD
from memtui.diagnosis.window import Access, Window
from memtui.model import MappingKind

FORCED_S = 120.0
LEAST_SHARE = 0.3
"""What is left over is worth saying when it is that much of RES."""
CYCLE_IN_BURST = 0.75
"""A cycle that found so much more alive than the one before it ran within the burst."""

ADVICE = Advice(
    code=(
        "Wait: the next GC cycle is forced within 2 min, and what it frees is returned after up to "
        "two more cycles.",
        "To settle it now: force a GC (garbage becomes free), then debug.FreeOSMemory (what is "
        "free leaves RES).",
        "Make the burst smaller: stream, batch, limit concurrent requests.",
    ),
    environment=("GOMEMLIMIT a little above the normal use makes the runtime return memory.",),
    useless=(
        "A heap profile: it shows the state at the last cycle, including objects that are "
        "garbage now.",
    ),
)


@dataclass(frozen=True, slots=True)
class BurstLeftover:
    """What an idle program holds, in bytes, beside what is live for certain.

    ``garbage`` was allocated since the last cycle or is known to be dead, ``unchecked`` was alive
    in the last cycle, which ran within the burst; ``free`` is not returned. ``since_s`` is the age
    of the last cycle.
    """

    garbage: int
    unchecked: int
    free: int
    live: int | None
    since_s: float

    @property
    def size(self) -> int:
        """All of it."""
        return self.garbage + self.unchecked + self.free


def burst_leftover(window: Window) -> Finding | None:
    """Name what a burst left in a program that is idle now, and when it goes."""
    if not window.is_idle or window.is_growing:
        return None
    found = _by_memstats(window) if window.access is Access.FULL else _by_trace(window)
    if found is None or found.size <= max(window.big, LEAST_SHARE * window.res):
        return None
    is_garbage = found.garbage + found.unchecked >= found.free
    cause = Cause.DEAD_NOT_COLLECTED if is_garbage else Cause.FREED_NOT_RETURNED
    parts = join_words(list(_parts(found)))
    return Finding(
        cause=cause,
        sentence=f"RES {units.size(window.res)} is mostly left over from a burst: {parts}.",
        line=f"{SIZE} left over from a burst: {parts}.",
        brief=f"{SIZE} left over from a burst.",
        claim=Claim(
            found.size,
            (PartName.GARBAGE, PartName.UNRETURNED, PartName.LIVE, PartName.OBJECTS),
            is_level=True,
        ),
        denies=Denial.LEAK if not found.unchecked else None,
        of_growth=False,
        confidence=Confidence.MEDIUM,
        evidence=_evidence(window, found),
        advice=ADVICE,
        refuted_by=("The next GC cycle does not free it: then it is live heap.",),
        raised_by=("a forced GC, then debug.FreeOSMemory, settle it", *missing_sources(window)),
    )


def _parts(found: BurstLeftover) -> list[str]:
    due = max(0.0, FORCED_S - found.since_s)
    when = f"waiting for the next GC (forced within {units.duration(due)})"
    parts = []
    if found.garbage:
        parts.append(f"about {units.size(found.garbage)} is garbage {when}")
    if found.unchecked:
        parts.append(f"up to {units.size(found.unchecked)} may be garbage, {when}")
    if found.free and found.live is None:
        parts.append(f"{units.size(found.free)} is free and not yet returned, or garbage {when}")
    elif found.free:
        parts.append(f"{units.size(found.free)} is free and not yet returned")
    if found.live:
        parts.append(f"{units.size(found.live)} is live")
    return parts


def _by_memstats(window: Window) -> BurstLeftover | None:
    last, ledger = window.ends[1], window.ledger
    if ledger is None or last.alloc is None:
        return None
    free, garbage = ledger.size(PartName.UNRETURNED), ledger.size(PartName.GARBAGE)
    live = window.live_now
    if live is None:
        return BurstLeftover(0, 0, free, None, window.idle_s)
    if ledger.part(PartName.GARBAGE) is None:
        garbage = max(0, ledger.size(PartName.OBJECTS) - live)
    before = window.live_before
    unchecked = 0
    if before is not None and before < CYCLE_IN_BURST * live and window.idle_s >= 1:
        unchecked = live - before
    return BurstLeftover(garbage, unchecked, free, live - unchecked, window.idle_s)


def _by_trace(window: Window) -> BurstLeftover | None:
    """Return what anonymous memory holds beside what the last cycle found alive."""
    last, live = window.ends[1], window.live_now
    if live is None or last.anon is None or not window.has_rollup:
        return None
    heap = go_heap(window)
    held = heap if heap is not None else last.anon - (last.lazy or 0) - GO_OVERHEAD
    rest = held - live - (last.scanned or 0)
    before = window.live_before
    unchecked = live - before if before is not None and before < CYCLE_IN_BURST * live else 0
    since = window.end - window.idle_s
    known = [point for point in window.points if point.anon is not None]
    then = [point.anon or 0 for point in known if point.at <= since] or [known[0].anon or 0]
    # What RES rose by since the last cycle was allocated since: it is garbage, or live.
    risen = max(0, last.anon - then[-1])
    outside = readings(window)[1]
    if outside is not None:  # free memory of the heap lies at its addresses
        rest = min(rest, outside.go_heap - live)
    rest = max(0, rest)
    if risen > rest / 2:
        return BurstLeftover(rest, unchecked, 0, None, window.idle_s)
    return BurstLeftover(0, unchecked, rest, None, window.idle_s)


def go_heap(window: Window) -> int | None:
    """Return what is resident of the Go heap's mappings; None where smaps was not read."""
    if not window.groups:
        return None
    sizes = [
        group.resident.anonymous_bytes
        for group in window.groups[-1][1].groups
        if group.kind is MappingKind.GO_HEAP
    ]
    return sum(size for size in sizes if isinstance(size, int)) if sizes else None


def _evidence(window: Window, found: BurstLeftover) -> tuple[Evidence, ...]:
    age = units.duration(found.since_s)
    said = [
        res_evidence(window),
        Evidence(f"no GC cycle for {age}", PaneName.GCTRACE, (("seconds", found.since_s),)),
    ]
    for name, size in (
        ("garbage", found.garbage), ("alive in the last cycle, which ran within the burst",
         found.unchecked), ("free, not returned", found.free), ("live heap", found.live),
    ):  # fmt: skip
        if size:
            place = PaneName.LEDGER if window.access is Access.FULL else PaneName.GCTRACE
            said.append(Evidence(f"{name} {units.size(size)}", place, ((name, float(size)),)))
    return tuple(said)
