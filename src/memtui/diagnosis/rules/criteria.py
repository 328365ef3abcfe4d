"""Criteria and evidence that several rules share: growth, confidence, unseen heap, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from memtui import units
from memtui.diagnosis.finding import Confidence, Evidence, PaneName
from memtui.diagnosis.ledger import HEAP_PARTS, PartName
from memtui.diagnosis.point import Point
from memtui.diagnosis.thresholds import GO_OVERHEAD
from memtui.diagnosis.trends import Trend, TrendShape
from memtui.diagnosis.window import Access, Window
from memtui.model import Act, HostMemory

SHORT_S = 120.0
"""In a shorter window a rising load looks like a leak."""


def is_rising(trend: Trend | None, least: float) -> bool:
    """Return whether a series surely grew by at least ``least``, and is not flat since then.

    A series that grew from the first moment on and then stayed flat is a warm-up of any size.
    """
    return (
        trend is not None
        and trend.grows
        and trend.growth >= least
        and trend.shape in (TrendShape.SLOPE, TrendShape.STEP)
    )


def share_of(part: float, whole: float) -> float:
    """Return a share between 0 and 1."""
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0


def confidence_of(window: Window, share: float, trend: Trend | None = None) -> Confidence:
    """Return the confidence in a cause that explains this share of the growth.

    High needs most of the growth, enough cycles and all sources. A step, a short window and fewer
    sources lower it.
    """
    limits = window.thresholds
    found = Confidence.HIGH if share >= 0.6 else Confidence.MEDIUM
    if share < 0.3:
        found = Confidence.LOW
    if window.access is not Access.FULL or not window.has_rollup:
        found = found.lowered()
    if window.cycles_seen < limits.fewest_cycles and window.access is not Access.PROC:
        found = found.lowered()
    if trend is not None and (trend.shape is TrendShape.STEP or window.seconds < SHORT_S):
        found = found.lowered()
    return found


SURE_LEAK_S = 300.0
"""A leak, a filling cache and a rising load look alike for this time."""


def is_sure_leak(window: Window, confidence: Confidence) -> bool:
    """Return whether the growth lasted long enough, without a growing load, to be a leak.

    The load is the allocation rate.
    """
    if confidence is Confidence.LOW or window.seconds < SURE_LEAK_S:
        return False
    return not window.load_rises


def leak_ending(window: Window, confidence: Confidence) -> str:
    """Return the end of a line about a leak, by the certainty."""
    if is_sure_leak(window, confidence):
        return "A leak."
    return "It may be a leak."


def leak_caveat(window: Window, confidence: Confidence) -> str:
    """Return a sentence about causes that are not excluded yet; empty if it is surely a leak."""
    if is_sure_leak(window, confidence):
        return ""
    return (
        " A leak, a filling cache and a rising load look alike until the growth ends or lasts "
        f"{units.duration(SURE_LEAK_S)}."
    )


def missing_sources(window: Window) -> tuple[str, ...]:
    """Return the sources, or the longer window, that would raise the confidence."""
    found = []
    if window.access is Access.PROC:
        found.append("gctrace=1 (needs a restart) would show the live heap of each GC cycle")
    runtime = dict(window.sources).get("runtime")
    if window.access is not Access.FULL and runtime:
        found.append(f"more samples of MemStats ({runtime}) would split the rest")
    elif window.access is not Access.FULL:
        found.append("an endpoint with MemStats (expvar, net/http/pprof) would split the rest")
    elif not window.cycles and not any(point.live is not None for point in window.points):
        found.append("gctrace=1, or /gc/heap/live:bytes in /metrics, would show the live heap")
    if not window.has_rollup:
        found.append("smaps_rollup (same user or root) would show LazyFree and huge pages")
    if window.seconds < 300:
        found.append("a longer window would narrow the slope")
    return tuple(found)


def change_evidence(name: str, first: float, last: float, place: PaneName) -> Evidence:
    """Return evidence of a change; only the difference if ``first`` or ``last`` is negative."""
    text = f"{name} {units.size(int(first))} → {units.size(int(last))}"
    change = units.change(int(last) - int(first))
    text = f"{name} {change}" if min(first, last) < 0 else f"{text} ({change})"
    return Evidence(text, place, (("from", first), ("to", last)))


def count_noun(count: int, name: str) -> str:
    """Return a count with its noun: 1 cycle, 5 cycles."""
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def slope_evidence(name: str, trend: Trend, place: PaneName) -> Evidence:
    """Return evidence of a slope with its interval."""
    low, likely, high = (
        units.change(round(each)) for each in (trend.low_per_h, trend.slope_per_h, trend.high_per_h)
    )
    return Evidence(
        f"{name} {likely}/h ({low} … {high})",
        place,
        (("low", trend.low_per_h), ("slope", trend.slope_per_h), ("high", trend.high_per_h)),
    )


def release_sentence(window: Window) -> str:
    """Return a sentence about the memory release at the start of the window; empty without one."""
    if window.returned is None:
        return ""
    done = "a GC was forced" if window.returned.act is Act.FORCE_GC else "memory was freed"
    size = units.size(window.returned.size)
    return f" RES fell by {size} when {done}: it was garbage and free memory, not a leak."


def res_evidence(window: Window) -> Evidence:
    """Return evidence of the change of RES, with swapped memory."""
    first, last = window.ends
    words = "RES and swap" if last.swap else "RES"
    return change_evidence(words, first.footprint or 0, last.footprint or 0, PaneName.TREND)


def goal_room_growth(window: Window) -> float:
    """Return the growth of the heap beyond its live objects, within its goal, in bytes.

    This is garbage and freed memory. The GC keeps them in proportion to the live heap and the
    stacks, so the cause of their growth also causes this growth. Memory above the goal has another
    cause.
    """
    ledger = window.ledger
    if ledger is None:
        return 0.0
    whole = ledger.grown(
        PartName.LIVE, PartName.GARBAGE, PartName.OBJECTS, PartName.FRAGMENTATION,
        PartName.UNRETURNED,
    )  # fmt: skip
    room = whole - window.live_growth
    first, last = window.ends
    if first.goal is not None and last.goal is not None:
        room = min(room, last.goal - first.goal - window.live_growth)
    return max(0.0, room)


def join_words(names: Sequence[str]) -> str:
    """Return the words joined: a, b and c."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def is_heap_unseen(window: Window) -> bool:
    """Return whether no observed GC cycle examined much of the heap.

    Either the heap grew since the last cycle, or the live heap of that cycle is unknown.
    """
    points = [point for point in window.points if point.cycles is not None]
    if window.access is Access.TRACE:
        silence = seconds_without_cycle(window)
        if window.grows and silence > max(window.thresholds.stale_s, 0.3 * window.seconds):
            return True
        return silence > window.thresholds.stale_s and _is_much_unseen(window)
    if not points:
        return False
    last = points[-1]
    if seconds_without_cycle(window) <= window.thresholds.stale_s:
        return False
    if last.live is None and window.cycles_seen == 0:
        return True
    ledger = window.ledger
    grown = ledger.grown(*HEAP_PARTS) if ledger else 0
    return window.grows and grown > 0.5 * window.growth and not _is_near_goal(last)


