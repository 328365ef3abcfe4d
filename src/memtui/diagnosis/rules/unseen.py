"""How much of the heap no cycle has looked at: nobody can call it alive, dead, or steady."""

from __future__ import annotations

from itertools import pairwise

from memtui.diagnosis.ledger import HEAP_PARTS
from memtui.diagnosis.point import Point
from memtui.diagnosis.rules.freed import SLACK
from memtui.diagnosis.window import Access, Window


def is_unseen(window: Window) -> bool:
    """Return whether much of the heap was never looked at by a cycle that anybody saw.

    Either it grew since the last cycle, or nobody knows what was alive at the last one.
    """
    points = [point for point in window.points if point.cycles is not None]
    if window.access is Access.TRACE:
        silence = silence_of(window)
        if window.grows and silence > max(window.thresholds.stale_s, 0.3 * window.seconds):
            return True
        return silence > window.thresholds.stale_s and _is_much_unseen(window)
    if not points:
        return False
    last = points[-1]
    if silence_of(window) <= window.thresholds.stale_s:
        return False
    if last.live is None and window.cycles_seen == 0:
        return True
    ledger = window.ledger
    grown = ledger.grown(*HEAP_PARTS) if ledger else 0
    return window.grows and grown > 0.5 * window.growth and not _filling(last)


def is_all_known(window: Window) -> bool:
    """Return whether what is resident beyond Go is known for what it is, or little.

    Without LazyFree it may be lazily freed, or filled again by huge pages.
    """
    last = window.ends[1]
    return window.has_rollup or last.beyond_go is None or last.beyond_go <= window.big


def silence_of(window: Window) -> float:
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
    unseen = last.anon - (last.lazy or 0) - (last.live or 0) - SLACK
    return window.end - moments[-1] > 1.5 * usual and unseen > window.thresholds.unseen * alive


def _filling(last: Point) -> bool:
    """Return whether a heap is on its way to its goal, and nearly there."""
    return last.goal is not None and last.alloc is not None and last.alloc > 0.9 * last.goal
