"""What of a timeline comes into a window: one process, believed samples, bounded work."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from diagnosis.captures import FOLDER, NOON, cycle_of, mapping_of, process_of, rows_of, runtime_of

from memtui.diagnosis import Access, Window, build_window, diagnose
from memtui.diagnosis.gc_goal import with_goals
from memtui.diagnosis.window_builder import MOST_POINTS
from memtui.model import (
    Absent,
    Ended,
    Environment,
    Event,
    GcCycle,
    Mark,
    ProcessIdentity,
    ProcessSample,
    Restart,
    RuntimeSample,
    Sample,
)
from memtui.timeline import Cursor, Timeline, View

MIB = 1 << 20
ROW = {**rows_of(FOLDER / "1.27.3-sawtooth.csv.gz")[20], "NumGC": 40.0}
MakeProcess = Callable[..., ProcessSample]
MakeCycle = Callable[..., GcCycle]


def seen(*events: tuple[float, Sample], until: float | None = None) -> View:
    timeline = Timeline(NOON)
    timeline.extend(Event(NOON + at, "source", sample) for at, sample in events)
    last = max(at for at, _ in events)
    return Cursor().view(timeline, NOON + (last if until is None else until))


def runtime(**changes: Any) -> RuntimeSample:
    return dataclasses.replace(runtime_of(ROW, has_live=True), **changes)


def test_memstats_make_the_rows_when_they_are_there() -> None:
    pages = range(0, 60, 5)
    view = seen(*((at, process_of(ROW)) for at in range(60)), *((at, runtime()) for at in pages))
    found = build_window(view)
    assert found.access is Access.FULL
    assert [point.at for point in found.points] == [NOON + at for at in pages]


def found_late(first_s: int, end_s: int, *, is_traced: bool, every_s: int = 5) -> Window:
    """Return the window of a process whose page answers from some second on."""
    events: list[tuple[float, Sample]] = [(at, process_of(ROW)) for at in range(end_s)]
    events += [(at, runtime()) for at in range(first_s, end_s, every_s)]
    if is_traced:
        events += [(at, cycle_of(ROW | {"t": float(at)})) for at in range(0, end_s, 3)]
    return build_window(seen(*sorted(events, key=lambda event: event[0])))


def test_a_page_that_was_found_late_takes_over_when_it_tells_enough() -> None:
    assert found_late(60, 80, is_traced=True).access is Access.TRACE
    assert found_late(60, 80, is_traced=False).access is Access.PROC
    assert found_late(60, 110, is_traced=True).access is Access.FULL
    # Before there is enough of anything, what tells most.
    assert found_late(15, 35, is_traced=True).access is Access.FULL


def test_rows_that_begin_late_say_so() -> None:
    late, early = found_late(60, 130, is_traced=False), found_late(0, 130, is_traced=False)
    assert late.known_after_s == pytest.approx(60, abs=5)
    assert any("begins 1m" in note for note in diagnose(late).notes)
    assert not any("begins" in note for note in diagnose(early).notes)


def test_a_page_that_is_read_rarely_waits_for_enough_rows() -> None:
    assert found_late(0, 60, is_traced=True, every_s=12).access is Access.TRACE
    assert found_late(0, 120, is_traced=True, every_s=12).access is Access.FULL


def test_a_trace_of_long_counts_more_than_a_page_of_a_moment() -> None:
    assert found_late(400, 460, is_traced=True).access is Access.TRACE
    assert found_late(400, 460, is_traced=False).access is Access.FULL
    assert found_late(400, 620, is_traced=True).access is Access.FULL


def test_rows_of_proc_stand_in_when_memstats_stopped_coming() -> None:
    view = seen((0, runtime()), *((at, process_of(ROW)) for at in range(300)))
    assert build_window(view).access is Access.PROC


def test_a_restart_cuts_the_window() -> None:
    view = seen(
        *((at, process_of(ROW)) for at in range(30)),
        (30.5, Restart()),
        *((at, process_of(ROW)) for at in range(31, 60)),
    )
    found = build_window(view)
    assert found.points[0].at == NOON + 31


def test_another_process_cuts_the_window_and_its_first_moments_are_left_out() -> None:
    one = ProcessIdentity(7, 1, NOON - 9000, "web", ("web",), "me", "go1.27.3")
    other = dataclasses.replace(one, pid=8, start_ticks=2, started_at=NOON + 40)
    events: list[tuple[float, Sample]] = [(0, one), (41, other)]
    events += [(at, process_of(ROW)) for at in range(60)]
    found = build_window(seen(*sorted(events, key=lambda event: event[0])))
    assert found.points[0].at == NOON + 43
    assert found.is_young
    assert found.identity == other


def test_the_first_cycles_are_left_out_when_there_were_more() -> None:
    view = seen(*((at, runtime(num_gc=at // 5)) for at in range(0, 60, 5)))
    assert [point.cycles for point in build_window(view).points] == [4, 5, 6, 7, 8, 9, 10, 11]
    rare = seen(*((at, runtime(num_gc=1 + at // 50)) for at in range(0, 160, 5)))
    assert len(build_window(rare).points) == 32
    few = seen(*((at, runtime(num_gc=2)) for at in range(0, 60, 5)))
    assert len(build_window(few).points) == 12


@pytest.mark.parametrize(
    "lie",
    [
        {"heap_alloc_bytes": -5},
        {"sys_bytes": -1},
        {"heap_alloc_bytes": 900 * MIB},
        {"heap_released_bytes": 900 * MIB},
    ],
)
def test_what_cannot_be_true_is_left_out(lie: dict[str, int]) -> None:
    view = seen(
        *((at, runtime(**lie) if at % 2 else runtime()) for at in range(20)),
        *((at, process_of(ROW)) for at in range(20)),
    )
    found = build_window(view)
    assert len(found.points) == 10
    assert found.access is Access.FULL
    assert build_window(seen((0, runtime(**lie)), (0, process_of(ROW)))).access is Access.PROC


def test_a_page_that_lacks_fields_leaves_them_unknown() -> None:
    missing = Absent.NOT_REPORTED
    view = seen((0, runtime(stack_sys_bytes=missing, heap_live_bytes=missing)))
    point = build_window(view).points[0]
    assert point.stacks is None
    assert point.live is None
    assert point.go_total is None
    assert point.heap is not None


def test_numbers_read_far_apart_are_not_put_into_one_ledger() -> None:
    view = seen(*((at, runtime(apart_s=0.5 if at % 3 == 0 else 0.01)) for at in range(30)))
    assert len(build_window(view).points) == 20
    slow = seen(*((at, runtime(apart_s=0.5)) for at in range(30)))
    assert len(build_window(slow).points) == 30


def test_lazily_freed_memory_is_that_of_the_nearest_reading() -> None:
    rows = [{**ROW, "LazyFree": 1024.0 * at} for at in (0, 10)]
    view = seen(
        (0, mapping_of(rows[0])), (10, mapping_of(rows[1])), *((at, runtime()) for at in (1, 9, 99))
    )
    assert [point.lazy for point in build_window(view).points] == [0, 10 * MIB, None]


def test_the_live_heap_of_the_trace_stands_in_for_memstats(cycle: MakeCycle) -> None:
    view = seen((0, cycle(7, live=5)), (1, runtime(heap_live_bytes=Absent.NOT_REPORTED)))
    assert build_window(view).points[0].live == 5 * MIB


def test_the_goal_in_force_is_that_of_the_next_line(cycle: MakeCycle) -> None:
    cycles = [
        (float(number), cycle(number, live=live, goal_bytes=goal * MIB))
        for number, live, goal in ((1, 8, 10), (2, 10, 16), (3, 50, 20), (4, 5, 100))
    ]
    assert [traced.next_goal for traced in with_goals(cycles, None)] == [
        16 * MIB, 20 * MIB, 100 * MIB, 10 * MIB,
    ]  # fmt: skip
    place = Environment(
        Absent.NO_ACCESS, Absent.NO_ACCESS, "off", "64MiB", None, Absent.NO_ACCESS,
        Absent.NO_ACCESS,
    )  # fmt: skip
    assert with_goals(cycles, place)[-1].next_goal == 100 * MIB
    assert with_goals([], None) == []


def test_a_trace_without_a_cycle_in_the_window_is_a_trace(cycle: MakeCycle) -> None:
    view = seen((0, cycle(7, live=5)), *((at, process_of(ROW)) for at in range(100, 200)))
    found = build_window(view, 60)
    assert found.access is Access.TRACE
    assert found.points[0].live == 5 * MIB
    assert found.cycles_seen == 0


def test_what_was_done_to_the_process_is_told() -> None:
    view = seen((0, runtime()), (5, Mark("heap?gc=1: forced a GC")), (9, runtime()))
    assert build_window(view).marks == ((NOON + 5, "heap?gc=1: forced a GC"),)


def test_three_days_are_a_few_hundred_rows_from_their_first_hour_on(cycle: MakeCycle) -> None:
    timeline = Timeline(NOON)
    days = 3 * 86400
    sample = process_of(ROW)
    for at in range(0, days, 8):
        timeline.append(Event(NOON + at, "process", sample))
        if at % 40 == 0:
            timeline.append(Event(NOON + at, "runtime", runtime(num_gc=10 + at)))
            timeline.append(Event(NOON + at, "gctrace", cycle(10 + at)))
    found = build_window(Cursor().view(timeline, NOON + days), days)
    assert found.access is Access.FULL
    assert MOST_POINTS / 2 < len(found.points) <= MOST_POINTS + 1
    assert found.points[0].at < NOON + 3600
    assert found.points[-1].at > NOON + days - 60
    assert found.cycles_seen > 200_000


def test_the_window_of_an_ended_process_stays_where_it_ended() -> None:
    view = seen(*((at, runtime()) for at in range(0, 60, 5)), (57, Ended("ended")), until=9000)
    found = build_window(view)
    assert found.access is Access.FULL
    assert found.end == NOON + 57
    assert len(found.points) == 12
