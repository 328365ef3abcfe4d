"""Removes from a finding what the ledger of the same window does not bear out.

A denial ("Not the Go heap", "heap-leak is ruled out", "a forced GC will not help") is a statement
about other parts of RES: it is true only where those parts did not grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from memtui.diagnosis.finding import Cause, Denial, Finding
from memtui.diagnosis.ledger import HEAP_PARTS, Ledger, PartName
from memtui.diagnosis.shares import Attribution, growth_of_parts
from memtui.diagnosis.window import Window

LEAST_DENIED = 0.1
"""A part with more than this share of the growth is not denied."""

OF_CAUSE: Mapping[Cause, tuple[PartName, ...]] = {
    Cause.HEAP_LEAK: HEAP_PARTS,
    Cause.GOROUTINE_LEAK: (PartName.STACKS,),
    Cause.FREED_NOT_RETURNED: (PartName.UNRETURNED,),
    Cause.DEAD_NOT_COLLECTED: (PartName.GARBAGE,),
    Cause.LAZILY_FREED: (PartName.LAZY,),
    Cause.FRAGMENTATION: (PartName.FRAGMENTATION,),
    Cause.OFF_HEAP: (PartName.REST,),
    Cause.HUGE_PAGES: (PartName.REST,),
    Cause.FILE_MAPPED: (PartName.FILES, PartName.SHARED),
    Cause.RUNTIME_METADATA: (PartName.RUNTIME,),
    Cause.GOAL_GROWTH: HEAP_PARTS,
}
"""The parts of RES that a cause makes grow."""

_LEAKING = (*HEAP_PARTS, PartName.STACKS, PartName.REST)


def borne_out(found: Finding, all_found: Attribution, window: Window) -> Finding:
    """Return a finding without the denials that the growth of the parts contradicts."""
    ledger = window.ledger
    if ledger is None or not all_found.grown or not window.grows:
        return _denying(found, is_denied=found.denies is not None)
    own = found.claim.parts if found.claim else ()
    rivals = tuple(
        replace(rival, causes=causes)
        for rival in found.rivals
        if (
            causes := tuple(
                c for c in rival.causes if _did_not_grow(OF_CAUSE.get(c, ()), own, ledger)
            )
        )
    )
    advice = found.advice
    if not _did_not_grow(HEAP_PARTS, own, ledger):
        advice = replace(advice, useless=())
    parts = {None: (), Denial.HEAP: HEAP_PARTS, Denial.LEAK: _LEAKING}[found.denies]
    is_denied = found.denies is not None and _did_not_grow(parts, own, ledger)
    return _denying(replace(found, rivals=tuple(rivals), advice=advice), is_denied=is_denied)


def _denying(found: Finding, *, is_denied: bool) -> Finding:
    if found.denies is None or not is_denied:
        return found
    words = f" {found.denies.value}"
    # Whether it is a leak is worth room on a narrow screen too.
    brief = found.brief + (words if found.denies is Denial.LEAK else "")
    return replace(found, line=found.line + words, brief=brief)


def _did_not_grow(parts: tuple[PartName, ...], own: tuple[PartName, ...], ledger: Ledger) -> bool:
    """Return whether parts other than the finding's own carry less than a tenth of the growth."""
    grown = growth_of_parts(ledger)
    whole = sum(grown.values())
    others = sum(size for name, size in grown.items() if name in parts and name not in own)
    return others <= LEAST_DENIED * whole
