"""file-mapped: resident pages of files or shared memory grew (RssFile, RssShmem)."""

from __future__ import annotations

from dataclasses import dataclass

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
    Rival,
)
from memtui.diagnosis.ledger import PartName
from memtui.diagnosis.rules.criteria import (
    change_evidence,
    is_rising,
    res_evidence,
    share_of,
    slope_evidence,
)
from memtui.diagnosis.window import Window
from memtui.model import MappedName, MappingGroups, MappingKind
from memtui.sanitize import plain

ADVICE = Advice(
    code=(
        "A mapped database or index works like this: map less, or madvise(MADV_DONTNEED) after "
        "use.",
    ),
    host=(
        "The kernel reclaims clean pages of files; it cannot reclaim shared memory and tmpfs. "
        "Both count against a container's limit.",
    ),
    useless=("GC, debug.FreeOSMemory, GOGC, GOMEMLIMIT: Go does not count these pages.",),
)


PINNED = Advice(
    code=(
        "These are buffers of sockets or devices: use smaller or fewer buffers, and unmap them.",
    ),
    host=("The kernel never reclaims these pages; they count against a container's limit.",),
    useless=("GC, debug.FreeOSMemory, GOGC, GOMEMLIMIT: Go does not count these pages.",),
)


def file_mapped(window: Window) -> Finding | None:
    """Return a finding if mapped files or shared memory grew."""
    trend = window.trend(lambda point: point.mapped)
    if trend is None or not window.grows or not trend.grows:
        return None
    # File pages that were read once and stay matter only when they are much of RES.
    if not is_rising(trend, window.least_part) and trend.growth < window.big:
        return None
    share = share_of(trend.growth, window.growth)
    first, last = window.ends
    shared = (last.shmem or 0) - (first.shmem or 0)
    is_shared = shared > trend.growth / 2
    what = "Shared memory" if is_shared else "Mapped files"
    parts = (PartName.SHARED, PartName.FILES) if is_shared else (PartName.FILES, PartName.SHARED)
    grown = _grown_file(window)
    never = grown is not None and grown.never_reclaimed
    found = [
        res_evidence(window),
        change_evidence("SHR", first.mapped or 0, last.mapped or 0, PaneName.PROCESS),
        slope_evidence("SHR", trend, PaneName.TREND),
        *_mapping_evidence(grown),
    ]
    return Finding(
        cause=Cause.FILE_MAPPED,
        sentence=f"{what} grew by {SIZE}.",
        line=f"{GREW} of {what.lower()}.",
        brief=f"{GREW} of {what.lower()}.",
        claim=Claim(trend.growth, parts),
        denies=Denial.HEAP,
        of_growth=True,
        # The kernel counts these pages exactly: another source adds no confidence.
        confidence=Confidence.HIGH if share >= 0.6 else Confidence.MEDIUM,
        evidence=tuple(found),
        advice=PINNED if never else ADVICE,
        rivals=(
            Rival(
                (Cause.HEAP_LEAK, Cause.OFF_HEAP),
                f"anonymous memory {units.change((last.anon or 0) - (first.anon or 0))}.",
            ),
        ),
        refuted_by=("RssAnon grows instead, and SHR stays the same.",),
        raised_by=() if window.groups else ("smaps (key m) names the mapping",),
    )


@dataclass(frozen=True, slots=True)
class GrownFile:
    """The mapped file that grew most, and its growth in bytes.

    With one reading of smaps, ``is_growth`` is False and ``size`` is the resident size.
    """

    name: str
    size: int
    is_growth: bool

    @property
    def never_reclaimed(self) -> bool:
        """Whether it is a buffer of a socket or a device: those stay until they are unmapped."""
        return self.name.startswith(("socket", "anon_inode", "/dev/"))


def _grown_file(window: Window) -> GrownFile | None:
    """Return the file that grew most over the window; with one reading, the largest file."""
    readings = [_file_sizes(groups) for _, groups in window.groups]
    if not readings or not readings[-1]:
        return None
    last, first = readings[-1], readings[0] if len(readings) > 1 else {}
    name = max(last, key=lambda each: last[each] - first.get(each, 0))
    return GrownFile(name, last[name] - first.get(name, 0), len(readings) > 1)


def _file_sizes(groups: MappingGroups) -> dict[str, int]:
    kinds = (MappingKind.FILE, MappingKind.SHARED_MEMORY)
    found: dict[str, int] = {}
    for group in groups.groups:
        if group.kind in kinds:
            names = group.names or (MappedName(group.largest, 1, group.largest_rss_bytes),)
            found |= {each.name: each.rss_bytes for each in names}
    return found


def _mapping_evidence(grown: GrownFile | None) -> list[Evidence]:
    if grown is None:
        return []
    size = units.change(grown.size) if grown.is_growth else units.size(grown.size)
    words = "fastest growing mapping" if grown.is_growth else "largest mapping"
    figures = (("bytes", float(grown.size)),)
    return [Evidence(f"{words}: {plain(grown.name)} {size}", PaneName.PROCESS, figures)]
