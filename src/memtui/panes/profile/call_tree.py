"""The call tree: who calls whom, opened and folded node by node.

Ways through a call tree: a node goes by the names that lead to it, in whichever profile.

What a search in a call tree finds: by a part of a name, whatever the case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from memtui.panes.profile.formatting import (
    CALL,
    CUT,
    FOLDED,
    FORK,
    LAST,
    OPENED,
    THROUGH,
    Measure,
    Total,
    bar,
    describe_node,
    highlighted,
    name_at,
)
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import Line, Span, cell_len, cells, cut, exactly, fitted, line
from memtui.render.table import Column, Selection, marked, table
from memtui.sanitize import plain

Path: TypeAlias = tuple[str, ...]
"""The names from below the root to a node; () is the root."""


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


def existing_path(root: CallNode, path: Path) -> Path:
    """Return a path as far as it exists in this tree: what was selected may be gone."""
    return path[: len(trail(root, path)) - 1]


def node_at(root: CallNode, path: Path) -> CallNode:
    """Return the node at the end of a path, or the last one that exists on it."""
    return trail(root, path)[-1]


def hottest(root: CallNode, path: Path = ()) -> Path:
    """Return the path from a node on along the largest call of each, down to a leaf."""
    path = existing_path(root, path)
    while largest := largest_call(node_at(root, path)):
        path = (*path, largest.name)
    return path


def largest_call(node: CallNode) -> CallNode | None:
    """Return the largest call of a node; None where it calls nothing that is known alone."""
    calls = [each for each in node.children if not each.folded]
    return max(calls, key=lambda each: abs(each.value), default=None)


def path_beside(root: CallNode, path: Path, step: int) -> Path:
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


@dataclass(frozen=True, slots=True)
class NodeMatches:
    """What a search found: the paths to all nodes whose name has ``text`` in it, top down.

    ``value`` is what the outermost of them hold together: a match below another adds nothing.
    """

    text: str = ""
    paths: tuple[Path, ...] = ()
    value: int = 0

    def after(self, path: Path, step: int) -> Path | None:
        """Return the next (1) or previous (−1) match seen from ``path``; None when there is none.

        From a path that is no match the first or last one follows.
        """
        if not self.paths:
            return None
        if path in self.paths:
            return self.paths[(self.paths.index(path) + step) % len(self.paths)]
        return self.paths[0 if step > 0 else -1]


NO_MATCHES = NodeMatches()
"""Nothing was searched for."""


def search(root: CallNode, text: str) -> NodeMatches:
    """Find the nodes below the root whose name contains ``text``, whatever the case."""
    if not text:
        return NodeMatches()
    wanted = text.lower()
    matching: dict[str, bool] = {}
    paths: list[Path] = []
    value, outermost = 0, -1
    for node, path in _below(root):
        if node.folded:
            continue
        is_match = matching.get(node.name)
        if is_match is None:
            is_match = matching[node.name] = wanted in node.name.lower()
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
    """Say how many nodes a search found and what they hold, in at most ``room`` cells."""
    if not found.text:
        return ()
    count, text = len(found.paths), f"/{plain(found.text)}"
    held = f", {measure.share(found.value)}" if count else ""
    long = f"{text}: {count} match{'' if count == 1 else 'es'}{held}"
    short = f": {count}{held}"
    if cell_len(long) > room:
        long = cut(cut(text, max(2, room - len(short))) + short, room)
    return line(Span(long, "text" if count else "bad"))


ROOM_FOR_STEPS = 60
"""From this width on each depth takes two cells, below it one."""

MOST_COUNTED = 999
"""Folded calls are counted up to here."""

_COLUMNS = (
    Column("cum", 6),
    Column("cum%", 5, yields=1),
    Column("flat", 6, yields=2, role="dim"),
    Column("", 8, yields=3, role="dim"),
    Column("call", 22, text=True),
)


class TreeRow(NamedTuple):
    """A row of the tree: its node, the path to it, and what is drawn before its name.

    ``through`` is a mark for each branch that may pass by, "1" where it does; ``joint`` how the
    row hangs on its caller, "" for an only call, which stands right below its caller.
    """

    path: Path
    node: CallNode
    through: str
    joint: str


@dataclass(frozen=True, slots=True)
class TreeState:
    """Which nodes of the tree are opened, which one is selected, and what was searched."""

    selected: Path = ()
    opened: frozenset[Path] = frozenset()
    top: int = 0
    shift: int = 0
    found: NodeMatches = NO_MATCHES

    @classmethod
    def of(cls, root: CallNode) -> TreeState:
        """Return the tree as it is shown first: opened along its largest calls."""
        path = hottest(root)
        return cls(selected=path[:1], opened=_each_prefix(path))

    def settled(self, root: CallNode) -> TreeState:
        """Return the same state in another tree: what is gone there gives way to its caller."""
        selected = existing_path(root, self.selected) or hottest(root)[:1]
        return replace(self, selected=selected, found=search(root, self.found.text))

    def moved(self, root: CallNode, by: int) -> TreeState:
        """Select another row."""
        paths = [row.path for row in rows(root, self.opened)]
        if not paths:
            return self
        now = paths.index(self.selected) if self.selected in paths else 0
        return replace(self, selected=paths[max(0, min(len(paths) - 1, now + by))])

    def toggled(self, root: CallNode) -> TreeState:
        """Open the selected node, or fold it."""
        if self.selected in self.opened:
            return replace(self, opened=self.opened - {self.selected})
        return self._open(root)

    def entered(self, root: CallNode) -> TreeState:
        """Open the selected node; from an opened one go to its first call."""
        if self.selected in self.opened:
            return self.moved(root, 1)
        return self._open(root)

    def left(self) -> TreeState:
        """Fold the selected node; from a folded one go to its caller."""
        if self.selected in self.opened:
            return replace(self, opened=self.opened - {self.selected})
        return replace(self, selected=self.selected[:-1] or self.selected)

    def along_the_largest(self, root: CallNode) -> TreeState:
        """Open the largest call of each from the selected node on, and select the last one."""
        path = hottest(root, self.selected)
        return replace(self, selected=path, opened=self.opened | _each_prefix(path))

    def folded(self) -> TreeState:
        """Fold all."""
        return replace(self, opened=frozenset(), selected=self.selected[:1])

    def searched(self, root: CallNode, text: str) -> TreeState:
        """Search for nodes by a part of their name, and select the first of them."""
        tree = replace(self, found=search(root, text))
        return tree if tree.selected in tree.found.paths else tree.to_match(1)

    def to_match(self, step: int) -> TreeState:
        """Select the next (1) or previous (−1) match, and open the way to it."""
        path = self.found.after(self.selected, step)
        if path is None:
            return self
        return replace(self, selected=path, opened=self.opened | _each_prefix(path))

    def sideways(self, by: int) -> TreeState:
        """Move the names sideways by some cells; the first one shows them in full."""
        return replace(self, shift=max(0, self.shift + by))

    def _open(self, root: CallNode) -> TreeState:
        """Open the selected node, and after it as long as there is only one call."""
        opened, path = set(self.opened), self.selected
        node = node_at(root, path)
        while node.children:
            opened.add(path)
            if len(node.children) > 1:
                break
            node = node.children[0]
            path = (*path, node.name)
        return replace(self, opened=frozenset(opened))


def _each_prefix(path: Path) -> frozenset[Path]:
    """Return the paths to all nodes above a node."""
    return frozenset(path[:depth] for depth in range(1, len(path)))


def rows(root: CallNode, opened: frozenset[Path]) -> Iterator[TreeRow]:
    """Walk the rows that are not folded away, top down."""
    stack = [TreeRow((), root, "", "")]
    while stack:
        row = stack.pop()
        if row.path:
            yield row
        if not row.path or row.path in opened:
            stack += reversed(tuple(_calls_of(row)))


def _calls_of(row: TreeRow) -> Iterator[TreeRow]:
    path, node, through, joint = row
    if joint:
        through += "1" if joint == FORK else "0"
    last = len(node.children) - 1
    for at, call in enumerate(node.children):
        joint = FORK if at < last else LAST if last else ""
        yield TreeRow((*path, call.name), call, through, joint)


def draw(
    root: CallNode, measure: Measure, tree: TreeState, width: int, height: int, *, focused: bool
) -> tuple[TreeState, list[Line]]:
    """Return exactly ``height`` lines of exactly ``width`` cells, the titles first.

    Beside them comes the state with the first row that was drawn, so that the next picture
    scrolls no further than it must.
    """
    height = max(0, height - 1)
    every = list(rows(root, tree.opened))
    now = next((at for at, row in enumerate(every) if row.path == tree.selected), 0)
    selection = Selection(now, tree.top).within(range(len(every)), height)
    shown = every[selection.top : selection.top + height]
    head, numbers = table(_COLUMNS, [_numbers(row, measure) for row in shown], width - 1)
    drawn = [
        (Span(" "), *cols[:-1], Span(" "), *_call(row, tree, cells(cols[-1:]) - 1, width))
        for row, cols in zip(shown, numbers, strict=True)
    ]
    if focused and drawn:
        drawn[now - selection.top] = marked(drawn[now - selection.top], width)
    return replace(tree, top=selection.top), fitted([(Span(" "), *head), *drawn], width, height + 1)


def _numbers(row: TreeRow, measure: Measure) -> tuple[str | Span, ...]:
    value = row.node.value
    return (
        Span(measure.amount(value), measure.role(value)),
        measure.share(value),
        "" if row.node.folded else measure.amount(row.node.flat),
        bar(value, measure.total, 8),
        "",
    )


def _call(row: TreeRow, tree: TreeState, room: int, width: int) -> Line:
    """Return branches, mark and name of a row in exactly ``room`` cells."""
    step = 2 if width >= ROOM_FOR_STEPS else 1
    branches = _branches(row, step, room // 2)
    is_opened = row.path in tree.opened
    mark = OPENED if is_opened else FOLDED
    if not row.node.children:
        mark = CALL if row.joint else " "
    name = _name(row, tree, room - len(branches) - 2)
    said = [Span(branches, "border"), Span(mark + " ", "dim"), *name]
    if row.node.children and not is_opened:
        count = count_below(row.node, MOST_COUNTED)
        more = f" ({count}{'+' if count == MOST_COUNTED else ''} more)"
        if cells(tuple(said)) + len(more) <= room:
            said.append(Span(more, "dim"))
    return exactly(tuple(said), room)


def _name(row: TreeRow, tree: TreeState, room: int) -> list[Span]:
    name = row.node.name
    if row.node.folded:
        return [Span(name, "dim")]
    return highlighted(name_at(name, tree.shift, room), name, tree.found.text)


def _branches(row: TreeRow, step: int, most: int) -> str:
    """Return the branches left of a row; of very deep ones the right end, with a sign that it is.

    An only call has no branch of its own: it goes on in the column of its caller.
    """
    through = "".join((THROUGH if each == "1" else " ") + " " * (step - 1) for each in row.through)
    if row.joint:
        through += row.joint + CALL * (step - 1)
    if len(through) > most:
        through = CUT + through[len(through) - most + 1 :]
    return through


def words(measure: Measure, tree: TreeState, room: int) -> Line:
    """Say what the search found, in at most ``room`` cells."""
    return matches_line(tree.found, measure, room)


def hint(root: CallNode, measure: Measure, tree: TreeState, totals: Mapping[str, Total]) -> Line:
    """Say the value of the selected node, its shares, its total, and its whole name."""
    return describe_node(trail(root, tree.selected), measure, totals)
