"""The flame graph: rows of boxes, the root on top, as wide as their values."""

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
from memtui.render.cells import Line, Role, Span, cell_len, cells, cut, fit_lines, left
from memtui.sanitize import plain

LEAST_OF_A_NAME = 6
"""The least cells for the name of the zoomed node."""


@dataclass(frozen=True, slots=True)
class FlameState:
    """The state of the flame graph: the selected box, the zoom, and the search.

    ``zooms`` are the paths of the nodes zoomed into, the innermost last.
    """

    selected: Path = ()
    zooms: tuple[Path, ...] = ()
    found: NodeMatches = NO_MATCHES

    @property
    def zoom(self) -> Path:
        """The path of the node that has the full width."""
        return self.zooms[-1] if self.zooms else ()

    @property
    def _is_above(self) -> bool:
        """Whether a node above the zoomed one is selected."""
        return len(self.selected) < len(self.zoom)

    def adapted_to(self, root: CallNode) -> FlameState:
        """Return the state for another tree; a missing selected node is replaced by its caller."""
        zooms = tuple(zoom for zoom in self.zooms if call_paths.existing_path(root, zoom) == zoom)
        found = search(root, self.found.text)
        return FlameState(call_paths.existing_path(root, self.selected), zooms, found)._inside()

    def to_parent(self) -> FlameState:
        """Select the caller, up to the root."""
        return replace(self, selected=self.selected[:-1])

    def to_child(self, root: CallNode) -> FlameState:
        """Select the largest call; above the zoomed node, the call that leads to it."""
        if self._is_above:
            return replace(self, selected=self.zoom[: len(self.selected) + 1])
        largest = call_paths.largest_call(call_paths.node_at(root, self.selected))
        return replace(self, selected=(*self.selected, largest.name)) if largest else self

    def along_the_largest(self, root: CallNode) -> FlameState:
        """Follow the largest call of each node, down to a leaf."""
        start = self.zoom if self._is_above else self.selected
        return replace(self, selected=call_paths.hottest(root, start))

    def to_sibling(self, root: CallNode, step: int) -> FlameState:
        """Select the box to the right (1) or to the left (−1), within the zoom."""
        selected = call_paths.path_beside(root, self.selected, step)
        if selected[: len(self.zoom)] != self.zoom or len(selected) <= len(self.zoom):
            return self
        return replace(self, selected=selected)

    def zoomed(self) -> FlameState:
        """Zoom into the selected box, or out to it if it is above the zoomed one."""
        if self.selected == self.zoom:
            return self
        outer = (zoom for zoom in self.zooms if len(zoom) < len(self.selected))
        return replace(self, zooms=(*outer, self.selected) if self.selected else ())

    def back(self) -> FlameState:
        """Zoom out one step."""
        return replace(self, zooms=self.zooms[:-1])

    def searched(self, root: CallNode, text: str) -> FlameState:
        """Search for boxes by a part of their name, and select the first match."""
        return replace(self, found=search(root, text)).to_match(0)

    def to_match(self, step: int) -> FlameState:
        """Select the next (1) or previous (−1) match, or (0) the first if none is selected."""
        if step == 0 and self.selected in self.found.paths:
            return self
        path = self.found.after(self.selected, step or 1)
        return self if path is None else replace(self, selected=path)._inside()

    def _inside(self) -> FlameState:
        """Drop the zooms that do not contain the selected box."""
        selected = self.selected
        zooms = [zoom for zoom in self.zooms if zoom[: len(selected)] == selected[: len(zoom)]]
        return replace(self, zooms=tuple(zooms))


def status(root: CallNode, measure: Measure, flame: FlameState, room: int) -> Line:
    """Return the search result and the zoomed node, in at most ``room`` cells."""
    found = matches_line(flame.found, measure, room)
    if not flame.zoom:
        return found
    gap = "  " if found else ""
    name = plain(short_name(call_paths.node_at(root, flame.zoom).name))
    zoomed = cut(f"{gap}in {name}", max(0, room - cells(found)))
    return (*found, Span(zoomed, "dim")) if len(zoomed) > LEAST_OF_A_NAME else found


def hint(root: CallNode, measure: Measure, flame: FlameState, totals: Mapping[str, Total]) -> Line:
    """Return value, shares, total and full name of the selected box."""
    return describe_node(call_paths.nodes_along(root, flame.selected), measure, totals)


