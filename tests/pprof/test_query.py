"""The answers to queries of the dashboard are those of the reports."""

from pathlib import Path

import pytest

from memtui.parse.profile.decoder import read_stacks
from memtui.pprof.lens import Lens
from memtui.pprof.merge import difference
from memtui.pprof.query import (
    GrowthAnswer,
    PeekAnswer,
    Query,
    StacksAnswer,
    TopAnswer,
    TreeAnswer,
    answer,
)
from memtui.pprof.stacks import Stacks
from memtui.pprof.top import peek, top

SPACE = Lens("inuse_space")
ALL = Lens("inuse_space", nodefraction=0.0, edgefraction=0.0, nodecount=0)


@pytest.fixture
def then(data: Path) -> Stacks:
    return read_stacks((data / "profile/goroleak/heap.pb.gz").read_bytes())


@pytest.fixture
def now(data: Path) -> Stacks:
    return read_stacks((data / "profile/heapleak/heap.pb.gz").read_bytes())


def test_a_list_has_every_row_of_the_report(now: Stacks) -> None:
    whole = top(now, ALL, marks=False)
    expected = TopAnswer(whole.summary.type, whole.summary.total, whole.rows)
    coarse = Lens("inuse_space", nodefraction=0.5, nodecount=3)
    assert answer(now, None, Query("top", coarse)) == expected
    assert len(whole.rows) > len(top(now, coarse).rows)


@pytest.mark.parametrize("of_base", [False, True])
def test_growth_as_two_lists_or_as_a_difference(now: Stacks, then: Stacks, of_base: bool) -> None:
    found = answer(now, then, Query("top", SPACE, of_base=of_base))
    if of_base:
        whole = top(difference(now, then, diff_base=True), ALL, marks=False)
        assert isinstance(found, TopAnswer)
        assert (found.rows, found.total) == (whole.rows, whole.summary.total)
    else:
        assert isinstance(found, GrowthAnswer)
        assert found.now == top(now, ALL, marks=False).rows
        assert found.base == top(then, ALL, marks=False).rows


def test_a_function_comes_with_its_neighbours_and_the_stacks_to_it(now: Stacks) -> None:
    found = answer(now, None, Query("peek", SPACE, "main.main"))
    assert isinstance(found, PeekAnswer)
    assert found.peek == peek(now, "main.main", ALL, exact=True).entries[0]
    assert sum(stack.value for stack in found.stacks) == found.peek.row.cum


@pytest.mark.parametrize("of_base", [False, True])
def test_a_tree_and_a_list_have_the_same_total(now: Stacks, then: Stacks, of_base: bool) -> None:
    for base in (None, then):
        seen = now if base is None else difference(now, base, diff_base=of_base)
        found = answer(now, base, Query("calls", SPACE, of_base=of_base))
        assert isinstance(found, TreeAnswer)
        assert found.total == top(seen, ALL, marks=False).summary.total


def test_stacks_come_with_those_of_the_base(now: Stacks, then: Stacks) -> None:
    alone, both = (answer(now, base, Query("stacks", SPACE)) for base in (None, then))
    assert isinstance(alone, StacksAnswer)
    assert isinstance(both, StacksAnswer)
    assert alone.base is None
    assert alone.now == both.now
    assert alone.total == top(now, ALL, marks=False).summary.total
    assert len({stack.frames for stack in alone.now}) == len(alone.now)
    assert both.base == answer(then, None, Query("stacks", SPACE)).now  # type: ignore[union-attr]
