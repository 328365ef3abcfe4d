"""steady and warm-up: no action is needed, and the data are sufficient to exclude a cause.

RES that surely grows is never "steady". It is a warm-up if only the heap grows, within room that it
is known to have.
"""

from __future__ import annotations

from statistics import median

from memtui import units
from memtui.diagnosis.finding import Advice, Cause, Confidence, Evidence, Finding, PaneName
from memtui.diagnosis.ledger import HEAP_PARTS, PartName
from memtui.diagnosis.live_heap import LiveHeap, LiveSource
from memtui.diagnosis.rules.criteria import (
    count_noun,
    is_anon_explained,
    is_heap_unseen,
    missing_sources,
    release_sentence,
    res_evidence,
)
from memtui.diagnosis.rules.freed_not_returned import find_idle_free
from memtui.diagnosis.thresholds import GO_OVERHEAD
from memtui.diagnosis.trends import Trend, TrendShape
from memtui.diagnosis.window import Access, Window

PEAKS = 0.25
"""The swing of the live heap explains the growth of RES from this share of the growth on."""

NOTHING = Advice(code=("Nothing to do.",))
LESS_ROOM = Advice(
    code=("Watch until RES levels off. To reduce it, make the largest burst smaller.",),
    environment=("A lower GOGC, or GOMEMLIMIT, gives the heap less room.",),
)

MOST_UNSEEN = 4.0
"""High confidence needs the largest possible leak an hour to be below this multiple of RES."""
SWING = 0.3
"""RES whose range exceeds this share of itself is not steady at one size."""


def steady(window: Window) -> Finding | None:
    """Return a finding if no action is needed and the data are sufficient to exclude a cause."""
    if window.access is Access.PROC:
        return None
    trend = window.res_trend
    if trend is None or is_heap_unseen(window) or find_idle_free(window):
        return None
    why = _healthy_reason(window)
    if why is None:
        return None
    is_sure = window.access is Access.FULL and window.cycles_seen >= window.thresholds.fewest_cycles
    bound = _largest_possible_leak(window, trend)
    is_sure = is_sure and bound <= MOST_UNSEEN * window.res
    confidence = Confidence.HIGH if is_sure else Confidence.MEDIUM
    rises = _still_grows(window, trend)
    line, brief = _summary_lines(window, trend, why)
    size, cycles = units.size(window.res), count_noun(window.cycles_seen, "cycle")
    time = units.duration(window.seconds)
    found = [
        res_evidence(window),
        Evidence(
            f"{size} ±{units.size(_spread(trend))} in {time}, {cycles}",
            PaneName.TREND,
            (("spread", _spread(trend)),),
        ),
    ]
    if bound:
        words = f"a leak below {units.size(round(bound))}/h cannot be excluded in this window"
        found.append(Evidence(words, PaneName.TREND, (("bound_per_h", bound),)))
    live = window.live
    if live is not None:
        first, last = units.size(int(live.first)), units.size(int(live.last))
        low = _recent_minimum(live)
        words = f"live heap {first} → {last}; minimum of the last third {units.size(low)}"
        figures = (("from", live.first), ("to", live.last), ("lowest", float(low)))
        found.append(Evidence(words, PaneName.GCTRACE, figures))
    return Finding(
        cause=Cause.WARM_UP if rises or window.is_growing else Cause.STEADY,
        sentence=_sentence(window, trend, why),
        line=line,
        brief=brief,
        share=1.0,
        of_growth=False,
        confidence=confidence.lowered() if rises else confidence,
        evidence=tuple(found),
        advice=LESS_ROOM if rises else NOTHING,
        refuted_by=("A longer window shows a slope that is noise in this one.",),
        raised_by=missing_sources(window),
    )


def _largest_possible_leak(window: Window, trend: Trend) -> float:
    """Return the fastest growth in bytes an hour that this window does not exclude.

    A live heap that each cycle measured has the narrower interval, so it counts if it is known.
    """
    live = window.live
    if live is not None and live.source is LiveSource.MEASURED:
        return max(0.0, min(live.trend.high_per_h, trend.high_per_h))
    return max(0.0, trend.high_per_h)


def _sentence(window: Window, trend: Trend, why: str) -> str:
    if window.returned:
        return f"RES is {units.size(window.res)}.{release_sentence(window)}"
    if _has_fallen(window, trend):
        fell, now = units.size(-window.growth), units.size(window.res)
        return f"RES fell by {fell} to {now}.{_ended_goroutines(window)}"
    if _still_grows(window, trend) or window.is_growing:
        return f"RES {_growth_clause(window)}, but {why}: no leak seen."
    return f"No growth: {why}." if _swings(window) else f"Steady: {why}."


