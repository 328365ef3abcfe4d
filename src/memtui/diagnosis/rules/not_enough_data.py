"""not-enough-data: no cause is known yet; the growing parts are reported with their size."""

from __future__ import annotations

from collections.abc import Sequence

from memtui import units
from memtui.diagnosis.attribution import Attribution, Unclaimed
from memtui.diagnosis.finding import Advice, Cause, Claim, Confidence, Evidence, Finding, PaneName
from memtui.diagnosis.function_growth import grown_functions, largest_function
from memtui.diagnosis.ledger import HEAP_PARTS, TITLES, Ledger, PartName
from memtui.diagnosis.point import Point
from memtui.diagnosis.rules.criteria import (
    is_anon_explained,
    is_heap_unseen,
    join_words,
    missing_sources,
    release_sentence,
    res_evidence,
    seconds_without_cycle,
    slope_evidence,
)
from memtui.diagnosis.rules.freed_not_returned import Unreturned, find_idle_free
from memtui.diagnosis.window import Access, Window

LEAST_NAMED = 0.1
"""A part with a smaller share of the growth is not reported."""
FORCED_S = 120.0
"""A GC cycle runs at least every two minutes (Go 1.27.3 runtime/proc.go forcegcperiod)."""

YOUNG_S = 120.0
LARGEST_SHARE = 0.3
"""A function with a smaller share of the heap is not reported from one profile."""

LOOK_AGAIN = Advice(code=("Watch longer.",))
SETTLE = Advice(code=("Force a GC cycle: memory that it does not free is live.", "Watch longer."))


def missing_data(window: Window) -> str | None:
    """Return the data that this window lacks for a diagnosis; None if it has enough."""
    limits = window.thresholds
    if window.ledger is None:
        return "RES is unknown"
    if len(window.points) >= limits.steep_points and window.is_steep:
        return None
    if window.seconds < limits.shortest_s:
        return f"{units.duration(window.seconds)} of {units.duration(limits.shortest_s)}"
    if len(window.points) < limits.fewest_points:
        return f"{len(window.points)} samples of {limits.fewest_points}"
    return None


def growth_without_cause(window: Window, grown: Attribution) -> Finding | None:
    """Return a finding with the growth that no cause explains; None if RES does not grow."""
    if not (window.is_growing or window.grows) or window.ledger is None:
        return None
    named = [
        part
        for each in grown.unclaimed
        if each.size >= LEAST_NAMED * grown.grown
        for part in _by_mappings(each, window.ledger)
    ]
    rate, trend = _rate(window), window.res_trend
    parts = _part_list(named)
    left = sum(each.size for each in grown.unclaimed)
    what = parts or f"{units.size(left)} in small parts"
    next_step = _next_step(window, named)
    found = [
        res_evidence(window),
        *([slope_evidence("RES", trend, PaneName.TREND)] if trend else []),
    ]
    found += [_growth_evidence(window, each) for each in named]
    found += _function_evidence(window) if _is_heap(named) else []
    return Finding(
        cause=Cause.NOT_ENOUGH_DATA,
        sentence=f"RES is growing{rate}; the cause is unknown so far. {_capitalized(what)}. "
        f"{next_step}" + _context_sentences(window),
        line=f"growing{rate}: {what}; cause unknown so far{_next_cycle_clause(window, named)}.",
        brief=f"{what}; cause unknown so far.",
        claim=Claim(left, tuple(each.name for each in grown.unclaimed)),
        of_growth=True,
        confidence=Confidence.LOW,
        evidence=tuple(found),
        advice=SETTLE if _is_heap(named) else LOOK_AGAIN,
        raised_by=missing_sources(window),
    )


def _by_mappings(part: Unclaimed, ledger: Ledger) -> list[Unclaimed]:
    """Return the mappings that grew in the part "not explained by Go", largest first."""
    whole = ledger.part(part.name)
    inner = whole.parts if whole and part.name is PartName.REST else ()
    grown = [
        Unclaimed(each.name, min(each.growth, part.size))
        for each in inner
        if each.growth and each.growth >= LEAST_NAMED * part.size
    ]
    return sorted(grown, key=lambda each: -each.size) or [part]


