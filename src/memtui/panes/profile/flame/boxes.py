"""Where the boxes of the flame view lie, and how wide they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from memtui.panes.profile import walk
from memtui.panes.profile.flame.state import Flame
from memtui.panes.profile.walk import Path
from memtui.pprof.calls import CallNode


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
    zoom = walk.settled(root, zoom)
    above = enumerate(walk.trail(root, zoom))
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


def seen(root: CallNode, flame: Flame, width: int, height: int) -> list[list[Box]]:
    """Return the rows of boxes that are seen: the selected box is among them.

    Of the nodes above the zoom the nearest ones take a third of the rows at most.
    """
    depth = len(flame.selected)
    above = len(flame.zoom) - height // 3
    first = min(depth, max(0, above, depth - max(0, height - 2)))
    return boxes(root, flame.zoom, width, first + height)[first:]


def path_under(root: CallNode, flame: Flame, cell: tuple[int, int], size: tuple[int, int]) -> Path:
    """Return the path of the box that covers a cell (x, y); that of the selected box if none does.

    ``size`` is the width and height in which the boxes are drawn.
    """
    flame = replace(flame, selected=walk.settled(root, flame.selected))
    rows = seen(root, flame, *size)
    row = rows[cell[1]] if cell[1] < len(rows) else []
    found = (box.path for box in row if box.x <= cell[0] < box.x + box.width)
    return next(found, flame.selected)
