"""The boxes of the flame view as lines: edges, names and colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memtui.panes.cells import Line, Role, Span, cell_len, fitted, left
from memtui.panes.profile import walk
from memtui.panes.profile.flame.boxes import Box, seen
from memtui.panes.profile.flame.shades import shade
from memtui.panes.profile.flame.state import Flame
from memtui.panes.profile.glyphs import CHOSEN_EDGE, CUT, EDGE, MATCH_EDGE
from memtui.panes.profile.values import Measure, fitting_name
from memtui.panes.profile.walk import Path
from memtui.pprof.calls import CallNode

ROOM_FOR_NAME = 3
"""Cells from which on a box has a name."""
ROOM_FOR_SHARE = 5
"""Cells that a box needs besides its name to say its share as well."""


def draw(
    root: CallNode, measure: Measure, flame: Flame, width: int, height: int, *, focused: bool
) -> list[Line]:
    """Return ``height`` lines of exactly ``width`` cells, with the selected box in sight."""
    flame = replace(flame, selected=walk.settled(root, flame.selected))
    rows = seen(root, flame, width, height)
    selected = flame.selected if focused else None
    pen = _Pen(measure, selected, frozenset(flame.found.paths))
    return fitted((_row(row, width, pen) for row in rows), width, height)


@dataclass(frozen=True, slots=True)
class _Pen:
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


def _row(row: Sequence[Box], width: int, pen: _Pen) -> Line:
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


def _drawn(box: Box, pen: _Pen) -> list[Span]:
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
