"""Describes every kind of sample once: its source, how it is kept, recorded and shown.

The timeline, the recording, the exports, ``--plain``, ``--once``, doctor and the dots of the
sources derive their tables from KINDS and SOURCES. CONTRIBUTING.md, "To add a source", lists what
else a new kind needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, get_args

from memtui.model.cgroup import CgroupMemory
from memtui.model.events import Attached, Ended, Mark, Trouble
from memtui.model.gctrace import GcCycle, GcPause, OutputLine, Restart, ScavengeLine, TornLine
from memtui.model.host import HostMemory
from memtui.model.mapping import Environment, MappingGroups, MappingSample
from memtui.model.process import ProcessIdentity, ProcessSample, Reading
from memtui.model.profile import Profile, Taking
from memtui.model.runtime import RuntimeSample

Sample: TypeAlias = (
    ProcessIdentity
    | ProcessSample
    | RuntimeSample
    | MappingSample
    | MappingGroups
    | Environment
    | CgroupMemory
    | HostMemory
    | GcCycle
    | GcPause
    | ScavengeLine
    | OutputLine
    | TornLine
    | Profile
    | Taking
    | Attached
    | Trouble
    | Mark
    | Restart
    | Ended
)

Series: TypeAlias = Mapping[str, Callable[[Any], Reading | None]]
"""Main series by name: what each reads from a sample; None or Absent where it is unknown."""


@dataclass(frozen=True, slots=True)
class Event:
    """A sample, the moment it holds for (Unix seconds), and the name of its source."""

    at: float
    source: str
    sample: Sample


@dataclass(frozen=True, slots=True)
class SampleSource:
    """A source of samples: its name on events, and its labels.

    ``title`` is its label in ``--once`` and doctor, ``dot`` the label of its state on the screen
    (empty: it has none). ``adds`` is what its samples add to the diagnosis and ``enable`` how to
    provide them, both for doctor, which lists the sources that have them. A sample of the type
    ``answer`` shows that the source works. ``is_asked``: it sends requests to the process, so that
    commands of limited time wait for its first answer.
    """

    name: str
    title: str
    answer: type[Sample]
    dot: str = ""
    adds: str = ""
    enable: str = ""
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class SampleKind:
    """A kind of sample.

    ``name`` is the kind of its record and ``source`` the source that it comes from, empty where
    every source may send it. ``kept`` events stay in memory in full; of older ones only summaries
    remain: the extents of its ``series``, and the last event of each page where ``is_steady``.

    ``fields``: recorded as a row of these values, whose names are in the header of a member. A
    kind without them is recorded as an object with the names of its dataclass, which suits all but
    the most frequent kinds: headers of format 1.2 name their rows once in a file, and only those of
    the four kinds that had rows then. ``res_kib`` is ``res_bytes`` in units of 1024 bytes, as the
    kernel counts.

    ``is_in_header``: its newest sample is in the header of each member, so that every pane can be
    drawn from there. ``shares_values``: one sample has most values in common with the next.
    ``may_wait``: it is painted with the next sample of the process, or a second later at most.
    ``column`` is its place in exported tables, from 1, and needs ``fields``; 0: not in them.
    ``snapshot`` is its key in the JSON of ``--once``; empty: not there, or in another shape.
    """

    type: type[Sample]
    name: str
    source: str = ""
    kept: int = 256
    is_in_header: bool = False
    is_steady: bool = False
    shares_values: bool = False
    may_wait: bool = False
    column: int = 0
    snapshot: str = ""
    fields: tuple[str, ...] = ()
    series: Series = field(default_factory=dict)


SOURCES = (
    SampleSource("process", "/proc", ProcessSample, dot="/proc"),
    SampleSource(
        "gctrace",
        "gctrace",
        GcCycle,
        dot="gctrace",
        adds="the live heap after each GC cycle, and the CPU time of the GC",
        enable="start the service with GODEBUG=gctrace=1 and its standard error in a file",
    ),
    SampleSource(
        "profile",
        "pprof",
        Profile,
        dot="pprof",
        adds="which functions allocated what grows",
        enable='import _ "net/http/pprof" in the service',
        is_asked=True,
    ),
    SampleSource(
        "runtime",
        "MemStats",
        RuntimeSample,
        dot="memstats",
        adds="the parts of the ledger: live, free but not returned, stacks, metadata",
        enable='import _ "expvar" or _ "net/http/pprof" in the service, and serve HTTP on loopback',
        is_asked=True,
    ),
    SampleSource(
        "mapping",
        "smaps_rollup",
        MappingSample,
        adds="lazily freed memory and huge pages, both of which look like a leak from outside",
        enable="run memtui as the user of the process, or with CAP_SYS_PTRACE",
    ),
    SampleSource("surroundings", "limits", Environment),
    SampleSource("host", "host memory", HostMemory),
)
"""The sources of a session, in the order in which they are listed."""


def _unreturned_bytes(sample: RuntimeSample) -> int | None:
    """Return HeapIdle − HeapReleased."""
    idle, released = sample.heap_idle_bytes, sample.heap_released_bytes
    return idle - released if isinstance(idle, int) and isinstance(released, int) else None


def _mapped_bytes(sample: RuntimeSample) -> int | None:
    """Return Sys − HeapReleased."""
    mapped, released = sample.sys_bytes, sample.heap_released_bytes
    return mapped - released if isinstance(mapped, int) and isinstance(released, int) else None


KINDS = (
    SampleKind(ProcessIdentity, "identity", "process", kept=16, is_in_header=True),
    SampleKind(
        Environment,
        "surroundings",
        "surroundings",
        kept=2048,
        is_in_header=True,
        snapshot="surroundings",
    ),
    SampleKind(
        CgroupMemory, "cgroup", "surroundings", kept=720, is_in_header=True, snapshot="cgroup"
    ),
    SampleKind(
        HostMemory,
        "host",
        "host",
        kept=720,
        is_in_header=True,
        is_steady=True,
        shares_values=True,
        may_wait=True,
        snapshot="host",
    ),
    SampleKind(
        ProcessSample,
        "process",
        "process",
        kept=3600,
        is_in_header=True,
        is_steady=True,
        shares_values=True,
        column=1,
        fields=(
            "cpu_s", "open_files", "res_kib", "anon_kib", "file_kib", "shmem_kib", "swap_kib",
            "shr_kib", "peak_kib", "data_kib", "virt_kib", "code_kib", "threads", "state", "tty",
        ),
        series={"res": lambda sample: sample.res_bytes, "shr": lambda sample: sample.shr_bytes},
    ),
    SampleKind(
        RuntimeSample,
        "runtime",
        "runtime",
        kept=720,
        is_in_header=True,
        is_steady=True,
        shares_values=True,
        may_wait=True,
        column=3,
        snapshot="runtime",
        fields=(
            "took_s", "apart_s", "size_bytes", "total_alloc_bytes", "mallocs", "frees",
            "heap_objects", "heap_alloc_bytes", "heap_inuse_kib", "heap_idle_kib",
            "heap_released_kib", "mspan_inuse_bytes", "gc_sys_bytes", "other_sys_bytes", "rss_kib",
            "rss_anon_kib", "rss_file_kib", "rss_shmem_kib", "swap_kib", "gc_cpu_fraction",
            "last_gc_at", "num_gc", "next_gc_bytes", "heap_live_bytes", "goroutines",
            "heap_sys_kib", "stack_inuse_kib", "stack_sys_kib", "mspan_sys_kib",
            "buck_hash_sys_bytes", "sys_bytes", "num_forced_gc", "mcache_inuse_bytes",
            "mcache_sys_bytes", "threads", "gogc_percent", "memory_limit_bytes", "cycles_lost",
            "origin", "where",
        ),
        series={
            "heap_inuse": lambda sample: sample.heap_inuse_bytes,
            "next_gc": lambda sample: sample.next_gc_bytes,
            "heap_unreturned": _unreturned_bytes,
            "runtime_total": _mapped_bytes,
        },
    ),
    SampleKind(
        MappingSample,
        "mapping",
        "mapping",
        kept=720,
        is_in_header=True,
        is_steady=True,
        shares_values=True,
        may_wait=True,
        column=2,
        snapshot="mapping",
        fields=(
            "took_s", "resident.rss_kib", "resident.pss_kib", "resident.private_dirty_kib",
            "resident.anonymous_kib", "resident.private_clean_kib", "resident.shared_clean_kib",
            "resident.shared_dirty_kib", "resident.lazy_free_kib", "resident.anon_huge_kib",
            "resident.swap_kib",
        ),
    ),
    SampleKind(
        MappingGroups,
        "groups",
        "mapping",
        kept=180,
        is_in_header=True,
        snapshot="mapping_groups",
    ),
    SampleKind(
        GcCycle,
        "gc",
        "gctrace",
        kept=8192,
        is_in_header=True,
        is_steady=True,
        may_wait=True,
        series={
            "gc_live": lambda sample: sample.heap_live_bytes,
            "gc_goal": lambda sample: sample.goal_bytes,
            "gc_pause_us": lambda sample: round(max(sample.pauses_ms, default=0.0) * 1000),
        },
    ),
    SampleKind(
        GcPause,
        "pause",
        "runtime",
        kept=8192,
        may_wait=True,
        fields=("number", "pause_s", "next_goal_bytes"),
        series={"pause_us": lambda sample: round(sample.pause_s * 1e6)},
    ),
    SampleKind(ScavengeLine, "scav", "gctrace", kept=1024, may_wait=True),
    SampleKind(OutputLine, "output", "gctrace", kept=4096, may_wait=True),
    SampleKind(TornLine, "torn", "gctrace", kept=1024, may_wait=True),
    SampleKind(Profile, "profile", "profile", kept=64),
    SampleKind(Taking, "taking", "profile", kept=64),
    SampleKind(Attached, "attached"),
    SampleKind(Trouble, "trouble"),
    SampleKind(Mark, "mark", kept=1024),
    SampleKind(Restart, "restart"),
    SampleKind(Ended, "ended", kept=16),
)  # fmt: skip
"""Every kind of sample. An hour of those that come steadily takes 3 MB; older ones are in the
scratch recording. Values of a row that change often come first and side by side: a value that
stays the same costs no bytes but at the breaks between runs of such values.
"""

KIND_OF: Mapping[type[Sample], SampleKind] = {kind.type: kind for kind in KINDS}
"""The description of each kind by its type."""

assert set(KIND_OF) == set(get_args(Sample)), "Sample and KINDS differ"
