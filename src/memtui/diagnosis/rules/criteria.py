"""What the rules have in common: when a part grew enough, how sure that is, and how it is said."""

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
"""A window in which a load that just rises looks like a leak."""


def is_rising(trend: Trend | None, least: float) -> bool:
    """Return whether a series grew by at least that, beyond doubt, and is not flat since.

    What grew from the first moment on and then stayed is a warm-up, whatever its size.
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
    """Return how sure a cause is that explains this share.

    High needs most of the growth, enough cycles and all that can be read; a step, a short window
    and less access lower it.
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


TOLD_APART_S = 300.0
"""A leak, a cache that fills and a rising load look alike for that long."""


def is_sure_leak(window: Window, confidence: Confidence) -> bool:
    """Return whether growth went on for long enough, and without a growing load, to be a leak.

    The load is the rate of allocation.
    """
    if confidence is Confidence.LOW or window.seconds < TOLD_APART_S:
        return False
    return not window.load_rises


def leak_ending(window: Window, confidence: Confidence) -> str:
    """Return the last words of a line that names a leak: no more than is known."""
    if is_sure_leak(window, confidence):
        return "A leak."
    return "It may be a leak."


def leak_caveat(window: Window, confidence: Confidence) -> str:
    """Return a sentence on what cannot be excluded yet; empty when it is a leak."""
    if is_sure_leak(window, confidence):
        return ""
    return (
        " A leak, a cache that fills and a rising load look alike until it has levelled off or "
        f"gone on for {units.duration(TOLD_APART_S)}."
    )


def missing_sources(window: Window) -> tuple[str, ...]:
    """Describe what would raise the confidence in whatever was found."""
    found = []
    if window.access is Access.PROC:
        found.append("gctrace=1, which needs a restart, would show the live heap of each cycle")
    runtime = dict(window.sources).get("runtime")
    if window.access is not Access.FULL and runtime:
        found.append(f"more samples of MemStats ({runtime}) would split the rest")
    elif window.access is not Access.FULL:
        found.append("an endpoint with MemStats (expvar, net/http/pprof) would split the rest")
    elif not window.cycles and not any(point.live is not None for point in window.points):
        found.append("gctrace=1, or /gc/heap/live:bytes in /metrics, would give the live heap")
    if not window.has_rollup:
        found.append("smaps_rollup (same user or root) would show LazyFree and huge pages")
    if window.seconds < 300:
        found.append("a longer window would narrow the slope")
    return tuple(found)


def change_evidence(name: str, first: float, last: float, place: PaneName) -> Evidence:
    """Report that something went from one size to another; only by how much, if one is below 0."""
    text = f"{name} {units.size(int(first))} → {units.size(int(last))}"
    change = units.change(int(last) - int(first))
    text = f"{name} {change}" if min(first, last) < 0 else f"{text} ({change})"
    return Evidence(text, place, (("from", first), ("to", last)))


def count_noun(count: int, name: str) -> str:
    """Write a count with its name: 1 cycle, 5 cycles."""
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def slope_evidence(name: str, trend: Trend, place: PaneName) -> Evidence:
    """Describe how fast something grows, with its interval."""
    low, likely, high = (
        units.change(round(each)) for each in (trend.low_per_h, trend.slope_per_h, trend.high_per_h)
    )
    return Evidence(
        f"{name} {likely}/h ({low} … {high})",
        place,
        (("low", trend.low_per_h), ("slope", trend.slope_per_h), ("high", trend.high_per_h)),
    )


def release_sentence(window: Window) -> str:
    """Return a sentence on the act that the window begins with; empty without one."""
    if window.returned is None:
        return ""
    done = "a GC was forced" if window.returned.act is Act.FORCE_GC else "memory was freed"
    size = units.size(window.returned.size)
    return f" RES fell by {size} when {done}: that was garbage and free memory, not a leak."


def res_evidence(window: Window) -> Evidence:
    """Describe what RES did."""
    first, last = window.ends
    words = "RES and swap" if last.swap else "RES"
    return change_evidence(words, first.footprint or 0, last.footprint or 0, PaneName.TREND)


def goal_room_growth(window: Window) -> float:
    """Return by how much the heap grew beyond its live objects, as far as the goal allows it to.

    Garbage and freed memory together; the collector keeps them in proportion to the live heap and
    to the stacks, so whoever made those grow made this grow. What exceeds the goal is not theirs.
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
    """Join words: a, b and c."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def is_heap_unseen(window: Window) -> bool:
    """Return whether much of the heap was never looked at by a cycle that anybody saw.

    Either it grew since the last cycle, or nobody knows what was alive at the last one.
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
    return window.grows and grown > 0.5 * window.growth and not _filling(last)


def is_anon_explained(window: Window) -> bool:
    """Return whether what is resident beyond Go is known for what it is, or little.

    Without LazyFree it may be lazily freed, or filled again by huge pages.
    """
    last = window.ends[1]
    return window.has_rollup or last.beyond_go is None or last.beyond_go <= window.big


def seconds_without_cycle(window: Window) -> float:
    """Return for how many seconds nobody saw a cycle."""
    if window.access is Access.TRACE:
        return window.end - (window.cycles[-1].at if window.cycles else window.start)
    points = [point for point in window.points if point.cycles is not None]
    since = next((point.at for point in points if point.cycles == points[-1].cycles), window.end)
    return points[-1].at - since if points else 0.0


def _is_much_unseen(window: Window) -> bool:
    """Return whether more of the heap than GOGC=100 allows was not marked for unusually long.

    A goal that is far away explains it, but not whether it is alive or dead.
    """
    last, moments = window.ends[1], [traced.at for traced in window.cycles]
    if not moments or last.anon is None:
        return True
    usual = max((later - at for at, later in pairwise(moments)), default=0.0)
    alive = (last.live or 0) + (last.scanned or 0)
    unseen = last.anon - (last.lazy or 0) - (last.live or 0) - GO_OVERHEAD
    return window.end - moments[-1] > 1.5 * usual and unseen > window.thresholds.unseen * alive


def _filling(last: Point) -> bool:
    """Return whether a heap is on its way to its goal, and nearly there."""
    return last.goal is not None and last.alloc is not None and last.alloc > 0.9 * last.goal


def available_of(found: HostMemory) -> str:
    """Return how much of its memory a host has available: "12.3G of 31.2G available (39%)"."""
    share = found.available_bytes / max(1, found.total_bytes)
    available, total = units.size(found.available_bytes), units.size(found.total_bytes)
    return f"{available} of {total} available ({share:.0%})"
