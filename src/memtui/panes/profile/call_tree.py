"""The call tree as rows that are expanded and collapsed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from memtui.panes.profile.call_paths import (
    NO_MATCHES,
    CallsView,
    NodeMatches,
    Path,
    count_below,
    existing_path,
    hottest,
    matches_line,
    node_at,
    nodes_along,
    search,
)
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
    shown_name,
)
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import Line, Span, cells, fit, fit_lines
from memtui.render.table import Column, Selection, selected_line, table

ROOM_FOR_STEPS = 60
"""The least width for two cells of indentation a level; else it is one."""

MOST_COUNTED = 999
"""Hidden calls are counted up to this number."""

_COLUMNS = (
    Column("cum", 6),
    Column("cum%", 5, yields=1),
    Column("flat", 6, yields=2, role="dim"),
    Column("", 8, yields=3, role="dim"),
    Column("call", 22, text=True),
)


class TreeRow(NamedTuple):
    """A row of the tree: its node, its path, and the branches drawn before its name.

    ``through`` has "1" for each level with a vertical branch, else "0"; ``joint`` is the branch to
    its caller, "" for an only call, which is drawn in the column of its caller.
    """

    path: Path
    node: CallNode
    through: str
    joint: str


@dataclass(frozen=True, slots=True)
class TreeState:
    """The state of the tree: expanded nodes, selected node, and search."""

    selected: Path = ()
    opened: frozenset[Path] = frozenset()
    top: int = 0
    shift: int = 0
    found: NodeMatches = NO_MATCHES

    @classmethod
    def of(cls, root: CallNode) -> TreeState:
        """Return the initial state: expanded along the largest calls."""
        path = hottest(root)
        return cls(selected=path[:1], opened=_each_prefix(path))

    def adapted_to(self, root: CallNode) -> TreeState:
        """Return the state for another tree; a missing selected node is replaced by its caller."""
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
        """Expand or collapse the selected node."""
        if self.selected in self.opened:
            return replace(self, opened=self.opened - {self.selected})
        return self._open(root)

    def entered(self, root: CallNode) -> TreeState:
        """Expand the selected node; from an expanded one go to its first call."""
        if self.selected in self.opened:
            return self.moved(root, 1)
        return self._open(root)

    def left(self) -> TreeState:
        """Collapse the selected node; from a collapsed one go to its caller."""
        if self.selected in self.opened:
            return replace(self, opened=self.opened - {self.selected})
        return replace(self, selected=self.selected[:-1] or self.selected)

    def along_the_largest(self, root: CallNode) -> TreeState:
        """Follow and expand the largest call of each node, down to a leaf."""
        path = hottest(root, self.selected)
        return replace(self, selected=path, opened=self.opened | _each_prefix(path))

    def folded(self) -> TreeState:
        """Collapse all nodes."""
        return replace(self, opened=frozenset(), selected=self.selected[:1])

    def searched(self, root: CallNode, text: str) -> TreeState:
        """Search for nodes by a part of their name, and select the first match."""
        tree = replace(self, found=search(root, text))
        return tree if tree.selected in tree.found.paths else tree.to_match(1)

    def to_match(self, step: int) -> TreeState:
        """Select the next (1) or previous (−1) match, and expand its callers."""
        path = self.found.after(self.selected, step)
        if path is None:
            return self
        return replace(self, selected=path, opened=self.opened | _each_prefix(path))

    def sideways(self, by: int) -> TreeState:
        """Scroll the names by some cells; the first one shows them in full."""
        return replace(self, shift=max(0, self.shift + by))

    def _open(self, root: CallNode) -> TreeState:
        """Expand the selected node, and those below it while there is only one call."""
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
    """Yield the visible rows, top down."""
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

    The returned state has the new scroll position.
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
        drawn[now - selection.top] = selected_line(drawn[now - selection.top], width)
    return replace(tree, top=selection.top), fit_lines(
        [(Span(" "), *head), *drawn], width, height + 1
    )


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
    spans = [Span(branches, "border"), Span(mark + " ", "dim"), *name]
    if row.node.children and not is_opened:
        count = count_below(row.node, MOST_COUNTED)
        more = f" ({count}{'+' if count == MOST_COUNTED else ''} more)"
        if cells(tuple(spans)) + len(more) <= room:
            spans.append(Span(more, "dim"))
    return fit(tuple(spans), room)


def _name(row: TreeRow, tree: TreeState, room: int) -> list[Span]:
    name = row.node.name
    if row.node.folded:
        return [Span(name, "dim")]
    return highlighted(shown_name(name, tree.shift, room), name, tree.found.text)


def _branches(row: TreeRow, step: int, most: int) -> str:
    """Return the branches before a row, cut on the left to ``most`` cells.

    An only call has no branch: it continues in the column of its caller.
    """
    through = "".join((THROUGH if each == "1" else " ") + " " * (step - 1) for each in row.through)
    if row.joint:
        through += row.joint + CALL * (step - 1)
    if len(through) > most:
        through = CUT + through[len(through) - most + 1 :]
    return through


def status(measure: Measure, tree: TreeState, room: int) -> Line:
    """Return the search result, in at most ``room`` cells."""
    return matches_line(tree.found, measure, room)


def hint(root: CallNode, measure: Measure, tree: TreeState, totals: Mapping[str, Total]) -> Line:
    """Return value, shares, total and full name of the selected node."""
    return describe_node(nodes_along(root, tree.selected), measure, totals)


@dataclass(frozen=True, slots=True)
class TreeView(CallsView[TreeState]):
    """The call tree."""

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TreeView, list[Line]]:
        """Draw the visible rows."""
        state, lines = draw(self.root, self.measure, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Return a description of the selected node."""
        return hint(self.root, self.measure, self.state, self.totals)

    def status(self, room: int) -> Line:
        """Return the search result."""
        return status(self.measure, self.state, room)

    def moved(self, by: int) -> TreeView:
        """Select another row."""
        return replace(self, state=self.state.moved(self.root, by))

    def sideways(self, by: int) -> TreeView:
        """Collapse (left) or expand (right) the selected node."""
        state = self.state.left() if by < 0 else self.state.entered(self.root)
        return replace(self, state=state)

    def entered(self) -> TreeView | str:
        """Go to the selected function."""
        node = node_at(self.root, self.state.selected)
        return node.name if self.state.selected and not node.folded else self
