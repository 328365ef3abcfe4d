"""The call tree: expanded and collapsed, and indented only where it branches."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from shop import BYTES, MIB, PUT, SHOP

from memtui.panes.profile.call_tree import TreeState, draw, hint, status
from memtui.panes.profile.formatting import Measure
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import Line, text_of

TreeOf = Callable[[Mapping[str, int]], CallNode]
Shown = Callable[[Sequence[Line], int], str]


def test_the_tree_is_expanded_along_its_largest_calls(tree_of: TreeOf, shown: Shown) -> None:
    root = tree_of(SHOP)
    _, rows = draw(root, BYTES, TreeState.of(root), 76, 9, focused=True)
    assert shown(rows, 76) == (
        """
    cum  cum%   flat          call
  80.0M 80.0%      0 ██████▍  ├─▾ main.main
  72.0M 72.0%      0 █████▊   │ ├─▾ http.Serve
  60.0M 60.0%  20.0M ████▊    │ │ ├─▾ store.(*Cache[go.shape.string]).Put
  40.0M 40.0%  40.0M ███▎     │ │ │   runtime.mallocgc
  12.0M 12.0%      0 █        │ │ └─▸ main.handle (1 more)
  8.00M  8.0%  8.00M ▋        │ └── main.refill
  20.0M 20.0%      0 █▋       └─▸ runtime.mcall (1 more)

"""
    )


def test_in_a_small_pane_a_level_takes_one_cell(tree_of: TreeOf, shown: Shown) -> None:
    root = tree_of(SHOP)
    _, rows = draw(root, BYTES, TreeState.of(root), 38, 8, focused=False)
    assert shown(rows, 38) == (
        """
    cum  cum% call
  80.0M 80.0% ├▾ main.main
  72.0M 72.0% │├▾ http.Serve
  60.0M 60.0% ││├▾ (*Cache[…]).Put
  40.0M 40.0% │││  runtime.mallocgc
  12.0M 12.0% ││└▸ main.handle
  8.00M  8.0% │└─ main.refill
  20.0M 20.0% └▸ runtime.mcall
