"""file-mapped: pages of files or of shared memory that the process touched (RssFile, RssShmem)."""

from __future__ import annotations

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
    Place,
    Rival,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.rules.judging import grew, is_rising, res_moved, share_of, slope
from memtui.diagnosis.window import Window
from memtui.model import MappingKind
from memtui.plain import plain

ADVICE = Advice(
    code=("A mapped database or index is meant to do this: map less, or madvise what was read.",),
    host=(
        "Clean pages of files go when the kernel needs room; shared memory and tmpfs do not, and "
        "both count against a container's limit.",
    ),
    useless=("GC, debug.FreeOSMemory, GOGC, GOMEMLIMIT: Go does not know of these pages.",),
)


def file_mapped(window: Window) -> Finding | None:
    """Say that mapped files or shared memory grew."""
    trend = window.trend(lambda point: point.mapped)
    if trend is None or not window.grows or not trend.grows:
        return None
    # Pages that were read in once and stay matter only when they are much of RES.
    if not is_rising(trend, window.least_part) and trend.growth < window.big:
        return None
    share = share_of(trend.growth, window.growth)
    first, last = window.ends
    shared = (last.shmem or 0) - (first.shmem or 0)
    is_shared = shared > trend.growth / 2
    what = "Shared memory" if is_shared else "Mapped files"
    parts = (PartName.SHARED, PartName.FILES) if is_shared else (PartName.FILES, PartName.SHARED)
    found = [
        res_moved(window),
        grew("SHR", first.mapped or 0, last.mapped or 0, Place.PROCESS),
        slope("SHR", trend, Place.TREND),
        *_largest(window),
    ]
    return Finding(
        cause=Cause.FILE_MAPPED,
        sentence=f"{what} grew by {SIZE}.",
        line=f"{GREW} of {what.lower()}.",
        brief=f"{GREW} of {what.lower()}.",
        claim=Claim(trend.growth, parts),
        denies=Denial.HEAP,
        of_growth=True,
        # The kernel counts these pages itself: no other source can make this surer.
        confidence=Confidence.HIGH if share >= 0.6 else Confidence.MEDIUM,
        evidence=tuple(found),
        advice=ADVICE,
        rivals=(
            Rival(
                (Cause.HEAP_LEAK, Cause.OFF_HEAP),
                f"anonymous memory {units.change((last.anon or 0) - (first.anon or 0))}.",
            ),
        ),
        refuted_by=("RssAnon grows instead, and SHR stays.",),
        raised_by=() if window.groups else ("smaps, on a key, would name the mapping",),
    )


def _largest(window: Window) -> list[Evidence]:
    """Name the largest mapping, when smaps was read."""
    if not window.groups:
        return []
    kinds = (MappingKind.FILE, MappingKind.SHARED_MEMORY)
    groups = [group for group in window.groups[-1][1].groups if group.kind in kinds]
    if not groups:
        return []
    top = max(groups, key=lambda group: group.largest_rss_bytes)
    size = units.size(top.largest_rss_bytes)
    return [Evidence(f"largest mapping: {plain(top.largest)} {size}", Place.PROCESS)]
