"""heap-leak: reachable objects accumulate.

The live heap of the GC cycles grows and does not fall again. Garbage and free room grow with it,
because the goal is a multiple of the live heap.

A finalizer or cleanup that blocks is reported as evidence, because no other one runs until it
returns. One goroutine runs all finalizers (Go 1.27.3 runtime/mfinal.go runFinalizers, runfinq
before Go 1.25), a few run the cleanups (runtime/mcleanup.go). A goroutine profile contains them
only while they run code of the program; otherwise they are system goroutines
(runtime/traceback.go isSystemGoroutine).
"""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import (
    GREW,
    Advice,
    Cause,
    Claim,
    Confidence,
    Evidence,
    Finding,
    PaneName,
    Rival,
    ruled_out,
)
from memtui.diagnosis.function_growth import grown_functions, values_of_type
from memtui.diagnosis.ledger import HEAP_PARTS
from memtui.diagnosis.live_heap import LiveHeap, LiveSource
from memtui.diagnosis.rules.criteria import (  # fmt: skip
    change_evidence,
    confidence_of,
    goal_room_growth,
    is_rising,
    is_sure_leak,
    join_words,
    leak_caveat,
    leak_ending,
    missing_sources,
    res_evidence,
    share_of,
    slope_evidence,
)
from memtui.diagnosis.rules.goroutine_leak import holds_the_heap
from memtui.diagnosis.trends import TrendShape
from memtui.diagnosis.window import Access, Window
from memtui.model import Profile
from memtui.sanitize import plain

RUNNERS = {
    "runtime.runfinq": "finalizer",
    "runtime.runFinalizers": "finalizer",
    "runtime.runCleanups": "cleanup",
}


def blocked_finalizer(window: Window) -> Evidence | None:
    """Return evidence of a finalizer or cleanup that blocks; None without one.

    With several goroutine profiles it must be in the first and the last one: in a single profile
    it may be running normally.
    """
    found = [profile for _, profile in window.profiles if values_of_type(profile, "goroutine")]
    kinds = [_runner_kind(profile) for profile in found]
    if not found or kinds[-1] is None or kinds[0] is None:
        return None
    kind, name = kinds[-1], found[-1].finalizing
    where = f" in {plain(name)}" if name else ""
    is_seen_twice = len(found) > 1
    words = f"a {kind} {'blocks' if is_seen_twice else 'is running and may block'}{where}: "
    words += f"until it returns no other {kind} runs, and their objects stay in memory"
    return Evidence(words, PaneName.PROFILE)


def _runner_kind(profile: Profile) -> str | None:
    values = values_of_type(profile, "goroutine")
    names = [each.name for each in values.functions] if values else []
    return next((RUNNERS[name] for name in names if name in RUNNERS), None)


ADVICE = Advice(
    code=(
        "Find the holder: compare two heap profiles by inuse_space. Look for a map, slice, cache, "
        "timer or context that only grows.",
        "A substring or subslice keeps its whole buffer live: copy it (strings.Clone, "
        "bytes.Clone).",
    ),
    environment=("GOMEMLIMIT delays the OOM kill and costs CPU; it does not fix the leak.",),
    useless=("debug.FreeOSMemory or a forced GC: reachable objects stay.",),
)


