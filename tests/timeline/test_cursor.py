"""Where the screen looks: pure moves of the cursor, and what stands out in a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import Ended, Event, GcCycle, Mark, ProcessIdentity, ProcessSample, Restart
from memtui.timeline import (
    SPEEDS,
    Cursor,
    Landmark,
    SessionCourse,
    Timeline,
    gaps_between,
    gc_spikes,
    landmarks_of,
    nearest_landmark,
    step_from,
)

MakeProcess = Callable[..., ProcessSample]
MakeCycle = Callable[..., GcCycle]


def test_a_playing_cursor_goes_on_by_its_speed_and_stays_at_the_end() -> None:
    cursor = Cursor(100.0, playing=True, speed=4.0)
    assert cursor.played(2.0, 200.0) == replace(cursor, at=108.0)
    assert cursor.played(50.0, 200.0) == Cursor(200.0, playing=False, speed=4.0)
    assert cursor.paused().played(2.0, 200.0) == cursor.paused()
    assert Cursor().played(2.0, 200.0) == Cursor()


def test_a_gap_is_jumped_over_and_what_is_known_is_not() -> None:
    cursor = Cursor(100.0, playing=True)
    assert cursor.played(5.0, 999.0, [(103.0, 700.0)]).at == 700.0
    assert cursor.played(2.0, 999.0, [(103.0, 700.0)]).at == 102.0
    assert replace(cursor, at=700.0).played(1.0, 999.0, [(103.0, 700.0)]).at == 701.0
    fast = replace(cursor, speed=3600.0)
    assert fast.played(0.5, 9999.0, [(103.0, 700.0)]).at == 1900.0


@given(st.floats(0, 1e6), st.floats(-1e7, 1e7))
def test_no_move_leaves_the_session(at: float, by_s: float) -> None:
    moved = Cursor(at).moved(by_s, 0.0, 10.0, 1e5)
    assert moved.at is not None
    assert 10.0 <= moved.at <= 1e5


def test_a_process_has_not_ended_when_another_one_is_watched_since() -> None:
    timeline = Timeline(0.0)
    first = ProcessIdentity(1, 1, 0.0, "orders", (), "app", None)
    timeline.append(Event(1.0, "process", first))
    timeline.append(Event(9.0, "process", Ended("process 1 ended", 137)))
    timeline.append(Event(9.0, "child", Ended("ended")))
    assert Cursor(10.0).view(timeline, 99.0).ended() == (9.0, Ended("process 1 ended", 137))
    timeline.append(Event(20.0, "process", Restart()))
    timeline.append(Event(20.1, "process", replace(first, pid=2)))
    assert Cursor(30.0).view(timeline, 99.0).ended() is None
    assert Cursor(15.0).view(timeline, 99.0).ended() is not None


def test_a_process_that_ended_before_it_was_said_who_it_is_has_ended() -> None:
    timeline = Timeline(0.0)
    timeline.append(Event(1.0, "process", Ended("sh ended with exit code 1", 1)))
    timeline.append(Event(1.1, "process", ProcessIdentity(1, 1, 0.0, "sh", (), "app", None)))
    assert Cursor(2.0).view(timeline, 99.0).ended() == (1.0, Ended("sh ended with exit code 1", 1))


def test_a_step_stands_still_and_a_jump_plays_on() -> None:
    cursor = Cursor(100.0, playing=True, speed=2.0)
    assert cursor.stepped(101.0) == Cursor(101.0, playing=False, speed=2.0)
    assert cursor.to(50.0) == replace(cursor, at=50.0)


def test_every_speed_can_be_reached_and_none_beyond() -> None:
    cursor = Cursor(0.0)
    for _ in SPEEDS:
        cursor = cursor.hastened(1)
    assert cursor.speed == 3600
    seen = []
    for _ in SPEEDS:
        seen.append(cursor.speed)
        cursor = cursor.hastened(-1)
    assert (seen[::-1], cursor.speed) == (list(SPEEDS), 0.25)


def test_what_stands_out_is_found_in_the_order_of_time(
    process: MakeProcess, cycle: MakeCycle
) -> None:
    timeline = Timeline(0.0)
    events = [Event(float(at), "process", process()) for at in (*range(30), *range(90, 120))]
    events += [Event(float(at), "gctrace", cycle(number=at, start=10, end=10)) for at in range(20)]
    events += [Event(20.5, "gctrace", cycle(number=20, start=40, end=90))]
    events += [Event(5.0, "user", Mark("deployed")), Event(100.0, "gctrace", Restart())]
    timeline.extend(sorted(events, key=lambda event: event.at))
    found = landmarks_of(timeline, 0.0, 200.0)
    assert [(each.at, each.kind) for each in found] == [
        (5.0, "mark"), (20.5, "spike"), (29.0, "gap"), (100.0, "restart"),
    ]  # fmt: skip
    assert found[1].text == "gc 20: heap 90M, usually 10M"
    assert SessionCourse(0.0, 120.0, tuple(found)).gaps == [(29.0, 90.0)]
    by = [nearest_landmark(found, 29.0, step) for step in (1, -1)]
    assert [each.at if each else None for each in by] == [100.0, 20.5]
    assert nearest_landmark(found, 100.0, 1) is None


def test_a_run_of_spikes_is_one_and_few_cycles_are_no_rule(cycle: MakeCycle) -> None:
    usual = [(float(at), cycle(number=at, start=10, end=10)) for at in range(9)]
    high = [(float(at), cycle(number=at, start=50, end=80)) for at in range(9, 12)]
    assert [each.at for each in gc_spikes([*usual, *high])] == [9.0]
    assert gc_spikes([*usual[:4], *high]) == []


def test_gaps_are_longer_than_a_missed_beat() -> None:
    assert gaps_between([0.0, 1.0, 4.0, 10.0, 11.0]) == [(4.0, 10.0)]


@pytest.mark.parametrize("kind", ["process", "cycle"])
def test_a_step_goes_to_samples_or_else_to_cycles(
    kind: str, process: MakeProcess, cycle: MakeCycle
) -> None:
    timeline = Timeline(0.0)
    for at in (1.0, 2.0, 4.0):
        timeline.append(Event(at, kind, process() if kind == "process" else cycle(number=1)))
    assert (step_from(timeline, 2.0, 1), step_from(timeline, 2.0, -1)) == (4.0, 1.0)
    assert (step_from(timeline, 4.0, 1), step_from(timeline, 1.0, -1)) == (None, None)


def test_a_landmark_says_what_it_is() -> None:
    assert Landmark(1.0, "mark", "x") == Landmark(1.0, "mark", "x", 0.0)


@pytest.mark.parametrize(
    ("usual_ms", "pause_ms", "is_spike"),
    [(1.0, 9.8, False), (1.0, 10.3, True), (0.1, 4.9, False), (0.1, 5.1, True)],
)
def test_a_pause_of_ten_times_the_usual_is_a_spike(
    cycle: MakeCycle, usual_ms: float, pause_ms: float, is_spike: bool
) -> None:
    usual = [(float(n), cycle(n, clock_ms=(usual_ms, 2.0, 0.0))) for n in range(1, 12)]
    found = gc_spikes([*usual, (12.0, cycle(12, clock_ms=(pause_ms, 2.0, 0.0)))])
    assert [each.at for each in found] == ([12.0] if is_spike else [])
