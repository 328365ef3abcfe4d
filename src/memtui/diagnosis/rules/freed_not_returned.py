"""freed-not-returned: spans that hold nothing, which the runtime keeps.

The scavenger returns in the background what exceeds 1.1 times the goal (Go 1.27.3
runtime/mgcscavenge.go), and gets a new aim only with a cycle. Since Go 1.21 it leaves chunks alone
that were dense in this cycle or the last, so a program that fell idle keeps its peak until two more
cycles, each up to two minutes away. Up to Go 1.11 spans idled for five minutes first.
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
        "Wait: Go returns it after two more GC cycles, in an idle program after at most "
        "four minutes.",
        "After a burst that will not repeat: debug.FreeOSMemory.",
        "Make the burst smaller: stream, batch, limit concurrent requests.",
    ),
    environment=(
        "GOMEMLIMIT a little above the normal use makes the runtime return memory near the limit.",
        "A lower GOGC makes the peak lower.",
    ),
    useless=("Looking for a leak in the profile: no object holds this memory.",),
)


@dataclass(frozen=True, slots=True)
class Unreturned:
    """What lay free for how long: the least of it in bytes, seconds, cycles; the goal then."""

    size: int
    seconds: float
    cycles: int
    goal: int


def freed_not_returned(window: Window) -> Finding | None:
    """Report that the runtime keeps free memory that the program does not need again."""
    if window.access is Access.TRACE:
        return _by_trace(window)
    kept = _kept(window) if window.access is Access.FULL else None
    if kept is None:
        return None
    grown = window.ledger.grown(PartName.UNRETURNED) if window.ledger else 0
    of_growth = window.grows and grown >= window.least_part
    size = grown if of_growth else kept.size
    share = share_of(size, window.growth if of_growth else window.res)
    found = (
        res_evidence(window),
        Evidence(
            f"never less than {units.size(kept.size)} free and not returned (HeapIdle − "
            f"HeapReleased) in {units.duration(kept.seconds)} and "
            f"{count_noun(kept.cycles, 'cycle')}",
            PaneName.LEDGER,
            (("unreturned", kept.size), ("seconds", kept.seconds), ("cycles", kept.cycles)),
        ),
        Evidence(f"the next goal is only {units.size(kept.goal)}", PaneName.GCTRACE,
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
            ruled_out(Cause.HEAP_LEAK, "no object lies in this memory."),
            ruled_out(Cause.LAZILY_FREED, "Go has not returned it."),
            ruled_out(Cause.GOAL_GROWTH, "it exceeds what the GC goal can use."),
        ),
        refuted_by=(
            "The program uses it again before the next cycle: HeapIdle − HeapReleased "
            "falls to about 0.",
            "debug.FreeOSMemory does not make RES fall by about as much.",
        ),
        raised_by=missing_sources(window),
    )


def _kept(window: Window) -> Unreturned | None:
    """Return what lay free all through the end of the window, for long enough."""
    kept = find_idle_free(window)
    return kept if kept and kept.seconds >= window.thresholds.settled_s else None


def find_idle_free(window: Window) -> Unreturned | None:
    """Return what lies free at the end of the window, and since when; None when nothing does.

    A program that needs it again now and then is healthy: so it must have lain there longer than
    ever before in this window. What shrank quickly was being returned: it lies there since then.
    """
    points = [
        point for point in window.points if point.unreturned is not None and point.goal is not None
    ]
    idle = [_is_kept(point, window) for point in points]
    start = len(idle)
    while start and idle[start - 1]:
        start -= 1
    last = _since_it_shrank(points[start:])
    seconds = last[-1].at - last[0].at if last else 0.0
    if len(last) < 3 or seconds < 1.5 * _longest(points, idle, start):
        return None
    sizes = [point.unreturned or 0 for point in last]
    cycles = (last[-1].cycles or 0) - (last[0].cycles or 0)
    return Unreturned(min(sizes), seconds, cycles, max(point.goal or 0 for point in last))


def _since_it_shrank(points: Sequence[Point]) -> Sequence[Point]:
    """Return the points after the last at which much more lay free than does at the end."""
    most = (points[-1].unreturned or 0) / 0.6 if points else 0.0
    larger = (number for number, point in enumerate(points) if (point.unreturned or 0) > most)
    return points[max(larger, default=-1) + 1 :]


def _is_kept(point: Point, window: Window) -> bool:
    size, alloc, goal = point.unreturned, point.alloc, point.goal
    if size is None or alloc is None or not goal:
        return False
    # Unused slots are left out: they are another cause.
    return size > window.big and alloc + size > window.thresholds.retained * goal


def _longest(points: Sequence[Point], idle: Sequence[bool], end: int) -> float:
    """Return the longest time for which memory lay free and was then needed again."""
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
    """Return whether free memory went into the heap, and not back to the system."""
    before, after = points[number - 1], points[number]
    return (after.inuse or 0) - (before.inuse or 0) > (after.released or 0) - (before.released or 0)


def _by_trace(window: Window) -> Finding | None:
    """Conclude the same from gctrace: the heap was large, is small, and RES stayed.

    Needs LazyFree, and RES that did not fall in between: huge pages would have filled it anew.
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
    # A burst now and then uses it again: it must lie there longer than ever before.
    usual = max((later.at - each.at for each, later in pairwise(large)), default=0.0)
    if has_fallen or surplus < window.big:
        return None
    if seconds < max(window.thresholds.settled_s, 1.5 * usual):
        return None
    evidence = (
        res_evidence(window),
        Evidence(
            f"the heap was {units.size(cycle.heap_end_bytes)} at a cycle, the goal is "
            f"{units.size(goal)} now, for {units.duration(seconds)}",
            PaneName.GCTRACE,
            (("heap", cycle.heap_end_bytes), ("goal", goal), ("seconds", seconds)),
        ),
        Evidence(f"anonymous memory is still {units.size(held[-1])}", PaneName.TREND),
    )
    return _finding(window, surplus, evidence, Confidence.MEDIUM, of_growth=False)


def _anonymous(point: Point) -> int:
    return (point.anon or 0) - (point.lazy or 0)
