"""Diagnoses a window: runs the rules and ranks their findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from memtui import units
from memtui.diagnosis.attribution import Attribution, attribute, without_contradicted_denials
from memtui.diagnosis.finding import Cause, Evidence, Finding
from memtui.diagnosis.gc_goal import memory_limit
from memtui.diagnosis.ledger import Ledger, PartName
from memtui.diagnosis.rules import EARLY_RULES, RULES
from memtui.diagnosis.rules.container_memory import page_cache_evidence
from memtui.diagnosis.rules.not_enough_data import (
    growth_without_cause,
    missing_data,
    not_enough_data,
    young_process_sentence,
)
from memtui.diagnosis.rules.runtime_metadata import peak_evidence
from memtui.diagnosis.rules.steady import steady
from memtui.diagnosis.rules.thread_growth import threads_evidence
from memtui.diagnosis.thresholds import eased
from memtui.diagnosis.trends import TimeLeft, moved_at, time_to
from memtui.diagnosis.window import Access, Column, Window
from memtui.sanitize import plain

LATE_S = 5.0
"""A note reports a window that begins this long after /proc."""
HOLD_S = 60.0
"""Minimum time between two changes of the first cause."""
ENOUGH = 0.8
"""The findings must explain this share of the growth; otherwise the rest is reported."""

SERIES: tuple[tuple[str, Column], ...] = (
    ("live heap", lambda point: point.live),
    ("goal", lambda point: point.goal),
    ("stacks", lambda point: point.stacks),
    ("freed, not returned", lambda point: point.unreturned),
    ("runtime's own", lambda point: point.own),
    ("files", lambda point: point.mapped),
    ("lazily freed", lambda point: point.lazy),
    ("outside of Go", lambda point: point.beyond_go),
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings, most important first, with the ledger and the window.

    ``since`` is the time (Unix seconds) since when the first cause is the first one.
    ``first_moved`` is the series that grew first, and when (Unix seconds). ``limit`` is the name
    and size of the limit that is reached first, ``left`` the time until then; None if nothing grows
    or there is no limit. ``notes`` are marks in the window and other facts. ``has_changed`` is True
    if another cause was the first one before.
    """

    findings: tuple[Finding, ...]
    ledger: Ledger | None
    window: Window
    since: float
    first_moved: tuple[str, float] | None = None
    limit: tuple[str, int] | None = None
    left: TimeLeft | None = None
    notes: tuple[str, ...] = ()
    has_changed: bool = False

    @property
    def first(self) -> Finding:
        """The most important finding."""
        return self.findings[0]

    @property
    def grows(self) -> bool:
        """Whether RES surely grows, or grew enough to look for a cause."""
        return self.window.is_growing or self.window.grows

    @property
    def needs_action(self) -> bool:
        """Whether a cause needs action."""
        return any(found.needs_action for found in self.findings)


def diagnose(window: Window) -> Diagnosis:
    """Return the findings of a window, largest share first; takes a few milliseconds."""
    return _diagnosis(window, _findings(window))


def diagnose_next(window: Window, last: Diagnosis) -> Diagnosis:
    """Diagnose a window that follows the one of ``last``, without a flickering verdict.

    The first cause stays first while eased thresholds still find it. It changes at most once a
    minute: until then ``last`` is returned, with its window and numbers. A window without a cause
    before it, or of another process, is diagnosed independently.
    """
    now = diagnose(window)
    if not _is_same_process(window, last.window) or window.end < last.window.end:
        return now
    if now.first.cause is last.first.cause:
        return replace(now, since=last.since, has_changed=last.has_changed)
    if not last.has_changed and last.first.cause is Cause.NOT_ENOUGH_DATA:
        return replace(now, has_changed=True)
    again = _with_eased_thresholds(window, last.first.cause)
    if again is not None:
        return replace(again, since=last.since, has_changed=last.has_changed)
    if window.end - last.since < HOLD_S and last.has_changed:
        return last
    return replace(now, has_changed=True)


def _is_same_process(window: Window, other: Window) -> bool:
    return window.identity == other.identity


def _with_eased_thresholds(window: Window, cause: Cause) -> Diagnosis | None:
    """Return a diagnosis in which the cause is the first one; None if it is not."""
    found = _findings(replace(window, thresholds=eased(window.thresholds)))
    return _diagnosis(window, found) if found[0].cause is cause else None


