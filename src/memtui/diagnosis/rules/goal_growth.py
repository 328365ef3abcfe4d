"""goal-growth: the GC goal rose, because GOGC or the memory limit was raised."""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import (
    GREW,
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
from memtui.diagnosis.ledger import HEAP_PARTS
from memtui.diagnosis.live_heap import LiveSource
from memtui.diagnosis.rules.criteria import (  # fmt: skip
    change_evidence,
    confidence_of,
    goal_room_growth,
    missing_sources,
    res_evidence,
    share_of,
)
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=("Look for calls of debug.SetGCPercent and debug.SetMemoryLimit.",),
    environment=("Lower GOGC, or set GOMEMLIMIT to the memory that the process may use.",),
    useless=("debug.FreeOSMemory: RES is back at the goal after one GC cycle.",),
)


def goal_growth(window: Window) -> Finding | None:
    """Return a finding if RES follows a goal that grew without the live heap."""
    goal = window.trend(lambda point: point.goal)
    live = window.live
    if goal is None or live is None or not window.grows or window.access is Access.PROC:
        return None
    # A raised goal is not a warm-up, even at the start: live heap and goal warm up together.
    if not live.is_sure or not goal.grows or goal.growth < window.least_part:
        return None
    if live.source is not LiveSource.MEASURED and window.live_growth >= window.least_part:
        return None  # an estimated live heap explains its goal
    allowance = window.allowance if live.source is LiveSource.MEASURED else None
    if allowance is not None and (
        not allowance.grows or allowance.last < window.thresholds.goal_factor * allowance.first
    ):
        return None
    # Stacks count in the goal as the live heap does (Go 1.18 and newer).
    first, last = goal.first, goal.last
    needed = 0.0 if live.goal_moved_alone else max(0.0, live.growth)
    base = max(1.0, live.first)
    needed += max(0.0, window.stacks.growth if window.stacks else 0.0)
    factor = (last / max(1.0, first)) / ((base + needed) / base)
    if factor < window.thresholds.goal_factor:
        return None
    if window.access is Access.FULL:
        claimed = goal_room_growth(window)
    else:
        claimed = min(goal.growth - needed, window.growth)
    share = share_of(claimed, window.growth)
    if claimed < window.least_part or share < 0.4:
        return None
    found = (
        res_evidence(window),
        change_evidence("goal", first, last, PaneName.GCTRACE),
        Evidence(
            f"live heap flat: {units.size(int(live.first))} → {units.size(int(live.last))}",
            PaneName.GCTRACE,
            (("from", live.first), ("to", live.last)),
        ),
    )
    return Finding(
        cause=Cause.GOAL_GROWTH,
        sentence=f"The heap may use {SIZE} more before the GC runs: the GC goal rose "
        f"from {units.size(int(first))} to {units.size(int(last))}, but the live heap did not "
        "grow.",
        line=f"{GREW} of room: the GC goal rose to {units.size(int(last))}, the live heap is flat.",
        brief=f"{GREW} of room for the heap.",
        claim=Claim(claimed, HEAP_PARTS),
        denies=Denial.LEAK,
        of_growth=True,
        confidence=confidence_of(window, share),
        evidence=found,
        advice=ADVICE,
        rivals=(ruled_out(Cause.HEAP_LEAK, "the live heap of the GC cycles did not grow."),),
        refuted_by=("The live heap grows with the goal.",),
        raised_by=missing_sources(window),
    )
