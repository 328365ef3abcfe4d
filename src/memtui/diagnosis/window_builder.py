"""How a window is made of a timeline: one process, believed samples, a few hundred rows at most."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from memtui.diagnosis.gc_goal import with_goals
from memtui.diagnosis.point import Point, is_sound, number, of_process, of_runtime
from memtui.diagnosis.thresholds import DEFAULT, Thresholds
from memtui.diagnosis.window import Access, MemoryRelease, TracedCycle, Window
from memtui.model import (
    Absent,
    CgroupMemory,
    Environment,
    GcCycle,
    GcPause,
    HostMemory,
    MappingGroups,
    MappingSample,
    Mark,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Restart,
    RuntimeSample,
)
from memtui.timeline import Timeline, View

DEFAULT_WINDOW_S = 600.0
MOST_POINTS = 240
WARM_UP_CYCLES = 3
"""The first cycles of a process find a heap that is still being made (go-memory: warm-up)."""
BELIEVED_APART_S = 0.05
"""The kernel's numbers and Go's of one ledger lie at most so far apart."""
LATE_S = 10.0
"""A page that was read so long after /proc was found late."""
BEFORE_S, MOST_BEFORE = 60.0, 8
"""Cycles before a window tell what the heap was like when it began."""
NEAR_S = 20.0
"""smaps_rollup read so near stands for a moment."""

BEFORE_S = 60.0
"""A profile so long before the window still shows what was there at its start."""


def build_window(
    view: View, seconds: float = DEFAULT_WINDOW_S, thresholds: Thresholds = DEFAULT
) -> Window:
    """Collect the last ``seconds`` up to the moment of a view, from the last restart on.

    The first cycles of a process are left out when there were more. Costs as much as its rows.
    """
    timeline, end = view.timeline, _last_moment(view)
    born = _born(view, end - seconds)
    start = end - seconds if born is None else born
    found = view.last(Environment)
    surroundings = found[1] if found else None
    cycles = with_goals(_cycles(timeline, start, end, born), surroundings)
    mappings = timeline.track(MappingSample).sampled(start - NEAR_S, end, MOST_POINTS)
    access, points, is_young = _chosen(view, start, end, mappings, cycles, thresholds)
    points = _without_fetches(view, points)
    returned = _returned(view, points, thresholds)
    if returned:
        points = [point for point in points if point.at > returned.at]
    begin = points[0].at if points else start
    identity = view.last(ProcessIdentity)
    return Window(
        start=begin,
        end=end,
        access=access,
        points=tuple(points),
        cycles=tuple(traced for traced in cycles if traced.at >= begin),
        cycles_seen=_cycles_seen(timeline, points, cycles, begin, end),
        cycles_before=tuple(_before_window(timeline, begin, born)),
        groups=tuple(timeline.track(MappingGroups).between(begin, end)),
        profiles=tuple(_profiles(timeline, start, begin, end, born)),
        marks=tuple((at, mark.text) for at, mark in timeline.track(Mark).between(begin, end)),
        surroundings=surroundings,
        identity=identity[1] if identity else None,
        sources=_sources(view, cycles, mappings),
        is_young=is_young,
        returned=returned,
        rarely=tuple(_rarely(view)),
        known_after_s=_known_after_s(view, start, begin) if points else 0.0,
        containers=tuple(timeline.track(CgroupMemory).between(begin, end)),
        peak=_peak(view),
        host=view.sample(HostMemory),
        thresholds=thresholds,
    )


def _peak(view: View) -> int | None:
    sample = view.sample(ProcessSample)
    return number(sample.peak_bytes) if sample else None


AFTER_FETCH_S = 2.0
"""RES stays raised for so long after a request of memtui's own that showed in it."""


def _without_fetches(view: View, points: list[Point]) -> list[Point]:
    """Leave out the rows in which a request of memtui's own shows; keep all if they are most."""
    if not points:
        return points
    marks = view.timeline.track(Mark).between(points[0].at - 60.0, points[-1].at + 60.0)
    spans = [(mark.fetch.start, mark.fetch.end + AFTER_FETCH_S) for _, mark in marks if mark.fetch]
    kept = [point for point in points if not any(start <= point.at <= end for start, end in spans)]
    return kept if len(kept) >= len(points) / 2 else points


SETTLED_S = 0.9
"""What an act freed has left RES by then."""


def _returned(view: View, points: Sequence[Point], limits: Thresholds) -> MemoryRelease | None:
    """Return the last act after which RES fell by much: what was before it is another state."""
    if not points:
        return None
    found = None
    for at, mark in view.timeline.track(Mark).between(points[0].at, points[-1].at):
        before = [each.res for each in points if each.at <= at and each.res is not None]
        after = [each.res for each in points if each.at > at + SETTLED_S and each.res is not None]
        if mark.act is None or not before or not after:
            continue
        fell = before[-1] - after[0]
        if fell > max(limits.big_bytes, limits.steep_share * before[-1]):
            found = MemoryRelease(at + SETTLED_S, mark.act, fell)
    return found


