"""Builds the call tree from the root, and lists the stacks that lead to one function."""

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
    """One frame of the call tree: its cum (``value``), its flat, and the frames it called.

    Children come largest amount first. The last child may stand for ``folded`` small ones; it has
    no children then. The root has no name.
    """

    name: str
    value: int
    flat: int
    children: tuple[CallNode, ...] = ()
    folded: int = 0


@dataclass(frozen=True, slots=True)
class StackLine:
    """A stack, leaf first, and the sum of its samples."""

    frames: tuple[str, ...]
    value: int


_StackValues = list[tuple[tuple[int, ...], int]]


@dataclass(slots=True)
class _Branch:
    """A frame of the tree under construction: its depth, and the stacks through it."""

    node: int
    depth: int
    value: int
    stacks: _StackValues
    flat: int = 0
    children: list[_Branch] = field(default_factory=list)
    folded: tuple[int, int] = (0, 0)

    @property
    def is_deep(self) -> bool:
        """Whether it has callees."""
        return any(len(path) > self.depth for path, _ in self.stacks)


def build_call_tree(
    stacks: Stacks, lens: Lens = AS_PPROF, *, most_nodes: int = 2000, under: Sequence[str] = ()
) -> CallNode:
    """Return the call tree from the root, of at most ``most_nodes`` frames.

    The largest frames are expanded first; the other children of a frame are folded into one, named
    "(n more)". ``under`` is a path of names from the root: only the tree below it is returned.
    Raises the errors of ``top``.
    """
    column = stacks.index_of(lens.sample_type)
    stacks, lens, _ = prefilter(stacks, lens)
    table = build_nodes(stacks, lens)
    names = [str(node) for node in table.nodes]
    merged: dict[tuple[int, ...], int] = defaultdict(int)
    for value, ids in walk(stacks, table, column):
        path = [node for id_ in ids for node in table.at[id_]]
        path.reverse()
        if tuple(names[node] for node in path[: len(under)]) == tuple(under):
            merged[tuple(path)] += value
    root = _Branch(-1, len(under), sum(merged.values()), list(merged.items()))
    _grow(root, most_nodes)
    return _freeze(root, names, under[-1] if under else "")


def _grow(root: _Branch, most: int) -> None:
    """Expand the branch with the largest amount, again and again, up to ``most`` frames.

    One frame is reserved for each branch that is not expanded: for its folded callees.
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
    """Split the stacks of a branch by their next frame; those that end here are its flat."""
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
    """Return a branch and all below it as CallNode, without recursion: stacks may be very deep."""
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
    """Return the stacks that lead to a function, largest amount first, equal ones merged.

    ``name`` is the name of a row of ``top``. Each stack starts at the innermost call of the
    function, so their values add up to its cum. Raises the errors of ``top``.
    """
    column = stacks.index_of(lens.sample_type)
    stacks, lens, _ = prefilter(stacks, lens)
    table = build_nodes(stacks, lens)
    names = [str(node) for node in table.nodes]
    matching = {number for number, each in enumerate(names) if each == name}
    places = frozenset(id_ for id_, nodes in table.at.items() if not matching.isdisjoint(nodes))
    merged: dict[tuple[int, ...], int] = defaultdict(int)
    for value, ids in walk(stacks, table, column):
        if places.isdisjoint(ids):
            continue
        path = [node for id_ in ids for node in table.at[id_]]
        start = next(place for place, node in enumerate(path) if node in matching)
        merged[tuple(path[start:])] += value
    largest = heapq.nsmallest(most, merged.items(), key=lambda each: -abs(each[1]))
    return tuple(StackLine(tuple(names[node] for node in path), value) for path, value in largest)
