"""Recorded processes as timelines: what memtui would have seen, at three levels of access."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from memtui.diagnosis import Access
from memtui.model import (
    Environment,
    Event,
    GcCycle,
    MappingSample,
    Origin,
    ProcessIdentity,
    ProcessSample,
    Resident,
    RuntimeSample,
    Sample,
)
from memtui.model.process import Absent
from memtui.parse.gctrace.grammar import trace_sample
from memtui.timeline import Cursor, Timeline, View

FOLDER = Path(__file__).parent.parent / "data" / "timelines"
NOON = 1_795_000_000.0
KIB = 1024
MISSING = Absent.NOT_REPORTED

Row = dict[str, float]


@cache
def rows_of(path: Path) -> tuple[Row, ...]:
    """Return the rows of a recorded table: one a second, sizes in KiB."""
    with gzip.open(path, "rt") as text:
        return tuple(
            {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(text)
        )


def timeline_of(
    path: Path,
    access: Access = Access.FULL,
    *,
    has_live: bool = True,
    start: float = 0.0,
    end: float = 1e9,
    runtime_s: float = 5.0,
    rollup_s: float | None = 10.0,
    lines: Path | None = None,
    is_traced: bool = False,
    environment: Mapping[str, str] | None = None,
    rest: Iterable[Event] = (),
) -> View:
    """Return what memtui would have seen from ``start`` to ``end`` seconds of a recording.

    /proc each second; with FULL MemStats every ``runtime_s``, with the live heap or, as expvar,
    without; with TRACE, or if ``is_traced``, the gctrace of ``lines``, or else (TRACE) a line for
    each change of NumGC;
    smaps_rollup every ``rollup_s`` or never. ``environment`` is that of the process, which began
    with the recording. ``rest`` are events that are in no table.
    """
    events: list[Event] = [each for each in rest if NOON + start <= each.at <= NOON + end]
    if environment is not None:
        events += begun(environment, NOON + start)
    next_runtime = next_rollup = 0.0
    cycles = -1.0
    at = NOON
    for row in rows_of(path):
        at = NOON + row["t"]
        if not start <= row["t"] <= end:
            continue
        found: list[tuple[str, Sample]] = [("process", process_of(row))]
        if rollup_s is not None and row["t"] >= next_rollup:
            found.append(("mapping", mapping_of(row)))
            next_rollup = row["t"] + rollup_s
        if access is Access.FULL and row["t"] >= next_runtime and "HeapAlloc" in row:
            found.append(("runtime", runtime_of(row, has_live=has_live)))
            next_runtime = row["t"] + runtime_s
        if access is Access.TRACE and lines is None and row["NumGC"] != cycles:
            found.append(("gctrace", cycle_of(row)))
            cycles = row["NumGC"]
        events += [Event(at, source, sample) for source, sample in found]
    if lines is not None and (access is Access.TRACE or is_traced):
        events += [each for each in cycles_of(lines) if NOON + start <= each.at <= NOON + end]
    timeline = Timeline(NOON)
    timeline.extend(sorted(events, key=lambda event: event.at))
    return Cursor().view(timeline, max((event.at for event in events), default=NOON))


def begun(environment: Mapping[str, str], at: float) -> list[Event]:
    """Return what is known of a process that began with the recording."""
    identity = ProcessIdentity(1, 1, NOON, "shapes", ("shapes",), "me", "go1.27.3")
    unknown = Absent.NO_ACCESS
    place = Environment(
        levels=unknown, cgroup_version=unknown, gogc=environment.get("GOGC"),
        gomemlimit=environment.get("GOMEMLIMIT"), godebug=environment.get("GODEBUG"),
        thp="madvise", max_ptes_none=511,
    )  # fmt: skip
    return [Event(at, "process", identity), Event(at, "process", place)]


@cache
def cycles_of(lines: Path) -> tuple[Event, ...]:
    """Return the cycles that a program wrote, each at its own moment."""
    found = []
    with gzip.open(lines, "rt", errors="replace") as text:
        for line in text:
            told = trace_sample(line.rstrip("\n"))
            if told and isinstance(told[1], GcCycle) and told[1].at_s is not None:
                found.append(Event(NOON + told[1].at_s, "gctrace", told[1]))
    return tuple(found)


def process_of(row: Row) -> ProcessSample:
    """Return a row as /proc/PID/status has it."""
    return ProcessSample(
        virt_bytes=size(row, "VmSize"), res_bytes=size(row, "VmRSS"),
        shr_bytes=size(row, "RssFile") + size(row, "RssShmem"), swap_bytes=size(row, "VmSwap"),
        code_bytes=0, data_bytes=0, anon_bytes=size(row, "RssAnon"),
        file_bytes=size(row, "RssFile"), shmem_bytes=size(row, "RssShmem"),
        peak_bytes=size(row, "VmHWM") if "VmHWM" in row else MISSING,
        threads=int(row["Threads"]), open_files=MISSING, cpu_s=row.get("CpuMs", 0.0) / 1000,
        state="S", tty="?",
    )  # fmt: skip


def mapping_of(row: Row) -> MappingSample:
    """Return a row as smaps_rollup has it."""
    resident = Resident(
        rss_bytes=size(row, "VmRSS"), pss_bytes=size(row, "Pss"), shared_clean_bytes=MISSING,
        shared_dirty_bytes=MISSING, private_clean_bytes=MISSING,
        private_dirty_bytes=size(row, "PrivDirty"), anonymous_bytes=MISSING,
        lazy_free_bytes=size(row, "LazyFree"), anon_huge_bytes=size(row, "AnonHuge"),
        swap_bytes=size(row, "VmSwap"),
    )  # fmt: skip
    return MappingSample(resident, 0.001)


def runtime_of(row: Row, *, has_live: bool) -> RuntimeSample:
    """Return a row as a page with MemStats has it."""
    has_goal = row["NextGC"] * KIB < 2**50
    return RuntimeSample(
        origin=Origin.METRICS if has_live else Origin.EXPVAR, where="http://127.0.0.1/",
        took_s=0.001, size_bytes=4000, rss_bytes=size(row, "VmRSS"),
        rss_anon_bytes=size(row, "RssAnon"), rss_file_bytes=size(row, "RssFile"),
        rss_shmem_bytes=size(row, "RssShmem"), swap_bytes=size(row, "VmSwap"), apart_s=0.002,
        heap_alloc_bytes=size(row, "HeapAlloc"), heap_inuse_bytes=size(row, "HeapInuse"),
        heap_idle_bytes=size(row, "HeapIdle"), heap_released_bytes=size(row, "HeapReleased"),
        heap_sys_bytes=size(row, "HeapSys"),
        heap_live_bytes=size(row, "HeapLive") if has_live else MISSING,
        stack_inuse_bytes=size(row, "StackInuse"), stack_sys_bytes=size(row, "StackSys"),
        mspan_sys_bytes=size(row, "MSpanSys"), mcache_sys_bytes=size(row, "MCacheSys"),
        buck_hash_sys_bytes=size(row, "BuckHashSys"), gc_sys_bytes=size(row, "GCSys"),
        other_sys_bytes=size(row, "OtherSys"), sys_bytes=size(row, "Sys"),
        next_gc_bytes=size(row, "NextGC") if has_goal else None, num_gc=int(row["NumGC"]),
        goroutines=int(row["Goroutines"]) if has_live else MISSING, threads=int(row["Threads"]),
        num_forced_gc=int(row["NumForcedGC"]) if "NumForcedGC" in row else MISSING,
        gc_cpu_fraction=row["GcCpuPpm"] / 1e6 if "GcCpuPpm" in row else MISSING,
        last_gc_at=NOON + row["t"] - row["LastGcMs"] / 1000 if "LastGcMs" in row else MISSING,
    )  # fmt: skip


def cycle_of(row: Row) -> GcCycle:
    """Return the cycle that a row follows, as a trace would print it: sizes are cut to MiB."""
    live, goal, stacks = (
        size(row, name) >> 20 << 20 for name in ("HeapLive", "NextGC", "StackInuse")
    )
    return GcCycle(
        number=int(row["NumGC"]), at_s=row["t"], gc_cpu_percent=0, clock_ms=(0.1, 1.0, 0.1),
        cpu_ms=(0.1, 0.0, 0.5, 0.5, 0.1), heap_start_bytes=max(live, size(row, "HeapAlloc")),
        heap_end_bytes=max(live, size(row, "HeapAlloc")), heap_live_bytes=live,
        goal_bytes=goal if goal < 2**60 else None, stacks_bytes=stacks, globals_bytes=0, procs=2,
        forced=False, leak_check=False, line="",
    )  # fmt: skip


def size(row: Row, name: str) -> int:
    """Return a size of a row in bytes."""
    return int(row.get(name, 0.0)) * KIB