def _chosen(
    view: View,
    start: float,
    end: float,
    mappings: Sequence[tuple[float, MappingSample]],
    cycles: Sequence[TracedCycle],
    limits: Thresholds,
) -> tuple[Access, list[Point], bool]:
    """Return the rows to judge by, and whether they begin with the process.

    MemStats tell most, but a page may be found late, or fail: what /proc and a trace have told by
    then counts more, until MemStats alone would be enough. Of a trace, until they have a third of
    its time: a slow leak does not show in less.
    """
    runtime = _runtime_points(view.timeline, start, end, mappings, cycles)
    full, is_young = _without_warm_up(runtime, view)
    is_over = not full or full[-1].at < end - max(3 * NEAR_S, 0.2 * (end - start))
    first = view.timeline.track(ProcessSample).first
    most_s = end - (max(start, first[0]) if first else start)
    if not is_over and len(full) >= limits.fewest_points and _spans(full) >= most_s - LATE_S:
        return Access.FULL, full, is_young  # the others cannot tell of a longer time
    process = _process_points(view.timeline, start, end, mappings, cycles)
    other, is_other_young = _without_warm_up(process, view)
    was_found_late = _spans(full) < _spans(other) - LATE_S
    # A process is judged by what there is of it after some seconds.
    is_short = _spans(full) < limits.steep_s or len(full) < limits.steep_points
    is_late = is_short and _spans(other) >= limits.steep_s
    is_rare = len(full) < limits.fewest_points
    is_little = was_found_late and (
        not _is_enough(full, limits) or (bool(cycles) and _spans(full) < _spans(other) / 3)
    )
    if is_over or is_late or ((is_rare or is_little) and _is_enough(other, limits)):
        return (Access.TRACE if cycles else Access.PROC), other, is_other_young
    return Access.FULL, full, is_young


def _is_enough(points: Sequence[Point], limits: Thresholds) -> bool:
    return len(points) >= limits.fewest_points and _spans(points) >= limits.shortest_s


def _last_moment(view: View) -> float:
    """Return the moment of a view; of a process that has ended, that of its end."""
    ended = view.ended()
    return min(view.until, ended[0]) if ended else view.until


def point_at(view: View) -> Point | None:
    """Return the newest row of a view, for a ledger of its moment; None without RES."""
    end = _last_moment(view)
    points = points_between(view, max(_born(view, end - NEAR_S * 3) or 0.0, end - NEAR_S * 3), end)
    return points[-1] if points else None


def points_between(view: View, start: float, end: float) -> list[Point]:
    """Return the rows of MemStats between two moments; those of /proc where there are none."""
    timeline = view.timeline
    cycles = with_goals(_cycles(timeline, start, end, None), view.sample(Environment))
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


def _profiles(
    timeline: Timeline, start: float, begin: float, end: float, born: float | None
) -> list[tuple[float, Profile]]:
    """Return the profiles of a window that hold functions, and of each kind the last one before it.

    The first profile comes a moment before the first row, and rows are left out at the start: what
    was asked for is the time from ``start`` on. Of a rare kind one up to BEFORE_S older counts too.
    """
    earliest = start - BEFORE_S if born is None else max(born, start - BEFORE_S)
    found = [entry for entry in timeline.track(Profile).between(earliest, end) if entry[1].values]
    base = {profile.kind: at for at, profile in found if at < begin}
    return [entry for entry in found if entry[0] >= base.get(entry[1].kind, begin)]


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
    # Two cycles right after each other find different heaps, and a goal belongs to its cycle.
    count = track.numbers(end).stop - track.numbers(start).stop
    is_few = count <= 2 * MOST_POINTS
    found = track.between(start, end) if is_few else track.sampled(start, end, MOST_POINTS)
    if before and (born is None or before[0] >= born) and before not in found[:1]:
        found.insert(0, before)
    return found


def _before_window(timeline: Timeline, begin: float, born: float | None) -> Iterator[TracedCycle]:
    """Yield the last few cycles of the process before the window, in the order of time."""
    track = timeline.track(GcCycle)
    start = begin - BEFORE_S if born is None else max(born, begin - BEFORE_S)
    last = track.last(begin)
    found = track.between(start, begin)[-MOST_BEFORE:]
    for at, cycle in found or ([last] if last and (born is None or last[0] >= born) else []):
        if at < begin:
            yield TracedCycle(at, cycle, None)


def _before(cycles: Sequence[TracedCycle], at: float) -> TracedCycle | None:
    place = bisect_right(cycles, at, key=lambda entry: entry.at)
    return cycles[place - 1] if place else None


def _moment(entry: tuple[float, object]) -> float:
    return entry[0]


def _told(traced: TracedCycle | None) -> tuple[GcCycle | None, int | None]:
    return (traced.cycle, traced.next_goal) if traced else (None, None)


def _process_points(
    timeline: Timeline,
    start: float,
    end: float,
    mappings: Sequence[tuple[float, MappingSample]],
    cycles: Sequence[TracedCycle],
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
    cycles: Sequence[TracedCycle],
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


def _spans(points: Sequence[Point]) -> float:
    return points[-1].at - points[0].at if points else 0.0


def _without_warm_up(points: list[Point], view: View) -> tuple[list[Point], bool]:
    """Leave out the first cycles of a process; tell whether the window begins with it.

    Unless they took most of the time: then cycles are rare, and the process is not that young.
    """
    identity = view.sample(ProcessIdentity)
    later = [point for point in points if point.cycles is None or point.cycles > WARM_UP_CYCLES]
    was_cut = 0 < len(later) < len(points) and _spans(later) > 0.5 * _spans(points)
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
    cycles: Sequence[TracedCycle],
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


def _known_after_s(view: View, start: float, begin: float) -> float:
    """Return how long after the first sample of /proc in the window its rows begin."""
    first = view.timeline.track(ProcessSample).first
    return max(0.0, begin - max(start, first[0])) if first else 0.0


def _rarely(view: View) -> Iterator[str]:
    """Yield why a source is read less often than wanted."""
    runtime, mapping = view.sample(RuntimeSample), view.sample(MappingSample)
    if runtime is not None and runtime.rarely:
        yield f"MemStats are {runtime.rarely}."
    if mapping is not None and mapping.rarely:
        yield f"smaps_rollup is {mapping.rarely}."


def _sources(
    view: View,
    cycles: Sequence[TracedCycle],
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
