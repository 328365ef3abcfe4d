"""The call tree: who calls whom, opened and folded node by node.

Ways through a call tree: a node goes by the names that lead to it, in whichever profile.

What a search in a call tree finds: by a part of a name, whatever the case.
"""

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
from memtui.render.cells import Line, Span, cells, exactly, fitted
from memtui.render.table import Column, Selection, marked, table

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
    return highlighted(shown_name(name, tree.shift, room), name, tree.found.text)


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


def status(measure: Measure, tree: TreeState, room: int) -> Line:
    """Say what the search found, in at most ``room`` cells."""
    return matches_line(tree.found, measure, room)


def hint(root: CallNode, measure: Measure, tree: TreeState, totals: Mapping[str, Total]) -> Line:
    """Say the value of the selected node, its shares, its total, and its whole name."""
    return describe_node(nodes_along(root, tree.selected), measure, totals)


@dataclass(frozen=True, slots=True)
class TreeView(CallsView[TreeState]):
    """The call tree."""

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TreeView, list[Line]]:
        """Draw the rows that are not folded away."""
        state, lines = draw(self.root, self.measure, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say what is selected."""
        return hint(self.root, self.measure, self.state, self.totals)

    def status(self, room: int) -> Line:
        """Say what was found."""
        return status(self.measure, self.state, room)

    def moved(self, by: int) -> TreeView:
        """Select another row."""
        return replace(self, state=self.state.moved(self.root, by))

    def sideways(self, by: int) -> TreeView:
        """Fold, or open: left and right."""
        state = self.state.left() if by < 0 else self.state.entered(self.root)
        return replace(self, state=state)

    def entered(self) -> TreeView | str:
        """Go to the selected function."""
        node = node_at(self.root, self.state.selected)
        return node.name if self.state.selected and not node.folded else self
