"""The rules: each checks a window for one cause and returns a finding or None."""

from collections.abc import Callable, Sequence

from memtui.diagnosis.finding import Finding
from memtui.diagnosis.rules.burst_leftover import burst_leftover
from memtui.diagnosis.rules.container_memory import container_memory
from memtui.diagnosis.rules.dead_not_collected import dead_not_collected
from memtui.diagnosis.rules.file_mapped import file_mapped
from memtui.diagnosis.rules.fragmentation import fragmentation
from memtui.diagnosis.rules.freed_not_returned import freed_not_returned
from memtui.diagnosis.rules.gc_thrash import gc_thrash
from memtui.diagnosis.rules.goal_growth import goal_growth
from memtui.diagnosis.rules.goroutine_leak import goroutine_leak
from memtui.diagnosis.rules.heap_leak import heap_leak
from memtui.diagnosis.rules.huge_pages import huge_pages
from memtui.diagnosis.rules.lazily_freed import lazily_freed
from memtui.diagnosis.rules.off_heap import off_heap
from memtui.diagnosis.rules.runtime_metadata import runtime_metadata, tables_after_peak
from memtui.diagnosis.rules.thread_growth import thread_growth
from memtui.diagnosis.window import Window

Rule = Callable[[Window], Finding | None]

RULES: Sequence[Rule] = (
    goroutine_leak,
    heap_leak,
    lazily_freed,
    freed_not_returned,
    dead_not_collected,
    huge_pages,
    fragmentation,
    off_heap,
    file_mapped,
    runtime_metadata,
    goal_growth,
    burst_leftover,
    gc_thrash,
    container_memory,
    thread_growth,
    tables_after_peak,
)

EARLY_RULES: Sequence[Rule] = (burst_leftover,)
"""Rules that need no long window, because an idle program does not change."""

__all__ = ["EARLY_RULES", "RULES", "Rule"]
