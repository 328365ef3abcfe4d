"""goroutine-leak: goroutines that wait for ever, their stacks, and what they hold.

A goroutine starts with 2 KiB of stack (8 KiB when the last cycle found deep stacks: Go 1.19 and
newer, runtime/stack.go) and keeps alive what its frames refer to. Scanned stacks count in the goal
since Go 1.18, so garbage gets more room too.
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
"""A waiting goroutine holds less on the heap than its stack takes, unless it is known otherwise."""

ADVICE = Advice(
    code=(
        "Find where they wait: the goroutine profile by count. On Go 1.27 "
        "/debug/pprof/goroutineleak names those that can never be woken.",
        "Give every send, receive and lock a way out: a context, a buffered channel, a close.",
    ),
    useless=(
        "debug.FreeOSMemory, GOGC or GOMEMLIMIT: a waiting goroutine is live, and so is its stack.",
    ),
)


def goroutine_leak(window: Window) -> Finding | None:
    """Report that goroutines become more and hold memory."""
    if not blames_goroutines(window) or window.stacks is None or _follow_the_load(window):
        return None
    stacks, live = window.stack_growth, window.live_growth
    held = live if _are_holders(window) and holds_the_heap(window) else 0.0
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
    count = _more(window)
    many = f"{count} more" if count else "more and more"
    confidence = confidence_of(window, share, window.stacks)
    leak = "Goroutines leak" if is_sure_leak(window, confidence) else "Goroutines accumulate"
    said = leak_ending(window, confidence)
    return Finding(
        cause=Cause.GOROUTINE_LEAK,
        sentence=f"{leak}: {many} of them wait{by}, and hold {units.size(int(stacks))} of stacks."
        + leak_caveat(window, confidence),
        line=f"{GREW} in goroutines that wait{by}. {said}",
        brief=f"{GREW} in goroutines. {said}",
        claim=Claim(claimed, (PartName.STACKS, *HEAP_PARTS)),
        of_growth=True,
        confidence=confidence,
        evidence=_evidence(window, window.stacks, functions, held),
        advice=ADVICE,
        rivals=(
            ruled_out(
                Cause.HEAP_LEAK,
                "the heap grew by what the goroutines hold and by the room that the goal gives for "
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
        + (() if functions else ("two goroutine profiles would name the functions",)),
    )  # fmt: skip


def blames_goroutines(window: Window) -> bool:
    """Return whether stacks grew enough, or goroutines that hold what else grew."""
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
    return _are_holders(window)


def _follow_the_load(window: Window) -> bool:
    """Return whether goroutines became more no faster than the program allocates: requests."""
    stacks, load = window.stacks, window.load
    if stacks is None or load is None or not window.load_rises:
        return False
    return stacks.growth / max(1.0, stacks.first) <= 1.5 * (load.last / max(1.0, load.first) - 1)


def holds_the_heap(window: Window) -> bool:
    """Return whether goroutines account for the growth of the live heap.

    Where the heap grew by much more than the stacks, something else may hold it as well: then both
    are named.
    """
    if not blames_goroutines(window):
        return False
    is_held = are_held_by_goroutines(window.profiles)
    if is_held is not None:
        return is_held
    return window.live_growth <= HELD_BY_STACKS * window.stack_growth


def _are_holders(window: Window) -> bool:
    """Return whether each new goroutine may hold what the live heap grew by.

    Where nobody counted them there are at most as many as fit into the stacks; that is a guess,
    so half as much may be held by each.
    """
    limits = window.thresholds
    stacks = window.stacks
    if stacks is None or window.stack_growth <= 0:
        return False
    if stacks.growth < limits.goroutines_share * stacks.first:
        return False
    count, held = _more(window), limits.held_bytes
    if count is None:
        count, held = int(window.stack_growth / SMALLEST_STACK), held / 2
    return count >= limits.goroutines and window.live_growth / count <= held


def _more(window: Window) -> int | None:
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
            found.append(Evidence(f"each new one holds about {each} of heap", PaneName.LEDGER))
    if functions:
        words = join_words([f"{name} +{count}" for name, count in functions])
        found.append(Evidence(f"goroutines that increased: {words}", PaneName.PROFILE,
                              tuple(functions)))  # fmt: skip
    return tuple(found)
