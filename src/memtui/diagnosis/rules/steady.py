"""steady and not-enough-data: what is said when no cause was found, and which of the two it is.

To call a process steady is a claim too: it needs data that would have shown a cause.
"""

from __future__ import annotations

from statistics import median

from memtui import units
from memtui.diagnosis.finding import Advice, Cause, Confidence, Evidence, Finding, Place
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.point import Point
from memtui.diagnosis.rules.freed import SLACK, lying_free
from memtui.diagnosis.rules.judging import res_moved, to_be_surer
from memtui.diagnosis.trends import Shape
from memtui.diagnosis.window import Access, Window

HEAP_PARTS = (
    PartName.LIVE, PartName.GARBAGE, PartName.OBJECTS, PartName.FRAGMENTATION, PartName.UNRETURNED,
)  # fmt: skip

NOTHING = Advice(code=("Nothing to do.",))
LOOK_AGAIN = Advice(code=("Watch longer, and look again.",))


def missing(window: Window) -> str | None:
    """Say what is missing to judge this window at all; None when it is enough."""
    limits = window.thresholds
    if window.ledger is None:
        return "RES is not known"
    if len(window.points) < limits.fewest_points or window.seconds < limits.shortest_s:
        return f"{units.duration(window.seconds)} of data"
    return None


def steady(window: Window) -> Finding | None:
    """Say that nothing grows and nothing large lies idle, where that can be seen."""
    if missing(window) or window.access is Access.PROC:
        return None
    trend = window.res_trend
    if trend is None or _is_unseen(window) or lying_free(window):
        return None
    why = _why_steady(window)
    if why is None:
        return None
    blocks = [value for _, value in trend.blocks]
    spread = units.size(int((max(blocks) - min(blocks)) / 2))
    size, cycles = units.size(window.res), window.cycles_seen
    time = units.duration(window.seconds)
    is_sure = window.access is Access.FULL and cycles >= window.thresholds.fewest_cycles
    found = [
        res_moved(window),
        Evidence(f"{size} ±{spread} in {time}, {cycles} cycles", Place.TREND),
    ]
    live = window.live
    if live is not None:
        first, last = units.size(int(live.first)), units.size(int(live.last))
        found.append(Evidence(f"live heap {first} → {last}", Place.GCTRACE))
    return Finding(
        cause=Cause.STEADY,
        sentence=f"Steady: {why}.",
        line=f"steady at {size} ±{spread}, {cycles} cycles.",
        share=1.0,
        of_growth=False,
        confidence=Confidence.HIGH if is_sure else Confidence.MEDIUM,
        evidence=tuple(found),
        advice=NOTHING,
        refuted_by=("A longer window shows a slope that this one cannot tell from noise.",),
        raised_by=to_be_surer(window),
    )


def _why_steady(window: Window) -> str | None:
    """Return why what RES did is healthy; None when it is not known to be."""
    trend = window.res_trend
    is_bounded = _is_all_known(window) if window.access is Access.FULL else _is_within_goal(window)
    if not is_bounded or trend is None:
        return None
    time = units.duration(window.seconds)
    if window.grows and window.live is not None and not window.live.is_sure:
        return None
    if not window.grows:
        return f"RES neither grew in {time} nor holds much that is idle"
    if not trend.grows:
        return "RES swings, and ends no higher than it was before"
    if trend.shape is Shape.LEVELLED:
        return "RES rose at first and is flat since, as a program that warms up"
    if _fills_its_goal(window):
        return "the heap fills the room up to its goal, which does not move"
    return None


def _is_unseen(window: Window) -> bool:
    """Tell whether much of the heap was never looked at by a cycle that anybody saw.

    Either it grew since the last cycle, or nobody knows what was alive at the last one.
    """
    points = [point for point in window.points if point.cycles is not None]
    if window.access is Access.TRACE:
        last_at = window.cycles[-1].at if window.cycles else window.start
        silence = window.end - last_at
        return window.grows and silence > max(window.thresholds.stale_s, 0.3 * window.seconds)
    if not points:
        return False
    last = points[-1]
    since = next(point.at for point in points if point.cycles == last.cycles)
    if last.at - since <= window.thresholds.stale_s:
        return False
    if last.live is None and window.cycles_seen == 0:
        return True
    ledger = window.ledger
    grown = ledger.grown(*HEAP_PARTS) if ledger else 0
    return window.grows and grown > 0.5 * window.growth and not _filling(last)