def _context_sentences(window: Window) -> str:
    """Return sentences about peaks, a rising load and a young process."""
    words = ""
    values = [point.res for point in window.points if point.res is not None]
    if values and values[-1] < 0.7 * max(values):
        low, peak = units.size(min(values)), units.size(max(values))
        words += f" RES falls to about {low} between peaks of {peak}."
    if window.load_rises and window.load:
        first, last = (units.size(round(each)) for each in (window.load.first, window.load.last))
        words += f" The load rises too: the program allocated {first}/s at first, and {last}/s now."
    return words + young_process_sentence(window)


def young_process_sentence(window: Window) -> str:
    """Return a sentence about the age of a process below two minutes; empty for others."""
    if not window.is_young or window.identity is None:
        return ""
    age = window.end - window.identity.started_at
    if not 0 <= age < YOUNG_S:
        return ""
    return f" The process started only {units.duration(age)} ago."


def _rate(window: Window) -> str:
    trend = window.res_trend
    if trend is None or trend.slope_per_h <= 0:
        return ""
    return f" at {units.size(round(trend.slope_per_h))}/h"


def _part_list(parts: Sequence[Unclaimed]) -> str:
    words = [f"{_title(each.name)} {units.change(each.size)}" for each in parts]
    return join_words(words) if words else ""


def _title(name: PartName) -> str:
    return "heap" if name in HEAP_PARTS else TITLES[name]


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _growth_evidence(window: Window, part: Unclaimed) -> Evidence:
    words = f"{_title(part.name)} {units.change(part.size)}"
    if part.name in HEAP_PARTS and window.ledger:
        members = [each for name in HEAP_PARTS if (each := window.ledger.part(name))]
        inner = [f"{each.title} {units.change(each.growth)}" for each in members if each.growth]
        words += f" ({', '.join(inner)})" if len(inner) > 1 else ""
    return Evidence(words, PaneName.LEDGER, ((part.name.value, part.size),))


def _function_evidence(window: Window) -> list[Evidence]:
    """Return evidence of the functions that allocated most of the heap, or of its growth."""
    grown = grown_functions(window.profiles, "inuse_space")
    if grown:
        words = join_words([f"{name} {units.change(size)}" for name, size in grown])
        return [Evidence(f"inuse_space grew: {words}", PaneName.PROFILE, tuple(grown))]
    largest = largest_function(window.profiles)
    if largest is None or largest[1] < LARGEST_SHARE:
        return []
    name, share = largest
    words = f"{name} allocated {share:.0%} of inuse_space"
    return [Evidence(words, PaneName.PROFILE, (("share", share),))]


def _is_heap(parts: Sequence[Unclaimed]) -> bool:
    return bool(parts) and parts[0].name in HEAP_PARTS


def _next_cycle_clause(window: Window, parts: Sequence[Unclaimed]) -> str:
    due = next_cycle_s(window) if _is_heap(parts) else None
    return "" if due is None else f", next GC cycle in about {units.duration(due)}"


def _next_step(window: Window, parts: Sequence[Unclaimed]) -> str:
    """Return a sentence about the data that will show the cause of the largest part."""
    if window.access is Access.PROC and any(each.name is PartName.GO_HEAP for each in parts):
        return "MemStats or gctrace would split the Go heap into live objects and garbage."
    if window.access is Access.PROC:
        return "MemStats or gctrace would split anonymous memory."
    if window.access is Access.TRACE:
        goal = window.ends[1].goal
        aim = f" to its goal of {units.size(goal)}" if goal else ""
        return f"The heap may grow{aim} before the next GC cycle; MemStats would split the rest."
    if not _is_heap(parts):
        return "A longer window shows whether it continues."
    due = next_cycle_s(window)
    when = "" if due is None else f", in about {units.duration(due)},"
    goal = window.ends[1].goal
    aim = f" The heap grows up to its goal of {units.size(goal)}." if goal else ""
    settles = "separates live objects from garbage; a forced cycle does so at once."
    return f"The next GC cycle{when} {settles}{aim}"


