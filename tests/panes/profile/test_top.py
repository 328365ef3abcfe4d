"""The lists of functions, and their growth since a base."""

from collections.abc import Callable, Sequence

import pytest

from memtui.panes.profile.base_view import NameListState
from memtui.panes.profile.formatting import Measure
from memtui.panes.profile.top import (
    ListOrder,
    TopList,
    compare,
    draw_growth,
    draw_top,
    growth_hint,
    order_growth,
    order_top,
    percent,
    top_hint,
)
from memtui.pprof.top import TopRow
from memtui.render.cells import Line, text_of

MIB = 1 << 20
PUT = "github.com/acme/shop/store.(*Cache[go.shape.string]).Put"
ROWS = (
    TopRow(PUT, 8 * MIB, 8 * MIB),
    TopRow("main.Map[int]", 2 * MIB, 3 * MIB),
    TopRow("main.\x1b[31mevil", 0, 12 * MIB),
    TopRow("main.[/x]大", 512, 512),
)
BYTES = Measure("bytes", 12 * MIB)

Shown = Callable[[Sequence[Line], int], str]


def names(data: TopList) -> list[str]:
    return [row.name for row in data.rows]


def test_the_columns_of_pprof_with_the_order_marked(shown: Shown) -> None:
    _, rows = draw_top(order_top(ROWS, BYTES, ListOrder()), NameListState(), 76, 6, focused=True)
    assert shown(rows, 76) == (
        """
  ▼flat  flat%  sum%    cum   cum% function
  8.00M  66.7% 66.7%  8.00M  66.7% store.(*Cache[go.shape.string]).Put
  2.00M  16.7% 83.3%  3.00M  25.0% main.Map[int]
   512B <0.01% 83.3%   512B <0.01% main.[/x]大
      0     0% 83.3%  12.0M   100% main.␛[31mevil

"""
    )
    assert rows[1][0].role == "selected"


def test_the_list_is_sorted_by_any_column_both_ways(shown: Shown) -> None:
    order = ListOrder()
    firsts = []
    for _ in range(3):
        firsts.append(names(order_top(ROWS, BYTES, order))[0])
        assert names(order_top(ROWS, BYTES, order.turned()))[-1] == firsts[-1]
        order = order.next()
    assert firsts == [PUT, "main.\x1b[31mevil", PUT]
    assert order == ListOrder()
    backwards = order_top(ROWS, BYTES, ListOrder("cum").turned())
    assert shown(draw_top(backwards, NameListState(), 38, 3, focused=False)[1], 38) == (
        """
   flat  flat%   ▲cum function
   512B <0.01%   512B main.[/x]大
  2.00M  16.7%  3.00M main.Map[int]
"""
    )


def test_running_sums_follow_the_order() -> None:
    data = order_top(ROWS, BYTES, ListOrder("name"))
    assert data.sums[-1] == sum(row.flat for row in ROWS)
    assert data.sums[0] == data.rows[0].flat


def test_a_difference_has_signs_and_is_sorted_by_amount(shown: Shown) -> None:
    rows = (TopRow("main.fell", -3 * MIB, -3 * MIB), TopRow("main.grew", 5 * MIB, 6 * MIB))
    fallen = order_top((*rows, TopRow("main.fell2", 0, -9 * MIB)), BYTES, ListOrder("cum"))
    assert names(fallen) == ["main.fell2", "main.grew", "main.fell"]
    data = order_top(rows, Measure("bytes", 8 * MIB, is_difference=True), ListOrder())
    _, lines = draw_top(data, NameListState(), 60, 3, focused=False)
    assert shown(lines, 60) == (
        """
  ▼flat  flat%  sum%    cum   cum% function
 +5.00M  62.5% 62.5% +6.00M  75.0% main.grew
 −3.00M −37.5% 25.0% −3.00M −37.5% main.fell
"""
    )
    roles = {span.text.strip(): span.role for row in lines for span in row}
    assert (roles["+5.00M"], roles["−3.00M"]) == ("grow", "shrink")


def test_huge_numbers_replace_columns_and_are_never_cut(shown: Shown) -> None:
    data = order_top([TopRow("main.huge", 2**62, 2**62)], Measure("count", 2**62), ListOrder())
    assert shown(draw_top(data, NameListState(), 38, 2, focused=False)[1], 38) == (
        """
               ▼flat function
 4611686018427387904 main.huge
"""
    )


