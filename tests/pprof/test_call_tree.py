"""The call tree and the stacks to a function add up to the profile, within a limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from randomprofile import RandomProfile

from memtui.parse.profile.decoder import read_stacks
from memtui.pprof.call_tree import CallNode, StackLine, build_call_tree, stacks_leading_to
from memtui.pprof.lens import Lens
from memtui.pprof.stacks import Function, Labels, Line, Location, Sample, SampleType, Stack, Stacks
from memtui.pprof.top import top


def made(*stacks: tuple[str, int]) -> Stacks:
    """Build stacks from "leaf caller root" and a value."""
    names = sorted({name for frames, _ in stacks for name in frames.split()})
    ids = {name: number for number, name in enumerate(names, 1)}
    samples = [Stack(tuple(ids[name] for name in frames.split()), (v,)) for frames, v in stacks]

    def labelled() -> Iterator[tuple[Sample, Labels]]:
        return ((sample, ()) for sample in samples)

    return Stacks(
        types=(SampleType("inuse_space", "bytes"),),
        samples=lambda: iter(samples),
        labelled=labelled,
        locations={ids[name]: Location((Line(Function(name)),)) for name in names},
    )


SHOP = made(
    ("make load main", 60),
    ("make parse load main", 25),
    ("parse load main", 5),
    ("make serve", 8),
    ("wait serve", 2),
    ("make load main", 10),
)


def picture(node: CallNode, depth: int = 0) -> list[str]:
    """Return a tree as lines: name, cum and flat."""
    own = f" {node.flat}" if node.flat else ""
    lines = [f"{'  ' * depth}{node.name} {node.value}{own}".rstrip()]
    return lines + [line for child in node.children for line in picture(child, depth + 1)]


def test_the_call_tree_from_the_root_largest_first() -> None:
    assert picture(build_call_tree(SHOP)) == [
        " 110",
        "  main 100",
        "    load 100",
        "      make 70 70",
        "      parse 30 5",
        "        make 25 25",
        "  serve 10",
        "    make 8 8",
        "    wait 2 2",
    ]


def test_small_calls_are_folded_below_their_caller() -> None:
    assert picture(build_call_tree(SHOP, most_nodes=7)) == [
        " 110",
        "  main 100",
        "    load 100",
        "      make 70 70",
        "      (1 more) 30",
        "  serve 10",
        "    (2 more) 10",
    ]
    assert picture(build_call_tree(SHOP, most_nodes=2)) == [" 110", "  (2 more) 110"]


def test_the_tree_below_a_path_is_as_deep_as_the_limit_allows() -> None:
    assert picture(build_call_tree(SHOP, under=("main", "load"), most_nodes=4)) == [
        "load 100",
        "  make 70 70",
        "  parse 30 5",
        "    make 25 25",
    ]


def test_the_stacks_that_lead_to_a_function() -> None:
    assert stacks_leading_to(SHOP, "make") == (
        StackLine(("make", "load", "main"), 70),
        StackLine(("make", "parse", "load", "main"), 25),
        StackLine(("make", "serve"), 8),
    )
    assert stacks_leading_to(SHOP, "load", most=1) == (StackLine(("load", "main"), 100),)
    assert stacks_leading_to(SHOP, "nobody") == ()


def test_recursion_ends_at_the_innermost_call() -> None:
    twice = made(("leaf walk walk main", 3))
    assert stacks_leading_to(twice, "walk") == (StackLine(("walk", "walk", "main"), 3),)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("lens", [Lens(), Lens(granularity="lines", focus="main")])
def test_nothing_is_lost(seed: int, lens: Lens) -> None:
    stacks = read_stacks(RandomProfile(seed).data)
    whole = build_call_tree(stacks, lens, most_nodes=10_000)
    small = build_call_tree(stacks, lens, most_nodes=12)
    assert whole.value == small.value
    for root, most in ((whole, 10_000), (small, 12)):
        nodes = [root]
        for node in nodes:
            nodes.extend(node.children)
            if node.children:
                assert node.value == node.flat + sum(child.value for child in node.children)
        assert len(nodes) <= most
    rows = top(stacks, replace(lens, nodefraction=0.0))
    for row in rows.rows[:5]:
        ways = stacks_leading_to(stacks, row.name, lens, most=10_000)
        if [each.name for each in rows.rows].count(row.name) == 1:
            assert sum(way.value for way in ways) == row.cum


def test_a_very_deep_stack_needs_no_recursion() -> None:
    deep = made((" ".join(f"f{number}" for number in range(5000)), 1))
    node, depth = build_call_tree(deep, most_nodes=10_000), 0
    while node.children:
        node, depth = node.children[0], depth + 1
    assert depth == 5000


def test_packages_of_functions() -> None:
    stacks = made(
        ("net/http.(*conn).serve", 1),
        ("net/http.Get", 2),
        ("example.com/a.b/c.(*Set[example.com/d.E]).Add", 4),
        ("main.Map[go.shape.int]", 8),
        ("malloc", 16),
    )
    rows = top(stacks, Lens(granularity="packages", nodefraction=0)).rows
    assert [(row.name, row.flat) for row in rows] == [
        ("malloc", 16),
        ("main", 8),
        ("example.com/a.b/c", 4),
        ("net/http", 3),
    ]
