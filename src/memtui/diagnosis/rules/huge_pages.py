"""huge-pages: huge pages made memory resident again that Go had returned.

khugepaged may build a huge page of 2 MiB where at least one small page is resident; with
max_ptes_none=511 it adds the other 511 (Documentation/admin-guide/mm/transhuge.rst). For Go they
are returned already, so it never returns them again (golang/go issue 64332).
"""

from __future__ import annotations

from memtui import units
from memtui.diagnosis.finding import (
    SIZE,
    Advice,
    Cause,
    Claim,
    Denial,
    Evidence,
    Finding,
    PaneName,
    ruled_out,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.rules.criteria import confidence_of, is_rising, res_evidence, share_of
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    environment=("GODEBUG=disablethp=1 (Go 1.21.6 and newer) disables huge pages for the heap.",),
    host=(
        "echo 0 > /sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    ),
    useless=(
        "debug.FreeOSMemory: for Go this memory is returned already.",
        "A lower GOGC or a smaller heap.",
    ),
)


def huge_pages(window: Window) -> Finding | None:
    """Return a finding if huge pages hold memory that Go had returned."""
    if window.access is not Access.FULL or not window.has_rollup:
        return None
    beyond = window.trend(lambda point: point.beyond_go)
    huge = window.trend(lambda point: point.huge)
    if beyond is None or huge is None or not are_huge_pages(window):
        return None
    last = window.ends[1]
    level = last.beyond_go or 0
    rises = window.grows and is_rising(beyond, window.least_part)
    if not rises and level <= window.big:
        return None
    size = int(beyond.growth) if rises else level
    share = share_of(size, window.growth if rises else window.res)
    held, released = last.huge or 0, last.released or 0
    found = (
        res_evidence(window),
        Evidence(f"AnonHugePages {units.size(held)}", PaneName.PROCESS, (("huge", held),)),
        Evidence(
            f"{units.size(max(0, level))} resident beyond what Go holds; Go reports as returned: "
            f"{units.size(released)}",
            PaneName.LEDGER,
            (("beyond_go", level), ("released", released)),
        ),
    )
    return Finding(
        cause=Cause.HUGE_PAGES,
        sentence=f"Huge pages made {SIZE} resident again after Go had returned it to the kernel.",
        line=f"{SIZE} that Go had returned is resident again in huge pages.",
        brief=f"{SIZE} in huge pages.",
        claim=Claim(size, (PartName.REST,)),
        denies=Denial.LEAK,
        of_growth=rises,
        confidence=confidence_of(window, share, beyond if rises else None),
        evidence=found,
        advice=ADVICE,
        rivals=(
            ruled_out(
                Cause.OFF_HEAP,
                "it is at most the memory that Go returned, and it is in huge pages.",
            ),
        ),
        refuted_by=("RES is as high after a restart with huge pages off.",),
        raised_by=("smaps (key m) shows which mappings contain the huge pages",),
    )


def are_huge_pages(window: Window) -> bool:
    """Return whether the memory beyond Go is in huge pages, and Go had returned as much."""
    first, last = window.ends
    level, huge, released = last.beyond_go, last.huge, last.released
    if level is None or huge is None or released is None or huge < window.big:
        return False
    grown = level - (first.beyond_go or 0)
    grown_huge = huge - (first.huge or 0)
    in_huge = huge >= 0.5 * level or (grown > 0 and grown_huge >= 0.5 * grown)
    return in_huge and 0 < level <= released
