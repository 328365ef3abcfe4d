"""MemStats as the agent of gops answers them."""

from __future__ import annotations

import re

from memtui.parse.memstats import MemStatsError, MemStatsPage, Number, checked, number, say

_NAMES = {
    "heap-alloc": "heap_alloc_bytes",
    "heap-in-use": "heap_inuse_bytes",
    "heap-idle": "heap_idle_bytes",
    "heap-released": "heap_released_bytes",
    "heap-sys": "heap_sys_bytes",
    "heap-objects": "heap_objects",
    "stack-in-use": "stack_inuse_bytes",
    "stack-sys": "stack_sys_bytes",
    "stack-mspan-inuse": "mspan_inuse_bytes",
    "stack-mspan-sys": "mspan_sys_bytes",
    "stack-mcache-inuse": "mcache_inuse_bytes",
    "stack-mcache-sys": "mcache_sys_bytes",
    "gc-sys": "gc_sys_bytes",
    "other-sys": "other_sys_bytes",
    "sys": "sys_bytes",
    "total-alloc": "total_alloc_bytes",
    "mallocs": "mallocs",
    "frees": "frees",
    "next-gc": "next_gc_bytes",
    "num-gc": "num_gc",
    "num-forced-gc": "num_forced_gc",
    "gc-cpu-fraction": "gc_cpu_fraction",
}
_BYTES = re.compile(r"(?:when heap-alloc >= )?(?:[\d.]+[KMGTPE]?B \()?(\d{1,20}) bytes\)?")


def parse_gops(text: bytes) -> MemStatsPage:
    """Read what the gops agent answers to the request for MemStats.

    Sizes are ``99.7MB (104538112 bytes)`` or ``512 bytes``. The time of the last cycle is a text
    for people and is not read. Source: github.com/google/gops, agent/agent.go.
    """
    said: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(": ")
        say(said, name, value)
    if "heap-alloc" not in said:
        raise MemStatsError("is no answer of a gops agent")
    if "debug-gc" not in said:  # the last line
        raise MemStatsError("is cut off")
    numbers: dict[str, Number] = {}
    for name, ours in _NAMES.items():
        if name in said:
            sized = _BYTES.fullmatch(said[name])
            numbers[ours] = int(sized[1]) if sized else number(name, said[name])
    return MemStatsPage(checked(numbers))
