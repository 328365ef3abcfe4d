"""Slopes with their noise: a swing is no growth, a growth is seen through a swing."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtui.diagnosis.rules.criteria import is_rising
from memtui.diagnosis.trends import (
    Trend,
    TrendShape,
    blocks_of,
    by_second,
    floor_of,
    moved_at,
    swing_of,
    time_to,
    trend_of,
    troughs_of,
)


def judged(values: list[float], step_s: float = 10.0) -> Trend:
    trend = trend_of([(number * step_s, value) for number, value in enumerate(values)])
    assert trend is not None
    return trend


@given(st.floats(0.1, 1e9), st.floats(-1e9, 1e9), st.integers(4, 300))
def test_a_straight_line_has_its_own_slope(rise: float, base: float, count: int) -> None:
    trend = judged([base + rise * number for number in range(count)])
    assert trend.slope_per_h == pytest.approx(rise * 360, rel=1e-3)
    assert trend.low_per_h <= trend.slope_per_h <= trend.high_per_h
    assert trend.grows
    assert trend.shape is TrendShape.SLOPE


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_the_interval_holds_the_slope_through_a_swing_as_large_as_the_growth(seed: int) -> None:
    dice = random.Random(seed)
    inside = 0
    for _ in range(10):
        trend = judged([number + dice.uniform(0, 100) for number in range(120)])
        inside += trend.low_per_h <= 360 <= trend.high_per_h
    assert inside >= 6


def test_noise_alone_seldom_grows() -> None:
    dice = random.Random(7)
    grown = sum(
        judged([dice.gauss(100, 10) for _ in range(dice.choice((12, 60, 120)))]).grows
        for _ in range(500)
    )
    assert grown < 20


def test_one_wild_value_moves_nothing() -> None:
    calm = judged([100.0] * 60)
    wild = judged([100.0] * 30 + [1e9] + [100.0] * 29)
    assert (wild.growth, wild.slope_per_h) == (calm.growth, calm.slope_per_h) == (0, 0)


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ([5.0] * 60, TrendShape.FLAT),
        ([9.0] * 30 + [5.0] * 30, TrendShape.FLAT),
        ([5.0] * 20 + [50.0] * 40, TrendShape.STEP),
        ([5.0] * 9 + [50.0] * 51, TrendShape.STEP),
        ([5.0 + number for number in range(20)] + [25.0] * 40, TrendShape.LEVELLED),
        ([float(number) for number in range(60)], TrendShape.SLOPE),
        ([5.0] * 30 + [5.0 + number for number in range(30)], TrendShape.SLOPE),
    ],
)
def test_shapes(values: list[float], shape: TrendShape) -> None:
    assert judged(values).shape is shape


def test_what_fell_again_does_not_grow() -> None:
    wave = [float(number) for number in range(40)] + [40.0 - 2 * number for number in range(15)]
    assert not judged(wave).grows


def test_too_little_is_not_judged() -> None:
    assert trend_of([(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]) is None
    assert trend_of([(5.0, 1.0)] * 9) is None


def test_blocks_and_troughs() -> None:
    series = [(float(number), float(number % 10)) for number in range(160)]
    assert len(blocks_of(series)) == 16
    assert {value for _, value in blocks_of(series)} == {4.5}
    assert {value for _, value in troughs_of(series)} == {0.0}
    assert troughs_of([]) == []


def test_a_series_moves_when_it_leaves_its_first_level_for_good() -> None:
    late = judged([5.0] * 80 + [5.0 + number for number in range(80)])
    assert 750 <= moved_at(late) <= 1100
    early = judged([float(number) for number in range(160)])
    assert moved_at(early) < 400
    assert moved_at(early) < moved_at(late)


def test_the_time_to_a_limit_has_an_interval() -> None:
    trend = judged([100.0 + number + number % 3 for number in range(90)])
    left = time_to(1000.0, 200.0, trend)
    assert left is not None
    assert left.latest_s is not None
    assert left.soonest_s <= left.likely_s <= left.latest_s
    assert left.likely_s == pytest.approx(8000, rel=0.05)
    assert time_to(1000.0, 200.0, judged([5.0] * 90)) is None
    reached = time_to(100.0, 200.0, trend)
    assert reached is not None
    assert reached.likely_s == 0


def test_a_load_that_drifts_grows_seldom() -> None:
    dice = random.Random(11)
    grown = 0
    for _ in range(300):
        value, values = 0.0, []
        for _ in range(120):
            value = 0.97 * value + dice.gauss(0, 1)
            values.append(100 + value)
        grown += judged(values).grows
    assert grown < 30


def test_the_floor_of_what_only_grows_is_itself() -> None:
    rising = [(float(at), 2.0 * at) for at in range(9)]
    assert floor_of(rising) == rising[:-1]


def test_the_floor_leaves_out_what_comes_back_down() -> None:
    burst = [(float(at), 40.0 if at % 3 == 1 else 8.0) for at in range(12)]
    assert {value for _, value in floor_of(burst)} == {8.0}
    step = [(float(at), 8.0 if at < 6 else 40.0) for at in range(12)]
    assert [value for _, value in floor_of(step)] == [8.0] * 6 + [40.0] * 5


def test_what_comes_within_a_second_is_one_observation() -> None:
    cycles = [(0.0, 9.0), (0.2, 30.0), (0.4, 56.0), (3.0, 40.0), (3.9, 8.0), (4.0, 9.0)]
    assert by_second(cycles) == [(0.0, 9.0), (3.0, 8.0), (4.0, 9.0)]


def test_the_swing_is_what_is_left_without_the_slope_and_rare_peaks() -> None:
    flat = [(float(at), at / 3600 + (100.0 if at == 9 else at % 2)) for at in range(20)]
    assert swing_of(flat, 1.0) == pytest.approx(1.0)
    assert swing_of([], 1.0) == 0.0


def test_what_rose_at_first_and_is_flat_since_does_not_rise() -> None:
    full = [(float(second), float(min(second, 60))) for second in range(300)]
    levelled = trend_of(full)
    assert levelled is not None
    assert levelled.shape is TrendShape.LEVELLED
    assert levelled.growth > 30
    assert not is_rising(replace(levelled, low_per_h=1.0), 30)
    rising = trend_of([(at, at) for at, _ in full])
    assert is_rising(rising, 30)


def test_a_staircase_that_never_fell_ends_where_it_is_highest() -> None:
    """The newest step lies in the last block alone."""
    steps = [0] * 100 + [10] * 95 + [40] * 9
    trend = trend_of([(float(second), float(value)) for second, value in enumerate(steps)])
    assert trend is not None
    assert trend.is_last_high


@pytest.mark.parametrize("resolution", [0.0, 10.0])
def test_a_slope_within_the_resolution_may_as_well_be_nothing(resolution: float) -> None:
    trend = trend_of([(float(second), second / 100) for second in range(500)], 0.12, resolution)
    assert trend is not None
    assert (trend.low_per_h > 0) is (resolution == 0.0)
