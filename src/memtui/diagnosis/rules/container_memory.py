"""container-memory: the cgroup is charged for memory outside the RES of its processes.

Page cache, tmpfs, sockets and kernel memory count against the limit of a cgroup, as anonymous
memory does (the kernel's Documentation/admin-guide/cgroup-v2.rst, memory.stat). The kernel reclaims
page cache of files before the OOM killer runs. tmpfs stays until its files are removed; kernel
memory stays while the kernel object is in use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memtui import units
from memtui.diagnosis.finding import (
    Advice,
    Cause,
    Confidence,
    Evidence,
    Finding,
    PaneName,
    ruled_out,
)
from memtui.diagnosis.rules.criteria import join_words, res_evidence, share_of
from memtui.diagnosis.thresholds import Thresholds
from memtui.diagnosis.trends import TrendShape, trend_of
from memtui.diagnosis.window import Window
from memtui.model import Absent, CgroupMemory, Reading

FILES = "tmpfs files (shmem)"
KERNEL = "kernel memory (slab: dentries, inodes, sockets' buffers)"
SLAB_RECLAIMABLE, SLAB = "reclaimable slab (dentries, inodes)", "slab in use"
SOCKETS, CACHE = "socket buffers", "page cache"

ADVICES = {
    FILES: "Files in tmpfs (/dev/shm, a tmpfs mount, an emptyDir of medium Memory, memfd) stay "
    "in memory until they are removed. Delete them, limit the mount (size=), or write to disk.",
    KERNEL: "New file names (dentries), open files, sockets and threads use kernel memory. Reuse "
    "file names, and close files and sockets.",
    SOCKETS: "Read the data that waits in the sockets, and limit the number of connections.",
}


@dataclass(frozen=True, slots=True)
class CgroupPart:
    """Memory that a cgroup is charged for outside RES, in bytes; ``growth`` may be negative."""

    name: str
    size: int
    growth: int


def container_memory(window: Window) -> Finding | None:
    """Return a finding if memory outside RES that is not page cache grows or is near the limit."""
    readings = window.containers
    if len(readings) < window.thresholds.container_readings:
        return None
    first, last = readings[0][1], readings[-1][1]
    size, grown = _outside_res(last), _growth_outside_res(window)
    usage = _number(last.usage_bytes)
    is_near = _is_near(last, window.thresholds)
    if size is None or usage is None or not (grown or is_near):
        return None
    parts = [each for each in cgroup_parts(first, last) if each.name != CACHE]
    amount = grown if grown else size
    named = sorted(parts, key=lambda each: -(each.growth if grown else each.size))
    named = [each for each in named if (each.growth if grown else each.size) > 0.2 * amount]
    if not named:
        return None
    what = join_words([_part_line(each, is_growth=bool(grown)) for each in named])
    others = max(0, window.growth) if grown else window.res
    left = _time_left(window, last, grown)
    limit = _limit_words(last, left)
    amount_words = units.change(amount) if grown else units.size(amount)
    return Finding(
        cause=Cause.CONTAINER_MEMORY,
        sentence=f"The container holds {units.size(size)} outside the RES of its processes, "
        f"page cache excluded: {what}.{limit}",
        line=f"{amount_words} in the container outside RES: {what}.{limit}",
        brief=f"{amount_words} in the container outside RES.",
        of_growth=False,
        share=share_of(amount, amount + others),
        confidence=_confidence(named[0].name),
        evidence=(res_evidence(window), *_evidence(window, first, last, size, left)),
        advice=_advice(named),
        rivals=(ruled_out(Cause.HEAP_LEAK, "this memory is outside the RES of all processes."),),
        refuted_by=("memory.stat of the cgroup: this part falls when the limit is near.",),
        raised_by=()
        if isinstance(last.slab_reclaimable_bytes, int)
        else ("cgroup v2 reports kernel memory by kind",),
    )


def page_cache_evidence(window: Window) -> Evidence | None:
    """Return evidence of the growth of the container's page cache; None if it is small."""
    if len(window.containers) < 2:
        return None
    first, last = window.containers[0][1], window.containers[-1][1]
    cache = next((each for each in cgroup_parts(first, last) if each.name == CACHE), None)
    if cache is None or cache.growth < window.thresholds.container_bytes:
        return None
    words = (
        f"the container's page cache {units.change(cache.growth)} to {units.size(cache.size)}: it "
        "is outside RES, and the kernel reclaims it on demand"
    )
    return Evidence(words, PaneName.PROCESS, (("cache", cache.size), ("growth", cache.growth)))


def cgroup_parts(first: CgroupMemory, last: CgroupMemory) -> list[CgroupPart]:
    """Return the parts of a cgroup outside RES that are known in both readings."""
    found = []
    for name, of in _PARTS:
        before, after = of(first), of(last)
        if before is not None and after is not None:
            found.append(CgroupPart(name, after, after - before))
    return found


def _number(reading: Reading | None) -> int | None:
    return reading if isinstance(reading, int) else None


def _cache(found: CgroupMemory) -> int | None:
    if isinstance(found.file_bytes, Absent) or isinstance(found.shmem_bytes, Absent):
        return None
    return max(0, found.file_bytes - found.shmem_bytes)


def _kernel(found: CgroupMemory) -> int | None:
    """Return kernel memory if it is not reported by kind (cgroup v1)."""
    has_kinds = isinstance(found.slab_unreclaimable_bytes, int)
    return None if has_kinds else _number(found.kernel_bytes)