def _ended_goroutines(window: Window) -> str:
    """Return a sentence about goroutines that ended: Go frees their stacks, not their structures.

    The runtime keeps a dead g for reuse and never frees it (golang/go#9869).
    """
    stacks = [value for _, value in window.series(lambda point: point.stacks)]
    if not stacks or stacks[-1] > 0.5 * max(stacks):
        return ""
    counts = [value for _, value in window.series(lambda point: point.goroutines)]
    many = f"{max(counts) - counts[-1]} goroutines" if counts else "Many goroutines"
    return (
        f" {many} ended: their stacks shrank from {units.size(int(max(stacks)))} to "
        f"{units.size(int(stacks[-1]))}; their g structures stay: the runtime never frees them."
    )


def _has_fallen(window: Window, trend: Trend) -> bool:
    blocks = [value for _, value in trend.blocks]
    third = max(1, len(blocks) // 3)
    return window.growth < -window.least_growth and max(blocks[-third:]) < min(blocks[:third])


def _extremes(window: Window) -> tuple[int, int]:
    """Return the lowest and the highest RES of the window in bytes."""
    values = [point.res for point in window.points if point.res is not None]
    return min(values), max(values)


def _fell_by_half_range(window: Window) -> bool:
    """Return whether RES fell within the window by at least half of its range."""
    highest, fall = 0, 0
    for point in window.points:
        highest = max(highest, point.res or 0)
        fall = max(fall, highest - (point.res or 0))
    low, high = _extremes(window)
    return fall >= (high - low) / 2


def _swings(window: Window) -> bool:
    """Return whether RES swings so much that no single size describes it."""
    low, high = _extremes(window)
    return high - low > SWING * window.res


def _summary_lines(window: Window, trend: Trend, why: str) -> tuple[str, str]:
    """Return the line and the brief line, which follow the word RES."""
    size, cycles = units.size(window.res), count_noun(window.cycles_seen, "cycle")
    if window.returned:
        return (
            f"{size}.{release_sentence(window)}",
            f"{size} after {units.size(window.returned.size)} was freed.",
        )
    if _has_fallen(window, trend):
        fell = units.size(-window.growth)
        return f"fell by {fell} to {size}, {cycles}.", f"fell by {fell} to {size}."
    if _still_grows(window, trend):
        change = units.change(window.growth)
        return (
            f"{_growth_clause(window)}: {why}. No leak seen.",
            f"{change}, the live heap is stable.",
        )
    if window.grows:
        it = "it" + why[3:] if why.startswith("RES") else why
        return f"{size}: {it}.", f"{size}, the live heap is stable."
    if _swings(window):
        low, high = (units.size(each) for each in _extremes(window))
        words = f"falls to {low} between peaks of {high}, {cycles}; no growth found."
        return words, f"{low} to {high}."
    return f"steady at {size} ±{units.size(_spread(trend))}, {cycles}.", f"steady at {size}."


def _still_grows(window: Window, trend: Trend) -> bool:
    """Return whether RES still grows, though there is no sign of a leak."""
    return window.grows and trend.grows and trend.shape is not TrendShape.LEVELLED


def _growth_clause(window: Window) -> str:
    return f"{units.change(window.growth)} in {units.duration(window.seconds)}"


def _spread(trend: Trend) -> int:
    """Return half of the range of RES in bytes."""
    values = [value for _, value in trend.blocks]
    return int((max(values) - min(values)) / 2)


def _recent_minimum(live: LiveHeap) -> int:
    """Return the lowest live heap of the last third of the window in bytes."""
    values = [value for _, value in live.trend.blocks]
    return int(min(values[-max(1, len(values) // 3) :]))


def _healthy_reason(window: Window) -> str | None:
    """Return why the course of RES is healthy; None if that is not certain."""
    trend = window.res_trend
    is_bounded = (
        is_anon_explained(window) if window.access is Access.FULL else _is_within_goal(window)
    )
    if not is_bounded or trend is None or _grows_untouched(window):
        return None
    time = units.duration(window.seconds)
    if window.grows and window.live is not None and not window.live.is_sure:
        return None
    if not window.grows and not window.is_growing:
        return f"RES did not grow in {time}, and little of it is idle"
    if not trend.grows and not window.is_growing and _fell_by_half_range(window):
        low, high = (units.size(each) for each in _extremes(window))
        return f"RES falls to {low} between peaks of {high}"
    if trend.shape is TrendShape.LEVELLED and not window.is_growing:
        return "RES rose at first and is flat since, as in a warm-up"
    if _fills_its_goal(window):
        return "the heap fills up to its goal, which does not move"
    return _live_heap_reason(window)


def _grows_untouched(window: Window) -> bool:
    """Return whether the heap grows by memory that is not touched yet, so that RES will follow."""
    first, last = window.ends
    ledger = window.ledger
    if first.alloc is None or last.alloc is None or ledger is None:
        return False
    untouched = sum(part.untouched for name in HEAP_PARTS if (part := ledger.part(name)))
    grown = last.alloc - first.alloc
    return grown > window.big and untouched > grown / 2 and grown > 2 * max(0, window.growth)


def _live_heap_reason(window: Window) -> str | None:
    """Return why the live heap is stable though RES rises; None if it is not.

    Either the live heap falls between its peaks, and RES keeps room for these. Or it rose once,
    each later cycle found the same, and RES fills the room of the new goal.
    """
    live = window.live
    if live is None or live.source is not LiveSource.MEASURED or not _only_heap_grew(window):
        return None
    values = [value for _, value in live.trend.blocks]
    least = max(window.thresholds.growth_bytes, window.thresholds.growth_share * live.last)
    has_peaks = live.swing > max(least, PEAKS * window.growth)
    low_again = _recent_minimum(live)
    if has_peaks and low_again - live.first <= least and not live.trend.grows:
        low = units.size(low_again)
        return f"the live heap falls to {low} between its peaks"
    later = values[-window.thresholds.repeated :]
    has_risen = live.growth > least and live.trend.shape in (TrendShape.STEP, TrendShape.LEVELLED)
    if not has_risen or max(later) - min(later) > least / 2:
        return None
    size = units.size(int(live.last))
    return f"the live heap rose to {size} and is flat since then"


def _only_heap_grew(window: Window) -> bool:
    """Return whether only the heap grew, and enough cycles measured the live heap."""
    if window.cycles_seen < 2 * window.thresholds.repeated:
        return False
    if window.access is not Access.FULL:
        return True
    goals = [point.goal for point in window.points if point.goal is not None]
    heap = window.ends[1].heap
    return (
        _growth_beyond_heap(window) < window.least_part
        and heap is not None
        and bool(goals)
        and (heap <= 1.3 * max(goals[len(goals) // 2 :]))
    )


def _growth_beyond_heap(window: Window) -> int:
    """Return the growth of RES outside of the Go heap in bytes; lazily freed memory was heap."""
    ledger = window.ledger
    return window.growth - (ledger.grown(*HEAP_PARTS, PartName.LAZY) if ledger else 0)


def _is_within_goal(window: Window) -> bool:
    """Return whether the GC goal explains all anonymous memory, by gctrace.

    The largest goal of the later half counts, because RES keeps a peak for a while. Without
    LazyFree it may keep the peak forever, so the median goal counts. The scavenger keeps 1.1 times
    the goal.
    """
    points = window.points[len(window.points) // 2 :]
    goals = [point.goal for point in points if point.goal is not None]
    last = window.ends[1]
    if not goals or last.anon is None:
        return False
    held = last.anon - (last.lazy or 0)
    goal = max(goals) if window.has_rollup else median(goals)
    return held <= 1.25 * goal + (last.scanned or 0) + GO_OVERHEAD


def _fills_its_goal(window: Window) -> bool:
    """Return whether only the heap grew, towards a constant goal, with a flat live heap."""
    live = window.live
    goal = window.trend(lambda point: point.goal)
    if goal is None or window.cycles_seen == 0:
        return False
    if live is None:  # too few cycles: a constant goal after a cycle means a flat live heap
        first, last = window.ends
        stays = first.goal and last.goal and abs(last.goal - first.goal) < window.least_part
        if not stays or window.access is not Access.FULL:
            return False
    if window.live_growth >= window.least_part:
        return False
    if goal.growth > window.least_part:
        return False
    if window.access is not Access.FULL:
        # The heap reaches its goal in each cycle: growth over several cycles is elsewhere.
        return not window.is_growing or window.cycles_seen < window.thresholds.fewest_cycles
    heap, goal_now = window.ends[1].heap, window.ends[1].goal or 0
    return (
        _growth_beyond_heap(window) < window.least_part
        and heap is not None
        and heap <= 1.3 * goal_now
    )
