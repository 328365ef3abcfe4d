"""A stretch of a timeline as a table: all that a rule gets to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import pairwise

from memtui.diagnosis.ledger import Ledger, ends_of, ledger_between, with_mappings
from memtui.diagnosis.live_heap import LiveHeap, live_heap
from memtui.diagnosis.point import Point
from memtui.diagnosis.thresholds import DEFAULT, Thresholds
from memtui.diagnosis.trends import Series, Trend, TrendShape, between, trend_of
from memtui.model import (
    Act,
    CgroupMemory,
    Environment,
    GcCycle,
    HostMemory,
    MappingGroups,
    ProcessIdentity,
    Profile,
)

Column = Callable[[Point], int | None]


@dataclass(frozen=True, slots=True)
class TracedCycle:
    """A cycle of the trace, when it was read, and the goal in force after it in bytes."""

    at: float
    cycle: GcCycle
    next_goal: int | None


@dataclass(frozen=True, slots=True)
class MemoryRelease:
    """What was done to the process (Unix seconds), after which RES fell by ``size`` bytes."""

    at: float
    act: Act
    size: int


LOAD_RISES = 1.3
"""A rate of allocation that grew by this factor is another load."""


class Access(Enum):
    """What is known of the process; the value says it in a few words."""

    FULL = "MemStats and /proc"
    TRACE = "gctrace and /proc"
    PROC = "/proc alone"


# Not with slots: what several rules ask for is worked out once and kept.
@dataclass(frozen=True)
class Window:
    """A table of at most some hundred moments of one process, between two restarts.

    ``points`` are rows at the moments of MemStats (FULL) or of /proc. ``cycles`` are the
    collector's, thinned out too; ``cycles_seen`` is how many there were, ``cycles_before`` the last
    few of the same process before the window. ``profiles`` are heap and
    goroutine profiles in the order of time. ``marks`` are things done to the process, ``sources``
    what was seen of each source, "" for nothing. ``is_young`` tells that the window begins with
    the process, ``known_after_s`` is how long after /proc the rows begin. ``rarely`` are the
    reasons why a source is read less often than wanted, a sentence each. ``returned`` is the act
    that the window begins with, where memory was returned. ``containers`` are the readings of the
    memory cgroup, ``peak`` is the largest RES of the process so far (VmHWM) in bytes. ``host`` is
    the newest memory of the host.
    """

    start: float
    end: float
    access: Access
    points: tuple[Point, ...]
    cycles: tuple[TracedCycle, ...] = ()
    cycles_seen: int = 0
    cycles_before: tuple[TracedCycle, ...] = ()
    groups: tuple[tuple[float, MappingGroups], ...] = ()
    profiles: tuple[tuple[float, Profile], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    surroundings: Environment | None = None
    identity: ProcessIdentity | None = None
    sources: tuple[tuple[str, str], ...] = ()
    is_young: bool = False
    returned: MemoryRelease | None = None
    rarely: tuple[str, ...] = ()
    known_after_s: float = 0.0
    containers: tuple[tuple[float, CgroupMemory], ...] = ()
    peak: int | None = None
    host: HostMemory | None = None
    thresholds: Thresholds = DEFAULT

    @property
    def seconds(self) -> float:
        """How long the points span."""
        return self.points[-1].at - self.points[0].at if self.points else 0.0

    def series(self, column: Column) -> Series:
        """Return one column with its moments, without the moments at which it is not known."""
        return [(point.at, value) for point in self.points if (value := column(point)) is not None]

    def trend(self, column: Column) -> Trend | None:
        """Judge one column; None when it is known too seldom."""
        series = self.series(column)
        if not series or len(series) < 0.8 * len(self.points):
            return None
        first, last = (column(end) for end in self.ends)
        trend = trend_of(series, self.thresholds.flat_share)
        return between(trend, first, last) if trend else None

    @cached_property
    def ledger(self) -> Ledger | None:
        """The ledger at the end of the window and what changed; None without RES."""
        points = [point for point in self.points if point.res is not None]
        found = ledger_between(*ends_of(points)) if points else None
        return with_mappings(found, [groups for _, groups in self.groups]) if found else None

    @cached_property
    def ends(self) -> tuple[Point, Point]:
        """The settled first and last moments; only of a window that has points."""
        return ends_of([point for point in self.points if point.res is not None] or self.points)

    @cached_property
    def res(self) -> int:
        """RES at the end in bytes, 0 when it is not known."""
        return self.ledger.res if self.ledger else 0

    @cached_property
    def growth(self) -> int:
        """By how much RES, and what of it was swapped out, grew over the window."""
        if self.ledger is None or self.ledger.growth is None:
            return 0
        first, last = self.ends
        return self.ledger.growth + (last.swap or 0) - (first.swap or 0)

    @cached_property
    def res_trend(self) -> Trend | None:
        """How RES grew, swapped memory included."""
        return self._res_trend(self.points)

    def _res_trend(self, points: Sequence[Point]) -> Trend | None:
        limits = self.thresholds
        series = [(each.at, value) for each in points if (value := each.footprint) is not None]
        trend = trend_of(series, limits.flat_share, limits.resolution_bytes)
        if trend is None or len(points) < len(self.points):
            return trend
        return between(trend, *(end.footprint for end in self.ends))

    @cached_property
    def is_growing(self) -> bool:
        """Whether RES grows for certain: the interval of its slope excludes zero.

        Growth that ended, after which the interval of the later part includes zero, is over.
        """
        trend = self.res_trend
        if trend is None or trend.low_per_h <= 0:
            return False
        if trend.shape is not TrendShape.LEVELLED:
            return True
        later = self._res_trend(self.points[len(self.points) * 3 // 5 :])
        return later is not None and later.low_per_h > 0

    @cached_property
    def is_steep(self) -> bool:
        """Whether RES rose so fast, and so evenly, that a short window is enough."""
        limits, trend = self.thresholds, self.res_trend
        if trend is None or self.seconds < limits.steep_s:
            return False
        least = max(limits.big_bytes, limits.steep_share * trend.first)
        return self.is_growing and trend.grows and self.growth > least

    @cached_property
    def least_growth(self) -> float:
        """What RES must have grown by to be said to grow, in bytes, when its slope is not sure."""
        limits = self.thresholds
        return max(limits.growth_bytes, limits.growth_share * (self.res - self.growth))

    @cached_property
    def grows(self) -> bool:
        """Whether RES grew enough for its cause to be named."""
        is_sure = self.is_growing and self.growth > self.thresholds.growth_bytes
        return is_sure or self.growth > self.least_growth

    @cached_property
    def least_part(self) -> float:
        """What a part must have grown by to be a cause of the growth of RES."""
        return max(self.thresholds.part_bytes, self.thresholds.part_share * self.growth)

    @cached_property
    def big(self) -> float:
        """What a part must be to matter though nothing grows."""
        return max(self.thresholds.big_bytes, self.thresholds.big_share * self.res)

    @cached_property
    def load(self) -> Trend | None:
        """How the rate of allocation went, in bytes a second; None when it is not known."""
        known = [(each.at, each.allocated) for each in self.points if each.allocated is not None]
        if len(known) >= 2:
            rates = [
                (later, (more - bytes_) / (later - at))
                for (at, bytes_), (later, more) in pairwise(known)
                if later > at
            ]
        else:  # what the heap grew by from one cycle to the next
            rates = [
                (each.at, (each.cycle.heap_start_bytes - before.cycle.heap_live_bytes) / gap)
                for before, each in pairwise(self.cycles)
                if (gap := each.at - before.at) > 0
                and each.cycle.number == before.cycle.number + 1
                and before.cycle.heap_live_bytes is not None
            ]
        return trend_of(rates, self.thresholds.flat_share)

    @cached_property
    def load_rises(self) -> bool:
        """Whether the program allocates faster and faster: what is live may be work in progress."""
        load = self.load
        return load is not None and load.grows and load.last > LOAD_RISES * max(load.first, 1.0)

    @cached_property
    def cycles_per_s(self) -> float:
        """How many GC cycles came a second."""
        return self.cycles_seen / self.seconds if self.seconds else 0.0

    @cached_property
    def live(self) -> LiveHeap | None:
        """What the live heap did; None when too little is known."""
        if not self.points:
            return None
        found = [
            (traced.at, float(traced.cycle.heap_live_bytes))
            for traced in self.cycles
            if traced.cycle.heap_live_bytes is not None
        ]
        return live_heap(self.points, found, self.gogc, self.thresholds)

    @cached_property
    def allowance(self) -> Trend | None:
        """How the goal went by what the same cycle found alive: GOGC, whatever the live heap does.

        Scanned stacks count as what is alive does (Go 1.18 and newer, runtime/mgcpacer.go).
        """
        told = [
            (traced.at, traced.next_goal, traced.cycle.heap_live_bytes, traced.cycle.stacks_bytes)
            for traced in self.cycles
        ] or [(point.at, point.goal, point.live, point.stacks) for point in self.points]
        series = [
            (at, goal / (live + (stacks or 0))) for at, goal, live, stacks in told if goal and live
        ]
        return trend_of(series, self.thresholds.flat_share)

    @cached_property
    def idle_s(self) -> float:
        """For how many seconds there has been no GC cycle, as far as that was seen."""
        if self.cycles_before or self.cycles:
            return self.end - (*self.cycles_before, *self.cycles)[-1].at
        known = [point for point in self.points if point.cycles is not None]
        if not known:
            return 0.0
        since = next(point for point in known if point.cycles == known[-1].cycles)
        return self.end - since.at

    @cached_property
    def longest_gap_s(self) -> float:
        """The longest time between two GC cycles that were both seen; 0 with fewer."""
        traced = [each.at for each in (*self.cycles_before, *self.cycles)]
        known = [point for point in self.points if point.cycles is not None]
        seen = [later.at for point, later in pairwise(known) if point.cycles != later.cycles]
        gaps = [later - at for at, later in pairwise(traced or seen)]
        # The cycle that is forced every two minutes comes in an idle program.
        return max((gap for gap in gaps if gap < 0.9 * self.thresholds.forced_s), default=0.0)

    @cached_property
    def is_idle(self) -> bool:
        """Whether the program hardly allocates: no cycle has come, and the goal brings none soon.

        The next cycle will be the one that is forced after two minutes.
        """
        limits = self.thresholds
        if self.idle_s < limits.idle_s or self.seconds < limits.idle_s or len(self.points) < 3:
            return False
        if self.idle_s < 1.5 * self.longest_gap_s:
            return False
        known = [each for each in self.points if each.at >= self.end - self.idle_s - 1.0]
        allocs = [each.alloc for each in known if each.alloc is not None]
        last = self.points[-1]
        if self.access is not Access.FULL:
            return bool(self.cycles or self.cycles_before) and self._is_flat
        if len(allocs) < 2 or last.goal is None or last.alloc is None:
            return False
        pace = (allocs[-1] - allocs[0]) / max(1.0, known[-1].at - known[0].at)
        return (last.goal - last.alloc) > limits.forced_s * max(pace, 0.0)

    @property
    def _is_flat(self) -> bool:
        start = self.end - min(self.idle_s - 1.0, 20.0)
        values = [each.res for each in self.points if each.res is not None and each.at >= start]
        return max(values) - min(values) < 0.05 * max(values) if values else False

    @cached_property
    def live_now(self) -> int | None:
        """What the last cycle found alive, in bytes; None when it is not known.

        From the trace, from the page, or from NextGC where the settings in force are known.
        """
        traced = [*self.cycles_before, *self.cycles]
        if traced and traced[-1].cycle.heap_live_bytes is not None:
            return traced[-1].cycle.heap_live_bytes
        last = self.points[-1] if self.points else None
        return last.live if last else None

    @cached_property
    def live_before(self) -> int | None:
        """What the cycle some seconds before the last one found alive, in bytes."""
        traced = [*self.cycles_before, *self.cycles]
        if not traced:
            return None
        found = [
            each.cycle.heap_live_bytes
            for each in traced[:-1]
            if each.cycle.heap_live_bytes is not None and each.at >= traced[-1].at - 10.0
        ]
        return min(found, default=None)

    @cached_property
    def live_growth(self) -> float:
        """By how much the live heap grew for sure, 0 when it did not or nobody can tell."""
        live = self.live
        if live is None or not live.is_sure or live.goal_moved_alone or not live.trend.grows:
            return 0.0
        return live.growth

    @cached_property
    def stacks(self) -> Trend | None:
        """How the stacks grew: StackSys, or without MemStats what the cycles scanned of them."""
        if self.access is Access.FULL:
            return self.trend(lambda point: point.stacks)
        return self.trend(lambda point: point.scanned)

    @cached_property
    def stack_growth(self) -> float:
        """By how much the stacks grew beyond doubt, else 0."""
        return self.stacks.growth if self.stacks and self.stacks.grows else 0.0

    @cached_property
    def gogc(self) -> int | None:
        """GOGC as the process was started with; 100 when it is not set, None when it is off."""
        text = self.surroundings.gogc if self.surroundings else None
        if isinstance(text, str) and text.strip():
            return int(text) if text.strip().isdecimal() else None
        return 100

    @property
    def has_rollup(self) -> bool:
        """Whether LazyFree is known."""
        return bool(self.points) and self.points[-1].lazy is not None
