"""heap-leak: objects that are reachable and become more.

What the cycles find alive grows and does not fall again; garbage and free room follow, because the
goal is a multiple of it.
"""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import Advice, Cause, Confidence, Evidence, Finding, Place
from memtui.diagnosis.functions import grown_functions
from memtui.diagnosis.heap import LiveHeap, LiveSource
from memtui.diagnosis.rules.goroutines import blames_goroutines
from memtui.diagnosis.rules.judging import (
    confidence_of,
    grew,
    is_rising,
    joined,
    res_moved,
    room_growth,
    share_of,
    slope,
    to_be_surer,
)  # fmt: skip
from memtui.diagnosis.trends import Shape
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=(
        "Find what holds them: compare two heap profiles by inuse_space, and look for a map, "
        "slice, cache, timer or context that is added to and never emptied.",
    ),
    environment=("GOMEMLIMIT delays the end and spends CPU on the way; it cures nothing.",),
    useless=("debug.FreeOSMemory or a forced GC: what is reachable stays.",),
)


def heap_leak(window: Window) -> Finding | None:
    """Say that the live heap grows, by which functions, and how sure that is."""
    live = window.live
    limits = window.thresholds
    if live is None or not window.grows or window.access is Access.PROC:
        return None
    least = max(
        limits.part_bytes,
        limits.live_share * live.first,
        limits.live_share * window.growth,
    )
    # What grew by far more than RES was never touched, or grew into memory that lay free.
    is_resident = live.growth <= 1.5 * window.growth
    rises = is_rising(live.trend, least) and window.live_growth >= least and is_resident
    if not (rises and _stands_out(window, live) and _is_confirmed(window, live)):
        return None
    if blames_goroutines(window):
        return None
    share = share_of(_claimed(window, live), window.growth)
    if share < (limits.part_share if window.access is Access.FULL else 2 * limits.part_share):
        return None
    functions = grown_functions(window.profiles, "inuse_space")
    by = f", most of it by {functions[0][0]}" if functions else ""
    size = units.size(int(live.growth))
    is_step = live.trend.shape is Shape.STEP
    how = (
        f"The live heap rose by {size} at once and was not let go since{by}."
        if is_step
        else f"The heap leaks: what each GC finds alive grew by {size}{by}."
    )
    return Finding(
        cause=Cause.HEAP_LEAK,
        sentence=how,
        line=f"{units.change(int(live.growth))} live heap{by}, and room for its garbage. "
        + ("It was not let go." if is_step else "A leak."),
        share=share,
        of_growth=True,
        confidence=_confidence(window, live, share),
        evidence=_evidence(window, live, functions),
        advice=ADVICE,
        rivals=_rivals(window, live),
        refuted_by=(
            "The live heap stays flat over the next cycles, or falls when load falls.",
            "A cache with a limit that was not full yet: the growth ends there.",
        ),
        raised_by=to_be_surer(window)
        + (() if functions else ("two heap profiles would name the functions",)),
    )


def _stands_out(window: Window, live: LiveHeap) -> bool:
    """Tell whether it grew by more than it swings around its own slope.

    A load that comes and goes drifts as far within a window as a leak does.
    """
    trend = live.trend
    if trend.shape is Shape.STEP:
        return True
    rests = [value - trend.slope_per_h * at / 3600 for at, value in trend.blocks]
    return live.growth > window.thresholds.swings * (max(rests) - min(rests))


def _is_confirmed(window: Window, live: LiveHeap) -> bool:
    """Tell whether enough cycles found it alive; what came at once must outlive two more."""
    if window.cycles_seen < window.thresholds.fewest_cycles:
        return False
    if live.trend.shape is not Shape.STEP:
        return True
    high = live.first + 0.9 * live.growth
    since = next(at for at, value in live.trend.blocks if value >= min(high, live.last))
    counts = [point.cycles for point in window.points if point.at >= since and point.cycles]
    return len(counts) > 1 and counts[-1] - counts[0] >= 2


def _claimed(window: Window, live: LiveHeap) -> float:
    """Return what of the growth of RES is the live heap's doing, its room included."""
    if window.access is Access.FULL:
        stacks = window.stack_growth
        return live.growth + room_growth(window) * share_of(live.growth, live.growth + stacks)
    first, last = window.ends
    if first.goal is None or last.goal is None:
        return live.growth
    return max(live.growth, last.goal - first.goal)


def _confidence(window: Window, live: LiveHeap, share: float) -> Confidence:
    found = confidence_of(window, share, live.trend)
    return found.lowered() if live.source is LiveSource.BY_TROUGHS else found


def _evidence(
    window: Window, live: LiveHeap, functions: list[tuple[str, int]]
) -> tuple[Evidence, ...]:
    place = Place.GCTRACE if window.access is Access.TRACE else Place.LEDGER
    found = [
        res_moved(window),
        grew(f"live heap ({live.source.value})", live.first, live.last, place),
        slope("live heap", live.trend, place),
    ]
    if functions:
        words = joined([f"{name} {units.change(size)}" for name, size in functions])
        found.append(Evidence(f"inuse_space grew: {words}", Place.PROFILE, tuple(functions)))
    return tuple(found)


def _rivals(window: Window, live: LiveHeap) -> tuple[str, ...]:
    first, last = window.ends
    found = [
        f"freed-not-returned falls: {units.size(int(live.last))} is alive, not free.",
        f"goal-growth falls: the live heap itself grew, by {units.size(int(live.growth))}.",
    ]
    if first.stacks is not None and last.stacks is not None:
        moved = last.stacks - first.stacks
        words = f"changed by {units.change(moved)} only" if moved else "did not grow"
        found.append(f"goroutine-leak falls: stacks {words}.")
    return tuple(found)
