"""lazily-freed: Go freed memory with MADV_FREE, and the kernel has not reclaimed it yet.

The default from Go 1.12 to 1.15, and GODEBUG=madvdontneed=0 in all later ones
(runtime/mem_linux.go, sysUnusedOS). Such pages stay in RES until the kernel is short of memory.
"""

from __future__ import annotations

from statistics import median

from memtui import units
from memtui.diagnosis.finding import (
    GREW,
    SIZE,
    Advice,
    Cause,
    Claim,
    Confidence,
    Denial,
    Evidence,
    Finding,
    PaneName,
    ruled_out,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.rules.criteria import available_of, res_evidence, share_of
from memtui.diagnosis.window import Access, Window

ADVICE = Advice(
    code=("No action is needed: the memory is free already.",),
    environment=(
        "GODEBUG=madvdontneed=1 lowers RES as soon as Go frees memory. It is the default since Go "
        "1.16: find out what sets madvdontneed=0.",
    ),
    host=(
        "A container's limit counts these pages, but the kernel reclaims them before the OOM "
        "killer runs.",
    ),
    useless=(
        "debug.FreeOSMemory: RES stays, because Go has released this memory already.",
        "Looking for a leak in a profile.",
    ),
)

MOST_OF_GROWTH = 0.4
"""LazyFree may appear late in a window in which RES grows in steps: its share of growth counts."""


def lazily_freed(window: Window) -> Finding | None:
    """Return a finding if the kernel can reclaim much of RES (LazyFree)."""
    series = [value for _, value in window.series(lambda point: point.lazy)]
    if len(series) < max(2, len(window.points) // 2):
        return None
    # LazyFree jumps as memory is used and freed again, so take the median of the later half.
    usual = int(median(series[len(series) // 2 :]))
    grown = window.ledger.grown(PartName.LAZY) if window.ledger else 0
    of_growth = window.grows and grown >= window.least_part
    if not (of_growth and grown >= MOST_OF_GROWTH * window.growth) and usual <= window.big:
        return None
    size = window.ledger.size(PartName.LAZY) if window.ledger else usual
    share = share_of(grown, window.growth) if of_growth else share_of(size, window.res)
    figures = (("lazy_free", float(size)),)
    found = [
        res_evidence(window),
        Evidence(f"LazyFree {units.size(size)} of RES {units.size(window.res)}", PaneName.PROCESS,
                 figures),
        *_go_total(window),
    ]  # fmt: skip
    godebug = window.surroundings.godebug if window.surroundings else None
    if isinstance(godebug, str) and "madvdontneed=0" in godebug:
        found.append(Evidence("GODEBUG has madvdontneed=0", PaneName.PROCESS))
    found += _host(window)
    return Finding(
        cause=Cause.LAZILY_FREED,
        sentence=f"Go has freed {SIZE} of RES already (MADV_FREE); the kernel reclaims it under "
        "memory pressure.",
        line=f"{GREW if of_growth else SIZE} already freed by Go (MADV_FREE), not yet reclaimed by "
        "the kernel.",
        brief=f"{GREW if of_growth else SIZE} freed by Go, not yet reclaimed.",
        claim=Claim(grown if of_growth else size, (PartName.LAZY,)),
        denies=Denial.LEAK,
        of_growth=of_growth,
        confidence=Confidence.HIGH if share >= 0.3 else Confidence.MEDIUM,
        evidence=tuple(found),
        advice=ADVICE,
        rivals=(
            ruled_out(Cause.FREED_NOT_RETURNED, "Go has returned this memory."),
            ruled_out(Cause.OFF_HEAP, "C does not mark its memory as LazyFree."),
        ),
        refuted_by=("LazyFree in smaps_rollup is small.",),
    )


def _host(window: Window) -> list[Evidence]:
    """Return whether the host is short of memory: if it is, the kernel reclaims the pages soon."""
    if window.host is None:
        return []
    when = "soon" if window.host.is_short else "not soon"
    figures = (("host_available", float(window.host.available_bytes)),)
    text = f"the host has {available_of(window.host)}: the kernel reclaims these pages {when}"
    return [Evidence(text, PaneName.LEDGER, figures)]


def _go_total(window: Window) -> list[Evidence]:
    total = window.ends[1].go_total
    if window.access is not Access.FULL or total is None:
        return []
    return [Evidence(f"Go holds {units.size(total)} (Sys − HeapReleased)", PaneName.LEDGER)]
