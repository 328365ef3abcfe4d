"""Parses MemStats from a Prometheus page with the names of client_golang.

``prometheus_client`` reads the lines, but only those that are wanted: a page may hold a hundred
thousand others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from memtui.parse.runtime.memstats import MemStatsError, MemStatsPage, checked

_CLASSIC = {
    "go_memstats_heap_alloc_bytes": "heap_alloc_bytes",
    "go_memstats_heap_inuse_bytes": "heap_inuse_bytes",
    "go_memstats_heap_idle_bytes": "heap_idle_bytes",
    "go_memstats_heap_released_bytes": "heap_released_bytes",
    "go_memstats_heap_released_bytes_total": "heap_released_bytes",
    "go_memstats_heap_sys_bytes": "heap_sys_bytes",
    "go_memstats_heap_objects": "heap_objects",
    "go_memstats_stack_inuse_bytes": "stack_inuse_bytes",
    "go_memstats_stack_sys_bytes": "stack_sys_bytes",
    "go_memstats_mspan_inuse_bytes": "mspan_inuse_bytes",
    "go_memstats_mspan_sys_bytes": "mspan_sys_bytes",
    "go_memstats_mcache_inuse_bytes": "mcache_inuse_bytes",
    "go_memstats_mcache_sys_bytes": "mcache_sys_bytes",
    "go_memstats_buck_hash_sys_bytes": "buck_hash_sys_bytes",
    "go_memstats_gc_sys_bytes": "gc_sys_bytes",
    "go_memstats_other_sys_bytes": "other_sys_bytes",
    "go_memstats_sys_bytes": "sys_bytes",
    "go_memstats_alloc_bytes_total": "total_alloc_bytes",
    "go_memstats_mallocs_total": "mallocs",
    "go_memstats_frees_total": "frees",
    "go_memstats_next_gc_bytes": "next_gc_bytes",
    "go_memstats_last_gc_time_seconds": "last_gc_at",
    "go_memstats_gc_cpu_fraction": "gc_cpu_fraction",
    "go_gc_duration_seconds_count": "num_gc",
    "go_goroutines": "goroutines",
    "go_threads": "threads",
}
"""The names of the collector that every client_golang registers (prometheus/go_collector.go)."""

_RUNTIME = {
    "go_gc_heap_live_bytes": "heap_live_bytes",
    "go_gc_heap_goal_bytes": "next_gc_bytes",
    "go_gc_heap_objects_objects": "heap_objects",
    "go_gc_heap_allocs_bytes_total": "total_alloc_bytes",
    "go_gc_cycles_total_gc_cycles_total": "num_gc",
    "go_gc_cycles_forced_gc_cycles_total": "num_forced_gc",
    "go_gc_gogc_percent": "gogc_percent",
    "go_gc_gomemlimit_bytes": "memory_limit_bytes",
    "go_sched_goroutines_goroutines": "goroutines",
    "go_sched_threads_total_threads": "threads",
}
"""The names of runtime/metrics in client_golang 1.12 and newer, if enabled."""

_CLASS = "go_memory_classes_"
_CLASSES = {
    "heap_alloc_bytes": ("heap_objects",),
    "heap_inuse_bytes": ("heap_objects", "heap_unused"),
    "heap_idle_bytes": ("heap_free", "heap_released"),
    "heap_released_bytes": ("heap_released",),
    "heap_sys_bytes": ("heap_objects", "heap_unused", "heap_free", "heap_released"),
    "stack_inuse_bytes": ("heap_stacks",),
    "stack_sys_bytes": ("heap_stacks", "os_stacks"),
    "mspan_inuse_bytes": ("metadata_mspan_inuse",),
    "mspan_sys_bytes": ("metadata_mspan_inuse", "metadata_mspan_free"),
    "mcache_inuse_bytes": ("metadata_mcache_inuse",),
    "mcache_sys_bytes": ("metadata_mcache_inuse", "metadata_mcache_free"),
    "buck_hash_sys_bytes": ("profiling_buckets",),
    "gc_sys_bytes": ("metadata_other",),
    "other_sys_bytes": ("other",),
    "sys_bytes": ("total",),
}
"""A field of MemStats as the sum of memory classes: so the runtime itself makes them (Go 1.27.3
runtime/mstats.go, readMemStats_m; runtime/metrics/description.go)."""

_WANTED = frozenset(
    (
        *_CLASSIC,
        *_RUNTIME,
        *(f"{_CLASS}{name}_bytes" for names in _CLASSES.values() for name in names),
    )
)
_LINE = re.compile(rb"^(go_[a-z_]{1,80})(?=[{ \t])[^\n]{1,4000}$", re.MULTILINE)


def parse_prometheus(body: bytes) -> MemStatsPage:
    """Parse MemStats from a page in the text format; raise MemStatsError.

    If a field has an old and a new name, the old one counts. A duplicate name means two processes,
    as on the page of a gateway: then it is unknown which one is the target.
    """
    lines = [match[0] for match in _LINE.finditer(body) if match[1].decode() in _WANTED]
    if not lines:
        raise MemStatsError("has no go_memstats and no go_memory_classes")
    if not body.endswith(b"\n"):
        raise MemStatsError("is cut off")
    if len(lines) > len(_WANTED):
        raise MemStatsError("holds the numbers of several processes")
    values = _values(b"\n".join(lines).decode("utf-8", "replace") + "\n")
    numbers = _of_classes(values)
    for names in (_RUNTIME, _CLASSIC):
        numbers |= {ours: values[name] for name, ours in names.items() if name in values}
    return MemStatsPage(checked(numbers))


def _values(text: str) -> dict[str, float]:
    from prometheus_client.parser import text_string_to_metric_families

    values: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in values:
                    raise MemStatsError("holds the numbers of several processes")
                values[sample.name] = float(sample.value)
    except MemStatsError:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError):
        raise MemStatsError("has a line that is not of this format") from None
    return values


def _of_classes(values: Mapping[str, float]) -> dict[str, float]:
    """Return the fields whose memory classes are all present."""
    found: dict[str, float] = {}
    for ours, names in _CLASSES.items():
        parts = [values.get(f"{_CLASS}{name}_bytes") for name in names]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            found[ours] = sum(known)
    return found
