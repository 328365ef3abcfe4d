"""Builds a window from a timeline: one process, plausible samples, at most a few hundred rows."""

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
"""The first GC cycles of a process see a heap that still warms up."""
BELIEVED_APART_S = 0.05
"""Maximum time between the kernel's numbers and Go's numbers of one ledger."""
LATE_S = 10.0
"""MemStats that were first read this long after /proc were found late."""
BEFORE_S, MOST_BEFORE = 60.0, 8
"""GC cycles before the window that show the heap at its start: their age and number."""
NEAR_S = 20.0
"""A reading of smaps_rollup is valid for moments within this time."""

BEFORE_S = 60.0
"""A profile within this time before the window shows the state at its start."""


def build_window(
    view: View, seconds: float = DEFAULT_WINDOW_S, thresholds: Thresholds = DEFAULT
) -> Window:
    """Return the window of the last ``seconds`` of a view, since the last restart.

    The first GC cycles of a process are left out if there are more. The cost depends on the number
    of rows.
    """
    timeline, end = view.timeline, _last_moment(view)
    born = _process_start(view, end - seconds)
    start = end - seconds if born is None else born
    found = view.last(Environment)
    surroundings = found[1] if found else None
    cycles = with_goals(_cycles(timeline, start, end, born), surroundings)
    mappings = timeline.track(MappingSample).sampled(start - NEAR_S, end, MOST_POINTS)
    access, points, is_young = _choose_rows(view, start, end, mappings, cycles, thresholds)
    points = _without_fetches(view, points)
    returned = _memory_release(view, points, thresholds)
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
        rarely=tuple(_slow_read_reasons(view)),
        known_after_s=_known_after_s(view, start, begin) if points else 0.0,
        containers=tuple(timeline.track(CgroupMemory).between(begin, end)),
        peak=_peak_res(view),
        host=view.sample(HostMemory),
        thresholds=thresholds,
    )


def _peak_res(view: View) -> int | None:
    sample = view.sample(ProcessSample)
    return number(sample.peak_bytes) if sample else None


AFTER_FETCH_S = 2.0
"""RES stays higher for this time after a request of memtui that raised it."""


def _without_fetches(view: View, points: list[Point]) -> list[Point]:
    """Return the rows without those that a request of memtui raised; all rows if those are most."""
    if not points:
        return points
    marks = view.timeline.track(Mark).between(points[0].at - 60.0, points[-1].at + 60.0)
    spans = [(mark.fetch.start, mark.fetch.end + AFTER_FETCH_S) for _, mark in marks if mark.fetch]
    kept = [point for point in points if not any(start <= point.at <= end for start, end in spans)]
    return kept if len(kept) >= len(points) / 2 else points


SETTLED_S = 0.9
"""Memory that an act freed has left RES after this time."""


def _memory_release(
    view: View, points: Sequence[Point], limits: Thresholds
) -> MemoryRelease | None:
    """Return the last act after which RES fell a lot; earlier rows show another state."""
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


def _choose_rows(
    view: View,
    start: float,
    end: float,
    mappings: Sequence[tuple[float, MappingSample]],
    cycles: Sequence[TracedCycle],
    limits: Thresholds,
) -> tuple[Access, list[Point], bool]:
    """Return the rows to use, their access, and whether they begin with the process.

    MemStats have most information, but a page may be found late, or fail. Then /proc and a trace
    cover more time, and they are used until MemStats alone are sufficient: with a trace, until
    MemStats cover a third of its time, because a slow leak is not visible in less.
    """
    runtime = _runtime_points(view.timeline, start, end, mappings, cycles)
    full, is_young = _without_warm_up(runtime, view)
    is_over = not full or full[-1].at < end - max(3 * NEAR_S, 0.2 * (end - start))
    first = view.timeline.track(ProcessSample).first
    most_s = end - (max(start, first[0]) if first else start)
    if not is_over and len(full) >= limits.fewest_points and _duration_s(full) >= most_s - LATE_S:
        return Access.FULL, full, is_young  # the other sources do not cover a longer time
    process = _process_points(view.timeline, start, end, mappings, cycles)
    other, is_other_young = _without_warm_up(process, view)
    was_found_late = _duration_s(full) < _duration_s(other) - LATE_S
    # After a few seconds a process is diagnosed with the rows that exist.
    is_short = _duration_s(full) < limits.steep_s or len(full) < limits.steep_points
    is_late = is_short and _duration_s(other) >= limits.steep_s
    is_rare = len(full) < limits.fewest_points
    is_little = was_found_late and (
        not _is_enough(full, limits)
        or (bool(cycles) and _duration_s(full) < _duration_s(other) / 3)
    )
    if is_over or is_late or ((is_rare or is_little) and _is_enough(other, limits)):
        return (Access.TRACE if cycles else Access.PROC), other, is_other_young
    return Access.FULL, full, is_young


