"""The arithmetic of collections, against numbers worked out by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from memtui.model import GcCycle
from memtui.timeline.cycles import CycleSummary, cycle_trigger, gc_cpu_share, summarize_cycles

MakeCycle = Callable[..., GcCycle]


def test_what_the_program_asked_for_is_forced_even_when_the_timer_was_due(
    cycle: MakeCycle,
) -> None:
    assert cycle_trigger(cycle(1)) == "background"
    assert cycle_trigger(cycle(1, periodic=True)) == "periodic"
    assert cycle_trigger(cycle(1, forced=True, periodic=True)) == "forced"


def test_the_share_leaves_out_what_idle_processors_marked(cycle: MakeCycle) -> None:
    first = cycle(1, at_s=10.0, clock_ms=(1.0, 8.0, 1.0))
    second = cycle(2, at_s=10.09, clock_ms=(1.0, 18.0, 1.0), cpu_ms=(4.0, 6.0, 8.0, 99.0, 2.0))
    assert gc_cpu_share(first, second) == pytest.approx(0.020 / (0.100 * 2))


def test_cycles_without_a_pause_between_them_take_no_more_than_all(cycle: MakeCycle) -> None:
    first = cycle(1, at_s=10.0, clock_ms=(0.1, 0.8, 0.1), procs=4)
    second = cycle(
        2, at_s=10.001, clock_ms=(1.0, 98.0, 1.0), cpu_ms=(4.0, 0.0, 392.0, 0.0, 4.0), procs=4
    )
    assert gc_cpu_share(first, second) == pytest.approx(1.0)


def test_without_the_cycle_before_there_is_no_share(cycle: MakeCycle) -> None:
    later = cycle(7)
    for before in (None, cycle(5), cycle(8), cycle(6, at_s=9.0), cycle(6, at_s=None)):
        assert gc_cpu_share(before, later) is None
    old = dataclasses.replace(later, at_s=None, cpu_ms=())
    assert gc_cpu_share(cycle(6), old) is None


def test_go_1_5_has_two_more_phases(cycle: MakeCycle) -> None:
    first = cycle(1, at_s=1.0, clock_ms=(0.0, 0.0, 0.0, 0.0, 0.0))
    second = cycle(
        2, at_s=2.0, clock_ms=(0.0,) * 5, cpu_ms=(1.0, 2.0, 3.0, 4.0, 5.0, 100.0, 5.0), procs=1
    )
    assert gc_cpu_share(first, second) == pytest.approx(0.020)


def test_a_summary_of_what_was_seen(cycle: MakeCycle) -> None:
    clocks = [(0.1, 1.0, 0.3), (0.2, 1.0, 0.4), (0.5, 1.0, 9.0)]
    cycles = [cycle(n, at_s=n * 2.0, clock_ms=each) for n, each in enumerate(clocks, 1)]
    summary = summarize_cycles((1000.0 + (each.at_s or 0), each) for each in cycles)
    assert summary.cycles == 3
    assert summary.per_minute == pytest.approx(30)
    assert summary.longest_pause_ms == 9.0
    assert summary.median_pause_ms == 0.3
    assert summary.in_gc == pytest.approx((1.6 + 10.5) / (4000 + 10.5 - 1.4))


def test_a_lost_line_counts_as_a_cycle_and_a_restart_as_none(cycle: MakeCycle) -> None:
    kept = [cycle(1), cycle(3), cycle(1, at_s=0.5), cycle(2, at_s=1.5)]
    summary = summarize_cycles(zip([10.0, 12.0, 500.0, 501.0], kept, strict=True))
    assert summary.per_minute == pytest.approx(3 / 3 * 60)


def test_a_clock_that_goes_back_is_no_gap(cycle: MakeCycle) -> None:
    summary = summarize_cycles([(10.0, cycle(1)), (9.0, cycle(2))])
    assert summary.per_minute is None


def test_too_few_cycles_say_nothing(cycle: MakeCycle) -> None:
    assert summarize_cycles([]) == CycleSummary(0, None, None, None, None)
    assert summarize_cycles([(1.0, cycle(1))]) == CycleSummary(1, None, 0.1, 0.02, None)
