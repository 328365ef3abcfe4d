"""Paths, totals and searches in a call tree."""

from collections.abc import Callable, Mapping

import pytest

from memtui.panes.profile.call_paths import (
    NO_MATCHES,
    Path,
    count_below,
    existing_path,
    hottest,
    largest_call,
    matches_line,
    node_at,
    nodes_along,
    path_beside,
    search,
)
from memtui.panes.profile.formatting import Measure
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import text_of

TreeOf = Callable[[Mapping[str, int]], CallNode]

STACKS = {"a|b|c": 5, "a|b|d": 3, "a|e": 2, "f|g": 4, "h": 1}


def test_a_path_is_followed_as_far_as_it_exists(tree_of: TreeOf) -> None:
    root = tree_of(STACKS)
    assert [node.name for node in nodes_along(root, ("a", "b", "c"))] == ["", "a", "b", "c"]
    assert existing_path(root, ("a", "x", "c")) == ("a",)
    assert node_at(root, ("a", "x", "c")).name == "a"
    assert node_at(root, ()) is root


def test_the_hottest_path_ends_at_a_leaf(tree_of: TreeOf) -> None:
    root = tree_of(STACKS)
    assert hottest(root) == ("a", "b", "c")
    assert hottest(root, ("f",)) == ("f", "g")
    many = CallNode("", 9, 0, (CallNode("small", 1, 1), CallNode("(8 more)", 8, 0, (), 8)))
    assert hottest(many) == ("small",)
    assert largest_call(CallNode("leaf", 1, 1)) is None


@pytest.mark.parametrize(
    ("path", "right", "left"),
    [
        (("a", "b", "c"), ("a", "b", "d"), ("a", "b", "c")),
        (("a", "b", "d"), ("a", "e"), ("a", "b", "c")),
        (("a", "e"), ("f", "g"), ("a", "b")),
        (("f", "g"), ("h",), ("a", "e")),
        (("h",), ("h",), ("f",)),
        ((), (), ()),
    ],
)
def test_the_next_node_is_at_the_same_depth_or_above(
    tree_of: TreeOf, path: Path, right: Path, left: Path
) -> None:
    root = tree_of(STACKS)
    assert path_beside(root, path, 1) == right
    assert path_beside(root, path, -1) == left


def test_folded_nodes_are_counted_too(tree_of: TreeOf) -> None:
    assert count_below(tree_of(STACKS), 100) == 8
    assert count_below(tree_of(STACKS), 3) == 3
    many = CallNode("", 9, 0, (CallNode("small", 1, 1), CallNode("(8 more)", 8, 0, (), 8)))
    assert count_below(many, 100) == 9


STORES = {"main|store.Put|store.grow": 30, "main|store.Put": 10, "main|log|store.Get": 20, "x": 40}
COUNT = Measure("count", 100)


def test_a_match_below_another_adds_nothing(tree_of: TreeOf) -> None:
    found = search(tree_of(STORES), "STORE")
    assert found.value == 60
    assert found.paths == (
        ("main", "store.Put"), ("main", "store.Put", "store.grow"), ("main", "log", "store.Get")
    )  # fmt: skip
    assert text_of(matches_line(found, COUNT, 40)) == "/STORE: 3 matches, 60.0%"


def test_matches_wrap_around(tree_of: TreeOf) -> None:
    found = search(tree_of(STORES), "store")
    first, second, third = found.paths
    assert found.after(first, 1) == second
    assert found.after(first, -1) == third
    assert found.after(("x",), 1) == first
    assert found.after(("x",), -1) == third


def test_a_search_without_matches(tree_of: TreeOf) -> None:
    assert search(tree_of(STORES), "") == NO_MATCHES
    nowhere = search(tree_of(STORES), "[/x]\x1b")
    assert nowhere.after(("x",), 1) is None
    assert text_of(matches_line(nowhere, COUNT, 40)) == "/[/x]␛: 0 matches"
    assert matches_line(nowhere, COUNT, 40)[0].role == "bad"
    assert matches_line(NO_MATCHES, COUNT, 40) == ()


def test_folded_nodes_are_not_searched() -> None:
    root = CallNode("", 9, 0, (CallNode("a", 1, 1), CallNode("(8 more)", 8, 0, (), 8)))
    assert search(root, "more").paths == ()
