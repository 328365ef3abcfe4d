"""Defines a window: a time span of a timeline as a table, the input of all rules."""

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
    """A cycle of the trace, the time of its line, and the goal in force after it in bytes."""

    at: float
    cycle: GcCycle
    next_goal: int | None


@dataclass(frozen=True, slots=True)
class MemoryRelease:
    """An act (Unix seconds) after which RES fell by ``size`` bytes."""

    at: float
    act: Act
    size: int


LOAD_RISES = 1.3
"""The load rises if the allocation rate grew by this factor."""


class Access(Enum):
    """The sources that a window has; the value describes them."""

    FULL = "MemStats and /proc"
    TRACE = "gctrace and /proc"
    PROC = "/proc alone"


# Without slots: cached_property keeps results that several rules use.
@dataclass(frozen=True)
class Window:
    """A table of at most a few hundred moments of one process, between two restarts.

    ``points`` are rows at the moments of MemStats (FULL) or of /proc. ``cycles`` are GC cycles,
    possibly thinned out; ``cycles_seen`` is their number, ``cycles_before`` the last few of the
    same process before the window. ``profiles`` are heap and goroutine profiles, oldest first.
    ``marks`` are acts on the process, ``sources`` describes the data of each source, "" without
    data. ``is_young`` is True if the window begins with the process. ``known_after_s`` is the time
    from the first sample of /proc to the first row. ``rarely`` are the reasons why a source is read
    less often than configured, as sentences. ``returned`` is the memory release at the start of the
    window. ``containers`` are the readings of the memory cgroup, ``peak`` is the peak RES of the
    process (VmHWM) in bytes, ``host`` the newest memory of the host.
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
        """The time span of the points in seconds."""
        return self.points[-1].at - self.points[0].at if self.points else 0.0

    def series(self, column: Column) -> Series:
        """Return one column with its moments, without the moments at which it is unknown."""
        return [(point.at, value) for point in self.points if (value := column(point)) is not None]

    def trend(self, column: Column) -> Trend | None:
        """Return the trend of one column; None if too few values are known."""
        series = self.series(column)
        if not series or len(series) < 0.8 * len(self.points):
            return None
        first, last = (column(end) for end in self.ends)
        trend = trend_of(series, self.thresholds.flat_share)
        return between(trend, first, last) if trend else None

    @cached_property
    def ledger(self) -> Ledger | None:
        """The ledger at the end of the window, with its changes; None without RES."""
        points = [point for point in self.points if point.res is not None]
        found = ledger_between(*ends_of(points)) if points else None
        return with_mappings(found, [groups for _, groups in self.groups]) if found else None

    @cached_property
    def ends(self) -> tuple[Point, Point]:
        """The averaged first and last points; needs a window with points."""
        return ends_of([point for point in self.points if point.res is not None] or self.points)

    @cached_property
    def res(self) -> int:
        """RES at the end in bytes; 0 if it is unknown."""
        return self.ledger.res if self.ledger else 0

    @cached_property
    def growth(self) -> int:
        """The growth of RES and swapped memory over the window in bytes."""
        if self.ledger is None or self.ledger.growth is None:
            return 0
        first, last = self.ends
        return self.ledger.growth + (last.swap or 0) - (first.swap or 0)

    @cached_property
    def res_trend(self) -> Trend | None:
        """The trend of RES, including swapped memory."""
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
        """Whether RES surely grows: the interval of its slope excludes zero.

        Growth that ended does not count: then the interval of the later part includes zero.
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
        """Whether RES rose so fast and evenly that a short window is enough."""
        limits, trend = self.thresholds, self.res_trend
        if trend is None or self.seconds < limits.steep_s:
            return False
        least = max(limits.big_bytes, limits.steep_share * trend.first)
        return self.is_growing and trend.grows and self.growth > least

    @cached_property
    def least_growth(self) -> float:
        """The growth in bytes from which on RES grows, if its slope is uncertain."""
        limits = self.thresholds
        return max(limits.growth_bytes, limits.growth_share * (self.res - self.growth))

    @cached_property
    def grows(self) -> bool:
        """Whether RES grew enough to look for a cause."""
        is_sure = self.is_growing and self.growth > self.thresholds.growth_bytes
        return is_sure or self.growth > self.least_growth

    @cached_property
    def least_part(self) -> float:
        """The growth in bytes from which on a part is a cause of the growth of RES."""
        return max(self.thresholds.part_bytes, self.thresholds.part_share * self.growth)

    @cached_property
    def big(self) -> float:
        """The size in bytes from which on a part matters without growth."""
        return max(self.thresholds.big_bytes, self.thresholds.big_share * self.res)

    @cached_property
    def load(self) -> Trend | None:
        """The trend of the allocation rate in bytes a second; None if it is unknown."""
        known = [(each.at, each.allocated) for each in self.points if each.allocated is not None]
        if len(known) >= 2:
            rates = [
                (later, (more - bytes_) / (later - at))
                for (at, bytes_), (later, more) in pairwise(known)
                if later > at
            ]
        else:  # growth of the heap from one cycle to the next
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
        """Whether the allocation rate rises: live objects may be work in progress."""
        load = self.load
        return load is not None and load.grows and load.last > LOAD_RISES * max(load.first, 1.0)

    @cached_property
    def cycles_per_s(self) -> float:
        """The number of GC cycles per second."""
        return self.cycles_seen / self.seconds if self.seconds else 0.0

    @cached_property
    def live(self) -> LiveHeap | None:
        """The trend of the live heap; None if the data are insufficient."""
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
        """The trend of goal / (live heap + stacks): it depends on GOGC, not on the live heap.

        Scanned stacks count as the live heap does (Go 1.18 and newer, runtime/mgcpacer.go).
        """
        cycles = [
            (traced.at, traced.next_goal, traced.cycle.heap_live_bytes, traced.cycle.stacks_bytes)
            for traced in self.cycles
        ] or [(point.at, point.goal, point.live, point.stacks) for point in self.points]
        series = [
            (at, goal / (live + (stacks or 0)))
            for at, goal, live, stacks in cycles
            if goal and live
        ]
        return trend_of(series, self.thresholds.flat_share)

    @cached_property
    def idle_s(self) -> float:
        """The seconds since the last observed GC cycle."""
        if self.cycles_before or self.cycles:
            return self.end - (*self.cycles_before, *self.cycles)[-1].at
        known = [point for point in self.points if point.cycles is not None]
        if not known:
            return 0.0
        since = next(point for point in known if point.cycles == known[-1].cycles)
        return self.end - since.at

    @cached_property
    def longest_gap_s(self) -> float:
        """The longest time between two observed GC cycles in seconds; 0 without two."""
        traced = [each.at for each in (*self.cycles_before, *self.cycles)]
        known = [point for point in self.points if point.cycles is not None]
        seen = [later.at for point, later in pairwise(known) if point.cycles != later.cycles]
        gaps = [later - at for at, later in pairwise(traced or seen)]
        # Go forces a cycle every two minutes in an idle program.
        return max((gap for gap in gaps if gap < 0.9 * self.thresholds.forced_s), default=0.0)

    @cached_property
    def is_idle(self) -> bool:
        """Whether the program allocates so little that the next GC cycle is the forced one.

        No cycle ran for a while, and the heap does not reach its goal within two minutes.
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
        """The live heap of the last cycle in bytes; None if it is unknown.

        It is from the trace, from the page, or from NextGC if the settings in force are known.
        """
        traced = [*self.cycles_before, *self.cycles]
        if traced and traced[-1].cycle.heap_live_bytes is not None:
            return traced[-1].cycle.heap_live_bytes
        last = self.points[-1] if self.points else None
        return last.live if last else None

    @cached_property
    def live_before(self) -> int | None:
        """The smallest live heap of the cycles up to 10 s before the last one, in bytes."""
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
        """The sure growth of the live heap in bytes; 0 without growth or if it is uncertain."""
        live = self.live
        if live is None or not live.is_sure or live.goal_moved_alone or not live.trend.grows:
            return 0.0
        return live.growth

    @cached_property
    def stacks(self) -> Trend | None:
        """The trend of the stacks: StackSys, or the scanned stacks of the cycles."""
        if self.access is Access.FULL:
            return self.trend(lambda point: point.stacks)
        return self.trend(lambda point: point.scanned)

    @cached_property
    def stack_growth(self) -> float:
        """The sure growth of the stacks in bytes, else 0."""
        return self.stacks.growth if self.stacks and self.stacks.grows else 0.0

    @cached_property
    def gogc(self) -> int | None:
        """GOGC of the environment in percent; 100 if it is not set, None if it is off."""
        text = self.surroundings.gogc if self.surroundings else None
        if isinstance(text, str) and text.strip():
            return int(text) if text.strip().isdecimal() else None
        return 100

    @property
    def has_rollup(self) -> bool:
        """Whether LazyFree is known (smaps_rollup)."""
        return bool(self.points) and self.points[-1].lazy is not None
