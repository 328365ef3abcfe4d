"""Growth accounting: which finding accounts for which bytes of the ledger, each byte once.

Removes from a finding what the ledger of the same window does not bear out.

A denial ("Not the Go heap", "heap-leak is ruled out", "a forced GC will not help") is a statement
about other parts of RES: it is true only where those parts did not grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from memtui import units
from memtui.diagnosis.finding import GREW, SIZE, Cause, Claim, Denial, Finding
from memtui.diagnosis.ledger import HEAP_PARTS, Ledger, PartName
from memtui.diagnosis.window import Window

LEAST_SHARE = 0.05
"""A finding that accounts for less is left out, unless it is the only one."""
LEAST_OF_GROWTH = 0.4
"""A part that matters by its size is about the growth when it carries more than this of it."""


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """Growth of a part, in bytes, that no finding accounts for."""

    name: PartName
    size: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """Findings with their shares, largest first, and the growth that none of them claims.

    ``grown`` is by how much the parts that grew did so together, in bytes: more than the growth of
    RES when another part shrank. ``unclaimed`` parts are sorted, largest first.
    """

    findings: tuple[Finding, ...]
    unclaimed: tuple[Unclaimed, ...]
    grown: int

    @property
    def unclaimed_share(self) -> float:
        """The growth that no finding claims, as a share of all, 0 to 1."""
        return sum(each.size for each in self.unclaimed) / self.grown if self.grown else 0.0


def growth_of_parts(ledger: Ledger) -> dict[PartName, int]:
    """Return the parts that grew, in bytes; the heap is one part, under its largest member.

    Objects die and their slots become free: within the heap one member grows while another
    shrinks, and only their sum is growth of RES.
    """
    heap = [(ledger.grown(name), name) for name in HEAP_PARTS if ledger.part(name)]
    net = sum(size for size, _ in heap)
    grown = {part.name: part.growth or 0 for part in ledger.parts if part.name not in HEAP_PARTS}
    if heap:
        grown[max(heap, key=lambda each: each[0])[1]] = net
    return {name: size for name, size in grown.items() if size > 0}


def attribute(findings: Iterable[Finding], ledger: Ledger | None) -> Attribution:
    """Share the growth of RES, and RES itself, among findings; the largest claim is met first."""
    found = sorted(findings, key=lambda each: -(each.claim.wanted if each.claim else 0))
    if ledger is None:
        return Attribution(tuple(found), (), 0)
    grown, sizes = growth_of_parts(ledger), _sizes(ledger)
    whole, res = sum(grown.values()), sum(sizes.values())
    shared = []
    for each in found:
        if each.claim is None:
            shared.append(each)  # it is about time, not about bytes
            continue
        is_in_rest = _unknown(ledger, each.claim.parts)
        # What accounts for a part also accounts for the growth of that part.
        of_growth = _taken(each.claim, grown, is_in_rest)
        is_level = each.claim.is_level and not each.of_growth
        if each.of_growth or (of_growth > LEAST_OF_GROWTH * whole and not is_level):
            found_share = of_growth / whole if whole else 0.0
            shared.append(_worded(replace(each, of_growth=True), of_growth, found_share))
        else:
            claimed = _taken(each.claim, sizes, is_in_rest)
            shared.append(_worded(each, claimed, claimed / res if res else 0.0))
    kept = [each for each in shared if each.share >= LEAST_SHARE]
    kept.sort(key=lambda each: -each.share)
    rest = sorted(
        (Unclaimed(name, size) for name, size in grown.items() if size > 0),
        key=lambda each: -each.size,
    )
    return Attribution(tuple(kept), tuple(rest), whole)


def _worded(found: Finding, claimed: int, share: float) -> Finding:
    """Return a finding with its share, and its words with the bytes that it accounts for."""
    sentence, line, brief = (
        text.replace(SIZE, units.size(claimed)).replace(GREW, units.change(claimed))
        for text in (found.sentence, found.line, found.brief)
    )
    return replace(found, claimed=claimed, share=share, sentence=sentence, line=line, brief=brief)


def _sizes(ledger: Ledger) -> dict[PartName, int]:
    return {part.name: part.size for part in ledger.parts if part.size}


def _unknown(ledger: Ledger, names: Sequence[PartName]) -> bool:
    """Return whether a part could not be read: its bytes are in the last one then."""
    parts = [part for name in names if (part := ledger.part(name))]
    return not parts or any(part.size is None for part in parts)


def _taken(claim: Claim, pool: dict[PartName, int], is_in_rest: bool) -> int:
    """Take a claim from a pool, in place; return the bytes that were there."""
    names = list(claim.parts)
    if any(name in HEAP_PARTS for name in names):
        names += [name for name in HEAP_PARTS if name not in names]
    if is_in_rest and PartName.REST not in names:
        names.append(PartName.REST)
    taken = 0
    for name in names:
        part = min(pool.get(name, 0), max(0, int(claim.wanted) - taken))
        if part:
            pool[name] -= part
            taken += part
    return taken


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


def without_contradicted_denials(found: Finding, all_found: Attribution, window: Window) -> Finding:
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
