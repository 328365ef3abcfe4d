"""The kinds of records, which sample each is, and the names of the values of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from memtui.model import (
    Attached,
    CgroupMemory,
    Ended,
    Environment,
    GcCycle,
    GcPause,
    MappingGroups,
    MappingSample,
    Mark,
    OutputLine,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Restart,
    RuntimeSample,
    Sample,
    ScavengeLine,
    Taking,
    TornLine,
    Trouble,
)

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Record: TypeAlias = dict[str, Json]
Fields: TypeAlias = Mapping[str, tuple[str, ...]]

KINDS: dict[str, type[Sample]] = {
    "process": ProcessSample,
    "runtime": RuntimeSample,
    "mapping": MappingSample,
    "pause": GcPause,
    "gc": GcCycle,
    "scav": ScavengeLine,
    "groups": MappingGroups,
    "surroundings": Environment,
    "cgroup": CgroupMemory,
    "identity": ProcessIdentity,
    "output": OutputLine,
    "torn": TornLine,
    "profile": Profile,
    "taking": Taking,
    "attached": Attached,
    "trouble": Trouble,
    "mark": Mark,
    "restart": Restart,
    "ended": Ended,
}
"""What each kind of record is read as."""

NAMES: dict[type[Sample], str] = {kind: name for name, kind in KINDS.items()}
"""The kind of record that a sample is written as."""

SOURCES = {
    "process": "process",
    "runtime": "runtime",
    "mapping": "mapping",
    "pause": "runtime",
    "gc": "gctrace",
    "scav": "gctrace",
    "groups": "mapping",
    "surroundings": "surroundings",
    "cgroup": "surroundings",
    "identity": "process",
    "output": "gctrace",
    "torn": "gctrace",
    "profile": "profile",
    "taking": "profile",
}
"""The source that a kind comes from, where the record names none."""

TRACE = (GcCycle, ScavengeLine)

LONGEST_S = float(1 << 32)
"""No pause takes so long; a chart counts it in whole microseconds, which NaN does not have."""

EXACT = 1 << 53
"""A float has whole numbers below this exactly."""


class BadRecord(ValueError):  # noqa: N818 - it says what happened
    """A record that says something impossible: its line is damaged, or was forged."""


class UnknownRecord(ValueError):  # noqa: N818 - it says what happened
    """A record of a kind, or with a word, that only a newer memtui knows: it is passed over."""


FIELDS: Fields = {
    "process": (
        "cpu_s", "open_files", "res_kib", "anon_kib", "file_kib", "shmem_kib", "swap_kib",
        "shr_kib", "peak_kib", "data_kib", "virt_kib", "code_kib", "threads", "state", "tty",
    ),
    "runtime": (
        "took_s", "apart_s", "size_bytes", "total_alloc_bytes", "mallocs", "frees", "heap_objects",
        "heap_alloc_bytes", "heap_inuse_kib", "heap_idle_kib", "heap_released_kib",
        "mspan_inuse_bytes", "gc_sys_bytes", "other_sys_bytes", "rss_kib", "rss_anon_kib",
        "rss_file_kib", "rss_shmem_kib", "swap_kib", "gc_cpu_fraction", "last_gc_at", "num_gc",
        "next_gc_bytes", "heap_live_bytes", "goroutines", "heap_sys_kib", "stack_inuse_kib",
        "stack_sys_kib", "mspan_sys_kib", "buck_hash_sys_bytes", "sys_bytes", "num_forced_gc",
        "mcache_inuse_bytes", "mcache_sys_bytes", "threads", "gogc_percent", "memory_limit_bytes",
        "cycles_lost", "origin", "where",
    ),
    "mapping": (
        "took_s", "resident.rss_kib", "resident.pss_kib", "resident.private_dirty_kib",
        "resident.anonymous_kib", "resident.private_clean_kib", "resident.shared_clean_kib",
        "resident.shared_dirty_kib", "resident.lazy_free_kib", "resident.anon_huge_kib",
        "resident.swap_kib",
    ),
    "pause": ("number", "pause_s", "next_goal_bytes"),
}  # fmt: skip
"""The kinds that are rows, and the names of their values as they are written now.

``res_kib`` is ``res_bytes`` in units of 1024 bytes, as the kernel counts. What moves often stands
first and side by side, for what stays the same costs nothing but the breaks between.
"""

KIB = "_kib"
BYTES = "_bytes"


def path_of(name: str) -> str:
    """Return the path of the field of the model that a name of a row stands for."""
    return name.removesuffix(KIB) + BYTES if name.endswith(KIB) else name
