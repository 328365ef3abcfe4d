"""The flame graph: the root on top, boxes as wide as their share."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import BYTES, MIB, PUT, SHOP

from memtui.panes.profile.call_paths import totals
from memtui.panes.profile.flame import FlameState, boxes, draw, hint, shade, status
from memtui.panes.profile.formatting import Measure
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import Line, Role, text_of

TreeOf = Callable[[Mapping[str, int]], CallNode]
Shown = Callable[[Sequence[Line], int], str]


def roles(rows: Sequence[Line], word: str) -> set[Role]:
    """Return the roles of the spans with a word."""
    return {span.role for row in rows for span in row if word in span.text}


def test_boxes_are_as_wide_as_their_share(tree_of: TreeOf, shown: Shown) -> None:
    rows = draw(tree_of(SHOP), BYTES, FlameState(), 100, 6, focused=True)
    assert shown(rows, 100) == (
        """
▸all  100M 100%
 main.main  80.0M 80.0%                                                         │runtime.mcall 20.0%
 http.Serve  72.0M 72.0%                                                │refill │runtime.park_m
 store.(*Cache[go.shape.string]).Put  60.0M 60.0%           │main.handle│
 runtime.mallocgc  40.0M 40.0%          │                   │Unmarshal  │

"""
    )


def test_in_a_small_pane_the_package_is_dropped_before_a_name_is_cut(
    tree_of: TreeOf, shown: Shown
) -> None:
    rows = draw(tree_of(SHOP), BYTES, FlameState(), 38, 5, focused=False)
    assert shown(rows, 38) == (
        """
 all  100M 100%
 main.main  80.0M 80.0%       │mcall
 http.Serve  72.0M 72.0%   │  │park_m
 store.(*Cache[…]).Put│han…│
 mallocgc 40.0%│      │Unm…│
"""
    )


def test_edges_separate_boxes_and_colours_separate_packages(tree_of: TreeOf) -> None:
    root = tree_of({"main.a": 5, "main.b": 5})
    rows = draw(root, Measure("count", 10), FlameState(), 20, 2, focused=False)
    assert text_of(rows[1]) == " main.a   │main.b   "
    assert shade("main.a") == "flame-1"
    assert shade("runtime.mallocgc") == shade("net/http.(*conn).serve") == "flame-3"
    assert {shade(f"github.com/acme/{name}.Do") for name in "abcdef"} == {"flame-1", "flame-2"}


def test_a_zoomed_box_has_the_full_width_until_zoomed_out(tree_of: TreeOf, shown: Shown) -> None:
    root = tree_of(SHOP)
    flame = FlameState().to_child(root).to_child(root).to_child(root).zoomed()
    assert flame.zoom == ("main.main", "http.Serve", PUT)
    assert shown(draw(root, BYTES, flame, 60, 6, focused=True), 60) == (
        """
 main.main  80.0M 80.0%
 http.Serve  72.0M 72.0%
▸store.(*Cache[go.shape.string]).Put  60.0M 60.0%
 runtime.mallocgc  40.0M 40.0%          │