@pytest.mark.parametrize("size", [(76, 6), (38, 3), (12, 2), (3, 1), (1, 1)])
def test_an_empty_list_and_a_tiny_screen_are_drawn(size: tuple[int, int], shown: Shown) -> None:
    width, height = size
    for rows in ((), ROWS):
        data = order_top(rows, BYTES, ListOrder())
        assert len(draw_top(data, NameListState(), width, height, focused=True)[1]) == height
    assert text_of(top_hint(order_top((), BYTES, ListOrder()), NameListState())) == "no samples"


def test_a_search_selects_marks_and_wraps_around() -> None:
    data = order_top(ROWS, BYTES, ListOrder())
    state = NameListState().searched(names(data), "MAIN")
    assert state.selection.row == 1
    seen: list[int | None] = [state.selection.row]
    for _ in range(3):
        state = state.to_match(names(data), 1)
        seen.append(state.selection.row)
    assert seen == [1, 2, 3, 1]
    assert state.to_match(names(data), -1).selection.row == 3
    assert state.searched(names(data), "nowhere").selection == state.selection
    assert state.searched(names(data), "main").selection.row == 1, "what matches stays selected"
    _, rows = draw_top(data, state, 60, 5, focused=False)
    assert [span.text for span in rows[2] if span.role == "match"] == ["main"]


def test_a_match_in_a_hidden_part_marks_the_whole_name() -> None:
    data = order_top(ROWS, BYTES, ListOrder())
    state = NameListState().searched(names(data), "acme")
    _, rows = draw_top(data, state, 76, 5, focused=False)
    shown = [span.text for span in rows[1] if span.role == "match"]
    assert shown == ["store.(*Cache[go.shape.string]).Put"]


def test_names_scroll_from_their_full_form_on() -> None:
    data = order_top(ROWS, BYTES, ListOrder())

    def first(state: NameListState) -> str:
        return text_of(draw_top(data, state, 70, 3, focused=False)[1][1])

    state = NameListState().sideways(names(data), 1)
    assert "% github.com/acme/shop/store.(*Ca" in first(state)
    state = state.sideways(names(data), 8)
    assert "% om/acme/shop/store.(*Ca" in first(state)
    assert state.sideways(names(data), -8).sideways(names(data), -1) == NameListState()
    far = state.sideways(names(data), 10**6)
    assert first(far).split()[-1] == PUT[-1], "something of the longest name is always seen"


def test_the_selected_row_stays_visible() -> None:
    rows = [TopRow(f"main.f{number:02}", 100 - number, 100) for number in range(50)]
    data = order_top(rows, Measure("count", 100), ListOrder())
    state, lines = draw_top(data, NameListState().moved(names(data), 30), 40, 6, focused=True)
    assert "main.f30" in text_of(lines[-1])
    assert text_of(top_hint(data, state)) == "main.f30"
    state, lines = draw_top(data, state.moved(names(data), -2), 40, 6, focused=True)
    assert "main.f28" in text_of(lines[-3])


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


def test_growth_comes_first_with_percent_and_growth_per_hour(shown: Shown) -> None:
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


def test_without_a_long_enough_time_there_is_no_growth_per_hour() -> None:
    for span_s in (None, 0.0, -60.0, 59.0):
        data = compare(BASE, NOW, "bytes", span_s)
        _, rows = draw_growth(data, NameListState(), 100, 3, focused=False)
        assert "hour" not in text_of(rows[0])
        assert "/h" not in text_of(growth_hint(data, NameListState()))


def test_growth_is_sorted_by_any_column_both_ways() -> None:
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


def test_functions_that_did_not_change_are_not_listed() -> None:
    assert {each.name for each in compare(BASE, NOW, "bytes").changes} == {
        "main.fell", "main.gone", "main.cache", "main.new[/x]\x07"
    }  # fmt: skip
    same = compare(BASE, BASE, "bytes", 60.0)
    assert same.changes == ()
    assert text_of(growth_hint(same, NameListState())) == "nothing changed since the base"
    assert len(draw_growth(same, NameListState(), 38, 4, focused=True)[1]) == 4


def test_the_hint_has_the_change() -> None:
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