_PARTS: tuple[tuple[str, Callable[[CgroupMemory], int | None]], ...] = (
    (FILES, lambda found: _number(found.shmem_bytes)),
    (KERNEL, _kernel),
    (SLAB_RECLAIMABLE, lambda found: _number(found.slab_reclaimable_bytes)),
    (SLAB, lambda found: _number(found.slab_unreclaimable_bytes)),
    (SOCKETS, lambda found: _number(found.sock_bytes)),
    (CACHE, _cache),
)


def _outside_res(found: CgroupMemory) -> int | None:
    """Return the memory outside RES without page cache, in bytes."""
    outside, cache = found.outside_processes_bytes, _cache(found)
    if outside is None or cache is None:
        return None
    stays = sum(size for name, of in _PARTS if name != CACHE and (size := of(found)))
    return min(outside, stays)


def _growth_outside_res(window: Window) -> int:
    """Return the steady growth of the memory outside RES in bytes; 0 without steady growth."""
    limits = window.thresholds
    series = [(at, float(size)) for at, each in window.containers if (size := _outside_res(each))]
    if len(series) < limits.container_readings:
        return 0
    trend, usage = trend_of(series), _number(window.containers[-1][1].usage_bytes)
    growth = int(series[-1][1] - series[0][1])
    least = max(limits.container_bytes, limits.container_share * (usage or 0))
    is_rising = trend is not None and trend.grows and trend.shape is TrendShape.SLOPE
    return growth if is_rising and growth >= least else 0


def _is_near(found: CgroupMemory, limits: Thresholds) -> bool:
    margin, held = found.margin_bytes, _outside_res(found)
    if margin is None or held is None or not isinstance(found.limit_bytes, int):
        return False
    is_near = margin < limits.container_margin * found.limit_bytes
    return is_near and held > limits.container_of_limit * found.limit_bytes


def _part_line(part: CgroupPart, *, is_growth: bool) -> str:
    return f"{part.name} {units.change(part.growth) if is_growth else units.size(part.size)}"


def _time_left(window: Window, last: CgroupMemory, grown: int) -> float | None:
    """Return the seconds until the limit is reached at this rate; None if it is not reached."""
    seconds = window.containers[-1][0] - window.containers[0][0]
    if not grown or last.margin_bytes is None or seconds <= 0:
        return None
    return max(0.0, last.margin_bytes / (grown / seconds))


def _limit_words(last: CgroupMemory, left: float | None) -> str:
    if not isinstance(last.limit_bytes, int) or last.margin_bytes is None:
        return ""
    if left is None:
        room = units.size(max(0, last.margin_bytes))
        return f" {room} left of the limit of {units.size(last.limit_bytes)}."
    return f" It reaches its limit of {units.size(last.limit_bytes)} in {units.duration(left)}."


def _confidence(name: str) -> Confidence:
    """Return the confidence; reclaimable slab may shrink, and a sum may contain it."""
    if name == SLAB_RECLAIMABLE:
        return Confidence.LOW
    return Confidence.MEDIUM if name == KERNEL else Confidence.HIGH


def _evidence(
    window: Window, first: CgroupMemory, last: CgroupMemory, held: int, left: float | None
) -> tuple[Evidence, ...]:
    before, now = _number(first.usage_bytes) or 0, _number(last.usage_bytes) or 0
    usage = f"memory of the cgroup {units.size(before)} → {units.size(now)}"
    outside = last.outside_processes_bytes or 0
    grown = outside - (first.outside_processes_bytes or 0)
    found = [
        Evidence(usage, PaneName.PROCESS, (("from", before), ("to", now))),
        Evidence(
            f"outside RES {units.size(outside)} ({units.change(grown)}); without page cache "
            f"{units.size(held)}",
            PaneName.PROCESS,
            (
                ("outside", outside),
                ("growth", grown),
                ("held", held),
                ("risen", _growth_outside_res(window)),
            ),
        ),
    ]
    for part in cgroup_parts(first, last):
        if max(part.size, abs(part.growth)) >= window.thresholds.container_bytes:
            words = f"{part.name} {units.size(part.size)} ({units.change(part.growth)})"
            figures = (("size", part.size), ("growth", part.growth))
            found.append(Evidence(f"{words}: {_reclaim_note(part)}", PaneName.PROCESS, figures))
    if isinstance(last.limit_bytes, int) and last.margin_bytes is not None:
        words = (
            f"limit {units.size(last.limit_bytes)}, {units.size(max(0, last.margin_bytes))} left"
        )
        words += "" if left is None else f", reached in {units.duration(left)} at this rate"
        figures = (("limit", last.limit_bytes), ("margin", max(0, last.margin_bytes)))
        found.append(Evidence(words, PaneName.PROCESS, figures))
    return tuple(found)


def _reclaim_note(part: CgroupPart) -> str:
    if part.name == CACHE:
        return "the kernel reclaims it on demand"
    if part.name == SLAB_RECLAIMABLE:
        return "the kernel reclaims unused entries; those in use stay"
    if part.name == KERNEL:
        return "the kernel reclaims unused dentries and inodes; those in use stay"
    return "the kernel cannot reclaim it"


def _advice(named: list[CgroupPart]) -> Advice:
    kinds = [KERNEL if each.name in (SLAB, SLAB_RECLAIMABLE) else each.name for each in named]
    return Advice(
        code=tuple(ADVICES[name] for name in dict.fromkeys(kinds)),
        host=(
            "memory.stat of the cgroup shows the parts. A higher limit only delays the OOM kill.",
        ),
        useless=("GC, debug.FreeOSMemory, GOGC, GOMEMLIMIT: this memory is outside the process.",),
    )
