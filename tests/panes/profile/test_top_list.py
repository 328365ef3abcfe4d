"""The top list: the columns of pprof -top, in any order, searched, and moved sideways."""

from collections.abc import Callable, Sequence

import pytest

from memtui.panes.profile.base_view import NameListState
from memtui.panes.profile.formatting import Measure
from memtui.panes.profile.top import ListOrder, TopList, draw_top, order_top, top_hint
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


def test_any_column_orders_the_list_both_ways(shown: Shown) -> None:
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


def test_the_sums_follow_the_order_that_is_shown() -> None:
    data = order_top(ROWS, BYTES, ListOrder("name"))
    assert data.sums[-1] == sum(row.flat for row in ROWS)
    assert data.sums[0] == data.rows[0].flat


def test_a_difference_has_signs_and_goes_by_amounts(shown: Shown) -> None:
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


def test_huge_numbers_push_columns_out_and_are_never_cut(shown: Shown) -> None:
    data = order_top([TopRow("main.huge", 2**62, 2**62)], Measure("count", 2**62), ListOrder())
    assert shown(draw_top(data, NameListState(), 38, 2, focused=False)[1], 38) == (
        """
               ▼flat function
 4611686018427387904 main.huge
"""
    )


@pytest.mark.parametrize("size", [(76, 6), (38, 3), (12, 2), (3, 1), (1, 1)])
def test_an_empty_list_and_a_tiny_screen_are_survived(size: tuple[int, int], shown: Shown) -> None:
    width, height = size
    for rows in ((), ROWS):
        data = order_top(rows, BYTES, ListOrder())
        assert len(draw_top(data, NameListState(), width, height, focused=True)[1]) == height
    assert text_of(top_hint(order_top((), BYTES, ListOrder()), NameListState())) == "no samples"


def test_a_search_selects_and_marks_and_goes_round() -> None:
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


def test_a_match_in_what_is_not_shown_marks_the_whole_name() -> None:
    data = order_top(ROWS, BYTES, ListOrder())
    state = NameListState().searched(names(data), "acme")
    _, rows = draw_top(data, state, 76, 5, focused=False)
    shown = [span.text for span in rows[1] if span.role == "match"]
    assert shown == ["store.(*Cache[go.shape.string]).Put"]


def test_names_move_sideways_from_their_full_form_on() -> None:
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


def test_the_selected_row_stays_in_sight() -> None:
    rows = [TopRow(f"main.f{number:02}", 100 - number, 100) for number in range(50)]
    data = order_top(rows, Measure("count", 100), ListOrder())
    state, lines = draw_top(data, NameListState().moved(names(data), 30), 40, 6, focused=True)
    assert "main.f30" in text_of(lines[-1])
    assert text_of(top_hint(data, state)) == "main.f30"
    state, lines = draw_top(data, state.moved(names(data), -2), 40, 6, focused=True)
    assert "main.f28" in text_of(lines[-3])
