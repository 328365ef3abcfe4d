"""Values are written as pprof writes them."""

import pytest

from memtui.pprof.measure import label, percent, report_unit, same_kind, scaled


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "written"),
    [
        (0, "bytes", "MB", "0"),
        (1, "bytes", "GB", "0"),
        (-1, "bytes", "GB", "0"),
        (1536, "bytes", "auto", "1.50kB"),
        (1024, "bytes", "auto", "1kB"),
        (-1536, "Bytes", "kilobytes", "-1.50kB"),
        (1 << 50, "byte", "auto", "1PB"),
        (3, "kb", "B", "3072B"),
        (5, "bytes", "seconds", "5B"),
        (1_500_000, "nanoseconds", "auto", "1.50ms"),
        (7200, "s", "hrs", "2hrs"),
        (5, "ns", "count", "0"),
        (12, "count", "auto", "12"),
        (12, "count", "apples", "12apples"),
        (12, "", "", "12"),
        (2500, "milligcu", "auto", "2.50GCU"),
    ],
)
def test_a_value_in_a_unit(value: int, unit: str, wanted: str, written: str) -> None:
    assert label(value, unit, wanted) == written


@pytest.mark.parametrize(
    ("value", "total", "written"),
    [
        (0, 0, "    0%"),
        (1, 0, "    0%"),
        (1, 1, "  100%"),
        (9996, 10000, "  100%"),
        (9994, 10000, "99.94%"),
        (-1, 3, "33.33%"),
        (1, 1000, "  0.1%"),
        (1, 1_250_000, "8e-05%"),
        (7, 3, "233.33%"),
    ],
)
def test_a_part_in_percent(value: int, total: int, written: str) -> None:
    assert percent(value, total) == written


@pytest.mark.parametrize(
    ("values", "total", "unit", "wanted", "chosen"),
    [
        ([(5 << 20, 0)], 6 << 20, "bytes", "minimum", "MB"),
        ([(0, 512)], 600, "bytes", "minimum", "B"),
        ([(0, 4096), (8 << 20, 0)], 8 << 20, "bytes", "minimum", "kB"),
        ([(4096, 0), (8 << 30, 0)], 8 << 30, "bytes", "minimum", "kB"),
        ([(0, 0)], 5 << 20, "bytes", "minimum", "MB"),
        ([], 5 << 20, "bytes", "minimum", "minimum"),
        ([(3, 3)], 3, "count", "minimum", "count"),
        ([(3, 3)], 3, "bytes", "GB", "GB"),
    ],
)
def test_the_unit_of_a_report(
    values: list[tuple[int, int]], total: int, unit: str, wanted: str, chosen: str
) -> None:
    assert report_unit(values, total, unit, wanted) == chosen


def test_units_of_one_kind_can_be_added() -> None:
    assert same_kind("kB", "bytes")
    assert same_kind("litres", "litres")
    assert not same_kind("bytes", "seconds")
    assert scaled(1, "ms", "us") == (1000.0, "us")
