"""The rules: one cause each, a pure function of a window that says what it found, or nothing."""

from collections.abc import Callable, Sequence

from memtui.diagnosis.finding import Finding
from memtui.diagnosis.rules.dead import dead_not_collected
from memtui.diagnosis.rules.files import file_mapped
from memtui.diagnosis.rules.fragmented import fragmentation
from memtui.diagnosis.rules.freed import freed_not_returned
from memtui.diagnosis.rules.goal import goal_growth
from memtui.diagnosis.rules.goroutines import goroutine_leak
from memtui.diagnosis.rules.huge import huge_pages
from memtui.diagnosis.rules.lazy import lazily_freed
from memtui.diagnosis.rules.leak import heap_leak
from memtui.diagnosis.rules.leftover import left_over
from memtui.diagnosis.rules.metadata import runtime_metadata
from memtui.diagnosis.rules.offheap import off_heap
from memtui.diagnosis.rules.thrash import gc_thrash
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
    left_over,
    gc_thrash,
)

EARLY_RULES: Sequence[Rule] = (left_over,)
"""Rules for a window that is too short for all others: an idle program does not change."""

__all__ = ["EARLY_RULES", "RULES", "Rule"]
