"""dead-not-collected: nobody has looked for garbage for long, so the heap holds what may be dead.

A cycle starts when the heap reaches its goal, and otherwise every two minutes (runtime/proc.go,
forcegcperiod), but not with GOGC=off. After a burst the goal is high, and a program that allocates
little is far from it.
"""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import Advice, Cause, Confidence, Evidence, Finding, Place
from memtui.diagnosis.point import Point
from memtui.diagnosis.rules.judging import res_moved, share_of, to_be_surer
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=(
        "Wait two minutes for the next cycle, or force one: what it does not free is alive.",
        "After a burst that is known to be over: debug.FreeOSMemory.",
    ),
    environment=("With GOGC=off set GOMEMLIMIT, or no cycle comes at all; a lower GOGC else.",),
    useless=("A heap profile: it shows what the last cycle found, dead or not.",),
)


def dead_not_collected(window: Window) -> Finding | None:
    """Say that the heap grew and no cycle has looked at it since."""
    if window.access is not Access.FULL or window.is_young or not window.grows:
        return None
    since = _unseen(window)
    if since is None or since.alloc is None:
        return None
    last = window.points[-1]
    first = window.ends[0]
    age = last.at - since.at
    if age < window.thresholds.stale_s or last.alloc is None or first.alloc is None:
        return None
    # After a burst the last cycle found it alive; else it came after the last cycle.
    size = last.alloc - (first.live if first.live is not None else first.alloc)
    if size < window.least_part or not _is_idle(window, since, last):
        return None
    share = share_of(size, window.growth)
    goal = "none: GOGC is off" if last.has_goal is False else units.size(last.goal or 0)
    found = (
        res_moved(window),
        Evidence(f"no cycle for {units.duration(age)}", Place.GCTRACE, (("seconds", age),)),
        Evidence(
            f"heap objects {units.size(last.alloc)}, {units.change(size)} in the window; goal "
            f"{goal}",
            Place.LEDGER,
            (("heap_alloc", last.alloc), ("grown", size)),
        ),
    )
    return Finding(
        cause=Cause.DEAD_NOT_COLLECTED,
        sentence=f"{units.size(size)} of heap may be dead: no GC has looked for "
        f"{units.duration(age)}.",
        line=f"{units.change(size)} heap that no GC has looked at for {units.duration(age)}.",
        share=share,
        of_growth=True,
        confidence=Confidence.HIGH if last.has_goal is False else Confidence.MEDIUM,
        evidence=found,
        advice=ADVICE,
        rivals=("heap-leak is open until the next cycle: only a cycle tells dead from alive.",),
        refuted_by=("The next cycle still finds it alive: then it is a heap leak, or a cache.",),
        raised_by=("a forced GC settles it", *to_be_surer(window)),
    )


def _unseen(window: Window) -> Point | None:
    """Return the first point after the last cycle that was seen."""
    points = [point for point in window.points if point.cycles is not None]
    if not points:
        return None
    return next(point for point in points if point.cycles == points[-1].cycles)


def _is_idle(window: Window, since: Point, last: Point) -> bool:
    """Tell whether the heap is far from its goal and gets there too slowly to wait for.

    A heap on its way to a goal, or to GOMEMLIMIT for the first time, is as it should be.
    """
    if last.has_goal is False:
        return True
    if last.goal is None or last.alloc is None or since.alloc is None:
        return False
    pace = (last.alloc - since.alloc) / max(1.0, last.at - since.at)
    room = last.goal - last.alloc
    return room > 0.1 * last.goal and room > 60 * pace
