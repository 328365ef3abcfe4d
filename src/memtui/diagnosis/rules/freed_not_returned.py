"""freed-not-returned: the runtime keeps free spans.

The background scavenger returns memory above 1.1 times the goal (Go 1.27.3
runtime/mgcscavenge.go), and computes its target once a cycle. Since Go 1.21 it skips chunks that
were dense in this cycle or the last one, so a program that became idle keeps its peak for two more
cycles, each up to two minutes away. Up to Go 1.11 it waited until a span was idle for five minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from memtui import units
from memtui.diagnosis.finding import (
    GREW,
    SIZE,
    Advice,
    Cause,
    Claim,
    Confidence,
    Denial,
    Evidence,
    Finding,
    PaneName,
    ruled_out,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.point import Point
from memtui.diagnosis.rules.criteria import (
    confidence_of,
    count_noun,
    missing_sources,
    res_evidence,
    share_of,
)
from memtui.diagnosis.thresholds import GO_OVERHEAD
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=(
        "Wait: Go returns it after two more GC cycles, in an idle program after at most four "
        "minutes.",
        "After a burst that will not repeat: debug.FreeOSMemory.",
        "Make the burst smaller: stream, batch, limit concurrent requests.",
    ),
    environment=(
        "GOMEMLIMIT a little above the normal use makes the runtime return memory near the limit.",
        "A lower GOGC lowers the peak.",
    ),
    useless=("Looking for a leak in the profile: no object holds this memory.",),
)


@dataclass(frozen=True, slots=True)
class Unreturned:
    """Free memory: its minimum in bytes over ``seconds`` and ``cycles``, and the largest goal."""

    size: int
    seconds: float
    cycles: int
    goal: int


def freed_not_returned(window: Window) -> Finding | None:
    """Return a finding if the runtime keeps free memory that the program does not use again."""
    if window.access is Access.TRACE:
        return _finding_from_trace(window)
    kept = _long_free(window) if window.access is Access.FULL else None
    if kept is None:
        return None
    grown = window.ledger.grown(PartName.UNRETURNED) if window.ledger else 0
    of_growth = window.grows and grown >= window.least_part
    size = grown if of_growth else kept.size
    share = share_of(size, window.growth if of_growth else window.res)
    found = (
        res_evidence(window),
        Evidence(
            f"at least {units.size(kept.size)} free and not returned (HeapIdle − "
            f"HeapReleased) in {units.duration(kept.seconds)} and "
            f"{count_noun(kept.cycles, 'cycle')}",
            PaneName.LEDGER,
            (("unreturned", kept.size), ("seconds", kept.seconds), ("cycles", kept.cycles)),
        ),
        Evidence(f"the GC goal is only {units.size(kept.goal)}", PaneName.GCTRACE,
                 (("goal", kept.goal),)),
    )  # fmt: skip
    return _finding(window, size, found, confidence_of(window, max(share, 0.6)),
                    of_growth=of_growth)  # fmt: skip


def _finding(
    window: Window,
    size: int,
    evidence: tuple[Evidence, ...],
    confidence: Confidence,
    *,
    of_growth: bool,
) -> Finding:
    moved = GREW if of_growth else SIZE
    return Finding(
        cause=Cause.FREED_NOT_RETURNED,
        sentence=f"The GC freed {SIZE}, and Go has not returned it to the operating system.",
        line=f"{moved} freed by the GC, not returned to the OS.",
        brief=f"{moved} freed, not returned.",
        claim=Claim(size, (PartName.UNRETURNED,)),
        denies=Denial.LEAK,
        of_growth=of_growth,
        confidence=confidence,
        evidence=evidence,
        advice=ADVICE,
        rivals=(
            ruled_out(Cause.HEAP_LEAK, "this memory holds no objects."),
            ruled_out(Cause.LAZILY_FREED, "Go has not returned it."),
            ruled_out(Cause.GOAL_GROWTH, "it exceeds the room that the GC goal allows."),
        ),
        refuted_by=(
            "The program uses it again before the next cycle: HeapIdle − HeapReleased falls to "
            "about 0.",
            "debug.FreeOSMemory does not lower RES by about as much.",
        ),
        raised_by=missing_sources(window),
    )


def _long_free(window: Window) -> Unreturned | None:
    """Return the free memory at the end of the window if it was free for long enough."""
    kept = find_idle_free(window)
    return kept if kept and kept.seconds >= window.thresholds.settled_s else None


def find_idle_free(window: Window) -> Unreturned | None:
    """Return the memory that is free at the end of the window; None if there is none.

    A program that uses it again from time to time is healthy, so it must have been free longer than
    ever before in this window. After a quick decrease, when Go returned memory, the time restarts.
    """
    points = [
        point for point in window.points if point.unreturned is not None and point.goal is not None
    ]
    idle = [_is_surplus(point, window) for point in points]
    start = len(idle)
    while start and idle[start - 1]:
        start -= 1
    last = _since_it_shrank(points[start:])
    seconds = last[-1].at - last[0].at if last else 0.0
    if len(last) < 3 or seconds < 1.5 * _longest_free_s(points, idle, start):
        return None
    sizes = [point.unreturned or 0 for point in last]
    cycles = (last[-1].cycles or 0) - (last[0].cycles or 0)
    return Unreturned(min(sizes), seconds, cycles, max(point.goal or 0 for point in last))


def _since_it_shrank(points: Sequence[Point]) -> Sequence[Point]:
    """Return the points since much more memory was free than at the end."""
    most = (points[-1].unreturned or 0) / 0.6 if points else 0.0
    larger = (number for number, point in enumerate(points) if (point.unreturned or 0) > most)
    return points[max(larger, default=-1) + 1 :]


def _is_surplus(point: Point, window: Window) -> bool:
    size, alloc, goal = point.unreturned, point.alloc, point.goal
    if size is None or alloc is None or not goal:
        return False
    # Unused slots do not count: they are the cause "fragmentation".
    return size > window.big and alloc + size > window.thresholds.retained * goal


def _longest_free_s(points: Sequence[Point], idle: Sequence[bool], end: int) -> float:
    """Return the longest time that memory was free before the program used it again."""
    longest, begin = 0.0, None
    for number in range(end):
        if idle[number] and begin is None and number:
            begin = points[number].at
        elif not idle[number] and begin is not None:
            if _was_used(points, number):
                longest = max(longest, points[number - 1].at - begin)
            begin = None
    return longest


def _was_used(points: Sequence[Point], number: int) -> bool:
    """Return whether the heap, not the system, got the free memory."""
    before, after = points[number - 1], points[number]
    return (after.inuse or 0) - (before.inuse or 0) > (after.released or 0) - (before.released or 0)


def _finding_from_trace(window: Window) -> Finding | None:
    """Return the finding from gctrace: the heap was large, is small now, and RES stayed.

    Needs LazyFree, and RES that did not fall in between: huge pages could have filled it again.
    """
    if not window.cycles or not window.has_rollup:
        return None
    goal = window.cycles[-1].next_goal
    if goal is None:
        return None
    retained = window.thresholds.retained
    large = [each for each in window.cycles if each.cycle.heap_end_bytes > retained * goal]
    if not large:
        return None
    cycle = max((each.cycle for each in large), key=lambda each: each.heap_end_bytes)
    since = large[-1].at
    held = [_anonymous(point) for point in window.points if point.at >= since]
    surplus = int(min(held[-1], cycle.heap_end_bytes) - 1.1 * goal - GO_OVERHEAD) if held else 0
    seconds = window.end - since
    has_fallen = bool(held) and min(held) < 0.85 * max(held)
    # A later burst may use it again: it must be free longer than ever before.
    usual = max((later.at - each.at for each, later in pairwise(large)), default=0.0)
    if has_fallen or surplus < window.big:
        return None
    if seconds < max(window.thresholds.settled_s, 1.5 * usual):
        return None
    evidence = (
        res_evidence(window),
        Evidence(
            f"the heap was {units.size(cycle.heap_end_bytes)} in a GC cycle, and small for "
            f"{units.duration(seconds)} since then; the GC goal is {units.size(goal)}",
            PaneName.GCTRACE,
            (("heap", cycle.heap_end_bytes), ("goal", goal), ("seconds", seconds)),
        ),
        Evidence(f"anonymous memory is still {units.size(held[-1])}", PaneName.TREND),
    )
    return _finding(window, surplus, evidence, Confidence.MEDIUM, of_growth=False)


def _anonymous(point: Point) -> int:
    return (point.anon or 0) - (point.lazy or 0)