def next_cycle_s(window: Window) -> float | None:
    """Return the seconds until the next GC cycle is due; None if they cannot be computed.

    It is due when the heap reaches its goal at the rate since the last cycle, or after two minutes.
    """
    points = [each for each in window.points if each.alloc is not None and each.cycles is not None]
    if len(points) < 2:
        return None
    last = points[-1]
    since = next(each for each in points if each.cycles == last.cycles)
    age = last.at - since.at
    if last.has_goal is False or last.goal is None or age <= 0:
        return None
    pace = _alloc(last) - _alloc(since)
    if pace <= 0:
        return max(0.0, FORCED_S - age)
    return min(max(0.0, FORCED_S - age), max(0.0, (last.goal - _alloc(last)) / pace * age))


def _alloc(point: Point) -> int:
    return point.alloc or 0


def not_enough_data(window: Window) -> Finding:
    """Return the finding for RES that does not grow, or for a window without enough data."""
    lacking = missing_data(window)
    found: tuple[Evidence, ...] = ()
    if lacking:
        sentence = (
            "Not enough data yet: "
            f"{lacking}.{release_sentence(window)}{young_process_sentence(window)}"
        )
        line, brief = (
            f"not enough data yet ({lacking}).{release_sentence(window)}",
            "not enough data yet.",
        )
    else:
        size, what = units.size(window.res), _unknown_contents(window)
        values = [point.res for point in window.points if point.res is not None]
        fell = max(values) - values[-1]
        if fell > 0.3 * max(values):
            peak = units.size(max(values))
            sentence = f"RES fell by {units.size(fell)} from its peak of {peak} to {size}; {what}."
            line, brief = f"fell by {units.size(fell)} to {size}; {what}.", f"fell to {size}."
            found = (
                Evidence(f"peak {peak}", PaneName.TREND, (("fell", fell), ("peak", max(values)))),
            )
        else:
            sentence = f"RES does not grow ({size}); {what}."
            line, brief = f"flat at {size}; {what}.", "flat; its contents are unknown."
        free = find_idle_free(window)
        found = (res_evidence(window), *found, *((_free_evidence(free),) if free else ()))
    return Finding(
        cause=Cause.NOT_ENOUGH_DATA,
        sentence=sentence,
        line=line,
        brief=brief,
        of_growth=False,
        confidence=Confidence.LOW,
        evidence=found,
        advice=LOOK_AGAIN,
        raised_by=missing_sources(window),
    )


def _unknown_contents(window: Window) -> str:
    """Return a clause about the unknown part of RES that does not grow."""
    if window.access is Access.PROC:
        return "its contents are unknown without MemStats or gctrace"
    if is_heap_unseen(window):
        return f"the amount of garbage is unknown: no GC for {_age(seconds_without_cycle(window))}"
    if window.access is Access.TRACE:
        return "it exceeds the memory that the GC goal explains: MemStats would split it"
    free = find_idle_free(window)
    if free:
        return f"{units.size(free.size)} has been free for {_age(free.seconds)}: wait for a GC"
    if not is_anon_explained(window):
        return (
            "memory beyond Go is lazily freed, in huge pages, or from C: smaps_rollup would "
            "show which"
        )
    return "the amount of live memory is unknown"


def _free_evidence(free: Unreturned) -> Evidence:
    words = f"{units.size(free.size)} has been free and not returned for {_age(free.seconds)}"
    return Evidence(words, PaneName.LEDGER, (("unreturned", free.size), ("seconds", free.seconds)))


def _age(seconds: float) -> str:
    return units.duration(seconds)
