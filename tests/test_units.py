"""Sizes, shares and times as people read them."""

import pytest

from memtui import units


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (512, "512B"),
        (1023, "1023B"),
        (1024, "1K"),
        (61_234_567, "58.4M"),
        (1 << 20, "1.00M"),
        (1023 << 10, "1.00M"),
        (999 << 10, "999K"),
        (104_857_600, "100M"),
        (1_738_000_000, "1.62G"),
        (-2048, "−2K"),
        (8532210231537 << 20, "7.76E"),
    ],
)
def test_a_size_has_three_digits_and_a_binary_unit(count: int, text: str) -> None:
    assert units.size(count) == text


def test_no_size_takes_more_than_five_cells() -> None:
    for exponent in range(62):
        for nudge in (-1, 0, 1):
            assert len(units.size((1 << exponent) + nudge)) <= 5


@pytest.mark.parametrize(
    ("count", "text"), [(0, "·"), (22_334_668, "+21.3M"), (-831_488, "−812K"), (1, "+1B")]
)
def test_a_change_has_its_sign(count: int, text: str) -> None:
    assert units.change(count) == text


def test_kib_is_what_ps_prints() -> None:
    assert units.kib(39_200 * 1024) == "39200"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 10, "0%"), (10, 10, "100%"), (632, 1000, "63.2%"), (1, 1000, "0.10%"),
     (1, 10**6, "<0.01%"), (5, 0, "0%"), (-5, 10, "50.0%")],
)  # fmt: skip
def test_a_share_never_divides_by_zero(part: int, whole: int, text: str) -> None:
    assert units.share(part, whole) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (42.9, "42s"), (309, "5m09s"), (7620, "2h07m"), (3 * 86400 + 4 * 3600, "3d04h")],
)
def test_a_duration_has_two_units(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0ms"), (0.018, "0.018ms"), (5.6, "5.6ms"), (12, "12ms"), (1043, "1.04s")],
)
def test_milliseconds(value: float, text: str) -> None:
    assert units.milliseconds(value) == text


@pytest.mark.parametrize("step", range(1, 6))
@pytest.mark.parametrize(
    ("value", "digits"),
    [(1, "1.00"), (9.994, "9.99"), (9.996, "10.0"), (99.94, "99.9"), (99.96, "100"),
     (999.4, "999")],
)  # fmt: skip
def test_a_size_goes_to_the_next_unit_where_it_would_need_four_digits(
    step: int, value: float, digits: str
) -> None:
    unit = "KMGTPE"[step]
    assert units.size(round(value * 1024 ** (step + 1))) == digits + unit
    for count in (999.6, 1000, 1022, 1023.9):
        assert units.size(round(count * 1024**step)).endswith(unit), count
        assert units.size(round(count * 1024**step))[:-1] in ("0.98", "1.00"), count
