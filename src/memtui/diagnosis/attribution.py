"""Attributes RES and its growth to findings: each byte of the ledger to one finding only.

Also removes statements that the ledger contradicts. "Not the Go heap", "heap-leak is ruled out" and
"a forced GC will not help" are statements about other parts of RES: they are true only if those
parts did not grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from memtui import units
from memtui.diagnosis.finding import GREW, SIZE, Cause, Claim, Denial, Finding
from memtui.diagnosis.ledger import HEAP_PARTS, Ledger, PartName
from memtui.diagnosis.window import Window

LEAST_SHARE = 0.05
"""A finding with a smaller share is left out."""
LEAST_OF_GROWTH = 0.4
"""A finding about a size becomes one about growth above this share of the growth."""


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """Growth of a part in bytes that no finding accounts for."""

    name: PartName
    size: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """Findings with their shares, and the growth that none of them claims; both largest first.

    ``grown`` is the sum of the growth of all growing parts in bytes: more than the growth of RES if
    another part shrank.
    """

    findings: tuple[Finding, ...]
    unclaimed: tuple[Unclaimed, ...]
    grown: int

    @property
    def unclaimed_share(self) -> float:
        """The growth that no finding claims, as a share of ``grown``, 0 to 1."""
        return sum(each.size for each in self.unclaimed) / self.grown if self.grown else 0.0


def growth_of_parts(ledger: Ledger) -> dict[PartName, int]:
    """Return the growth of the growing parts in bytes; the heap counts as one part.

    The heap has the name of its member that grew most. Objects become garbage and their slots
    free, so within the heap one member grows while another shrinks: only the sum is growth of RES.
    """
    heap = [(ledger.grown(name), name) for name in HEAP_PARTS if ledger.part(name)]
    net = sum(size for size, _ in heap)
    grown = {part.name: part.growth or 0 for part in ledger.parts if part.name not in HEAP_PARTS}
    if heap:
        grown[max(heap, key=lambda each: each[0])[1]] = net
    return {name: size for name, size in grown.items() if size > 0}


def attribute(findings: Iterable[Finding], ledger: Ledger | None) -> Attribution:
    """Attribute RES and its growth to the findings, the largest claim first."""
    found = sorted(findings, key=lambda each: -(each.claim.wanted if each.claim else 0))
    if ledger is None:
        return Attribution(tuple(found), (), 0)
    grown, sizes = growth_of_parts(ledger), _sizes(ledger)
    whole, res = sum(grown.values()), sum(sizes.values())
    shared = []
    for each in found:
        if each.claim is None:
            shared.append(each)  # it is about CPU time or the container, not about bytes of RES
            continue
        is_in_rest = _has_unknown_part(ledger, each.claim.parts)
        # A finding that accounts for a part also accounts for its growth.
        of_growth = _claim_from_pool(each.claim, grown, is_in_rest)
        is_level = each.claim.is_level and not each.of_growth
        if each.of_growth or (of_growth > LEAST_OF_GROWTH * whole and not is_level):
            found_share = of_growth / whole if whole else 0.0
            shared.append(
                _with_claimed_bytes(replace(each, of_growth=True), of_growth, found_share)
            )
        else:
            claimed = _claim_from_pool(each.claim, sizes, is_in_rest)
            shared.append(_with_claimed_bytes(each, claimed, claimed / res if res else 0.0))
    kept = [each for each in shared if each.share >= LEAST_SHARE]
    kept.sort(key=lambda each: -each.share)
    rest = sorted(
        (Unclaimed(name, size) for name, size in grown.items() if size > 0),
        key=lambda each: -each.size,
    )
    return Attribution(tuple(kept), tuple(rest), whole)


def _with_claimed_bytes(found: Finding, claimed: int, share: float) -> Finding:
    """Return a finding with its share, and with its bytes in place of the placeholders."""
    sentence, line, brief = (
        text.replace(SIZE, units.size(claimed)).replace(GREW, units.change(claimed))
        for text in (found.sentence, found.line, found.brief)
    )
    return replace(found, claimed=claimed, share=share, sentence=sentence, line=line, brief=brief)


def _sizes(ledger: Ledger) -> dict[PartName, int]:
    return {part.name: part.size for part in ledger.parts if part.size}


def _has_unknown_part(ledger: Ledger, names: Sequence[PartName]) -> bool:
    """Return whether a part is unknown: then its bytes are in the last part."""
    parts = [part for name in names if (part := ledger.part(name))]
    return not parts or any(part.size is None for part in parts)


def _claim_from_pool(claim: Claim, pool: dict[PartName, int], is_in_rest: bool) -> int:
    """Subtract a claim from a pool, in place; return the bytes that the pool had."""
    names = list(claim.parts)
    if any(name in HEAP_PARTS for name in names):
        names += [name for name in HEAP_PARTS if name not in names]
    if is_in_rest and PartName.REST not in names:
        names.append(PartName.REST)
    total = 0
    for name in names:
        part = min(pool.get(name, 0), max(0, int(claim.wanted) - total))
        if part:
            pool[name] -= part
            total += part
    return total


DENIAL_SHARE = 0.1
"""A statement about a part with a larger share of the growth is removed."""

PARTS_OF_CAUSE: Mapping[Cause, tuple[PartName, ...]] = {
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
    """Return a finding without the denials that the growth of other parts contradicts."""
    ledger = window.ledger
    if ledger is None or not all_found.grown or not window.grows:
        return _with_denial(found, is_denied=found.denies is not None)
    own = found.claim.parts if found.claim else ()
    rivals = tuple(
        replace(rival, causes=causes)
        for rival in found.rivals
        if (
            causes := tuple(
                c for c in rival.causes if _did_not_grow(PARTS_OF_CAUSE.get(c, ()), own, ledger)
            )
        )
    )
    advice = found.advice
    if not _did_not_grow(HEAP_PARTS, own, ledger):
        advice = replace(advice, useless=())
    parts = {None: (), Denial.HEAP: HEAP_PARTS, Denial.LEAK: _LEAKING}[found.denies]
    is_denied = found.denies is not None and _did_not_grow(parts, own, ledger)
    return _with_denial(replace(found, rivals=tuple(rivals), advice=advice), is_denied=is_denied)


def _with_denial(found: Finding, *, is_denied: bool) -> Finding:
    if found.denies is None or not is_denied:
        return found
    words = f" {found.denies.value}"
    # "Not a leak." is shown on a narrow screen too.
    brief = found.brief + (words if found.denies is Denial.LEAK else "")
    return replace(found, line=found.line + words, brief=brief)


def _did_not_grow(parts: tuple[PartName, ...], own: tuple[PartName, ...], ledger: Ledger) -> bool:
    """Return whether parts other than the finding's own have at most a tenth of the growth."""
    grown = growth_of_parts(ledger)
    whole = sum(grown.values())
    others = sum(size for name, size in grown.items() if name in parts and name not in own)
    return others <= DENIAL_SHARE * whole