"""
    )


def test_only_calls_are_not_indented(tree_of: TreeOf, shown: Shown) -> None:
    root = tree_of({"a|b|c|d": 3, "a|b|c|e": 1})
    _, rows = draw(root, Measure("count", 4), TreeState.of(root), 50, 6, focused=False)
    assert [text_of(row)[21:].rstrip() for row in rows[1:]] == [
        "▾ a", "▾ b", "▾ c", "├─ d", "└─ e"
    ]  # fmt: skip


def test_very_deep_branches_are_cut_on_the_left(tree_of: TreeOf) -> None:
    root = tree_of({
        "|".join([*(f"f{each}" for each in range(depth)), f"g{depth}"]): 40 - depth
        for depth in range(30)
    })  # fmt: skip
    tree = TreeState.of(root).along_the_largest(root)
    _, rows = draw(root, Measure("count", root.value), tree, 38, 10, focused=True)
    assert all("f2" in text_of(row) or "g2" in text_of(row) for row in rows[1:])
    assert any("…" in text_of(row) for row in rows)


def test_left_collapses_or_goes_up_and_right_expands_or_goes_down(
    tree_of: TreeOf,
) -> None:
    root = tree_of(SHOP)
    tree = TreeState.of(root)
    assert tree.selected == ("main.main",)
    serve = tree.entered(root)
    assert serve.selected == ("main.main", "http.Serve"), "it is opened: go in"
    folded = serve.left()
    assert folded.selected == ("main.main", "http.Serve")
    assert ("main.main", "http.Serve") not in folded.opened
    assert folded.left().selected == ("main.main",)
    assert folded.entered(root).opened == serve.opened
    assert folded.toggled(root).toggled(root) == folded
    top = tree.left().left()
    assert top.selected == ("main.main",), "there is no caller above"


def test_expanding_continues_while_there_is_one_call(tree_of: TreeOf) -> None:
    root = tree_of({"a|b|c|d": 1, "a|b|c|e": 1, "z": 9})
    tree = TreeState.of(root).moved(root, 1).toggled(root)
    assert tree.opened == {("a",), ("a", "b"), ("a", "b", "c")}


def test_the_hottest_path_is_expanded_down_to_its_leaf(tree_of: TreeOf) -> None:
    root = tree_of(SHOP)
    tree = TreeState(selected=("main.main",)).along_the_largest(root)
    assert tree.selected == ("main.main", "http.Serve", PUT, "runtime.mallocgc")
    assert tree.folded() == TreeState(selected=("main.main",))


def test_a_search_expands_the_callers_of_a_match_and_marks_it(tree_of: TreeOf) -> None:
    root = tree_of(SHOP)
    tree = TreeState.of(root).searched(root, "json")
    assert tree.selected == ("main.main", "http.Serve", "main.handle", "encoding/json.Unmarshal")
    tree, rows = draw(root, BYTES, tree, 76, 9, focused=False)
    assert [span.text for row in rows for span in row if span.role == "match"] == ["json"]
    again = tree.searched(root, "main.").to_match(1)
    assert again.selected == ("main.main", "http.Serve", "main.handle")
    assert again.to_match(1).selected == ("main.main", "main.refill")
    assert again.to_match(1).to_match(1).selected == ("main.main",), "after the last the first"
    assert tree.searched(root, "nowhere").selected == tree.selected
    assert text_of(status(BYTES, again, 60)) == "/main.: 3 matches, 80.0%"
    assert text_of(status(BYTES, again, 21)) == "/main.: 3, 80.0%"
    assert text_of(status(BYTES, again, 14)) == "/ma…: 3, 80.0%"
    assert status(BYTES, TreeState.of(root), 60) == ()


def test_folded_calls_are_shown_as_a_number(shown: Shown) -> None:
    root = CallNode("", 9, 0, (CallNode("a", 5, 5), CallNode("(7 more)", 4, 0, (), 7)))
    _, rows = draw(root, Measure("count", 9), TreeState.of(root), 50, 3, focused=False)
    assert text_of(rows[2]).split() == ["4", "44.4%", "└─", "(7", "more)"]
    tree = TreeState.of(root).moved(root, 1)
    assert tree.selected == ("(7 more)",)
    assert tree.along_the_largest(root).selected == ("(7 more)",)
    assert tree.searched(root, "more").found.paths == ()


def test_the_selected_row_stays_visible(tree_of: TreeOf) -> None:
    root = tree_of({f"main.f{number:02}": 100 - number for number in range(40)})
    tree = TreeState.of(root)
    tree, rows = draw(root, Measure("count", 100), tree.moved(root, 25), 40, 6, focused=True)
    assert "main.f25" in text_of(rows[-1])
    tree, rows = draw(root, Measure("count", 100), tree.moved(root, -2), 40, 6, focused=True)
    assert "main.f23" in text_of(rows[-3]), "it does not scroll before it must"
    assert tree.moved(root, 10**6).selected == ("main.f39",)


def test_a_difference_has_signs_and_the_hint_has_the_details(tree_of: TreeOf, shown: Shown) -> None:
    root = tree_of({"main.main|main.grew": 6 * MIB, "main.main|main.fell": -2 * MIB})
    change = Measure("bytes", 8 * MIB, is_difference=True)
    tree, rows = draw(root, change, TreeState.of(root), 76, 4, focused=False)
    assert shown(rows, 76) == (
        """
    cum   cum%   flat          call
 +4.00M  50.0%      · ████     ▾ main.main
 +6.00M  75.0% +6.00M ██████   ├── main.grew
 −2.00M −25.0% −2.00M ██       └── main.fell
"""
    )
    tree = tree.moved(root, 2)
    assert text_of(hint(root, change, tree, {})) == (
        "−2.00M −25.0%, −50.0% of caller, flat −2.00M  main.fell"
    )


def test_an_empty_tree_is_drawn(tree_of: TreeOf) -> None:
    root = tree_of({})
    tree = TreeState.of(root)
    for step in (tree.moved(root, 1), tree.toggled(root), tree.entered(root), tree.left()):
        assert step.selected == ()
    assert len(draw(root, BYTES, tree, 40, 5, focused=True)[1]) == 5
    assert text_of(hint(root, BYTES, tree, {})) == "all samples  0"


def test_state_is_kept_in_the_tree_of_a_newer_profile(tree_of: TreeOf) -> None:
    tree = TreeState.of(tree_of(SHOP)).searched(tree_of(SHOP), "mallocgc")
    newer = tree_of({f"main.main|http.Serve|{PUT}": MIB, "main.main|main.refill": MIB})
    kept = tree.adapted_to(newer)
    assert kept.selected == ("main.main", "http.Serve", PUT)
    assert kept.opened == tree.opened
    assert kept.found.paths == ()


def test_a_large_expanded_tree_is_drawn_fast(tree_of: TreeOf) -> None:
    stacks = {
        "|".join(f"main.f{number >> shift}" for shift in range(12, -1, -1)): number + 1
        for number in range(2500)
    }
    root = tree_of(stacks)
    tree = TreeState.of(root).searched(root, "main").along_the_largest(root)
    tree = replace(tree, opened=frozenset(tree.found.paths))
    began = time.process_time()
    draw(root, Measure("count", root.value), tree, 158, 48, focused=True)
    assert time.process_time() - began < 0.5
