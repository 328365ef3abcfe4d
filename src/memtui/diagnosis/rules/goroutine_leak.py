"""goroutine-leak: goroutines wait forever, with their stacks and the heap that they hold.

A goroutine starts with 2 KiB of stack (8 KiB when the last cycle found deep stacks: Go 1.19 and
newer, runtime/stack.go) and keeps the objects live that its frames refer to. Scanned stacks count
in the goal since Go 1.18, so the heap gets more room for garbage too.
"""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import (
    GREW,
    Advice,
    Cause,
    Claim,
    Evidence,
    Finding,
    PaneName,
    ruled_out,
)
from memtui.diagnosis.function_growth import are_held_by_goroutines, grown_functions
from memtui.diagnosis.ledger import HEAP_PARTS, PartName
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
)
from memtui.diagnosis.rules.thread_growth import threads_hold_the_stacks
from memtui.diagnosis.trends import Trend
from memtui.diagnosis.window import Access, Window

SMALLEST_STACK = 2048
LEAST_STACKS = 1 << 20
HELD_BY_STACKS = 0.5
"""Heap per stack bytes that waiting goroutines hold, at most, where profiles show nothing else."""

ADVICE = Advice(
    code=(
        "Find where they wait: the goroutine profile, sorted by count. With Go 1.27 "
        "/debug/pprof/goroutineleak names those that can never be woken.",
        "Let every send, receive and lock end: by a context, a buffered channel or a close.",
    ),
    useless=(
        "debug.FreeOSMemory, GOGC or GOMEMLIMIT: a waiting goroutine is live, and so is its stack.",
    ),
)


def goroutine_leak(window: Window) -> Finding | None:
    """Return a finding if the number of goroutines grows and they hold memory."""
    if not are_goroutines_the_cause(window) or window.stacks is None or _grow_with_load(window):
        return None
    stacks, live = window.stack_growth, window.live_growth
    held = live if _may_hold_heap(window) and holds_the_heap(window) else 0.0
    if window.access is Access.FULL:
        room = goal_room_growth(window)
        ours = share_of(stacks + held, stacks + live) if stacks + live else 1.0
        claimed = stacks + held + room * ours
    else:
        first, last = window.ends
        claimed = stacks + max(held, (last.goal or 0) - (first.goal or 0), 0)
    share = share_of(claimed, window.growth)
    functions = grown_functions(window.profiles, "goroutine", by_cum=True)
    by = f", most of them in {functions[0][0]}" if functions else ""
    count = _count_new_goroutines(window)
    many = f"{count} more" if count else "a growing number"
    confidence = confidence_of(window, share, window.stacks)
    leak = "Goroutines leak" if is_sure_leak(window, confidence) else "Goroutines accumulate"
    ending = leak_ending(window, confidence)
    return Finding(
        cause=Cause.GOROUTINE_LEAK,
        sentence=f"{leak}: {many} of them wait{by}; their stacks hold {units.size(int(stacks))}."
        + leak_caveat(window, confidence),
        line=f"{GREW} in waiting goroutines{by}. {ending}",
        brief=f"{GREW} in goroutines. {ending}",
        claim=Claim(claimed, (PartName.STACKS, *HEAP_PARTS)),
        of_growth=True,
        confidence=confidence,
        evidence=_evidence(window, window.stacks, functions, held),
        advice=ADVICE,
        rivals=(
            ruled_out(
                Cause.HEAP_LEAK,
                "the heap growth is memory that the goroutines hold, and room that the goal adds "
                "for "
                "their stacks."
                if live
                else "the live heap did not grow.",
            ),
        )
        if holds_the_heap(window)
        else (),
        refuted_by=("The number of goroutines stays the same while the stacks grow: then the "
                    "stacks are deep.",
                    "The number falls when the load falls."),
        raised_by=missing_sources(window)
        + (() if functions else ("two goroutine profiles show the functions",)),
    )  # fmt: skip


def are_goroutines_the_cause(window: Window) -> bool:
    """Return whether the stacks, or the heap that new goroutines hold, explain the growth."""
    if window.access is Access.PROC or not window.grows:
        return False
    counts = window.trend(lambda point: point.goroutines)
    if counts is not None and not counts.grows:
        return False
    if threads_hold_the_stacks(window):
        return False
    if not is_rising(window.stacks, LEAST_STACKS):
        return False
    if window.live_growth <= window.stack_growth:
        return is_rising(window.stacks, window.least_part)
    return _may_hold_heap(window)


def _grow_with_load(window: Window) -> bool:
    """Return whether the stacks grow no faster than the allocation rate, as with more requests."""
    stacks, load = window.stacks, window.load
    if stacks is None or load is None or not window.load_rises:
        return False
    return stacks.growth / max(1.0, stacks.first) <= 1.5 * (load.last / max(1.0, load.first) - 1)


def holds_the_heap(window: Window) -> bool:
    """Return whether goroutines account for the growth of the live heap, so that no leak does.

    If the heap grew by much more than the stacks, another holder is possible: then both causes are
    reported.
    """
    if not are_goroutines_the_cause(window):
        return False
    is_held = are_held_by_goroutines(window.profiles)
    if is_held is not None:
        return is_held
    return window.live_growth <= HELD_BY_STACKS * window.stack_growth


def _may_hold_heap(window: Window) -> bool:
    """Return whether the new goroutines may hold the growth of the live heap.

    If their number is unknown, it is at most the growth of the stacks by the smallest stack. As
    that is an estimate, each may hold only half as much.
    """
    limits = window.thresholds
    stacks = window.stacks
    if stacks is None or window.stack_growth <= 0:
        return False
    if stacks.growth < limits.goroutines_share * stacks.first:
        return False
    count, held = _count_new_goroutines(window), limits.held_bytes
    if count is None:
        count, held = int(window.stack_growth / SMALLEST_STACK), held / 2
    return count >= limits.goroutines and window.live_growth / count <= held


def _count_new_goroutines(window: Window) -> int | None:
    first, last = window.ends
    if first.goroutines is None or last.goroutines is None:
        return None
    return last.goroutines - first.goroutines


def _evidence(
    window: Window, stacks: Trend, functions: list[tuple[str, int]], held: float
) -> tuple[Evidence, ...]:
    is_full = window.access is Access.FULL
    found = [
        res_evidence(window),
        change_evidence(
            "stacks" if is_full else "stacks scanned",
            stacks.first,
            stacks.last,
            PaneName.LEDGER if is_full else PaneName.GCTRACE,
        ),
    ]
    before, now = window.ends
    if before.goroutines is not None and now.goroutines is not None:
        words = f"goroutines {before.goroutines} → {now.goroutines}"
        figures = (("from", before.goroutines), ("to", now.goroutines))
        found.append(Evidence(words, PaneName.LEDGER, figures))
        more = now.goroutines - before.goroutines
        if held and more > 0:
            each = units.size(int(held / more))
            found.append(
                Evidence(f"each new goroutine holds about {each} of heap", PaneName.LEDGER)
            )
    if functions:
        words = join_words([f"{name} +{count}" for name, count in functions])
        found.append(Evidence(f"functions with more goroutines: {words}", PaneName.PROFILE,
                              tuple(functions)))  # fmt: skip
    return tuple(found)
