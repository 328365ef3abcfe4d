"""A stretch of a timeline as a table: all that a rule gets to see."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import pairwise
from statistics import median

from memtui.diagnosis.heap import LiveHeap, live_heap
from memtui.diagnosis.ledger import Ledger, ends_of, ledger_between
from memtui.diagnosis.point import Point, is_sound, of_process, of_runtime
from memtui.diagnosis.thresholds import DEFAULT, Thresholds
from memtui.diagnosis.trends import Series, Trend, between, trend_of
from memtui.model import (
    Absent,
    GcCycle,
    GcPause,
    MappingGroups,
    MappingSample,
    Mark,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Restart,
    RuntimeSample,
    Surroundings,
)
from memtui.timeline import Timeline, View

USUAL_S = 600.0
MOST_POINTS = 240
WARM_UP_CYCLES = 3
"""The first cycles of a process find a heap that is still being made (go-memory: warm-up)."""
BELIEVED_APART_S = 0.05
"""The kernel's numbers and Go's of one ledger lie at most so far apart."""
NEAR_S = 20.0
"""smaps_rollup read so near stands for a moment."""

LEAST_GOAL = 4 << 20
"""The goal of a heap that is nearly empty, with GOGC=100 (Go 1.27.3 runtime/mgcpacer.go)."""

Column = Callable[[Point], int | None]


@dataclass(frozen=True, slots=True)
class Traced:
    """A cycle of the trace, when it was read, and the goal in force after it in bytes."""

    at: float
    cycle: GcCycle
    next_goal: int | None


class Access(Enum):
    """What is known of the process; the value says it in a few words."""

    FULL = "MemStats and /proc"
    TRACE = "gctrace and /proc"
    PROC = "/proc alone"


# Not with slots: what several rules ask for is worked out once and kept.
@dataclass(frozen=True)
class Window:
    """A table of at most some hundred moments of one process, between two restarts.

    ``points`` are rows at the moments of MemStats (FULL) or of /proc, ``process`` are rows of
    /proc alone for the whole window. ``cycles`` are the collector's, thinned out too, with the
    moments they were read at; ``cycles_seen`` is how many there were. ``profiles`` are heap and
    goroutine profiles in the order of time. ``is_young`` tells that the window begins with the
    process.
    """

    start: float
    end: float
    access: Access
    points: tuple[Point, ...]
    process: tuple[Point, ...] = ()
    cycles: tuple[Traced, ...] = ()
    cycles_seen: int = 0
    groups: tuple[tuple[float, MappingGroups], ...] = ()
    profiles: tuple[tuple[float, Profile], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    surroundings: Surroundings | None = None
    identity: ProcessIdentity | None = None
    sources: tuple[tuple[str, str], ...] = ()
    is_young: bool = False
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
        return between(trend_of(series, self.thresholds.flat_share), first, last)

    @cached_property
    def ledger(self) -> Ledger | None:
        """The ledger at the end of the window and what changed; None without RES."""
        points = [point for point in self.points if point.res is not None]
        return ledger_between(*ends_of(points)) if points else None

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
        return self.trend(lambda point: point.footprint)

    @cached_property
    def least_growth(self) -> float:
        """What RES must have grown by to be said to grow."""
        limits = self.thresholds
        return max(limits.growth_bytes, limits.growth_share * (self.res - self.growth))

    @cached_property
    def grows(self) -> bool:
        """Whether RES is higher at the end than it was, by more than counts."""
        return self.growth > self.least_growth

    @cached_property
    def least_part(self) -> float:
        """What a part must have grown by to be a cause of the growth of RES."""
        return max(self.thresholds.part_bytes, self.thresholds.part_share * self.growth)

    @cached_property
    def big(self) -> float:
        """What a part must be to matter though nothing grows."""
        return max(self.thresholds.big_bytes, self.thresholds.big_share * self.res)

    @cached_property
    def live(self) -> LiveHeap | None:
        """What the live heap did; None when too little is known."""
        if not self.points:
            return None
        return live_heap(self.points, self.ends, self.gogc, self.thresholds)

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


def window_of(view: View, seconds: float = USUAL_S, thresholds: Thresholds = DEFAULT) -> Window:
    """Collect the last ``seconds`` up to the moment of a view, from the last restart on.

    The first cycles of a process are left out when there were more. Costs as much as its rows.
    """
    timeline, end = view.timeline, view.until
    born = _born(view, end - seconds)
    start = end - seconds if born is None else born
    found = view.last(Surroundings)
    surroundings = found[1] if found else None
    cycles = with_goals(_cycles(timeline, start, end, born), surroundings)
    mappings = timeline.track(MappingSample).sampled(start - NEAR_S, end, MOST_POINTS)
    process = _process_points(timeline, start, end, mappings, cycles)
    runtime = _runtime_points(timeline, start, end, mappings, cycles)
    access = Access.TRACE if cycles else Access.PROC
    points = process
    if runtime and runtime[-1].at >= end - max(3 * NEAR_S, 0.2 * (end - start)):
        access, points = Access.FULL, runtime
    points, is_young = _without_warm_up(points, view)
    begin = points[0].at if points else start
    identity = view.last(ProcessIdentity)
    return Window(
        start=begin,
        end=end,
        access=access,
        points=tuple(points),
        process=tuple(point for point in process if point.at >= begin),
        cycles=tuple(traced for traced in cycles if traced.at >= begin),
        cycles_seen=_cycles_seen(timeline, points, cycles, begin, end),
        groups=tuple(timeline.track(MappingGroups).between(begin, end)),
        profiles=tuple(timeline.track(Profile).between(begin, end)),
        marks=tuple((at, mark.text) for at, mark in timeline.track(Mark).between(begin, end)),
        surroundings=surroundings,
        identity=identity[1] if identity else None,
        sources=_sources(view, cycles, mappings),
        is_young=is_young,
        thresholds=thresholds,
    )


def point_at(view: View) -> Point | None:
    """Return the newest row of a view, for a ledger of its moment; None without RES."""
    window = window_of(view, NEAR_S * 3)
    return window.points[-1] if window.points else None


def points_between(view: View, start: float, end: float) -> list[Point]:
    """Return the rows of MemStats between two moments; those of /proc where there are none."""
    timeline = view.timeline
    seen = timeline.track(GcCycle).sampled(start - USUAL_S, end, MOST_POINTS)
    cycles = with_goals(seen, view.sample(Surroundings))
    mappings = timeline.track(MappingSample).sampled(start - NEAR_S, end, MOST_POINTS)
    found = _runtime_points(timeline, start, end, mappings, cycles)
    return found or _process_points(timeline, start, end, mappings, cycles)


def _born(view: View, start: float) -> float | None:
    """Return when, since ``start``, what is watched began to be this process; None: before."""
    identities = view.timeline.track(ProcessIdentity).between(start, view.until)
    restarts = view.timeline.track(Restart).between(start, view.until)
    if len(identities) > 1 or (identities and view.timeline.track(ProcessIdentity).count > 1):
        restarts.append((identities[-1][0], Restart()))
    return max((at for at, _ in restarts), default=None)


def _nearest(
    mappings: Sequence[tuple[float, MappingSample]], at: float, near_s: float
) -> MappingSample | None:
    place = bisect_left(mappings, at, key=_moment)
    around = mappings[max(0, place - 1) : place + 1]
    best = min(around, key=lambda entry: abs(entry[0] - at), default=None)
    return best[1] if best and abs(best[0] - at) <= near_s else None


def _gap(mappings: Sequence[tuple[float, MappingSample]]) -> float:
    """Return how far away smaps_rollup may have been read: it is read the rarer the dearer."""
    moments = [at for at, _ in mappings]
    gaps = [later - at for at, later in pairwise(moments)]
    return max(NEAR_S, 1.5 * median(gaps)) if gaps else NEAR_S


def _cycles(
    timeline: Timeline, start: float, end: float, born: float | None
) -> list[tuple[float, GcCycle]]:
    """Return cycles of a window, and the last one before it if it is of the same process."""
    track = timeline.track(GcCycle)
    before = track.last(start)
    found = track.sampled(start, end, MOST_POINTS)
    if before and (born is None or before[0] >= born) and before not in found[:1]:
        found.insert(0, before)
    return found


def _before(cycles: Sequence[Traced], at: float) -> Traced | None:
    place = bisect_right(cycles, at, key=lambda entry: entry.at)
    return cycles[place - 1] if place else None


def with_goals(
    cycles: Sequence[tuple[float, GcCycle]], surroundings: Surroundings | None
) -> list[Traced]:
    """Return each cycle with the goal that was in force after it.

    A line tells the goal that its cycle had; the one that it set is that of the next line. After
    the last it is concluded: what was alive, times what the lines before it made of theirs.
    """
    found = [Traced(at, cycle, later.goal_bytes) for (at, cycle), (_, later) in pairwise(cycles)]
    if cycles:
        at, last = cycles[-1]
        found.append(Traced(at, last, _next_goal(cycles, surroundings)))
    return found


def _next_goal(
    cycles: Sequence[tuple[float, GcCycle]], surroundings: Surroundings | None
) -> int | None:
    """Conclude the goal after the last cycle; None when there is none, or nobody can tell."""
    last = cycles[-1][1]
    times = [
        later.goal_bytes / cycle.heap_live_bytes
        for (_, cycle), (_, later) in pairwise(cycles)
        if later.number == cycle.number + 1 and later.goal_bytes and cycle.heap_live_bytes
    ]
    if last.goal_bytes is None or last.heap_live_bytes is None:
        return last.goal_bytes
    if surroundings and isinstance(surroundings.gomemlimit, str):
        return last.goal_bytes
    ratio = median(times[-3:]) if times else 2.0
    return max(LEAST_GOAL, round(ratio * last.heap_live_bytes))


def _moment(entry: tuple[float, object]) -> float:
    return entry[0]


def _told(traced: Traced | None) -> tuple[GcCycle | None, int | None]:
    return (traced.cycle, traced.next_goal) if traced else (None, None)


def _process_points(
    timeline: Timeline,
    start: float,
    end: float,
    mappings: Sequence[tuple[float, MappingSample]],
    cycles: Sequence[Traced],
) -> list[Point]:
    near_s = _gap(mappings)
    return [
        of_process(at, sample, _nearest(mappings, at, near_s), *_told(_before(cycles, at)))
        for at, sample in timeline.track(ProcessSample).sampled(start, end, MOST_POINTS)
        if isinstance(sample.res_bytes, int)
    ]


def _runtime_points(
    timeline: Timeline,
    start: float,
    end: float,
    mappings: Sequence[tuple[float, MappingSample]],
    cycles: Sequence[Traced],
) -> list[Point]:
    """Return the rows of MemStats that are to be believed.

    What cannot be true is left out. So is what was read too far from the kernel's numbers, unless
    that is the rule: a slow page is better than none.
    """
    found = [
        (at, sample)
        for at, sample in timeline.track(RuntimeSample).sampled(start, end, MOST_POINTS)
        if is_sound(sample) and isinstance(sample.rss_bytes, int)
    ]
    close = [
        (at, sample)
        for at, sample in found
        if not isinstance(sample.apart_s, Absent) and sample.apart_s <= BELIEVED_APART_S
    ]
    near_s = _gap(mappings)
    return [
        of_runtime(at, sample, _nearest(mappings, at, near_s), _told(_before(cycles, at))[0])
        for at, sample in (close if len(close) >= len(found) / 2 else found)
    ]


def _without_warm_up(points: list[Point], view: View) -> tuple[list[Point], bool]:
    """Leave out the first cycles of a process; tell whether the window begins with it."""
    identity = view.sample(ProcessIdentity)
    later = [point for point in points if point.cycles is None or point.cycles > WARM_UP_CYCLES]
    was_cut = 0 < len(later) < len(points)
    kept = later if was_cut else points
    if identity and identity.started_at:
        grown_up = [point for point in kept if point.at >= identity.started_at + 3.0]
        was_cut = was_cut or len(grown_up) < len(kept)
        kept = grown_up or kept
        was_cut = was_cut or bool(kept and kept[0].at - identity.started_at < 30.0)
    return kept, was_cut


def _cycles_seen(
    timeline: Timeline,
    points: Sequence[Point],
    cycles: Sequence[Traced],
    begin: float,
    end: float,
) -> int:
    counts = [point.cycles for point in points if point.cycles is not None]
    numbers = [traced.cycle.number for traced in cycles if traced.at >= begin]
    told = [
        numbers[-1] - numbers[0] + 1 if numbers else 0,
        counts[-1] - counts[0] if counts else 0,
    ]
    if not any(told):
        told.append(len(timeline.track(GcPause).between(begin, end)))
    return max(told)


def _sources(
    view: View,
    cycles: Sequence[Traced],
    mappings: Sequence[tuple[float, MappingSample]],
) -> tuple[tuple[str, str], ...]:
    """Return what was seen of each source, by its name, and "" for what was not."""
    runtime = view.sample(RuntimeSample)
    process = view.sample(ProcessSample)
    profile = view.sample(Profile)
    return (
        ("process", "/proc/PID/status" if process else ""),
        ("mapping", "smaps_rollup" if mappings else ""),
        ("gctrace", "gctrace=1" if cycles else ""),
        ("runtime", f"{runtime.origin.value} {runtime.where}" if runtime else ""),
        ("profile", profile.where if profile else ""),
    )
