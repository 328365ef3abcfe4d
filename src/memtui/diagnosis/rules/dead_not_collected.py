"""dead-not-collected: nobody has looked for garbage for long, so the heap holds what may be dead.

A cycle starts when the heap reaches its goal, and otherwise every two minutes (runtime/proc.go,
forcegcperiod), but not with GOGC=off. After a burst the goal is high, and a program that allocates
little is far from it.
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
    """Report heap that no GC cycle has marked for long: it may be garbage."""
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
        Evidence(f"no cycle for {age}", PaneName.GCTRACE, (("seconds", unseen.seconds),)),
        Evidence(
            f"heap objects {units.size(last.alloc or 0)}, of which {size} unseen; goal {goal}",
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
        raised_by=("a forced GC settles it", *missing_sources(window)),
    )


@dataclass(frozen=True, slots=True)
class Unseen:
    """Heap that no cycle has looked at for so many seconds, and how fast it grows (bytes/s)."""

    size: int
    seconds: float
    pace: float


def _unseen(window: Window) -> Unseen | None:
    """Return what was allocated since the last cycle, or came to live right before it.

    The first must exceed what GOGC=100 would allow: with it a heap may double in every program.
    The second is a jump after which no cycle came: whether it is still alive nobody knows. At the
    start of a process it is a warm-up.
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
    calm = _held(window.ends[0])
    has_jumped = window.grows and since is not points[0] and alive - calm > window.least_part
    if window.is_young or not has_jumped or _cycles_since(points, (calm + alive) / 2) > 1:
        return None
    return Unseen(at_last - calm, seconds, pace)


def _held(point: Point) -> int:
    """Return what is alive at a moment, or may be."""
    return (point.live if point.live is not None else point.alloc) or 0


def _cycles_since(points: Sequence[Point], level: float) -> int:
    """Return how many cycles, at least, have come since one found the heap above a level.

    A pool lets go in the second cycle, so does what has a finalizer: what the third finds, lives.
    """
    found = points[-1]
    for point in reversed(points):
        if _held(point) < level:
            break
        found = point
    return (points[-1].cycles or 0) - (found.cycles or 0)


def _longest_gap(points: Sequence[Point]) -> float:
    """Return the longest time between two cycles that were both seen, 0 with fewer."""
    moments = [later.at for point, later in pairwise(points) if point.cycles != later.cycles]
    return max((later - at for at, later in pairwise(moments)), default=0.0)


def _is_idle(window: Window, unseen: Unseen) -> bool:
    """Return whether the heap is far from its goal and gets there too slowly to wait for.

    A heap on its way to a goal, or to GOMEMLIMIT, is as it should be.
    """
    last = window.points[-1]
    if last.has_goal is False:
        return True
    limit = window.surroundings.gomemlimit if window.surroundings else None
    if last.goal is None or last.alloc is None or isinstance(limit, str) or last.limit is not None:
        return False
    room = last.goal - last.alloc
    return room > 0.1 * last.goal and room > window.thresholds.stale_s * unseen.pace