def is_anon_explained(window: Window) -> bool:
    """Return whether the resident memory beyond Go is explained, or small.

    Without smaps_rollup it may be lazily freed, or in huge pages.
    """
    last = window.ends[1]
    return window.has_rollup or last.beyond_go is None or last.beyond_go <= window.big


def seconds_without_cycle(window: Window) -> float:
    """Return the seconds since the last observed GC cycle."""
    if window.access is Access.TRACE:
        return window.end - (window.cycles[-1].at if window.cycles else window.start)
    points = [point for point in window.points if point.cycles is not None]
    since = next((point.at for point in points if point.cycles == points[-1].cycles), window.end)
    return points[-1].at - since if points else 0.0


def _is_much_unseen(window: Window) -> bool:
    """Return whether the unseen heap exceeds what GOGC=100 allows, for longer than ever before.

    A high goal explains such a heap, but not whether it is live or garbage.
    """
    last, moments = window.ends[1], [traced.at for traced in window.cycles]
    if not moments or last.anon is None:
        return True
    usual = max((later - at for at, later in pairwise(moments)), default=0.0)
    alive = (last.live or 0) + (last.scanned or 0)
    unseen = last.anon - (last.lazy or 0) - (last.live or 0) - GO_OVERHEAD
    return window.end - moments[-1] > 1.5 * usual and unseen > window.thresholds.unseen * alive


def _is_near_goal(last: Point) -> bool:
    """Return whether the heap is close to its goal."""
    return last.goal is not None and last.alloc is not None and last.alloc > 0.9 * last.goal


def available_of(found: HostMemory) -> str:
    """Return how much of its memory a host has available: "12.3G of 31.2G available (39%)"."""
    share = found.available_bytes / max(1, found.total_bytes)
    available, total = units.size(found.available_bytes), units.size(found.total_bytes)
    return f"{available} of {total} available ({share:.0%})"