def _is_enough(points: Sequence[Point], limits: Thresholds) -> bool:
    return len(points) >= limits.fewest_points and _duration_s(points) >= limits.shortest_s


def _last_moment(view: View) -> float:
    """Return the moment of a view, or the end of its process if that is earlier."""
    ended = view.ended()
    return min(view.until, ended[0]) if ended else view.until


def point_at(view: View) -> Point | None:
    """Return the newest row of a view; None without RES."""
    end = _last_moment(view)
    points = points_between(
        view, max(_process_start(view, end - NEAR_S * 3) or 0.0, end - NEAR_S * 3), end
    )
    return points[-1] if points else None


def points_between(view: View, start: float, end: float) -> list[Point]:
    """Return the rows of MemStats between two moments, or those of /proc without MemStats."""
    timeline = view.timeline
    cycles = with_goals(_cycles(timeline, start, end, None), view.sample(Environment))
    mappings = timeline.track(MappingSample).sampled(start - NEAR_S, end, MOST_POINTS)
    found = _runtime_points(timeline, start, end, mappings, cycles)
    return found or _process_points(timeline, start, end, mappings, cycles)


def _process_start(view: View, start: float) -> float | None:
    """Return the time since ``start`` at which this process began; None if it began earlier."""
    identities = view.timeline.track(ProcessIdentity).between(start, view.until)
    restarts = view.timeline.track(Restart).between(start, view.until)
    if len(identities) > 1 or (identities and view.timeline.track(ProcessIdentity).count > 1):
        restarts.append((identities[-1][0], Restart()))
    return max((at for at, _ in restarts), default=None)


def _profiles(
    timeline: Timeline, start: float, begin: float, end: float, born: float | None
) -> list[tuple[float, Profile]]:
    """Return the profiles with functions of a window, and the last one of each kind before it.

    The first profile is slightly older than the first row, and rows at the start are left out, so
    profiles count from ``start`` on. One of a rare kind may be up to BEFORE_S older.
    """
    earliest = start - BEFORE_S if born is None else max(born, start - BEFORE_S)
    found = [entry for entry in timeline.track(Profile).between(earliest, end) if entry[1].values]
    base = {profile.kind: at for at, profile in found if at < begin}
    return [entry for entry in found if entry[0] >= base.get(entry[1].kind, begin)]


def _nearest_mapping(
    mappings: Sequence[tuple[float, MappingSample]], at: float, near_s: float
) -> MappingSample | None:
    place = bisect_left(mappings, at, key=_moment)
    around = mappings[max(0, place - 1) : place + 1]
    best = min(around, key=lambda entry: abs(entry[0] - at), default=None)
    return best[1] if best and abs(best[0] - at) <= near_s else None


def _mapping_validity_s(mappings: Sequence[tuple[float, MappingSample]]) -> float:
    """Return the time for which a reading of smaps_rollup is valid: costly ones are read rarely."""
    moments = [at for at, _ in mappings]
    gaps = [later - at for at, later in pairwise(moments)]
    return max(NEAR_S, 1.5 * median(gaps)) if gaps else NEAR_S


