"""Pane 3: the cycles as a table, sorted and opened, and on a key what else was written."""

import dataclasses
from collections.abc import Callable

import pytest

from memtui.model import (
    Attached,
    GcCycle,
    GcPause,
    OutputLine,
    ProcessIdentity,
    Restart,
    Sample,
    ScavengeLine,
    TornLine,
    Trouble,
)
from memtui.panes.gctrace.card import CARD_CELLS
from memtui.panes.gctrace.columns import in_words
from memtui.panes.gctrace.pane import GcTracePane
from memtui.render.cells import text_of
from memtui.render.table import Selection
from memtui.timeline import View

MakeCycle = Callable[..., GcCycle]
MakeView = Callable[..., View]
Draw = Callable[..., str]


ORDERS = ProcessIdentity(1234, 99, 1_794_999_000.0, "orders", ("./orders",), "shop", "go1.27.3")


def numbers(picture: str) -> list[int]:
    """Return the first word of each row of the table that is a number."""
    words = [row.strip("│ ").split() for row in picture.splitlines()]
    return [int(row[0]) for row in words if row and row[0].isdigit()]


def press(pane: GcTracePane, view: View, *actions: str) -> None:
    """Do what keys do, without a screen."""
    pane.view = view
    for action in actions:
        name, _, argument = action.partition(" ")
        getattr(pane, f"action_{name}")(*([int(argument)] if argument else []))


@pytest.fixture
def pane(monkeypatch: pytest.MonkeyPatch) -> GcTracePane:
    """A pane that is on no screen: it has nobody to tell that its selection moved."""
    pane = GcTracePane()
    monkeypatch.setattr(pane, "post_message", lambda message: True)
    return pane


def test_the_newest_cycles_stand_last(cycle: MakeCycle, view: MakeView, drawn: Draw) -> None:
    seen = view(
        (0, "process", ORDERS),
        (0, "gctrace", Attached("following /var/log/orders.log")),
        *((number, "gctrace", cycle(number, 24, 25, 12)) for number in range(1, 108)),
        (107, "gctrace", cycle(108, 100, 110, 60, forced=True)),
    )
    assert drawn(GcTracePane(), seen, 60, 7) == (
        """
╭ 3 gctrace ────────────────── 108 cycles 60/min max 0.1ms ╮
│ gc▲     time    heap MB goal pause ms now cpu kind       │
│ 105 11:08:25   24→25→12    5 0.1+0.02 <1%  1% background │
│ 106 11:08:26   24→25→12    5 0.1+0.02 <1%  1% background │
│ 107 11:08:27   24→25→12    5 0.1+0.02 <1%  1% background │
│ 108 11:08:27 100→110→60    5 0.1+0.02 <1%  1% forced     │
╰─────────────────────────── following /var/log/orders.log ╯
"""
    )


def test_a_quarter_of_80_columns_has_what_matters_most(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    seen = view(
        (0, "process", ORDERS),
        (0, "gctrace", cycle(108, 24, 25, 12)),
        (1, "gctrace", cycle(109, 25, 25, 12)),
    )
    assert drawn(GcTracePane(), seen, 40, 5) == (
        """
╭ 3 gctrace ────────── 2 cycles 60/min ╮
│ gc▲     time   heap MB goal pause now│
│ 108 11:06:40  24→25→12    5   0.1   –│
│ 109 11:06:41  25→25→12    5   0.1 <1%│
╰──────────────────────────────────────╯
"""
    )


def test_80_columns_have_nearly_all_and_160_have_all(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    seen = view(
        (0, "process", ORDERS),
        (0, "gctrace", cycle(108, 24, 25, 12)),
        (1, "gctrace", cycle(109, 25, 26, 12, stacks_bytes=3 << 20, globals_bytes=1 << 20)),
    )
    assert drawn(GcTracePane(), seen, 80, 5) == (
        """
╭ 3 gctrace ──────────────────────────────────────── 2 cycles 60/min max 0.1ms ╮
│ gc▲     time   heap MB goal pause ms  mark now cpu stacks globals kind       │
│ 108 11:06:40  24→25→12    5 0.1+0.02     2   –  1%      0       0 background │
│ 109 11:06:41  25→26→12    5 0.1+0.02     2 <1%  1%      3       1 background │
╰──────────────────────────────────────────────────────────────────────────────╯
"""
    )
    head = drawn(GcTracePane(), seen, 160, 5).splitlines()[2]
    assert head.strip("│ ").split() == [
        "gc▲", "time", "heap", "MB", "goal", "pause", "ms", "mark", "now", "cpu", "stacks",
        "globals", "assist", "backgr", "idle", "P", "kind",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "background"),
        ({"forced": True}, "forced"),
        ({"periodic": True}, "periodic"),
        ({"leak_check": True, "forced": True}, "leak check"),
    ],
)
def test_why_there_was_a_cycle(
    cycle: MakeCycle, view: MakeView, drawn: Draw, fields: dict[str, bool], kind: str
) -> None:
    seen = view((0, "gctrace", cycle(1, **fields)))
    assert f" {kind} " in drawn(GcTracePane(), seen, 80, 5)


