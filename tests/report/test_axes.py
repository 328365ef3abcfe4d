"""Round numbers and moments at the edges of a plot, and texts that are never markup."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.report import plots
from memtui.report.markup import MOST_CHARS, Markup, escaped, tag
from memtui.report.report_data import COLUMNS, ExtentPiece, fold_columns
from memtui.timeline import Extent

MIB = 1 << 20


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("span_s", "written"),
    [
        (10, ["23:59:52", "23:59:54", "23:59:56"]),
        (600, ["23:56", "23:58", "12-01 00:00"]),
        (3 * 86_400, ["12-01 00:00", "12:00", "12-02 00:00"]),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_moments_are_round_by_the_clock_of_the_zone(span_s: int, written: list[str]) -> None:
    midnight = 1_796_079_600.0  # 2026-12-01 00:00 in Berlin
    start = midnight - min(span_s, 300) + 0.5
    found = plots.times(start, start + span_s, 8)
    assert [text for _, text in found][:3] == written
    assert len(found) <= 8
    assert all(start <= at <= start + span_s for at, _ in found)
    assert plots.zone(midnight) == "CET, UTC+01:00"


@given(st.floats(1e-3, 1e13))
def test_ticks_reach_what_is_drawn_and_not_far_beyond(highest: float) -> None:
    for ticks in (plots.in_bytes(highest), plots.in_tens(highest)):
        assert ticks[0] == 0
        assert ticks[-1] >= highest * (1 - 1e-6)
        assert len(ticks) <= 6
    assert plots.in_tens(highest)[-1] <= 2.5 * highest


def test_ticks_of_sizes_are_powers_of_two() -> None:
    assert plots.in_bytes(61 * MIB) == [0, 16 * MIB, 32 * MIB, 48 * MIB, 64 * MIB]
    assert plots.in_tens(13) == [0, 5, 10, 15]


@given(st.text())
def test_a_text_is_never_markup(text: str) -> None:
    said = tag("p", text, title=text)
    assert said.count("<") == 2
    assert said.count('"') == 2


def test_what_is_markup_already_stays_and_a_long_text_is_cut() -> None:
    assert tag("p", tag("b", "x"), None, ["&", 3]) == "<p><b>x</b>&amp;3</p>"
    assert tag("meta", http_equiv="a", class_="b") == '<meta http-equiv="a" class="b">'
    assert len(escaped("x" * 5000)) == MOST_CHARS
    assert isinstance(escaped("x"), Markup)


def test_a_column_keeps_the_lowest_the_highest_and_the_last() -> None:
    def at(second: float, value: int, until: float | None = None) -> ExtentPiece:
        return ExtentPiece(second, until or second, "res", Extent(value, value, value))

    end = float(COLUMNS)
    pieces = [at(0, 5), at(0.5, 1), at(0.9, 3), at(300, 7, 301), at(end, 9)]
    columns = fold_columns([*pieces, at(-5, 1), at(end + 1, 1)], 0.0, end)
    res = columns.of("missing", "res")
    assert res[0] == Extent(1, 5, 3)
    assert res[300] == res[301] == Extent(7, 7, 7)
    assert res[COLUMNS - 1] == Extent(9, 9, 9)
    assert {place for place, extent in enumerate(res) if extent} == {0, 300, 301, COLUMNS - 1}
    assert list(columns.of("missing")) == [None] * COLUMNS
