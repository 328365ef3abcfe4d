"""What is selected in the flame view, into what it is zoomed, and what was searched in it.

Where the boxes of the flame view lie, and how wide they are.

The colour of a function in the flame view: that of its package.

The boxes of the flame view as lines: edges, names and colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from memtui.panes.profile import call_paths
from memtui.panes.profile.call_paths import (
    NO_MATCHES,
    CallsView,
    NodeMatches,
    Path,
    matches_line,
    search,
)
from memtui.panes.profile.formatting import (
    CHOSEN_EDGE,
    CUT,
    EDGE,
    MATCH_EDGE,
    Measure,
    Total,
    describe_node,
    fitting_name,
    short_name,
)
from memtui.pprof.call_tree import CallNode
from memtui.pprof.nodes import package_of
from memtui.render.cells import Line, Role, Span, cell_len, cells, cut, fitted, left
from memtui.sanitize import plain

LEAST_OF_A_NAME = 6
"""Cells that must be left to say into what the view is zoomed."""


@dataclass(frozen=True, slots=True)
class FlameState:
    """What is selected in the flame view, into what it is zoomed, and what was searched.

    ``zooms`` are the nodes zoomed into, the innermost last; each goes by its whole path.
    """

    selected: Path = ()
    zooms: tuple[Path, ...] = ()
    found: NodeMatches = NO_MATCHES

    @property
    def zoom(self) -> Path:
        """The node whose box is as wide as the screen."""
        return self.zooms[-1] if self.zooms else ()

    @property
    def _is_above(self) -> bool:
        """Whether a node above the zoom is selected."""
        return len(self.selected) < len(self.zoom)

    def settled(self, root: CallNode) -> FlameState:
        """Return the same state in another tree: what is gone there gives way to its caller."""
        zooms = tuple(zoom for zoom in self.zooms if call_paths.existing_path(root, zoom) == zoom)
        found = search(root, self.found.text)
        return FlameState(call_paths.existing_path(root, self.selected), zooms, found)._inside()

    def to_parent(self) -> FlameState:
        """Select the caller, up to the root."""
        return replace(self, selected=self.selected[:-1])

    def to_child(self, root: CallNode) -> FlameState:
        """Select the largest call of the selected box; above the zoom, the one that leads to it."""
        if self._is_above:
            return replace(self, selected=self.zoom[: len(self.selected) + 1])
        largest = call_paths.largest_call(call_paths.node_at(root, self.selected))
        return replace(self, selected=(*self.selected, largest.name)) if largest else self

    def along_the_largest(self, root: CallNode) -> FlameState:
        """Select the leaf at the end of the largest calls from the selected box on."""
        start = self.zoom if self._is_above else self.selected
        return replace(self, selected=call_paths.hottest(root, start))

    def to_sibling(self, root: CallNode, step: int) -> FlameState:
        """Select the box to the right (1) or to the left (−1), inside of what is seen."""
        selected = call_paths.path_beside(root, self.selected, step)
        if selected[: len(self.zoom)] != self.zoom or len(selected) <= len(self.zoom):
            return self
        return replace(self, selected=selected)

    def zoomed(self) -> FlameState:
        """Make the selected box as wide as the screen; one above the zoom zooms out to it."""
        if self.selected == self.zoom:
            return self
        outer = (zoom for zoom in self.zooms if len(zoom) < len(self.selected))
        return replace(self, zooms=(*outer, self.selected) if self.selected else ())

    def back(self) -> FlameState:
        """Leave the innermost zoom."""
        return replace(self, zooms=self.zooms[:-1])

    def searched(self, root: CallNode, text: str) -> FlameState:
        """Search for boxes by a part of their name, and select the first of them."""
        return replace(self, found=search(root, text)).to_match(0)

    def to_match(self, step: int) -> FlameState:
        """Select the next (1) or previous (−1) match, or (0) the first unless one is selected."""
        if step == 0 and self.selected in self.found.paths:
            return self
        path = self.found.after(self.selected, step or 1)
        return self if path is None else replace(self, selected=path)._inside()

    def _inside(self) -> FlameState:
        """Leave the zooms that the selected box lies outside of."""
        selected = self.selected
        zooms = [zoom for zoom in self.zooms if zoom[: len(selected)] == selected[: len(zoom)]]
        return replace(self, zooms=tuple(zooms))


def status(root: CallNode, measure: Measure, flame: FlameState, room: int) -> Line:
    """Say what the search found and into what the view is zoomed, in at most ``room`` cells."""
    said = matches_line(flame.found, measure, room)
    if not flame.zoom:
        return said
    gap = "  " if said else ""
    name = plain(short_name(call_paths.node_at(root, flame.zoom).name))
    zoomed = cut(f"{gap}in {name}", max(0, room - cells(said)))
    return (*said, Span(zoomed, "dim")) if len(zoomed) > LEAST_OF_A_NAME else said


def hint(root: CallNode, measure: Measure, flame: FlameState, totals: Mapping[str, Total]) -> Line:
    """Say the value of the selected box, its shares, its total, and its whole name."""
    return describe_node(call_paths.nodes_along(root, flame.selected), measure, totals)


class Box(NamedTuple):
    """A box on the screen: where, how wide, and of which nodes.

    Calls too small for a box of their own share one; it has no ``calls`` below it.
    """

    x: int
    width: int
    path: Path
    nodes: Sequence[CallNode]

    @property
    def calls(self) -> int:
        """How many calls share the box."""
        return sum(each.folded or 1 for each in self.nodes)


def boxes(root: CallNode, zoom: Path, width: int, depth: int) -> list[list[Box]]:
    """Return the boxes of the first ``depth`` rows, zoomed into a node.

    It and the nodes above it are as wide as the screen, one a row, the root first. Only what is
    seen is visited. The calls of a box take its width by their amounts, and leave free what is its
    own; where calls grew and shrank they share it by what they changed.
    """
    zoom = call_paths.existing_path(root, zoom)
    above = enumerate(call_paths.nodes_along(root, zoom))
    rows = [[Box(0, width, zoom[:at], (node,))] for at, node in above]
    while len(rows) < depth and rows[-1]:
        rows.append([
            box for caller in rows[-1] if caller.calls == 1 for box in _calls_of(caller)
        ])  # fmt: skip
    return rows[:depth]


def _calls_of(caller: Box) -> list[Box]:
    """Return the boxes below one: of its calls, which come largest first, and of the small rest."""
    node = caller.nodes[0]
    amounts = [abs(each.value) for each in node.children]
    whole = max(abs(node.value), sum(amounts))
    found: list[Box] = []
    done = x = 0
    for at, call in enumerate(node.children):
        is_wide = amounts[at] * caller.width >= whole > 0 and not call.folded
        done += amounts[at] if is_wide else sum(amounts[at:])
        end = round(done * caller.width / whole) if whole else 0
        group = (call,) if is_wide else node.children[at:]
        if end > x:
            found.append(Box(caller.x + x, end - x, (*caller.path, call.name), group))
        if not is_wide:
            break
        x = end
    return found


def visible_boxes(root: CallNode, flame: FlameState, width: int, height: int) -> list[list[Box]]:
    """Return the rows of boxes that are seen: the selected box is among them.

    Of the nodes above the zoom the nearest ones take a third of the rows at most.
    """
    depth = len(flame.selected)
    above = len(flame.zoom) - height // 3
    first = min(depth, max(0, above, depth - max(0, height - 2)))
    return boxes(root, flame.zoom, width, first + height)[first:]


def path_under(
    root: CallNode, flame: FlameState, cell: tuple[int, int], size: tuple[int, int]
) -> Path:
    """Return the path of the box that covers a cell (x, y); that of the selected box if none does.

    ``size`` is the width and height in which the boxes are drawn.
    """
    flame = replace(flame, selected=call_paths.existing_path(root, flame.selected))
    rows = visible_boxes(root, flame, *size)
    row = rows[cell[1]] if cell[1] < len(rows) else []
    found = (box.path for box in row if box.x <= cell[0] < box.x + box.width)
    return next(found, flame.selected)


@lru_cache(maxsize=1024)
def shade(name: str) -> Role:
    """Return the colour of a function, by its package: stable, and quiet.

    The standard library has one of its own; the packages of the program share the other two.
    """
    package = package_of(name)
    if package.partition("/")[0] in STANDARD:
        return "flame-3"
    return "flame-1" if package == "main" or crc32(package.encode()) % 2 else "flame-2"


# fmt: off
STANDARD = frozenset((
    "archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database",
    "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image",
    "index", "internal", "io", "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin",
    "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync",
    "syscall", "testing", "text", "time", "unicode", "unique", "unsafe", "vendor", "weak",
))
# fmt: on
"""The first directories of the packages of the standard library (Go 1.27, src/)."""


ROOM_FOR_NAME = 3
"""Cells from which on a box has a name."""
ROOM_FOR_SHARE = 5
"""Cells that a box needs besides its name to say its share as well."""


def draw(
    root: CallNode, measure: Measure, flame: FlameState, width: int, height: int, *, focused: bool
) -> list[Line]:
    """Return ``height`` lines of exactly ``width`` cells, with the selected box in sight."""
    flame = replace(flame, selected=call_paths.existing_path(root, flame.selected))
    rows = visible_boxes(root, flame, width, height)
    selected = flame.selected if focused else None
    pen = _BoxStyle(measure, selected, frozenset(flame.found.paths))
    return fitted((_row(row, width, pen) for row in rows), width, height)


@dataclass(frozen=True, slots=True)
class _BoxStyle:
    """What the look of a box depends on."""

    measure: Measure
    selected: Path | None
    matches: frozenset[Path]

    def holds(self, box: Box, path: Path) -> bool:
        """Return whether a path is that of the box, or of one of those that share it."""
        if box.path[:-1] != path[:-1]:
            return False
        return any(each.name == path[-1] for each in box.nodes) if path else not box.path

    def role(self, box: Box) -> Role:
        """Return the role of a box."""
        above = box.path[:-1]
        if self.selected is not None and self.holds(box, self.selected):
            return "selected"
        if self.matches and any((*above, each.name) in self.matches for each in box.nodes):
            return "match"
        value = sum(each.value for each in box.nodes)
        if self.measure.is_difference and value:
            return "grow" if value > 0 else "shrink"
        return shade(box.nodes[0].name) if box.path else "flame-3"


def _row(row: Sequence[Box], width: int, pen: _BoxStyle) -> Line:
    spans: list[Span] = []
    x = 0
    for box in row:
        spans += _gap(box.x - x, closes=bool(x))
        spans += _drawn(box, pen)
        x = box.x + box.width
    spans += _gap(min(1, width - x), closes=True) if row else []
    return tuple(spans)


def _gap(width: int, *, closes: bool) -> list[Span]:
    """Return what lies between two boxes, with the right edge of the one that it ``closes``."""
    if not width:
        return []
    return [Span(EDGE if closes else " ", "border"), Span(" " * (width - 1))]


def _drawn(box: Box, pen: _BoxStyle) -> list[Span]:
    """Return the edge of a box and what is said in it; one without room is all edge.

    The first box of a row stands at the frame of the pane, which is edge enough.
    """
    role = pen.role(box)
    if role == "selected":
        edge = Span(CHOSEN_EDGE, role)
    elif role == "match":
        edge = Span(MATCH_EDGE, role)
    elif not box.x:
        edge = Span(" ", role)
    else:
        edge = Span(EDGE, "border" if box.width > 1 else role)
    return [edge, Span(_label(box, pen.measure, box.width - 1), role)]


def _label(box: Box, measure: Measure, room: int) -> str:
    """Return ``room`` cells: the name of a box, and its value and share as far as they fit.

    In a difference at least the sign is said.
    """
    if box.calls > 1:
        counts = (f"{box.calls} more", f"{CUT}{box.calls}", CUT, "")
        return left(next(count for count in counts if len(count) <= room), room)
    if room < ROOM_FOR_NAME:
        return " " * room
    value = box.nodes[0].value
    sign = "" if not measure.is_difference or not value else "+" if value > 0 else "−"
    name = fitting_name(box.nodes[0].name, room - len(sign)) if box.path else "all"
    free = room - cell_len(name)
    if free >= ROOM_FOR_SHARE:
        share = measure.share(value)
        for more in (f"  {measure.amount(value)} {share}", f" {share}"):
            if len(more) <= free:
                return name + more + " " * (free - len(more))
    return sign + name + " " * (free - len(sign))


@dataclass(frozen=True, slots=True)
class FlameView(CallsView[FlameState]):
    """The flame view."""

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[FlameView, list[Line]]:
        """Draw the boxes."""
        return self, draw(self.root, self.measure, self.state, width, height, focused=focused)

    def status(self, room: int) -> Line:
        """Say into what it is zoomed, and what the search found."""
        return status(self.root, self.measure, self.state, room)

    def hint(self) -> Line:
        """Say what is selected."""
        return hint(self.root, self.measure, self.state, self.totals)

    def moved(self, by: int) -> FlameView:
        """Go to the caller, or to the largest call."""
        state = self.state.to_parent() if by < 0 else self.state.to_child(self.root)
        return replace(self, state=state)

    def sideways(self, by: int) -> FlameView:
        """Select the box beside."""
        return replace(self, state=self.state.to_sibling(self.root, by))

    def clicked(self, cell: tuple[int, int], size: tuple[int, int]) -> FlameView:
        """Select the box that covers a cell (x, y) of all that are drawn."""
        path = path_under(self.root, self.state, cell, size)
        return replace(self, state=replace(self.state, selected=path))

    def entered(self) -> FlameView:
        """Zoom into the selected box."""
        return replace(self, state=self.state.zoomed())

    def back(self) -> FlameView | None:
        """Forget what was searched, or zoom out."""
        if self.state.found.text:
            return self.searched("")
        return replace(self, state=self.state.back()) if self.state.zooms else None