def test_cpu_now_is_that_since_the_cycle_before(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    storm = cycle(3, at_s=3.0, cpu_ms=(10.0, 300.0, 690.0, 99.0, 0.0), procs=2)
    seen = view((0, "process", ORDERS), (1, "gctrace", cycle(2, at_s=2.0)), (3, "gctrace", storm))
    assert drawn(GcTracePane(), seen, 80, 6).splitlines()[4].split()[7:9] == ["50%", "1%"]


# Sorted


def story(cycle: MakeCycle, view: MakeView, pauses: list[float], **where: float) -> View:
    return view(
        (0, "process", ORDERS),
        *(
            (at, "gctrace", cycle(at, live=10 - at % 3, clock_ms=(pause, 1.0, 0.01)))
            for at, pause in enumerate(pauses, start=1)
        ),
        **where,
    )


def test_a_key_sorts_by_the_next_column_and_the_head_says_which(
    cycle: MakeCycle, view: MakeView, drawn: Draw, pane: GcTracePane
) -> None:
    seen = story(cycle, view, [0.3, 0.1, 0.5, 0.2])
    marks, orders = [], []
    for _ in range(6):
        picture = drawn(pane, seen, 60, 8)
        marks.append(next(word for word in picture.split() if word[-1] in "▲▼"))
        orders.append(numbers(picture))
        press(pane, seen, "sort")
    assert marks == ["gc▲", "time▲", "MB▼", "goal▼", "ms▼", "mark▼"]
    assert orders[0] == orders[1] == [1, 2, 3, 4]
    assert orders[2] == [3, 4, 1, 2]
    assert orders[4] == [3, 1, 4, 2]
    for _ in range(9):
        press(pane, seen, "sort")
    assert "gc▲" in drawn(pane, seen, 60, 8)


def test_a_key_turns_the_order_round(
    cycle: MakeCycle, view: MakeView, drawn: Draw, pane: GcTracePane
) -> None:
    seen = story(cycle, view, [0.3, 0.1, 0.5, 0.2])
    press(pane, seen, "reverse")
    assert numbers(drawn(pane, seen, 60, 8)) == [4, 3, 2, 1]
    assert "gc▼" in drawn(pane, seen, 60, 8)
    press(pane, seen, "reverse", *["sort"] * 4, "reverse")
    assert numbers(drawn(pane, seen, 60, 8)) == [2, 4, 1, 3]


def test_the_line_under_the_panes_explains_the_column_until_a_row_is_selected(
    cycle: MakeCycle, view: MakeView, pane: GcTracePane
) -> None:
    seen = story(cycle, view, [0.3, 0.1])
    press(pane, seen, "sort", "sort")
    assert text_of(pane.hint(seen)) == (
        "by heap MB, largest first: at start → at end → live; sorted by live"
    )
    press(pane, seen, "move 1")
    assert text_of(pane.hint(seen)).startswith("gc ")


def test_only_the_order_of_time_follows_its_end(
    cycle: MakeCycle, view: MakeView, drawn: Draw, pane: GcTracePane
) -> None:
    few, more = [0.3, 0.1, 0.5], [0.3, 0.1, 0.5, 0.2, 0.9, 0.4, 0.05]
    assert numbers(drawn(pane, story(cycle, view, more), 60, 5)) == [6, 7]
    seen = story(cycle, view, few)
    press(pane, seen, *["sort"] * 4)
    assert numbers(drawn(pane, seen, 60, 5)) == [3, 1]
    assert numbers(drawn(pane, story(cycle, view, more), 60, 5)) == [5, 3]


def test_the_selection_stays_with_its_cycle_while_others_are_sorted_in(
    cycle: MakeCycle, view: MakeView, pane: GcTracePane
) -> None:
    seen = story(cycle, view, [0.3, 0.1, 0.5])
    press(pane, seen, *["sort"] * 4, "move 1")
    assert text_of(pane.hint(seen)).startswith("gc 1 ")
    later = story(cycle, view, [0.3, 0.1, 0.5, 0.4, 0.9])
    assert text_of(pane.hint(later)).startswith("gc 1 ")
    press(pane, later, "move -1")
    assert text_of(pane.hint(later)).startswith("gc 4 ")
    press(pane, later, "to_end")
    assert text_of(pane.hint(later)).startswith("gc 2 ")


# Opened


def test_an_opened_cycle_shows_every_field_and_fits_80x24(
    cycle: MakeCycle, view: MakeView, pane: GcTracePane
) -> None:
    said = "gc 2 @2.000s 1%: 0.1+2+0.02 ms clock, " + "0.2+0/1/0.5+0.04 ms cpu, " * 4
    seen = view(
        (0, "process", ORDERS),
        (1, "gctrace", cycle(1)),
        (2, "gctrace", cycle(2, 24, 25, 12, forced=True, line=said)),
    )
    pane.view = seen
    rows = [text_of(row).rstrip() for row in pane.card(CARD_CELLS)]
    assert len(rows) <= 22
    assert max(map(len, rows)) <= CARD_CELLS
    assert not any(row.endswith("…") for row in rows)
    assert rows[:5] == [
        "cycle                    2 each process counts from 1",
        "began             11:06:42 2.000 s after the start",
        "kind                forced by runtime.GC, debug.FreeOSMemory, heap?gc=1",
        "GC CPU now          0.062% of all processors, since the previous cycle",
        "GC CPU                  1% of all processors, since the process started",
    ]
    fields = {row[:16].strip(): row[16:26].strip() for row in rows[5:20]}
    assert fields == {
        "stop: sweep": "0.1 ms", "concurrent": "2 ms", "stop: mark": "0.02 ms",
        "CPU stop: sweep": "0.2 ms", "CPU assist": "0 ms", "CPU background": "1 ms",
        "CPU idle": "0.5 ms", "CPU stop: mark": "0.04 ms", "heap at start": "24 MB",
        "heap at end": "25 MB", "live heap": "12 MB", "goal": "5 MB", "stacks": "0 MB",
        "globals": "0 MB", "processors": "2",
    }  # fmt: skip
    assert " ".join(rows[20:]).split() == said.split()


@pytest.mark.parametrize(
    ("clock_ms", "cpu_ms", "phases"),
    [
        ((0.1, 0.2, 0.3, 0.4), (), ["pause 1", "pause 2", "pause 3", "pause 4"]),
        (
            (0.1, 0.2, 0.3, 0.4, 0.5),
            (0.1, 0.2, 0.3, 0.0, 0.5, 0.6, 0.7),
            ["stop: sweep", "scan", "stop: barrier", "concurrent", "stop: mark"],
        ),
    ],
)
def test_old_runtimes_had_other_phases(
    cycle: MakeCycle,
    view: MakeView,
    pane: GcTracePane,
    clock_ms: tuple[float, ...],
    cpu_ms: tuple[float, ...],
    phases: list[str],
) -> None:
    old = cycle(1, at_s=None, gc_cpu_percent=None, heap_live_bytes=None, goal_bytes=None)
    old = dataclasses.replace(old, clock_ms=clock_ms, cpu_ms=cpu_ms, stacks_bytes=None)
    seen = view((0, "gctrace", old))
    pane.view = seen
    names = [text_of(row)[:16].strip() for row in pane.card(CARD_CELLS)]
    assert names[5 : 5 + len(phases)] == phases
    assert ("CPU assist" in names) == bool(cpu_ms)


def test_the_next_cycle_is_shown_while_one_is_opened_also_at_the_end(
    cycle: MakeCycle, view: MakeView, pane: GcTracePane
) -> None:
    seen = story(cycle, view, [0.3, 0.1, 0.5])
    press(pane, seen, "open")
    assert "cycle                    3 " in text_of(pane.card(CARD_CELLS)[0])
    pane.view = story(cycle, view, [0.3, 0.1, 0.5, 0.2])
    assert "cycle                    3 " in text_of(pane.card(CARD_CELLS)[0])
    pane.step(1)
    pane.view = story(cycle, view, [0.3, 0.1, 0.5, 0.2, 0.4])
    assert "cycle                    4 " in text_of(pane.card(CARD_CELLS)[0])
    pane.step(-1)
    assert "cycle                    3 " in text_of(pane.card(CARD_CELLS)[0])


def test_an_opened_cycle_stays_when_another_one_comes_to_the_top(
    cycle: MakeCycle, view: MakeView, pane: GcTracePane
) -> None:
    press(pane, story(cycle, view, [0.3, 0.1, 0.5]), *["sort"] * 4, "open")
    shown = []
    for pauses in ([0.3, 0.1, 0.5], [0.3, 0.1, 0.5, 0.9]):
        pane.view = story(cycle, view, pauses)
        shown.append(text_of(pane.card(CARD_CELLS)[0]).split()[1])
    pane.step(1)
    shown.append(text_of(pane.card(CARD_CELLS)[0]).split()[1])
    pane.step(-9)
    shown.append(text_of(pane.card(CARD_CELLS)[0]).split()[1])
    pane.view = story(cycle, view, [0.3, 0.1, 0.5, 0.9, 1.1])
    shown.append(text_of(pane.card(CARD_CELLS)[0]).split()[1])
    assert shown == ["3", "3", "1", "4", "4"]


# From MemStats


PAUSES: list[tuple[float, str, Sample]] = [
    (n, "runtime", GcPause(n, n * 0.0001, (20 + n) << 20 if n % 3 == 0 else None))
    for n in range(1, 9)
]


def test_without_a_trace_the_cycles_of_memstats_are_shown_with_how_to_get_one(
    view: MakeView, drawn: Draw
) -> None:
    assert drawn(GcTracePane(), view((0, "process", ORDERS), *PAUSES), 60, 10) == (
        """
╭ 3 gc from MemStats ─────────── 8 cycles 60/min max 0.8ms ╮
│ gc▲     time  pause next goal                            │
│   4 11:06:44  0.4ms         –                            │
│   5 11:06:45  0.5ms         –                            │
│   6 11:06:46  0.6ms     26.0M                            │
│   7 11:06:47  0.7ms         –                            │
│   8 11:06:48  0.8ms         –                            │
│ heap and CPU of each cycle: start the program with       │
│ GODEBUG=gctrace=1 (it cannot be switched on later)       │
╰──────────────────────────────────────────────────────────╯
"""
    )


def test_cycles_of_memstats_are_sorted_and_opened_too(
    view: MakeView, drawn: Draw, pane: GcTracePane
) -> None:
    seen = view((0, "process", ORDERS), *PAUSES)
    press(pane, seen, "sort", "sort", "open")
    assert numbers(drawn(pane, seen, 40, 6)) == [8, 7, 6]
    assert [text_of(row)[:26].split() for row in pane.card(CARD_CELLS)] == [
        ["cycle", "8"], ["ended", "11:06:48"], ["stopped", "0.8ms"], ["next", "goal", "–"],
    ]  # fmt: skip
    press(pane, seen, "move 1")
    assert text_of(pane.hint(seen)) == (
        "gc 7  stopped 0.7ms; for heap and CPU start it with GODEBUG=gctrace=1"
    )


def test_a_trace_is_preferred_to_memstats(cycle: MakeCycle, view: MakeView, drawn: Draw) -> None:
    picture = drawn(GcTracePane(), view(*PAUSES, (9, "gctrace", cycle(9))), 60, 6)
    assert "MemStats" not in picture
    assert numbers(picture) == [9]


# What was read


def test_the_status_line_counts_what_was_read_and_what_was_not(
    cycle: MakeCycle, view: MakeView, drawn: Draw
) -> None:
    scavenged = ScavengeLine(1, 2, 3, 50, forced=False, line="scav …")
    seen = view(
        (0, "process", ORDERS),
        *((at, "gctrace", cycle(at, clock_ms=(at / 10, 1.0, 0.02))) for at in range(1, 5)),
        (5, "gctrace", scavenged),
        (5, "gctrace", TornLine("gc 5 @")),
        *((6, "gctrace", OutputLine("hello")) for _ in range(7)),
        (7, "gctrace", Restart()),
    )
    pane = GcTracePane()
    pane.alone = True
    rows = drawn(pane, seen, 120, 20).splitlines()
    assert rows[1].endswith("── 4 cycles 1 restart 1 torn ╮")
    assert rows[2].strip("│ ") == (
        "60/min  stop-the-world: median 20µs, longest 0.4ms  0.13% of the time in GC  "
        "lines: 5 read 1 torn 7 other"
    )
    assert drawn(pane, seen, 80, 20).splitlines()[2].strip("│ ") == (
        "60/min  stop 20µs max 0.4ms  in GC 0.13%  5 read 1 torn 7 other"
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
╭ 3 all output ──────── 1 cycle 1 restart 1 torn max 0.1ms ╮
│  gc     time   heap MB goal pause ms now cpu kind        │
│ orders=800 [/x] ␛]0;title␇                               │
│   1 11:06:41     4→4→2    5 0.1+0.02   –  1% background  │
│ torn gc 2 @0.1s 2026/11/22 hello                         │
│ ── the process restarted: counters start again ──        │
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
        "gc 7 forced  heap 24 → 25 MB, 12 MB live, goal 5 MB, stopped 0.12ms, "
        "GC 1% of CPU since start"
    )
    assert text_of(in_words(cycle(7, 24, 25, 12), cycle(6))).endswith(" GC 0.062% of CPU")


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
