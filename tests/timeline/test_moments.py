"""The moment that a profile is of, and the time between two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.local_time import date_and_time
from memtui.model import Profile, ProfileKind, ProfileRequest, gap_s, moment_of

TIMES = st.integers(min_value=-(1 << 63), max_value=(1 << 63) - 1)
READ = st.floats(min_value=0, max_value=4e9)


def dated(time_nanos: int, kind: ProfileKind = "file") -> Profile:
    request = ProfileRequest(kind)
    return Profile((), "", "", 0, 0.0, request, time_nanos=time_nanos)


@given(TIMES, READ)
def test_every_moment_can_be_written(time_nanos: int, read_at: float) -> None:
    moment = moment_of(dated(time_nanos), read_at)
    assert date_and_time(moment.at)
    assert moment.is_known == moment.is_own == (0 < time_nanos < 253_402_300_800 * 10**9)


@given(TIMES, TIMES, READ, READ)
def test_when_a_file_was_read_never_counts(then: int, now: int, one: float, other: float) -> None:
    gaps = {
        gap_s(moment_of(dated(then), a), moment_of(dated(now), b))
        for a, b in ((one, other), (other, one), (one, one))
    }
    assert len(gaps) == 1
    (gap,) = gaps
    assert gap is None or gap == pytest.approx((now - then) / 1e9, abs=1e-3)


def test_a_served_profile_without_a_time_is_of_when_it_was_read() -> None:
    then, now = (moment_of(dated(0, "heap"), at) for at in (100.0, 127.0))
    assert gap_s(then, now) == 27.0
    own = moment_of(dated(5 * 10**9, "heap"), 100.0)
    assert gap_s(own, now) is None, "two different clocks"
