"""Which cycles the timer of two minutes began, also where lines are torn."""

from __future__ import annotations

import pytest

from memtui.model import GcCycle, OutputLine, Restart, TornLine
from memtui.parse.gctrace.decoder import TraceDecoder
from memtui.parse.gctrace.stream import TimedItem

GO_1_4 = (
    "gc7(4): 4+0+1097+3 us, 12 -> 30 MB, 21 (21-0) objects, 2 goroutines, 15/0/0 sweeps, "
    "0(0) handoff, 0(0) steal, 0/0/0 yields"
)
SCVG = "scvg0: inuse: 835, idle: 188, sys: 1023, released: 17, consumed: 1005 (MB)"


def cycle(number: int, at_s: float, forced: str = "") -> str:
    return (
        f"gc {number} @{at_s:.3f}s 2%: 0.038+1.5+0.18 ms clock, 0.11+0.34/2.1/12+1.8 ms cpu, "
        f"4->5->2 MB, 10 MB goal, 0 MB stacks, 1 MB globals, 2 P{forced}"
    )


def items_of(*lines: str, keep_output: bool = True) -> list[TimedItem]:
    decoder = TraceDecoder(keep_output=keep_output)
    return decoder.feed("".join(f"{line}\n" for line in lines).encode()) + decoder.flush()


def periodic(*lines: str) -> list[int]:
    both = [
        [
            item.number
            for item, _ in items_of(*lines, keep_output=keep)
            if isinstance(item, GcCycle) and item.periodic
        ]
        for keep in (True, False)
    ]
    assert both[0] == both[1]
    return both[0]


FIRST = cycle(1, 1.0)


def test_the_cycle_after_the_timer_is_periodic_and_no_other() -> None:
    assert periodic(FIRST, "GC forced", cycle(2, 121.002), cycle(3, 300.0)) == [2]


def test_log_lines_between_make_no_difference() -> None:
    assert periodic(FIRST, "GC forced", "log", "gc 3 @ home", "log", cycle(2, 121.002)) == [2]


def test_a_torn_cycle_that_is_joined_stays_periodic() -> None:
    front, back = cycle(2, 121.002)[:60], cycle(2, 121.002)[60:]
    assert periodic(FIRST, "GC forced", f"{front}ts=1", back, cycle(3, 300.0)) == [2]


def test_a_torn_line_of_the_timer_is_seen_by_the_time_that_passed() -> None:
    for torn in (["GC forcedts=1 msg=ok", ""], ["no newline GC forced"]):
        assert periodic(FIRST, *torn, cycle(2, 121.002)) == [2]
        assert periodic(FIRST, *torn, cycle(2, 60.0)) == []
        assert periodic(*torn, cycle(2, 121.002)) == []


def test_a_program_that_prints_the_same_is_not_believed_too_soon() -> None:
    assert periodic(FIRST, "GC forced", cycle(2, 60.0), cycle(3, 181.0)) == []


def test_a_cycle_that_the_program_asked_for_is_not_the_timers() -> None:
    assert periodic(FIRST, "GC forced", cycle(2, 121.002, " (forced)"), cycle(3, 242.0)) == []


def test_a_periodic_cycle_that_is_lost_hands_its_kind_to_no_other() -> None:
    torn = cycle(2, 121.002)[:60] + "ts=1"
    assert periodic(FIRST, "GC forced", torn, cycle(3, 300.0)) == []
    tail = cycle(2, 121.002)[-60:]
    assert periodic(FIRST, "GC forced", tail, cycle(3, 300.0)) == []


def test_pieces_from_before_the_timer_do_not_take_it() -> None:
    assert periodic(FIRST, cycle(2, 5.0)[:60] + "ts=1", "GC forced", cycle(3, 126.0)) == [3]


def test_the_first_cycle_of_a_trace_may_be_periodic() -> None:
    assert periodic("GC forced", cycle(2, 121.002)) == [2]
    assert periodic(cycle(9, 500.0), "GC forced", cycle(1, 120.5)) == [1]


def test_the_timer_of_go_1_4_and_of_go_1_3() -> None:
    for line in ("GC forced", "scvg12: GC forced"):
        assert periodic(line, GO_1_4) == [7]


@pytest.mark.parametrize("line", [GO_1_4, SCVG])
@pytest.mark.parametrize("keep", [True, False])
def test_old_lines_are_counted_when_they_are_torn(line: str, keep: bool) -> None:
    for cut in range(22, len(line) - 8, 5):
        torn = (f"{line[:cut]}ts=1 msg=ok", line[cut:])
        kinds = [type(item) for item, _ in items_of(*torn, FIRST, keep_output=keep)]
        assert kinds.count(TornLine) == 1, torn
        assert kinds.count(GcCycle) == 1


def test_a_joined_line_never_tells_of_a_restart() -> None:
    early = cycle(1, 0.5)
    items = items_of(cycle(7, 9.0), f"{early[:60]}ts=1", early[60:], cycle(8, 9.5))
    assert [type(item) for item, _ in items] == [GcCycle, OutputLine, TornLine, GcCycle]


def test_a_restart_in_a_run_of_whole_lines_is_told_at_its_place() -> None:
    items = items_of(cycle(1, 1.0), cycle(2, 2.0), cycle(1, 0.5), cycle(2, 0.4), cycle(3, 0.6))
    assert [type(item) for item, _ in items] == [
        *(GcCycle, GcCycle, Restart, GcCycle, Restart, GcCycle, GcCycle),
    ]