"""
    )
    assert text_of(status(root, BYTES, flame, 30)) == "in store.(*Cache[go.shape.str…"
    above = flame.to_parent()
    assert above.selected == ("main.main", "http.Serve"), "what is above is a bar too"
    assert above.to_child(root).selected == flame.zoom, "and leads back"
    assert above.along_the_largest(root).selected == (*flame.zoom, "runtime.mallocgc")
    assert above.adapted_to(root) == above
    assert above.zoomed().zoom == above.selected, "a bar above zooms out to it"
    assert above.to_parent().to_parent().zoomed().zoom == ()
    assert flame.to_sibling(root, 1) == flame
    assert flame.back().zoom == ()
    assert flame.back().selected == flame.selected


def test_the_keys_select_caller_callee_and_neighbour(tree_of: TreeOf) -> None:
    root = tree_of(SHOP)
    serve = FlameState().to_child(root).to_child(root)
    assert serve.selected == ("main.main", "http.Serve")
    assert serve.to_sibling(root, 1).selected == ("main.main", "main.refill")
    beyond = serve.to_sibling(root, 1).to_sibling(root, 1)
    assert beyond.selected == ("runtime.mcall", "runtime.park_m"), "the next box in its row"
    assert beyond.to_sibling(root, 1) == beyond
    assert beyond.to_sibling(root, -1).selected == ("main.main", "main.refill")
    assert serve.to_parent().to_parent().to_parent().selected == ()


def test_a_key_follows_the_largest_calls_to_a_leaf(tree_of: TreeOf) -> None:
    root = tree_of(SHOP)
    leaf = ("main.main", "http.Serve", PUT, "runtime.mallocgc")
    assert FlameState().along_the_largest(root).selected == leaf
    elsewhere = FlameState(selected=("runtime.mcall",)).along_the_largest(root)
    assert elsewhere.selected == ("runtime.mcall", "runtime.park_m")


def test_a_deep_selection_is_scrolled_into_view(tree_of: TreeOf) -> None:
    deep = "|".join(f"main.f{depth}" for depth in range(30))
    root = tree_of({deep: 1})
    flame = FlameState()
    for _ in range(20):
        flame = flame.to_child(root)
    rows = draw(root, Measure("count", 1), flame, 30, 6, focused=True)
    assert [text_of(row).split()[0] for row in rows] == [
        "main.f15", "main.f16", "main.f17", "main.f18", "▸main.f19", "main.f20"
    ]  # fmt: skip


def test_a_search_marks_all_matches_and_shows_the_sum_of_the_outermost(tree_of: TreeOf) -> None:
    root = tree_of({
        "main.main|store.Put|store.grow": 30,
        "main.main|store.Put": 10,
        "main.main|store.Get": 20,
        "main.main|http.Serve": 40,
    })  # fmt: skip
    count = Measure("count", 100)
    flame = FlameState().searched(root, "STORE")
    assert flame.selected == ("main.main", "store.Put")
    assert text_of(status(root, count, flame, 60)) == "/STORE: 3 matches, 60.0%"
    rows = draw(root, count, flame, 80, 4, focused=True)
    assert roles(rows, "store.Put") == {"selected"}
    assert roles(rows, "store.Get") == roles(rows, "store.grow") == {"match"}
    assert text_of(rows[2]).startswith("▸store.Put")
    assert "┃store.Get" in text_of(rows[2]), "without colour too"
    assert flame.to_match(1).selected == ("main.main", "store.Put", "store.grow")
    assert flame.to_match(-1).selected == ("main.main", "store.Get")
    nothing = FlameState().searched(root, "nowhere")
    assert text_of(status(root, count, nothing, 60)) == "/nowhere: 0 matches"


def test_a_match_outside_of_the_zoom_zooms_out(tree_of: TreeOf) -> None:
    root = tree_of(SHOP)
    flame = FlameState().to_child(root).to_child(root).zoomed().searched(root, "mcall")
    assert flame.selected == ("runtime.mcall",)
    assert flame.zoom == ()


def test_calls_too_small_to_be_seen_share_a_box(tree_of: TreeOf, shown: Shown) -> None:
    root = tree_of({"main.large": 80, **{f"main.f{number}": 1 for number in range(20)}})
    few = CallNode("", 100, 0, (CallNode("main.a", 60, 60), CallNode("(9 more)", 40, 0, (), 9)))
    count = Measure("count", 100)
    assert shown(draw(root, count, FlameState(), 40, 2, focused=False)[1:], 40) == (
        "\n main.large  80 80.0%           │20 more\n"
    )
    assert (
        text_of(draw(root, count, FlameState(), 20, 2, focused=False)[1]) == " main.large     │…20"
    )
    assert text_of(draw(root, count, FlameState(), 10, 2, focused=False)[1]) == " large  │…"
    assert shown(draw(few, count, FlameState(), 40, 2, focused=False)[1:], 40) == (
        "\n main.a  60 60.0%       │9 more\n"
    )


def test_in_a_difference_boxes_are_as_wide_as_their_change_and_have_signs(
    tree_of: TreeOf, shown: Shown
) -> None:
    root = tree_of({"main.main|main.grew": 6 * MIB, "main.main|main.fell": -2 * MIB})
    change = Measure("bytes", 8 * MIB, is_difference=True)
    rows = draw(root, change, FlameState(), 60, 3, focused=False)
    assert shown(rows, 60) == (
        """
 all  +4.00M 50.0%
 main.main  +4.00M 50.0%
 main.grew  +6.00M 75.0%                     │−main.fell
