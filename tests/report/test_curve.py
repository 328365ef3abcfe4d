"""Lines that hang together where something is known, and end where nothing is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from memtui.report.plots import curve, runs
from memtui.timeline import Extent


def level(*places: int, low: int = 5, high: int = 5) -> list[Extent | None]:
    """Return a hundred columns of which these are known."""
    return [Extent(low, high, high) if place in places else None for place in range(100)]


def places(
    extents: Sequence[Extent | None], breaks: Sequence[int] = (), *, holds: bool = False
) -> list[list[int]]:
    return [[place for place, _ in run] for run in runs(extents, breaks, holds=holds)]


def test_a_line_ends_before_a_break() -> None:
    dense = level(*range(10))
    assert places(dense) == [list(range(10))]
    assert places(dense, [4]) == [[0, 1, 2, 3], [4, 5, 6, 7, 8, 9]]
    assert places(dense, [0, 10, 99]) == [list(range(10))]
    assert places(level()) == [[]]


def test_a_line_ends_where_nothing_was_known_for_longer_than_usual() -> None:
    assert places(level(0, 1, 2, 3, 8)) == [[0, 1, 2, 3], [8]]
    assert places(level(0, 1, 2, 3, 8), holds=True) == [[0, 1, 2, 3, 8]]
    assert places(level(0, 1, 2, 3, 8), [5], holds=True) == [[0, 1, 2, 3], [8]]
    assert places(level(0, 12, 24, 40, 97)) == [[0, 12, 24, 40], [97]]


def drawn(extents: Sequence[Extent | None]) -> list[tuple[str, str]]:
    found = curve(runs(extents, []), float, lambda value: 100.0 - value, "res", "")
    return [(kind, path) for path, kind in re.findall(r'<path d="([^"]*)" class="([^"]*)"', found)]


def test_the_highest_and_the_lowest_are_lines_with_a_veil_between() -> None:
    assert drawn(level(0, 1, 2)) == [("s-res", "M0.5,95.0L2.5,95.0")]
    assert drawn(level(0, 1, 2, low=1)) == [
        ("veil f-res", "M0.5,95.0L2.5,95.0L2.5,99.0L0.5,99.0z"),
        ("s-res low", "M0.5,99.0L2.5,99.0"),
        ("s-res", "M0.5,95.0L2.5,95.0"),
    ]


def test_there_is_no_veil_where_columns_are_empty() -> None:
    assert drawn(level(0, 10, 20, low=1)) == [
        ("s-res low", "M0.5,95.0V99.0M10.5,95.0V99.0M20.5,95.0V99.0"),
        ("s-res", "M0.5,95.0L20.5,95.0"),
    ]


def test_a_value_alone_is_a_point() -> None:
    assert drawn(level(7)) == [("s-res", "M6.8,95.0h1.4")]
