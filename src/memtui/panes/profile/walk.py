"""Ways through a call tree: a node goes by the names that lead to it, in whichever profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from memtui.pprof.calls import CallNode

Path: TypeAlias = tuple[str, ...]
"""The names from below the root to a node; () is the root."""


class Total(NamedTuple):
    """What a function comes to in all its places in a tree, and how many these are.

    A call below another one of the same function is part of that, and no place of its own.
    """

    value: int
    places: int


def totals(root: CallNode) -> Mapping[str, Total]:
    """Return the totals of all functions below the root, by name."""
    values: Counter[str] = Counter()
    places: Counter[str] = Counter()
    open_: Counter[str] = Counter()
    stack: list[CallNode | str] = [*root.children]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            open_[node] -= 1
        elif not node.folded:
            if not open_[node.name]:
                values[node.name] += node.value
                places[node.name] += 1
            open_[node.name] += 1
            stack += [node.name, *node.children]
    return {name: Total(values[name], places[name]) for name in places}


def trail(root: CallNode, path: Path) -> tuple[CallNode, ...]:
    """Return the nodes along a path, the root first, as far as they exist."""
    nodes = [root]
    for name in path:
        child = next((each for each in nodes[-1].children if each.name == name), None)
        if child is None:
            break
        nodes.append(child)
    return tuple(nodes)


def settled(root: CallNode, path: Path) -> Path:
    """Return a path as far as it exists in this tree: what was selected may be gone."""
    return path[: len(trail(root, path)) - 1]


def node_at(root: CallNode, path: Path) -> CallNode:
    """Return the node at the end of a path, or the last one that exists on it."""
    return trail(root, path)[-1]


def hottest(root: CallNode, path: Path = ()) -> Path:
    """Return the path from a node on along the largest call of each, down to a leaf."""
    path = settled(root, path)
    while largest := largest_call(node_at(root, path)):
        path = (*path, largest.name)
    return path


def largest_call(node: CallNode) -> CallNode | None:
    """Return the largest call of a node; None where it calls nothing that is known alone."""
    calls = [each for each in node.children if not each.folded]
    return max(calls, key=lambda each: abs(each.value), default=None)


def beside(root: CallNode, path: Path, step: int) -> Path:
    """Return the node to the right (1) or left (−1) of another, at its depth where there is one.

    At the end of its siblings the way goes on below the next sibling of its parent.
    """
    nodes = trail(root, path)
    path = path[: len(nodes) - 1]
    for depth in range(len(path), 0, -1):
        siblings = nodes[depth - 1].children
        at = next(i for i, each in enumerate(siblings) if each is nodes[depth]) + step
        if 0 <= at < len(siblings):
            return _down(siblings[at], path[: depth - 1], len(path), last=step < 0)
    return path


def _down(node: CallNode, above: Path, depth: int, *, last: bool) -> Path:
    """Return the path to a node and on along its first or last calls, ``depth`` names at most."""
    path = (*above, node.name)
    while len(path) < depth and node.children:
        node = node.children[-1 if last else 0]
        path = (*path, node.name)
    return path


def count_below(node: CallNode, most: int) -> int:
    """Count the nodes below one, up to ``most``."""
    counted, stack = 0, list(node.children)
    while stack and counted < most:
        node = stack.pop()
        counted += node.folded or 1
        stack += node.children
    return min(counted, most)
