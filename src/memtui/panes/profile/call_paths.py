"""Finds nodes in a call tree by path and by name, for the tree and the flame graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeAlias, TypeVar

from memtui.panes.profile.base_view import ProfileView
from memtui.panes.profile.formatting import (
    Measure,
    Total,
)
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import Line, Span, cell_len, cut, line
from memtui.sanitize import plain

Path: TypeAlias = tuple[str, ...]
"""The names from the root to a node, without the root's; () is the root. Valid in any profile."""


def totals(root: CallNode) -> Mapping[str, Total]:
    """Return the total of each function in the tree, by name."""
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


def nodes_along(root: CallNode, path: Path) -> tuple[CallNode, ...]:
    """Return the nodes along a path, the root first, as far as they exist."""
    nodes = [root]
    for name in path:
        child = next((each for each in nodes[-1].children if each.name == name), None)
        if child is None:
            break
        nodes.append(child)
    return tuple(nodes)


def existing_path(root: CallNode, path: Path) -> Path:
    """Return the part of a path that exists in this tree."""
    return path[: len(nodes_along(root, path)) - 1]


def node_at(root: CallNode, path: Path) -> CallNode:
    """Return the node at the end of a path, or the last one that exists on it."""
    return nodes_along(root, path)[-1]


def hottest(root: CallNode, path: Path = ()) -> Path:
    """Return the path that follows the largest call of each node, down to a leaf."""
    path = existing_path(root, path)
    while largest := largest_call(node_at(root, path)):
        path = (*path, largest.name)
    return path


def largest_call(node: CallNode) -> CallNode | None:
    """Return the largest call of a node; None if it has none that is not folded."""
    calls = [each for each in node.children if not each.folded]
    return max(calls, key=lambda each: abs(each.value), default=None)


def path_beside(root: CallNode, path: Path, step: int) -> Path:
    """Return the path to the right (1) or left (−1) of another, at the same depth if possible.

    After the last sibling it continues below the next sibling of the parent.
    """
    nodes = nodes_along(root, path)
    path = path[: len(nodes) - 1]
    for depth in range(len(path), 0, -1):
        siblings = nodes[depth - 1].children
        at = next(i for i, each in enumerate(siblings) if each is nodes[depth]) + step
        if 0 <= at < len(siblings):
            return _down(siblings[at], path[: depth - 1], len(path), last=step < 0)
    return path


def _down(node: CallNode, above: Path, depth: int, *, last: bool) -> Path:
    """Return the path through a node along its first or last calls, of at most ``depth`` names."""
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


@dataclass(frozen=True, slots=True)
class NodeMatches:
    """The result of a search: the paths to all nodes whose name contains ``text``, top down.

    ``value`` is the sum of the outermost matches: a match below another is part of it.
    """

    text: str = ""
    paths: tuple[Path, ...] = ()
    value: int = 0

    def after(self, path: Path, step: int) -> Path | None:
        """Return the next (1) or previous (−1) match after ``path``; None if there is none.

        If ``path`` is not a match it is the first or last one.
        """
        if not self.paths:
            return None
        if path in self.paths:
            return self.paths[(self.paths.index(path) + step) % len(self.paths)]
        return self.paths[0 if step > 0 else -1]


NO_MATCHES = NodeMatches()
"""The result without a search."""


def search(root: CallNode, text: str) -> NodeMatches:
    """Find the nodes below the root whose name contains ``text``, whatever the case."""
    if not text:
        return NodeMatches()
    lowered = text.lower()
    matching: dict[str, bool] = {}
    paths: list[Path] = []
    value, outermost = 0, -1
    for node, path in _below(root):
        if node.folded:
            continue
        is_match = matching.get(node.name)
        if is_match is None:
            is_match = matching[node.name] = lowered in node.name.lower()
        if outermost >= len(path):
            outermost = -1
        if is_match:
            paths.append(tuple(path))
            if outermost < 0:
                outermost, value = len(path), value + node.value
    return NodeMatches(text, tuple(paths), value)


def _below(root: CallNode) -> Iterator[tuple[CallNode, list[str]]]:
    """Walk all nodes below the root, top down, with the names to each (one list, reused)."""
    path: list[str] = []
    stack = [(node, 1) for node in reversed(root.children)]
    while stack:
        node, depth = stack.pop()
        del path[depth - 1 :]
        path.append(node.name)
        yield node, path
        stack += [(child, depth + 1) for child in reversed(node.children)]


def matches_line(found: NodeMatches, measure: Measure, room: int) -> Line:
    """Return the number of matches and their share, in at most ``room`` cells."""
    if not found.text:
        return ()
    count, text = len(found.paths), f"/{plain(found.text)}"
    held = f", {measure.share(found.value)}" if count else ""
    long = f"{text}: {count} match{'' if count == 1 else 'es'}{held}"
    short = f": {count}{held}"
    if cell_len(long) > room:
        long = cut(cut(text, max(2, room - len(short))) + short, room)
    return line(Span(long, "text" if count else "bad"))


class CallsState(Protocol):
    """The state of a view of the call tree: selection and search."""

    @property
    def found(self) -> NodeMatches:
        """The result of the search."""

    def along_the_largest(self, root: CallNode) -> Self:
        """Follow the largest call of each node, down to a leaf."""

    def searched(self, root: CallNode, text: str) -> Self:
        """Select the first node whose name contains a text."""

    def to_match(self, step: int) -> Self:
        """Select the next or previous match."""


S = TypeVar("S", bound=CallsState, covariant=True)


@dataclass(frozen=True, slots=True)
class CallsView(ProfileView, Generic[S]):
    """A view of the call tree. ``totals`` are the totals of each function in the tree."""

    root: CallNode
    measure: Measure
    state: S
    totals: Mapping[str, Total]

    @property
    def can_search(self) -> bool:
        """True: names can be searched."""
        return True

    @property
    def has_search(self) -> bool:
        """Whether a search is active."""
        return bool(self.state.found.text)

    def along_the_largest(self) -> Self:
        """Follow the largest call of each function, down to a leaf."""
        return replace(self, state=self.state.along_the_largest(self.root))

    def back(self) -> Self | None:
        """End the search."""
        return self.searched("") if self.state.found.text else None

    def searched(self, text: str) -> Self:
        """Select the first node whose name contains a text."""
        return replace(self, state=self.state.searched(self.root, text))

    def to_match(self, step: int) -> Self:
        """Select the next or previous match."""
        return replace(self, state=self.state.to_match(step))
