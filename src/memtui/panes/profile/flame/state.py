"""What is selected in the flame view, into what it is zoomed, and what was searched in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from memtui.panes.cells import Line, Span, cells, cut
from memtui.panes.profile import walk
from memtui.panes.profile.search import NOTHING, Found, matches, search
from memtui.panes.profile.values import Measure, in_words, short_name
from memtui.panes.profile.walk import Path, Total
from memtui.plain import plain
from memtui.pprof.calls import CallNode

LEAST_OF_A_NAME = 6
"""Cells that must be left to say into what the view is zoomed."""


@dataclass(frozen=True, slots=True)
class Flame:
    """What is selected in the flame view, into what it is zoomed, and what was searched.

    ``zooms`` are the nodes zoomed into, the innermost last; each goes by its whole path.
    """

    selected: Path = ()
    zooms: tuple[Path, ...] = ()
    found: Found = NOTHING

    @property
    def zoom(self) -> Path:
        """The node whose box is as wide as the screen."""
        return self.zooms[-1] if self.zooms else ()

    @property
    def _is_above(self) -> bool:
        """Whether a node above the zoom is selected."""
        return len(self.selected) < len(self.zoom)

    def settled(self, root: CallNode) -> Flame:
        """Return the same state in another tree: what is gone there gives way to its caller."""
        zooms = tuple(zoom for zoom in self.zooms if walk.settled(root, zoom) == zoom)
        found = search(root, self.found.text)
        return Flame(walk.settled(root, self.selected), zooms, found)._inside()

    def to_parent(self) -> Flame:
        """Select the caller, up to the root."""
        return replace(self, selected=self.selected[:-1])

    def to_child(self, root: CallNode) -> Flame:
        """Select the largest call of the selected box; above the zoom, the one that leads to it."""
        if self._is_above:
            return replace(self, selected=self.zoom[: len(self.selected) + 1])
        largest = walk.largest_call(walk.node_at(root, self.selected))
        return replace(self, selected=(*self.selected, largest.name)) if largest else self

    def along_the_largest(self, root: CallNode) -> Flame:
        """Select the leaf at the end of the largest calls from the selected box on."""
        start = self.zoom if self._is_above else self.selected
        return replace(self, selected=walk.hottest(root, start))

    def to_sibling(self, root: CallNode, step: int) -> Flame:
        """Select the box to the right (1) or to the left (−1), inside of what is seen."""
        selected = walk.beside(root, self.selected, step)
        if selected[: len(self.zoom)] != self.zoom or len(selected) <= len(self.zoom):
            return self
        return replace(self, selected=selected)

    def zoomed(self) -> Flame:
        """Make the selected box as wide as the screen; one above the zoom zooms out to it."""
        if self.selected == self.zoom:
            return self
        outer = (zoom for zoom in self.zooms if len(zoom) < len(self.selected))
        return replace(self, zooms=(*outer, self.selected) if self.selected else ())

    def back(self) -> Flame:
        """Leave the innermost zoom."""
        return replace(self, zooms=self.zooms[:-1])

    def searched(self, root: CallNode, text: str) -> Flame:
        """Search for boxes by a part of their name, and select the first of them."""
        return replace(self, found=search(root, text)).to_match(0)

    def to_match(self, step: int) -> Flame:
        """Select the next (1) or previous (−1) match, or (0) the first unless one is selected."""
        if step == 0 and self.selected in self.found.paths:
            return self
        path = self.found.after(self.selected, step or 1)
        return self if path is None else replace(self, selected=path)._inside()

    def _inside(self) -> Flame:
        """Leave the zooms that the selected box lies outside of."""
        selected = self.selected
        zooms = [zoom for zoom in self.zooms if zoom[: len(selected)] == selected[: len(zoom)]]
        return replace(self, zooms=tuple(zooms))


def words(root: CallNode, measure: Measure, flame: Flame, room: int) -> Line:
    """Say what the search found and into what the view is zoomed, in at most ``room`` cells."""
    said = matches(flame.found, measure, room)
    if not flame.zoom:
        return said
    gap = "  " if said else ""
    name = plain(short_name(walk.node_at(root, flame.zoom).name))
    zoomed = cut(f"{gap}in {name}", max(0, room - cells(said)))
    return (*said, Span(zoomed, "dim")) if len(zoomed) > LEAST_OF_A_NAME else said


def hint(root: CallNode, measure: Measure, flame: Flame, totals: Mapping[str, Total]) -> Line:
    """Say the value of the selected box, its shares, its total, and its whole name."""
    return in_words(walk.trail(root, flame.selected), measure, totals)
