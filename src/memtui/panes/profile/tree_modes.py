"""The views of who calls whom: around one function, as a tree, as flames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeVar

from memtui.panes.profile import call_tree, flame, peek
from memtui.panes.profile.base_view import ProfileView, name_step
from memtui.panes.profile.call_tree import NodeMatches, TreeState
from memtui.panes.profile.flame import FlameState
from memtui.panes.profile.formatting import Measure, Total
from memtui.panes.profile.peek import PeekState
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import Line


@dataclass(frozen=True, slots=True)
class PeekView(ProfileView):
    """One function between its callers and its calls, and the stacks that lead to it."""

    near: peek.PeekNeighbours
    state: PeekState

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[PeekView, list[Line]]:
        """Draw it."""
        state, lines = peek.draw(self.near, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say the whole name of the selected line."""
        return peek.hint(self.near, self.state)

    @property
    def leads_to_source(self) -> bool:
        """The function itself is opened line by line."""
        return self.state.at(self.near) == len(self.near.peek.callers)

    def moved(self, by: int) -> PeekView:
        """Select another line."""
        return replace(self, state=self.state.moved(self.near, by))

    def sideways(self, by: int) -> PeekView:
        """Move the names."""
        return replace(self, state=self.state.sideways(name_step(self.state.shift, by)))

    def entered(self) -> PeekView | str:
        """Go to the selected function, or unfold the selected stack."""
        state, name = self.state.entered(self.near)
        return name or replace(self, state=state)


class CallsState(Protocol):
    """Where somebody is among calls, and what was searched there."""

    @property
    def found(self) -> NodeMatches:
        """What was searched."""

    def along_the_largest(self, root: CallNode) -> Self:
        """Select the end of the largest calls from here on."""

    def searched(self, root: CallNode, text: str) -> Self:
        """Select the first node with this text in its name."""

    def to_match(self, step: int) -> Self:
        """Select the next or previous one."""


S = TypeVar("S", bound=CallsState, covariant=True)


@dataclass(frozen=True, slots=True)
class CallsView(ProfileView, Generic[S]):
    """All calls from the root on, and where somebody is among them.

    ``totals`` are what each function comes to in all its places.
    """

    root: CallNode
    measure: Measure
    state: S
    totals: Mapping[str, Total]

    @property
    def finds(self) -> bool:
        """Names can be searched."""
        return True

    @property
    def searches(self) -> bool:
        """Whether something was searched."""
        return bool(self.state.found.text)

    def along_the_largest(self) -> Self:
        """Go to the end of the largest calls from here on."""
        return replace(self, state=self.state.along_the_largest(self.root))

    def back(self) -> Self | None:
        """Forget what was searched."""
        return self.searched("") if self.state.found.text else None

    def searched(self, text: str) -> Self:
        """Select the first node with this text in its name."""
        return replace(self, state=self.state.searched(self.root, text))

    def to_match(self, step: int) -> Self:
        """Select the next or previous one."""
        return replace(self, state=self.state.to_match(step))


@dataclass(frozen=True, slots=True)
class TreeView(CallsView[TreeState]):
    """The call tree."""

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TreeView, list[Line]]:
        """Draw the rows that are not folded away."""
        state, lines = call_tree.draw(
            self.root, self.measure, self.state, width, height, focused=focused
        )
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say what is selected."""
        return call_tree.hint(self.root, self.measure, self.state, self.totals)

    def words(self, room: int) -> Line:
        """Say what was found."""
        return call_tree.words(self.measure, self.state, room)

    def moved(self, by: int) -> TreeView:
        """Select another row."""
        return replace(self, state=self.state.moved(self.root, by))

    def sideways(self, by: int) -> TreeView:
        """Fold, or open: left and right."""
        state = self.state.left() if by < 0 else self.state.entered(self.root)
        return replace(self, state=state)

    def entered(self) -> TreeView | str:
        """Go to the selected function."""
        node = call_tree.node_at(self.root, self.state.selected)
        return node.name if self.state.selected and not node.folded else self


@dataclass(frozen=True, slots=True)
class FlameView(CallsView[FlameState]):
    """The flame view."""

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[FlameView, list[Line]]:
        """Draw the boxes."""
        return self, flame.draw(self.root, self.measure, self.state, width, height, focused=focused)

    def words(self, room: int) -> Line:
        """Say into what it is zoomed, and what the search found."""
        return flame.words(self.root, self.measure, self.state, room)

    def hint(self) -> Line:
        """Say what is selected."""
        return flame.hint(self.root, self.measure, self.state, self.totals)

    def moved(self, by: int) -> FlameView:
        """Go to the caller, or to the largest call."""
        state = self.state.to_parent() if by < 0 else self.state.to_child(self.root)
        return replace(self, state=state)

    def sideways(self, by: int) -> FlameView:
        """Select the box beside."""
        return replace(self, state=self.state.to_sibling(self.root, by))

    def clicked(self, cell: tuple[int, int], size: tuple[int, int]) -> FlameView:
        """Select the box that covers a cell (x, y) of all that are drawn."""
        path = flame.path_under(self.root, self.state, cell, size)
        return replace(self, state=replace(self.state, selected=path))

    def entered(self) -> FlameView:
        """Zoom into the selected box."""
        return replace(self, state=self.state.zoomed())

    def back(self) -> FlameView | None:
        """Forget what was searched, or zoom out."""
        if self.state.found.text:
            return self.searched("")
        return replace(self, state=self.state.back()) if self.state.zooms else None
