"""What a search in a call tree finds."""

from collections.abc import Callable, Mapping

from memtui.panes.profile.call_paths import NO_MATCHES, matches_line, search
from memtui.panes.profile.formatting import Measure
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import text_of

TreeOf = Callable[[Mapping[str, int]], CallNode]

STACKS = {"main|store.Put|store.grow": 30, "main|store.Put": 10, "main|log|store.Get": 20, "x": 40}
COUNT = Measure("count", 100)


def test_a_match_below_another_adds_nothing(tree_of: TreeOf) -> None:
    found = search(tree_of(STACKS), "STORE")
    assert found.value == 60
    assert found.paths == (
        ("main", "store.Put"), ("main", "store.Put", "store.grow"), ("main", "log", "store.Get")
    )  # fmt: skip
    assert text_of(matches_line(found, COUNT, 40)) == "/STORE: 3 matches, 60.0%"


def test_matches_follow_each_other_round(tree_of: TreeOf) -> None:
    found = search(tree_of(STACKS), "store")
    first, second, third = found.paths
    assert found.after(first, 1) == second
    assert found.after(first, -1) == third
    assert found.after(("x",), 1) == first
    assert found.after(("x",), -1) == third


def test_nothing_is_found_where_nothing_is(tree_of: TreeOf) -> None:
    assert search(tree_of(STACKS), "") == NO_MATCHES
    nowhere = search(tree_of(STACKS), "[/x]\x1b")
    assert nowhere.after(("x",), 1) is None
    assert text_of(matches_line(nowhere, COUNT, 40)) == "/[/x]␛: 0 matches"
    assert matches_line(nowhere, COUNT, 40)[0].role == "bad"
    assert matches_line(NO_MATCHES, COUNT, 40) == ()


def test_what_stands_for_many_is_not_searched() -> None:
    root = CallNode("", 9, 0, (CallNode("a", 1, 1), CallNode("(8 more)", 8, 0, (), 8)))
    assert search(root, "more").paths == ()