def _filling(last: Point) -> bool:
    """Tell whether a heap is on its way to its goal, and nearly there."""
    return last.goal is not None and last.alloc is not None and last.alloc > 0.9 * last.goal


def _is_all_known(window: Window) -> bool:
    """Tell whether what is resident beyond Go is known for what it is, or little.

    Without LazyFree it may be lazily freed, or filled again by huge pages.
    """
    last = window.ends[1]
    return window.has_rollup or last.beyond_go is None or last.beyond_go <= window.big


def _is_within_goal(window: Window) -> bool:
    """Tell whether the goal explains all anonymous memory, as far as gctrace tells it.

    The largest goal of the later half counts: RES keeps a peak for a while, but without LazyFree
    it may keep it for ever, and the usual goal counts. The scavenger keeps 1.1 times the goal.
    """
    points = window.points[len(window.points) // 2 :]
    goals = [point.goal for point in points if point.goal is not None]
    last = window.ends[1]
    if not goals or last.anon is None:
        return False
    held = last.anon - (last.lazy or 0)
    goal = max(goals) if window.has_rollup else median(goals)
    return held <= 1.25 * goal + (last.scanned or 0) + SLACK


def _fills_its_goal(window: Window) -> bool:
    """Tell whether the heap alone grew, towards a goal that did not, over a flat live heap."""
    live, ledger = window.live, window.ledger
    goal = window.trend(lambda point: point.goal)
    if live is None or ledger is None or goal is None or window.cycles_seen == 0:
        return False
    if window.live_growth >= window.least_part:
        return False
    if goal.growth > window.least_part:
        return False
    if window.access is not Access.FULL:
        return True
    others = window.growth - ledger.grown(*HEAP_PARTS)
    last = window.ends[1]
    return (
        others < window.least_part and last.heap is not None and last.heap <= 1.3 * (last.goal or 0)
    )


def not_enough_data(window: Window) -> Finding:
    """Say what cannot be told, and what would tell it."""
    lacking = missing(window)
    if lacking:
        sentence = f"Not enough data yet: {lacking}."
        line = f"not enough data yet ({lacking})."
        found: tuple[Evidence, ...] = ()
    elif window.grows:
        sentence, line = _growing(window)
        found = (res_moved(window), *_suspects(window))
    else:
        size = units.size(window.res)
        what = _unsaid(window)
        sentence = f"RES does not grow ({size}); {what}."
        line = f"flat at {size}; {what}."
        found = (res_moved(window),)
    return Finding(
        cause=Cause.NOT_ENOUGH_DATA,
        sentence=sentence,
        line=line,
        share=0.0,
        of_growth=window.grows,
        confidence=Confidence.LOW,
        evidence=found,
        advice=LOOK_AGAIN,
        raised_by=to_be_surer(window),
    )


def _unsaid(window: Window) -> str:
    """Say what cannot be known of a process that does not grow."""
    if window.access is Access.PROC:
        return "what it holds needs an endpoint or gctrace"
    if window.access is Access.TRACE:
        return "it holds more than the goal explains: an endpoint tells what"
    free = lying_free(window)
    if free:
        return f"{units.size(free.size)} lies free for {units.duration(free.seconds)}: wait for it"
    if not _is_all_known(window):
        return "memory beyond Go is lazily freed, in huge pages, or C: smaps_rollup tells"
    return "no cycle has looked at the heap: what of it is dead nobody knows"


def _growing(window: Window) -> tuple[str, str]:
    size = units.change(window.growth)
    if window.access is Access.PROC:
        what = "anonymous memory grew; heap, stacks or C cannot be told apart from outside"
    elif window.access is Access.TRACE:
        what = "the trace does not explain it: freed memory, fragmentation, C or metadata"
    else:
        what = "no part grew long enough to be blamed"
    return f"RES {size}, and {what}.", f"{what}."


def _suspects(window: Window) -> tuple[Evidence, ...]:
    """Name the parts that grew most."""
    if window.ledger is None:
        return ()
    parts = sorted(window.ledger.parts, key=lambda part: -(part.growth or 0))[:3]
    return tuple(
        Evidence(f"{part.title} {units.change(part.growth)}", Place.LEDGER,
                 ((part.name.value, part.growth),))
        for part in parts
        if part.growth and part.growth > 0
    )  # fmt: skip
