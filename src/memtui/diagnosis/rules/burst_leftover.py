"""Finds garbage and free memory that remain after a burst in an idle program.

A cycle starts when the heap reaches its goal, and at least every two minutes (Go 1.27.3
runtime/proc.go forcegcperiod). After a burst the goal is high, so garbage stays until the forced
cycle. The scavenger returns the memory that this cycle frees, except for chunks that were dense in
the last two cycles (Go 1.21 and newer, runtime/mgcscavenge.go).
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
"""The remaining memory is reported from this share of RES on."""
CYCLE_IN_BURST = 0.75
"""The last cycle ran within the burst if the cycle before found less than this share live."""

ADVICE = Advice(
    code=(
        "Wait: Go forces the next GC cycle within 2 min, and returns the memory that it frees "
        "after "
        "up to two more cycles.",
        "To test it now: force a GC (garbage becomes free), then call debug.FreeOSMemory (free "
        "memory leaves RES).",
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
    """Memory in bytes that an idle program holds in addition to objects that are surely live.

    ``garbage`` is HeapAlloc above the live heap of the last cycle. ``unchecked`` was live in the
    last cycle, which ran within the burst. ``free`` is not returned. ``since_s`` is the age of the
    last cycle.
    """

    garbage: int
    unchecked: int
    free: int
    live: int | None
    since_s: float

    @property
    def size(self) -> int:
        """The sum of the three."""
        return self.garbage + self.unchecked + self.free


def burst_leftover(window: Window) -> Finding | None:
    """Return a finding if garbage and free memory of a burst are much of RES in an idle program."""
    if not window.is_idle or window.is_growing:
        return None
    found = _by_memstats(window) if window.access is Access.FULL else _by_trace(window)
    if found is None or found.size <= max(window.big, LEAST_SHARE * window.res):
        return None
    is_garbage = found.garbage + found.unchecked >= found.free
    cause = Cause.DEAD_NOT_COLLECTED if is_garbage else Cause.FREED_NOT_RETURNED
    parts = join_words(list(_part_clauses(found)))
    return Finding(
        cause=cause,
        sentence=f"RES {units.size(window.res)} mostly remains from a burst: {parts}.",
        line=f"{SIZE} remain from a burst: {parts}.",
        brief=f"{SIZE} remain from a burst.",
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
        raised_by=(
            "a forced GC, then debug.FreeOSMemory, shows how much is free",
            *missing_sources(window),
        ),
    )


def _part_clauses(found: BurstLeftover) -> list[str]:
    due = max(0.0, FORCED_S - found.since_s)
    when = f"until the next GC (forced within {units.duration(due)})"
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
    """Return the anonymous memory beyond the live heap of the last cycle."""
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
    # Growth of RES since the last cycle was allocated since then: it is garbage, or live.
    risen = max(0, last.anon - then[-1])
    outside = readings(window)[1]
    if outside is not None:  # free heap memory is within the mappings of the Go heap
        rest = min(rest, outside.go_heap - live)
    rest = max(0, rest)
    if risen > rest / 2:
        return BurstLeftover(rest, unchecked, 0, None, window.idle_s)
    return BurstLeftover(0, unchecked, rest, None, window.idle_s)


def go_heap(window: Window) -> int | None:
    """Return the resident bytes of the Go heap's mappings; None if smaps was not read."""
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
    evidence = [
        res_evidence(window),
        Evidence(f"no GC cycle for {age}", PaneName.GCTRACE, (("seconds", found.since_s),)),
    ]
    for name, size in (
        ("garbage", found.garbage), ("alive in the last cycle, which ran within the burst",
         found.unchecked), ("free, not returned", found.free), ("live heap", found.live),
    ):  # fmt: skip
        if size:
            place = PaneName.LEDGER if window.access is Access.FULL else PaneName.GCTRACE
            evidence.append(Evidence(f"{name} {units.size(size)}", place, ((name, float(size)),)))
    return tuple(evidence)
