"""The time of a session goes on, whatever is done to the clock of the machine."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import Mark, Trouble
from memtui.sources.clock import STEP_S, ClockSource, SessionClock, session_time

NOON = 1_700_000_000.0


class Hands:
    """The two clocks of a machine, as somebody sets them."""

    def __init__(self) -> None:
        self.wall_s, self.steady_s = NOON, 5.0

    def pass_by(self, seconds: float, set_by_s: float = 0.0) -> None:
        """Let time pass, and set the clock."""
        self.wall_s += seconds + set_by_s
        self.steady_s += seconds

    def clock(self) -> SessionClock:
        """Return the clock of a session on this machine."""
        return SessionClock(lambda: self.wall_s, lambda: self.steady_s)


def test_it_is_the_time_of_day_while_nobody_sets_it() -> None:
    hands = Hands()
    clock = hands.clock()
    assert clock() == NOON
    hands.pass_by(3.5)
    assert clock() == NOON + 3.5


def test_set_back_it_goes_on_and_set_right_again_it_agrees() -> None:
    hands = Hands()
    clock = hands.clock()
    clock()
    hands.pass_by(1.0, set_by_s=-3600.0)
    assert clock() == NOON + 1
    hands.pass_by(2.0)
    assert clock() == NOON + 3
    hands.pass_by(1.0, set_by_s=3600.0)
    assert clock() == NOON + 4 == hands.wall_s


def test_set_forward_it_obeys() -> None:
    hands = Hands()
    clock = hands.clock()
    clock()
    hands.pass_by(1.0, set_by_s=3600.0)
    assert clock() == NOON + 3601 == hands.wall_s


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-1e6, 1e6)), max_size=20))
def test_it_never_goes_back_by_more_than_what_is_no_step(steps: list[tuple[float, float]]) -> None:
    hands = Hands()
    clock = hands.clock()
    before = clock()
    for seconds, set_by_s in steps:
        hands.pass_by(seconds, set_by_s)
        now = clock()
        assert now >= before - STEP_S - 1e-3
        assert now >= hands.wall_s - 1e-3
        before = now


def test_what_was_dated_by_the_time_of_day_has_its_place_before_and_behind_the_step() -> None:
    hands = Hands()
    clock = hands.clock()
    clock()
    hands.pass_by(10.0)
    hands.pass_by(10.0, set_by_s=-3600.0)
    clock()
    assert session_time(clock, NOON + 9) == NOON + 9
    assert session_time(clock, NOON + 12 - 3600) == NOON + 12
    assert session_time(lambda: NOON, NOON + 9) == NOON + 9


async def test_a_step_is_told_whoever_asked_for_the_time() -> None:
    hands = Hands()
    clock = hands.clock()
    clock()
    async with aclosing(ClockSource(clock).events()) as events:
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        hands.pass_by(1.0, set_by_s=-90.0)
        await asyncio.to_thread(clock)
        trouble, mark = await first, await anext(events)
        assert isinstance(trouble.sample, Trouble)
        assert isinstance(mark.sample, Mark)
        assert trouble.source == "process"
        assert trouble.sample.reason.startswith("the clock went back by 90 s")
        assert mark.at == NOON + 1
        second = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        hands.pass_by(1.0, set_by_s=90.0)
        clock()
        told = (await second).sample
        assert isinstance(told, Mark)
        assert "forward by 90 s" in told.text


@pytest.mark.parametrize(("set_by_s", "is_step"), [(-1.9, False), (-2.1, True), (-30.0, True)])
def test_a_clock_that_drifts_is_not_set(set_by_s: float, is_step: bool) -> None:
    """NTP slews a clock by less than two seconds between two samples; more is a step."""
    hands = Hands()
    clock = hands.clock()
    before = clock()
    hands.pass_by(1.0, set_by_s)
    assert (clock() > before) is is_step