def heap_leak(window: Window) -> Finding | None:
    """Return a finding if the live heap grows, with the functions that allocated it."""
    live = window.live
    limits = window.thresholds
    if live is None or not window.grows or window.access is Access.PROC:
        return None
    least = max(
        limits.part_bytes,
        limits.live_share * live.first,
        limits.live_share * window.growth,
    )
    # Exact sizes of many cycles show a slow leak despite the swing of the heap.
    if live.source is LiveSource.MEASURED and window.cycles_seen >= limits.many_cycles:
        least = min(least, max(limits.slow_bytes, limits.swings * live.swing))
    # Growth far above that of RES is untouched memory, or uses memory that was free.
    is_resident = live.growth <= 1.5 * window.growth
    # A changing load moves the live heap within a window as far as a leak does.
    stands_out = live.growth > limits.swings * live.swing
    # A jump in one cycle is not a leak: a buffer, a table, a filled pool.
    rises = live.trend.shape is TrendShape.SLOPE and is_rising(live.trend, least)
    if not (rises and window.live_growth >= least and is_resident and stands_out):
        return None
    if window.cycles_seen < limits.fewest_cycles or _grows_with_load(window, live):
        return None
    if holds_the_heap(window):
        return None
    claimed = _claimed(window, live)
    share = share_of(claimed, window.growth)
    if share < (limits.part_share if window.access is Access.FULL else 2 * limits.part_share):
        return None
    functions = grown_functions(window.profiles, "inuse_space")
    by = f", most of it by {functions[0][0]}" if functions else ""
    size = units.size(int(live.growth))
    confidence = _confidence(window, live, share)
    leaks = "leaks" if is_sure_leak(window, confidence) else "grows"
    grown, ending = units.change(int(live.growth)), leak_ending(window, confidence)
    return Finding(
        cause=Cause.HEAP_LEAK,
        sentence=f"The heap {leaks}: the live heap after each GC cycle grew by {size}{by}."
        + leak_caveat(window, confidence),
        line=f"{GREW} of heap, {grown} of it live{by}. {ending}"
        if claimed > live.growth
        else f"{GREW} of live heap{by}. {ending}",
        brief=f"{GREW} of heap. {ending}",
        claim=Claim(claimed, HEAP_PARTS),
        of_growth=True,
        confidence=confidence,
        evidence=_evidence(window, live, functions),
        advice=ADVICE,
        rivals=_rivals(window, live),
        refuted_by=(
            "The live heap is flat over the next GC cycles, or falls when the load falls.",
            "Growth stops at a limit: then it is a cache that was filling.",
        ),
        raised_by=missing_sources(window)
        + (() if functions else ("two heap profiles show the functions",)),
    )


def _grows_with_load(window: Window, live: LiveHeap) -> bool:
    """Return whether the live heap grew no faster than the allocation rate: work in progress."""
    load = window.load
    if load is None or not window.load_rises:
        return False
    return live.growth / max(1.0, live.first) <= 1.5 * (load.last / max(1.0, load.first) - 1)


def _claimed(window: Window, live: LiveHeap) -> float:
    """Return the growth of RES that the live heap causes, with the room that its goal adds."""
    if window.access is Access.FULL:
        stacks = window.stack_growth
        return live.growth + goal_room_growth(window) * share_of(live.growth, live.growth + stacks)
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
    place = PaneName.GCTRACE if window.access is Access.TRACE else PaneName.LEDGER
    found = [
        res_evidence(window),
        change_evidence(f"live heap ({live.source.value})", live.first, live.last, place),
        slope_evidence("live heap", live.trend, place),
    ]
    if functions:
        words = join_words([f"{name} {units.change(size)}" for name, size in functions])
        found.append(Evidence(f"inuse_space grew: {words}", PaneName.PROFILE, tuple(functions)))
    blocked = blocked_finalizer(window)
    return (*found, blocked) if blocked else tuple(found)


def _rivals(window: Window, live: LiveHeap) -> tuple[Rival, ...]:
    first, last = window.ends
    found = [
        ruled_out(Cause.FREED_NOT_RETURNED, f"{units.size(int(live.last))} is live, not free."),
        ruled_out(
            Cause.GOAL_GROWTH, f"the live heap itself grew, by {units.size(int(live.growth))}."
        ),
    ]
    if first.stacks is not None and last.stacks is not None:
        moved = last.stacks - first.stacks
        words = f"changed by only {units.change(moved)}" if moved else "did not grow"
        found.append(ruled_out(Cause.GOROUTINE_LEAK, f"stacks {words}."))
    return tuple(found)