class Box(NamedTuple):
    """A box on the screen: position, width, path, and nodes.

    Small calls share one box, which has no boxes below it.
    """

    x: int
    width: int
    path: Path
    nodes: Sequence[CallNode]

    @property
    def calls(self) -> int:
        """The number of calls that share the box."""
        return sum(each.folded or 1 for each in self.nodes)


def boxes(root: CallNode, zoom: Path, width: int, depth: int) -> list[list[Box]]:
    """Return the boxes of the first ``depth`` rows, zoomed into a node.

    The node and those above it have the full width, one in each row. The calls of a box share its
    width by their amounts; the rest is its flat value. Only visible nodes are visited.
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
    """Return the boxes below one: its calls, largest first, and one for all small calls."""
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
    """Return the visible rows of boxes, which include the selected box.

    Nodes above the zoomed one take at most a third of the rows.
    """
    depth = len(flame.selected)
    above = len(flame.zoom) - height // 3
    first = min(depth, max(0, above, depth - max(0, height - 2)))
    return boxes(root, flame.zoom, width, first + height)[first:]


def path_under(
    root: CallNode, flame: FlameState, cell: tuple[int, int], size: tuple[int, int]
) -> Path:
    """Return the path of the box at a cell (x, y), else of the selected box.

    ``size`` is the width and height of the graph.
    """
    flame = replace(flame, selected=call_paths.existing_path(root, flame.selected))
    rows = visible_boxes(root, flame, *size)
    row = rows[cell[1]] if cell[1] < len(rows) else []
    found = (box.path for box in row if box.x <= cell[0] < box.x + box.width)
    return next(found, flame.selected)


@lru_cache(maxsize=1024)
def shade(name: str) -> Role:
    """Return the colour of a function, which depends on its package.

    The standard library has one colour; the packages of the program share two others.
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
"""The top directories of the standard library (Go 1.27, src/)."""


ROOM_FOR_NAME = 3
"""The least width of a box with a name."""
ROOM_FOR_SHARE = 5
"""The least cells after the name for the share."""


def draw(
    root: CallNode, measure: Measure, flame: FlameState, width: int, height: int, *, focused: bool
) -> list[Line]:
    """Return ``height`` lines of exactly ``width`` cells, with the selected box visible."""
    flame = replace(flame, selected=call_paths.existing_path(root, flame.selected))
    rows = visible_boxes(root, flame, width, height)
    selected = flame.selected if focused else None
    pen = _BoxStyle(measure, selected, frozenset(flame.found.paths))
    return fit_lines((_row(row, width, pen) for row in rows), width, height)


@dataclass(frozen=True, slots=True)
class _BoxStyle:
    """Chooses the colours of boxes."""

    measure: Measure
    selected: Path | None
    matches: frozenset[Path]

    def holds(self, box: Box, path: Path) -> bool:
        """Return whether a path is that of the box, or of one of its nodes."""
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
    """Return the space between two boxes, with the right edge of the box before it."""
    if not width:
        return []
    return [Span(EDGE if closes else " ", "border"), Span(" " * (width - 1))]


def _drawn(box: Box, pen: _BoxStyle) -> list[Span]:
    """Return a box: its left edge and its label.

    The first box of a row has no edge: it touches the frame of the pane.
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
    """Return ``room`` cells: the name of a box, and its value and share if they fit.

    In a comparison the sign is always shown.
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
    """The flame graph."""

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[FlameView, list[Line]]:
        """Draw the boxes."""
        return self, draw(self.root, self.measure, self.state, width, height, focused=focused)

    def status(self, room: int) -> Line:
        """Return the search result and the zoomed node."""
        return status(self.root, self.measure, self.state, room)

    def hint(self) -> Line:
        """Return a description of the selected box."""
        return hint(self.root, self.measure, self.state, self.totals)

    def moved(self, by: int) -> FlameView:
        """Select the caller, or the largest call."""
        state = self.state.to_parent() if by < 0 else self.state.to_child(self.root)
        return replace(self, state=state)

    def sideways(self, by: int) -> FlameView:
        """Select the next box to the left or right."""
        return replace(self, state=self.state.to_sibling(self.root, by))

    def clicked(self, cell: tuple[int, int], size: tuple[int, int]) -> FlameView:
        """Select the box at a cell (x, y)."""
        path = path_under(self.root, self.state, cell, size)
        return replace(self, state=replace(self.state, selected=path))

    def entered(self) -> FlameView:
        """Zoom into the selected box."""
        return replace(self, state=self.state.zoomed())

    def back(self) -> FlameView | None:
        """End the search, or zoom out."""
        if self.state.found.text:
            return self.searched("")
        return replace(self, state=self.state.back()) if self.state.zooms else None
