"""Pane 2: RES and SHR on one scale, with the collections under them."""

import math
from collections.abc import Callable

from memtui.model import Ended, Event, GcCycle, GcPause, ProcessSample, Trouble
from memtui.panes.trend import EnvelopeCache, TrendPane, visible_span
from memtui.timeline import Timeline, View

MIB = 1 << 20

Make = Callable[..., ProcessSample]
MakeCycle = Callable[..., GcCycle]
MakeView = Callable[..., View]
Draw = Callable[..., str]


def story(process: Make, cycle: MakeCycle, view: MakeView, seconds: int, **where: float) -> View:
    return view(
        *((at, "process", process(res=(40 + at // 2) * MIB, shr=8 * MIB)) for at in range(seconds)),
        *((at, "gctrace", cycle(at)) for at in range(3, seconds, 12)),
        **where,
    )


def test_both_series_their_extremes_the_cycles_and_the_time_are_drawn(
    process: Make, cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    assert drawn(TrendPane(), story(process, cycle, view, 50), 40, 11) == (
        """
╭ 2 RES 64.0M  SHR 8.00M ─────── 1 min ╮
│ RES 40.0M…64.0M  SHR 8.00M…8.00M     │
│  64M┤                 ⣀⣀⣀⡤⠤⠖⠒⠚⠉⠁     │
│     │       ⣀⣀⣠⠤⠴⠒⠒⠚⠉⠉⠁              │
│     │⠤⠤⠖⠒⠋⠉⠉⠁                        │
│  32M┤                                │
│     │                                │
│     │                                │
│    0┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁     │
│   GC  ╵      ╵     ╵     ╵           │
╰ 11:06:40 ────────────────── 11:07:40 ╯
"""
    )


def test_without_a_trace_the_cycles_are_those_of_memstats(
    process: Make, cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    samples = [(at, "process", process(res=8 * MIB)) for at in range(50)]
    pauses = [(at, "runtime", GcPause(at, 0.0001, None)) for at in (3, 15, 27, 39)]
    traced = [(at, "gctrace", cycle(at)) for at in (5, 45)]
    rug = [
        drawn(TrendPane(), view(*samples, *cycles), 40, 11).splitlines()[-2]
        for cycles in (pauses, [*pauses, *traced])
    ]
    assert rug == [
        "│   GC  ╵      ╵     ╵     ╵           │",
        "│   GC   ╵                     ╵       │",
    ]


def test_the_frozen_view_shows_nothing_that_came_later(
    process: Make, cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    live = drawn(TrendPane(), story(process, cycle, view, 20), 40, 11)
    frozen = drawn(TrendPane(), story(process, cycle, view, 50, frozen_at=19.0), 40, 11)
    assert frozen == live


def test_the_window_doubles_as_it_fills_and_then_moves_by_whole_cells(
    process: Make, cycle: MakeCycle, view: MakeView
) -> None:
    lengths = [
        visible_span(story(process, cycle, view, seconds), None, 60).length_s
        for seconds in (10, 70, 290)
    ]
    assert lengths == [60, 120, 300]
    starts = {
        visible_span(story(process, cycle, view, 700, now=float(now)), None, 60).start
        for now in range(700, 710)
    }
    assert len(starts) <= 2


def test_a_gap_in_the_samples_is_a_gap_in_the_line(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    seen = view(
        *((at, "process", process(res=8 * MIB)) for at in (*range(10), *range(40, 50))),
        (20, "process", Trouble("no access")),
    )
    row = next(row for row in drawn(TrendPane(), seen, 68, 8).splitlines() if "8M┤" in row)
    assert "  " * 10 in row.rstrip("│ ")


def test_a_process_that_ended_keeps_its_picture(
    process: Make, cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    samples = [(at, "process", process(res=8 * MIB)) for at in range(50)]
    end = (50, "process", Ended("process 1 ended"))
    soon = drawn(TrendPane(), view(*samples, end, now=50.0), 40, 10)
    later = drawn(TrendPane(), view(*samples, end, now=5000.0), 40, 10)
    assert later == soon
    assert "RES 8.00M…8.00M" in later


def test_a_window_of_days_is_labelled_with_days(process: Make, view: MakeView, drawn: Draw) -> None:
    pane = TrendPane()
    pane._chosen_s = 86400
    picture = drawn(pane, view((0, "process", process(res=MIB))), 60, 10)
    assert "11-17 11:" in picture
    assert "11-18 11:06" in picture
    assert " 1 d " in picture


def test_before_the_first_sample_it_says_what_it_waits_for(view: MakeView, drawn: Draw) -> None:
    assert "reading /proc" in drawn(TrendPane(), view(), 40, 6)


def test_a_pane_too_small_for_a_plot_still_says_the_numbers(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    assert "RES 5.00M" in drawn(TrendPane(), view((0, "process", process(res=5 * MIB))), 20, 4)


def test_a_recording_that_is_being_read_says_so(drawn: Draw) -> None:
    empty = Timeline(1_000.0)
    shown = drawn(TrendPane(), View(empty, 1_500.0, 2_000.0, frozen=True), 40, 6)
    assert "reading the recording" in shown


def test_what_was_read_before_is_what_would_be_read_again(process: Make) -> None:
    timeline = Timeline(0.0)
    track = timeline.track(ProcessSample)
    past = EnvelopeCache(("res", "shr"))
    until = 0.0
    for second in range(400):
        until = second * 1.01
        sample = process(res=(40 + second * 7919 % 31) * MIB, shr=(1 + second % 9) * MIB)
        timeline.append(Event(until, "process", sample))
        step_s = 0.75 if second < 300 else 1.5
        start = 0.0 if until < 60 else math.ceil(until / step_s) * step_s - 60
        columns = round(60 / step_s)
        expected = track.envelopes(("res", "shr"), start, step_s, columns, until)
        assert past.envelopes(track, start, step_s, columns, until) == expected
    expected = track.envelopes(("res", "shr"), 90.0, 1.5, 40, 130.0)
    assert past.envelopes(track, 90.0, 1.5, 40, 130.0) == expected, "back in time"
