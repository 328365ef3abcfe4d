"""dead-not-collected: no GC cycle ran for a long time, so the heap may hold much garbage.

A cycle starts when the heap reaches its goal, and otherwise every two minutes (runtime/proc.go,
forcegcperiod), but not with GOGC=off. After a burst the goal is high, and a program that allocates
little does not reach it soon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from memtui import units
from memtui.diagnosis.finding import (
    SIZE,
    Advice,
    Cause,
    Claim,
    Confidence,
    Evidence,
    Finding,
    PaneName,
)
from memtui.diagnosis.ledger import HEAP_PARTS, PartName
from memtui.diagnosis.point import Point
from memtui.diagnosis.rules.criteria import missing_sources, res_evidence
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=(
        "Wait up to two minutes for the next cycle, or force one: what it does not free is live.",
        "After a burst that will not repeat: debug.FreeOSMemory.",
    ),
    environment=("With GOGC=off, set GOMEMLIMIT: without it no cycle runs. Otherwise lower GOGC.",),
    useless=(
        "A heap profile: it shows the state at the last cycle, including objects that are "
        "garbage now.",
    ),
)


def dead_not_collected(window: Window) -> Finding | None:
    """Return a finding if much of the heap was not examined by a recent GC cycle."""
    if window.access is not Access.FULL:
        return None
    unseen = _unseen(window)
    if unseen is None or not _is_idle(window, unseen):
        return None
    last = window.points[-1]
    of_growth = window.grows and unseen.size >= window.least_part
    if not of_growth and unseen.size <= window.big:
        return None
    goal = "none: GOGC is off" if last.has_goal is False else units.size(last.goal or 0)
    age, size = units.duration(unseen.seconds), units.size(unseen.size)
    found = (
        res_evidence(window),
        Evidence(f"no GC cycle for {age}", PaneName.GCTRACE, (("seconds", unseen.seconds),)),
        Evidence(
            f"heap objects {units.size(last.alloc or 0)}, {size} of them not examined by a GC "
            f"cycle; goal {goal}",
            PaneName.LEDGER,
            (("heap_alloc", last.alloc or 0), ("unseen", unseen.size)),
        ),
    )
    return Finding(
        cause=Cause.DEAD_NOT_COLLECTED,
        sentence=f"{SIZE} of the heap may be garbage: the last GC cycle was {age} ago.",
        line=f"{SIZE} of the heap may be garbage, the last GC cycle was {age} ago.",
        brief=f"{SIZE} may be garbage, no GC for {age}.",
        claim=Claim(unseen.size, (PartName.GARBAGE, *HEAP_PARTS)),
        of_growth=of_growth,
        confidence=Confidence.HIGH if last.has_goal is False else Confidence.MEDIUM,
        evidence=found,
        advice=ADVICE,
        refuted_by=("The next cycle does not free it: then it is a heap leak, or a cache.",),
        raised_by=("a forced GC shows how much is garbage", *missing_sources(window)),
    )


@dataclass(frozen=True, slots=True)
class Unseen:
    """Heap in bytes that no cycle has examined for ``seconds``; ``pace`` is its growth a second."""

    size: int
    seconds: float
    pace: float


def _unseen(window: Window) -> Unseen | None:
    """Return the heap that was allocated since the last cycle, or shortly before it.

    The former must exceed what GOGC=100 allows: with it the heap may double in every program.
    The latter is a jump of the live heap without a later cycle: it may be garbage by now. At the
    start of a process such a jump is a warm-up.
    """
    points = [
        point for point in window.points if point.cycles is not None and point.alloc is not None
    ]
    if not points:
        return None
    last = points[-1]
    since = next(point for point in points if point.cycles == last.cycles)
    seconds = last.at - since.at
    if seconds < max(window.thresholds.stale_s, 1.5 * _longest_gap(points)):
        return None
    at_first, at_last = since.alloc or 0, last.alloc or 0
    pace = (at_last - at_first) / seconds
    alive = last.live if last.live is not None else at_first
    size = at_last - alive
    if size > window.thresholds.unseen * (alive + (last.stacks or 0)):
        return Unseen(size, seconds, pace)
    calm = _live_or_alloc(window.ends[0])
    has_jumped = window.grows and since is not points[0] and alive - calm > window.least_part
    if window.is_young or not has_jumped or _cycles_since(points, (calm + alive) / 2) > 1:
        return None
    return Unseen(at_last - calm, seconds, pace)


def _live_or_alloc(point: Point) -> int:
    """Return the live heap in bytes; all heap objects if it is unknown."""
    return (point.live if point.live is not None else point.alloc) or 0


def _cycles_since(points: Sequence[Point], level: float) -> int:
    """Return the number of cycles since the heap last rose above ``level``, at least.

    Two cycles free an unused sync.Pool and an object with a finalizer. Objects that the third
    cycle finds are live.
    """
    found = points[-1]
    for point in reversed(points):
        if _live_or_alloc(point) < level:
            break
        found = point
    return (points[-1].cycles or 0) - (found.cycles or 0)


def _longest_gap(points: Sequence[Point]) -> float:
    """Return the longest time between two observed cycles in seconds; 0 without two."""
    moments = [later.at for point, later in pairwise(points) if point.cycles != later.cycles]
    return max((later - at for at, later in pairwise(moments)), default=0.0)


def _is_idle(window: Window, unseen: Unseen) -> bool:
    """Return whether the heap is far below its goal and grows too slowly to reach it soon.

    A heap that grows towards its goal, or towards GOMEMLIMIT, is healthy.
    """
    last = window.points[-1]
    if last.has_goal is False:
        return True
    limit = window.surroundings.gomemlimit if window.surroundings else None
    if last.goal is None or last.alloc is None or isinstance(limit, str) or last.limit is not None:
        return False
    room = last.goal - last.alloc
    return room > 0.1 * last.goal and room > window.thresholds.stale_s * unseen.pace
