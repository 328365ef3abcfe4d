"""What grew between two profiles: in bytes, in percent, an hour, growth first."""

from collections.abc import Callable, Sequence

import pytest

from memtui.panes.profile.base_view import NameListState
from memtui.panes.profile.top import (
    ListOrder,
    compare,
    draw_growth,
    growth_hint,
    order_growth,
    percent,
)
from memtui.pprof.top import TopRow
from memtui.render.cells import Line, text_of

MIB = 1 << 20
BASE = (
    TopRow("main.fell", 4 * MIB, 4 * MIB),
    TopRow("main.same", MIB, MIB),
    TopRow("main.gone", MIB, MIB),
    TopRow("main.cache", 10 * MIB, 10 * MIB),
)
NOW = (
    TopRow("main.fell", 3 * MIB, 3 * MIB),
    TopRow("main.same", MIB, MIB),
    TopRow("main.cache", 29 * MIB // 2, 16 * MIB),
    TopRow("main.new[/x]\x07", 2 * MIB, 2 * MIB),
)

Shown = Callable[[Sequence[Line], int], str]


def test_growth_comes_first_with_its_percent_and_its_hour(shown: Shown) -> None:
    _, rows = draw_growth(compare(BASE, NOW, "bytes", 1800.0), NameListState(), 80, 6, focused=True)
    assert shown(rows, 80) == (
        """
 ▼Δflat  grew   Δ/hour   flat   Δcum    cum function
 +4.50M  +45% +9.00M/h  14.5M +6.00M  16.0M main.cache
 +2.00M   new +4.00M/h  2.00M +2.00M  2.00M main.new[/x]␇
 −1.00M  −25% −2.00M/h  3.00M −1.00M  3.00M main.fell
 −1.00M  gone −2.00M/h      0 −1.00M      0 main.gone

"""
    )


def test_without_room_growth_and_percent_stay(shown: Shown) -> None:
    _, rows = draw_growth(
        compare(BASE, NOW, "bytes", 1800.0), NameListState(), 38, 5, focused=False
    )
    assert shown(rows, 38) == (
        """
 ▼Δflat  grew   Δcum function
 +4.50M  +45% +6.00M main.cache
 +2.00M   new +2.00M main.new[/x]␇
 −1.00M  −25% −1.00M main.fell
 −1.00M  gone −1.00M main.gone
"""
    )
    roles = {span.text.strip(): span.role for row in rows for span in row}
    assert (roles["+4.50M"], roles["−1.00M"]) == ("grow", "shrink")


def test_where_the_time_is_not_known_or_short_nothing_is_said_an_hour() -> None:
    for span_s in (None, 0.0, -60.0, 59.0):
        data = compare(BASE, NOW, "bytes", span_s)
        _, rows = draw_growth(data, NameListState(), 100, 3, focused=False)
        assert "hour" not in text_of(rows[0])
        assert "/h" not in text_of(growth_hint(data, NameListState()))


def test_it_goes_by_any_column_both_ways() -> None:
    data = compare(BASE, NOW, "bytes", None, ListOrder("cum"))
    assert data.changes[0].name == "main.cache"
    shrunk = order_growth(data, ListOrder("flat").turned())
    assert [each.growth for each in shrunk.changes] == [-MIB, -MIB, 2 * MIB, 9 * MIB // 2]
    named = order_growth(data, ListOrder("name"))
    assert [each.name for each in named.changes] == sorted(each.name for each in data.changes)
    heads = [
        text_of(draw_growth(each, NameListState(), 60, 1, focused=False)[1][0])
        for each in (shrunk, named)
    ]
    assert "▲Δflat" in heads[0]
    assert "▲function" in heads[1]


def test_what_did_not_change_is_left_out() -> None:
    assert {each.name for each in compare(BASE, NOW, "bytes").changes} == {
        "main.fell", "main.gone", "main.cache", "main.new[/x]\x07"
    }  # fmt: skip
    same = compare(BASE, BASE, "bytes", 60.0)
    assert same.changes == ()
    assert text_of(growth_hint(same, NameListState())) == "nothing changed since the base"
    assert len(draw_growth(same, NameListState(), 38, 4, focused=True)[1]) == 4


def test_the_change_in_words() -> None:
    data = compare(BASE, NOW, "bytes", 1800.0)
    assert (
        text_of(growth_hint(data, NameListState())) == "+4.50M 10.0M → 14.5M +9.00M/h  main.cache"
    )


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (10, 14, "+40%"), (10, 9, "−10%"), (0, 5, "new"), (5, 0, "gone"), (5, 5, "·"),
        (1000, 1001, "+<1%"), (10, 109, "+990%"), (10, 200, "×20"), (1, 10**9, "×10⁴+"),
        (0, 0, "·"), (-4, -2, "+50%"), (-4, -6, "−50%"),
    ],
)  # fmt: skip
def test_growth_in_percent(before: int, now: int, said: str) -> None:
    assert percent(before, now) == said