def _cycles(
    timeline: Timeline, start: float, end: float, born: float | None
) -> list[tuple[float, GcCycle]]:
    """Return the cycles of a window, and the last one before it of the same process."""
    track = timeline.track(GcCycle)
    before = track.last(start)
    # Consecutive cycles differ, and a goal belongs to its cycle: thin out only many cycles.
    count = track.numbers(end).stop - track.numbers(start).stop
    is_few = count <= 2 * MOST_POINTS
    found = track.between(start, end) if is_few else track.sampled(start, end, MOST_POINTS)
    if before and (born is None or before[0] >= born) and before not in found[:1]:
        found.insert(0, before)
    return found


def _before_window(timeline: Timeline, begin: float, born: float | None) -> Iterator[TracedCycle]:
    """Yield the last few cycles of the process before the window, oldest first."""
    track = timeline.track(GcCycle)
    start = begin - BEFORE_S if born is None else max(born, begin - BEFORE_S)
    last = track.last(begin)
    found = track.between(start, begin)[-MOST_BEFORE:]
    for at, cycle in found or ([last] if last and (born is None or last[0] >= born) else []):
        if at < begin:
            yield TracedCycle(at, cycle, None)


def _last_cycle_before(cycles: Sequence[TracedCycle], at: float) -> TracedCycle | None:
    place = bisect_right(cycles, at, key=lambda entry: entry.at)
    return cycles[place - 1] if place else None


def _moment(entry: tuple[float, object]) -> float:
    return entry[0]


def _cycle_and_goal(traced: TracedCycle | None) -> tuple[GcCycle | None, int | None]:
    return (traced.cycle, traced.next_goal) if traced else (None, None)


def _process_points(
    timeline: Timeline,
    start: float,
    end: float,
    mappings: Sequence[tuple[float, MappingSample]],
    cycles: Sequence[TracedCycle],
) -> list[Point]:
    near_s = _mapping_validity_s(mappings)
    return [
        of_process(
            at,
            sample,
            _nearest_mapping(mappings, at, near_s),
            *_cycle_and_goal(_last_cycle_before(cycles, at)),
        )
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
    """Return the plausible rows of MemStats.

    Impossible values are left out, and so are values that were read too long before or after the
    kernel's numbers. If most are, all are used: a slow page is better than none.
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
    near_s = _mapping_validity_s(mappings)
    return [
        of_runtime(
            at,
            sample,
            _nearest_mapping(mappings, at, near_s),
            _cycle_and_goal(_last_cycle_before(cycles, at))[0],
        )
        for at, sample in (close if len(close) >= len(found) / 2 else found)
    ]


def _duration_s(points: Sequence[Point]) -> float:
    return points[-1].at - points[0].at if points else 0.0


def _without_warm_up(points: list[Point], view: View) -> tuple[list[Point], bool]:
    """Return the rows without the first GC cycles, and whether the process began in the window.

    If those cycles cover most of the time, all rows are returned: cycles are rare then, and the
    process is not young.
    """
    identity = view.sample(ProcessIdentity)
    later = [point for point in points if point.cycles is None or point.cycles > WARM_UP_CYCLES]
    was_cut = 0 < len(later) < len(points) and _duration_s(later) > 0.5 * _duration_s(points)
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
    counted = [
        numbers[-1] - numbers[0] + 1 if numbers else 0,
        counts[-1] - counts[0] if counts else 0,
    ]
    if not any(counted):
        counted.append(len(timeline.track(GcPause).between(begin, end)))
    return max(counted)


def _known_after_s(view: View, start: float, begin: float) -> float:
    """Return the time from the first sample of /proc in the window to its first row in seconds."""
    first = view.timeline.track(ProcessSample).first
    return max(0.0, begin - max(start, first[0])) if first else 0.0


def _slow_read_reasons(view: View) -> Iterator[str]:
    """Yield the reasons why a source is read less often than configured."""
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
    """Return (source, description) of each source; "" if it has no data."""
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