def _diagnosis(window: Window, findings: Sequence[Finding]) -> Diagnosis:
    limit, left = _nearest_limit(window) or (None, None)
    return Diagnosis(
        findings=tuple(with_context(each, window) for each in findings),
        ledger=window.ledger,
        window=window,
        since=window.end,
        first_moved=_first_moved(window) if window.grows else None,
        limit=limit,
        left=left,
        notes=(*_notes(window), *(plain(text) for _, text in window.marks)),
    )


def _findings(window: Window) -> Sequence[Finding]:
    if missing_data(window):
        early = attribute([found for rule in EARLY_RULES if (found := rule(window))], window.ledger)
        return early.findings or [not_enough_data(window)]
    # A process that has just started grows; the cause is visible later.
    is_early = window.is_young and window.seconds < window.thresholds.shortest_s
    rules = () if is_early else RULES
    named = [each for rule in rules if (each := rule(window))]
    ruled = attribute(named, window.ledger)
    if not ruled.findings:
        calm = steady(window)
        if calm is not None:
            return [calm]
    whole = _with_unexplained_growth(window, ruled, named)
    return [without_contradicted_denials(each, whole, window) for each in whole.findings] or [
        not_enough_data(window)
    ]


def _with_unexplained_growth(
    window: Window, ruled: Attribution, named: Sequence[Finding]
) -> Attribution:
    """Add the growth without a cause, if it is too large to leave out."""
    rest = growth_without_cause(window, ruled)
    if rest is None or ruled.unclaimed_share <= 1 - ENOUGH:
        return ruled
    # If the growth itself is uncertain, a finding about the size of RES is the answer.
    if ruled.findings and not window.is_growing and not ruled.findings[0].of_growth:
        return ruled
    return attribute([*named, rest], window.ledger)


def _notes(window: Window) -> Iterator[str]:
    """Yield notes about the window besides its causes."""
    ledger = window.ledger
    for name in (PartName.LIVE, PartName.OBJECTS):
        part = ledger.part(name) if ledger else None
        if part and part.untouched > window.big:
            size = units.size(part.untouched)
            yield (
                f"{size} of the heap was never touched: it is in RES once the program writes to it."
            )
    if sentence := young_process_sentence(window).strip():
        yield sentence
    if window.known_after_s >= LATE_S:
        after = units.duration(window.known_after_s)
        yield f"The window begins {after} after the first sample of /proc."
    yield from window.rarely


def _first_moved(window: Window) -> tuple[str, float] | None:
    """Return the series that grew first, and when; None if none grew enough."""
    moved = [
        (name, moved_at(trend))
        for name, column in SERIES
        if (trend := window.trend(column)) and trend.grows and trend.growth >= window.least_part
    ]
    # If two grew in the same block, the cause comes before its effect in SERIES.
    return min(moved, key=lambda entry: entry[1], default=None)


def _nearest_limit(window: Window) -> tuple[tuple[str, int], TimeLeft] | None:
    """Return the limit that is reached first at the current growth, and the time until then."""
    place = window.surroundings
    found = []
    trend = window.res_trend
    if place is None or not window.grows or trend is None:
        return None
    level = place.tightest
    if level is not None and isinstance(level.limit_bytes, int):
        room = level.margin_bytes or 0
        left = time_to(window.res + room, window.res, trend)
        if left:
            found.append((("cgroup", level.limit_bytes), left))
    limit = window.ends[1].limit
    if limit is None and isinstance(place.gomemlimit, str):
        limit = memory_limit(place.gomemlimit)
    total = window.ends[1].go_total if window.access is Access.FULL else None
    held = window.trend(lambda point: point.go_total)
    if limit is not None and total is not None and held is not None:
        left = time_to(limit, total, held)
        if left:
            found.append((("GOMEMLIMIT", limit), left))
    return min(found, key=lambda entry: entry[1].likely_s) if found else None


UNNAMED = (Cause.STEADY, Cause.WARM_UP, Cause.NOT_ENOUGH_DATA)


def with_context(found: Finding, window: Window) -> Finding:
    """Return a finding without a cause with additional evidence about the process."""
    if found.cause not in UNNAMED or not window.points:
        return found
    return replace(found, evidence=(*found.evidence, *_context_evidence(found, window)))


def _context_evidence(found: Finding, window: Window) -> Iterator[Evidence]:
    facts = [page_cache_evidence(window)]
    if found.cause is Cause.NOT_ENOUGH_DATA:
        facts += [peak_evidence(window), threads_evidence(window)]
    yield from (each for each in facts if each is not None)
