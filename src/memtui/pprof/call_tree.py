"""The stacks themselves: as a tree from the roots, and those that lead to one function."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from memtui.pprof.filters import prefilter
from memtui.pprof.lens import AS_PPROF, Lens
from memtui.pprof.nodes import build_nodes, walk
from memtui.pprof.stacks import Stacks


@dataclass(frozen=True, slots=True)
class CallNode:
    """One frame of the call tree: its value with all it called, its own, and what it called.

    Children come largest amount first; the last may stand for ``folded`` others that were too
    small to be shown, and then has no children of its own. The root has no name.
    """

    name: str
    value: int
    flat: int
    children: tuple[CallNode, ...] = ()
    folded: int = 0


@dataclass(frozen=True, slots=True)
class StackLine:
    """One way that leads to a function: the function first, then its callers up to the root."""

    frames: tuple[str, ...]
    value: int


_StackValues = list[tuple[tuple[int, ...], int]]


@dataclass(slots=True)
class _Branch:
    """A frame that grows: the stacks through it, and how deep it is in them."""

    node: int
    depth: int
    value: int
    stacks: _StackValues
    flat: int = 0
    children: list[_Branch] = field(default_factory=list)
    folded: tuple[int, int] = (0, 0)

    @property
    def is_deep(self) -> bool:
        """Whether it calls anything."""
        return any(len(path) > self.depth for path, _ in self.stacks)


def build_call_tree(
    stacks: Stacks, lens: Lens = AS_PPROF, *, most_nodes: int = 2000, under: Sequence[str] = ()
) -> CallNode:
    """Return the tree of calls from the roots, of at most ``most_nodes`` frames.

    The largest frames are opened first; of what is left the children of one frame are folded into
    "(n more)". ``under`` is a path of names from the root: the tree of what lies below it alone,
    as deep as the room allows. Raises as ``top`` does.
    """
    column = stacks.index_of(lens.sample_type)
    stacks, lens, _ = prefilter(stacks, lens)
    seen = build_nodes(stacks, lens)
    names = [str(node) for node in seen.nodes]
    merged: dict[tuple[int, ...], int] = defaultdict(int)
    for value, ids in walk(stacks, seen, column):
        path = [node for id_ in ids for node in seen.at[id_]]
        path.reverse()
        if tuple(names[node] for node in path[: len(under)]) == tuple(under):
            merged[tuple(path)] += value
    root = _Branch(-1, len(under), sum(merged.values()), list(merged.items()))
    _grow(root, most_nodes)
    return _freeze(root, names, under[-1] if under else "")


def _grow(root: _Branch, most: int) -> None:
    """Open the branch with the largest amount again and again, until there is no room.

    Each branch that has not been opened keeps the room for one frame: for what it calls, folded.
    """
    tie = count()
    waiting = [(0, next(tie), root)]
    room = most - 2
    while waiting:
        _, _, branch = heapq.heappop(waiting)
        below = _open(branch)
        room += 1
        for number, child in enumerate(below):
            is_last = number == len(below) - 1
            if 1 + child.is_deep + (not is_last) > room:
                branch.folded = (len(below) - number, sum(each.value for each in below[number:]))
                room -= 1
                break
            room -= 1 + child.is_deep
            branch.children.append(child)
            if child.is_deep:
                heapq.heappush(waiting, (-abs(child.value), next(tie), child))
            else:
                _open(child)


def _open(branch: _Branch) -> list[_Branch]:
    """Part the stacks of a branch by their next frame; what ends here is its own value."""
    parts: dict[int, _StackValues] = defaultdict(list)
    for stack in branch.stacks:
        path, value = stack
        if len(path) > branch.depth:
            parts[path[branch.depth]].append(stack)
        else:
            branch.flat += value
    branch.stacks = []
    below = [
        _Branch(node, branch.depth + 1, sum(value for _, value in part), part)
        for node, part in parts.items()
    ]
    below.sort(key=lambda each: -abs(each.value))
    return below


def _freeze(branch: _Branch, names: Sequence[str], name: str) -> CallNode:
    """Return a branch and all below it as facts; stacks may be deeper than Python recurses."""
    order = [branch]
    for each in order:
        order.extend(each.children)
    done: dict[int, CallNode] = {}
    for each in reversed(order):
        children = [done.pop(id(child)) for child in each.children]
        folded, value = each.folded
        if folded:
            children.append(CallNode(f"({folded} more)", value, 0, (), folded))
        own = name if each is branch else names[each.node]
        done[id(each)] = CallNode(own, each.value, each.flat, tuple(children))
    return done[id(branch)]


def stacks_leading_to(
    stacks: Stacks, name: str, lens: Lens = AS_PPROF, *, most: int = 100
) -> tuple[StackLine, ...]:
    """Return the ways that lead to a function, largest amount first, equal ones together.

    ``name`` is a row of ``top``. A way ends at the innermost call of the function, so their values
    together are its cum. Raises as ``top`` does.
    """
    column = stacks.index_of(lens.sample_type)
    stacks, lens, _ = prefilter(stacks, lens)
    seen = build_nodes(stacks, lens)
    names = [str(node) for node in seen.nodes]
    wanted = {number for number, each in enumerate(names) if each == name}
    places = frozenset(id_ for id_, nodes in seen.at.items() if not wanted.isdisjoint(nodes))
    merged: dict[tuple[int, ...], int] = defaultdict(int)
    for value, ids in walk(stacks, seen, column):
        if places.isdisjoint(ids):
            continue
        path = [node for id_ in ids for node in seen.at[id_]]
        start = next(place for place, node in enumerate(path) if node in wanted)
        merged[tuple(path[start:])] += value
    largest = heapq.nsmallest(most, merged.items(), key=lambda each: -abs(each[1]))
    return tuple(StackLine(tuple(names[node] for node in path), value) for path, value in largest)
