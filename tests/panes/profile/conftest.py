"""Fixtures that make call trees from stacks, and text from drawn lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from memtui.pprof.call_tree import CallNode
from memtui.render.cells import Line, cells, text_of

TreeOf = Callable[[Mapping[str, int]], CallNode]
Shown = Callable[[Sequence[Line], int], str]


def _node(name: str, stacks: Sequence[tuple[tuple[str, ...], int]]) -> CallNode:
    below: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for frames, value in stacks:
        if frames:
            below.setdefault(frames[0], []).append((frames[1:], value))
    children = [_node(each, rest) for each, rest in below.items()]
    children.sort(key=lambda each: -abs(each.value))
    flat = sum(value for frames, value in stacks if not frames)
    return CallNode(name, sum(value for _, value in stacks), flat, tuple(children))


@pytest.fixture
def tree_of() -> TreeOf:
    """Make a call tree of stacks, root first: {"main.main|main.work": 5}."""

    def make(stacks: Mapping[str, int]) -> CallNode:
        return _node("", [(tuple(names.split("|")), value) for names, value in stacks.items()])

    return make


@pytest.fixture
def shown() -> Shown:
    """Return the text of lines without trailing spaces; all must be ``width`` wide."""

    def show(lines: Sequence[Line], width: int) -> str:
        assert {cells(row) for row in lines} <= {width}
        return "\n" + "\n".join(text_of(row).rstrip() for row in lines) + "\n"

    return show