"""
    )
    assert roles(rows, "main.grew") == {"grow"}
    assert roles(rows, "main.fell") == {"shrink"}


def test_the_hint_describes_the_selected_box(tree_of: TreeOf) -> None:
    root = tree_of(SHOP)
    flame = FlameState(selected=("main.main", "http.Serve", PUT))
    assert text_of(hint(root, BYTES, flame, totals(root))) == (
        f"60.0M 60.0%, 83.3% of caller, flat 20.0M  {PUT}"
    )
    assert text_of(hint(root, BYTES, FlameState(), {})) == "all samples  100M"


def test_the_hint_has_the_total_of_all_places_of_a_function(tree_of: TreeOf) -> None:
    root = tree_of({"main.a|main.put": 30, "main.b|main.put|main.put": 20, "main.c": 50})
    flame = FlameState(selected=("main.a", "main.put"))
    said = text_of(hint(root, Measure("count", 100), flame, totals(root)))
    assert said == "30 30.0%, 100% of caller, flat 30, total in 2 places 50 50.0%  main.put"
    assert totals(root)["main.c"] == (50, 1)


def test_a_box_missing_in_a_newer_profile_is_replaced_by_its_caller(tree_of: TreeOf) -> None:
    old, new = tree_of(SHOP), tree_of({"main.main|main.refill": 1})
    flame = FlameState(selected=("main.main", "http.Serve", PUT)).zoomed().adapted_to(old)
    assert flame.zoom == ("main.main", "http.Serve", PUT)
    assert flame.adapted_to(new) == FlameState(selected=("main.main",))
    assert draw(new, BYTES, flame, 40, 3, focused=True), "a state of another tree is survived"


def test_a_profile_without_samples_is_one_box(tree_of: TreeOf) -> None:
    rows = draw(tree_of({}), Measure("bytes", 0), FlameState(), 20, 3, focused=True)
    assert text_of(rows[0]) == "▸all  0 0%          "
    assert FlameState().to_child(tree_of({})) == FlameState()


@pytest.mark.parametrize("name", ["main.[/x]", "main.\x1b[31mevil", "main.大大", "a\u202eb"])
def test_foreign_names_are_shown_as_plain_text(tree_of: TreeOf, name: str) -> None:
    root = tree_of({name: 1})
    for width in (8, 40):
        text = text_of(draw(root, Measure("count", 1), FlameState(), width, 2, focused=True)[1])
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "[/x]" in text or name != "main.[/x]"


@given(st.lists(st.tuples(st.text("abc", max_size=4), st.integers(-9, 99)), max_size=12), st.data())
def test_boxes_are_inside_their_caller_and_do_not_overlap(
    stacks: list[tuple[str, int]], data: st.DataObject
) -> None:
    def node(name: str, stacks: list[tuple[str, int]]) -> CallNode:
        names = {frames[0] for frames, _ in stacks if frames}
        below = [
            node(each, [(frames[1:], value) for frames, value in stacks if frames[:1] == each])
            for each in sorted(names)
        ]
        return CallNode(name, sum(value for _, value in stacks), 0, tuple(below))

    width = data.draw(st.integers(1, 60))
    rows = boxes(node("", stacks), (), width, 6)
    for above, row in pairwise(rows):
        ends = [(box.x, box.x + box.width) for box in row]
        assert all(end <= start for (_, end), (start, _) in pairwise(ends))
        assert all(
            any(box.x <= start and end <= box.x + box.width for box in above) for start, end in ends
        )


def test_a_large_tree_is_drawn_fast(tree_of: TreeOf) -> None:
    stacks = {
        "|".join(f"main.f{number >> shift}" for shift in range(12, -1, -1)): number + 1
        for number in range(3000)
    }
    root = tree_of(stacks)
    began = time.process_time()
    draw(root, Measure("count", root.value), FlameState(), 158, 48, focused=True)
    assert time.process_time() - began < 0.5
