"""Pane 3: the newest collections, and on a key what else was written."""

import dataclasses
from collections.abc import Callable

import pytest

from memtui.model import (
    Attached,
    GcCycle,
    OutputLine,
    ProcessIdentity,
    Restart,
    TornLine,
    Trouble,
)
from memtui.panes.cells import text_of
from memtui.panes.gctrace import GcTracePane
from memtui.panes.gctrace.words import in_words
from memtui.panes.table import Selection
from memtui.timeline import View

MakeCycle = Callable[..., GcCycle]
MakeView = Callable[..., View]
Draw = Callable[..., str]


ORDERS = ProcessIdentity(1234, 99, 1_794_999_000.0, "orders", ("./orders",), "shop", "go1.27.3")


def test_the_newest_cycles_stand_last(cycle: MakeCycle, view: MakeView, drawn: Draw) -> None:
    seen = view(
        (0, "process", ORDERS),
        (0, "gctrace", Attached("following /var/log/orders.log")),
        *((number, "gctrace", cycle(number, 24, 25, 12)) for number in range(1, 108)),
        (107, "gctrace", cycle(108, 100, 110, 60, forced=True)),
    )
    assert drawn(GcTracePane(), seen, 60, 7) == (
        """
╭ 3 gctrace ─────────────────────────────────── 108 cycles ╮
│  gc     time    heap MB goal    pause cpu                │
│ 105 11:08:25   24→25→12    5 0.1+0.02  1%                │
│ 106 11:08:26   24→25→12    5 0.1+0.02  1%                │
│ 107 11:08:27   24→25→12    5 0.1+0.02  1%                │
│ 108 11:08:27 100→110→60    5 0.1+0.02  1% forced         │
╰─────────────────────────── following /var/log/orders.log ╯
"""
    )


def test_in_80_columns_every_figure_of_a_cycle_is_there(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    seen = view((0, "process", ORDERS), (0, "gctrace", cycle(109, 25, 25, 12)))
    assert drawn(GcTracePane(), seen, 40, 4) == (
        """
╭ 3 gctrace ────────────────── 1 cycle ╮
│  gc     time   heap MB goal pause cpu│
│ 109 11:06:40  25→25→12    5   0.1  1%│
╰──────────────────────────────────────╯
"""
    )


def test_a_key_shows_all_that_was_written(cycle: MakeCycle, view: MakeView, drawn: Draw) -> None:
    seen = view(
        (0, "process", ORDERS),
        (1, "gctrace", OutputLine("orders=800 [/x] \x1b]0;title\x07")),
        (1, "gctrace", cycle(1)),
        (2, "gctrace", TornLine("gc 2 @0.1s 2026/11/22 hello")),
        (3, "gctrace", Restart()),
    )
    pane = GcTracePane()
    pane.everything = True
    assert drawn(pane, seen, 60, 8) == (
        """
╭ 3 all output ────────────────── 1 cycle 1 restart 1 torn ╮
│  gc     time   heap MB goal    pause cpu                 │
│ orders=800 [/x] ␛]0;title␇                               │
│   1 11:06:41     4→4→2    5 0.1+0.02  1%                 │
│ torn gc 2 @0.1s 2026/11/22 hello                         │
│ ── started anew: the counters begin again ──             │
│                                                          │
╰──────────────────────────────────────────────────────────╯
"""
    )


def test_a_goal_of_gogc_off_reads_as_none(cycle: MakeCycle, view: MakeView, drawn: Draw) -> None:
    assert "none" in drawn(GcTracePane(), view((0, "gctrace", cycle(1, goal_bytes=None))), 60, 5)


def test_why_there_is_no_trace_and_what_to_do(view: MakeView, drawn: Draw) -> None:
    seen = view((0, "gctrace", Trouble("stderr is a pipe", "start it with: memtui run -- COMMAND")))
    assert drawn(GcTracePane(), seen, 42, 5) == (
        """
╭ 3 gctrace ─────────────────── 0 cycles ╮
│ stderr is a pipe                       │
│ start it with: memtui run -- COMMAND   │
│                                        │
╰────────────────────────────────────────╯
"""
    )


def test_a_cycle_in_words(cycle: MakeCycle) -> None:
    assert text_of(in_words(cycle(7, 24, 25, 12, forced=True))) == (
        "gc 7  heap 24 → 25 MB, 12 MB alive, goal 5 MB, stopped 0.12ms, "
        "GC 1% of CPU since start, forced"
    )


def test_a_trace_without_a_process_has_the_times_that_it_prints(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    picture = drawn(GcTracePane(), view((0, "gctrace", cycle(7, at_s=372.5))), 60, 5)
    assert "@6m12s" in picture
    assert "11:06" not in picture


def test_what_is_no_go_program_is_not_waited_for(view: MakeView, drawn: Draw) -> None:
    shell = dataclasses.replace(ORDERS, name="start.sh", go_version=None)
    assert "start.sh is not a Go program" in drawn(
        GcTracePane(), view((0, "process", shell)), 60, 8
    )


def test_trouble_is_shown_beside_what_there_is(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    seen = view((0, "gctrace", cycle(1)), (1, "gctrace", Trouble("the input has ended")))
    assert "─ the input has ended ╯" in drawn(GcTracePane(), seen, 60, 5)


@pytest.mark.parametrize("height", [3, 4])
def test_a_pane_without_room_for_a_row_is_survived(
    cycle: MakeCycle, view: MakeView, drawn: Draw, height: int
) -> None:
    pane = GcTracePane()
    pane.has_focus = True
    pane.selection = Selection(0)
    assert "1 cycle" in drawn(pane, view((0, "gctrace", cycle(1))), 40, height)


def test_a_cycle_has_the_same_time_with_and_without_the_output_around_it(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    seen = view(
        (0, "process", ORDERS),
        (4, "gctrace", OutputLine("told before the cycle that began before it")),
        (3, "gctrace", cycle(7)),
    )
    alone, among = GcTracePane(), GcTracePane()
    among.everything = True
    for pane in (alone, among):
        assert "   7 11:06:43 " in drawn(pane, seen, 60, 6)
