"""The views of a profile as the pane drives them: each has its data, its state, and the same verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from memtui.panes.cells import Line
from memtui.panes.profile import calltree, comparison, flame, goroutines, peek, toplist
from memtui.panes.profile.calltree import CallTree
from memtui.panes.profile.comparison import Compared
from memtui.panes.profile.flame import Flame
from memtui.panes.profile.goroutines import GoroutineList, Group
from memtui.panes.profile.peek import Peeked
from memtui.panes.profile.rowlist import RowList
from memtui.panes.profile.values import Measure
from memtui.pprof.calls import CallNode, StackLine
from memtui.pprof.top import Peek

SIDEWAYS = 8
"""Cells by which names move; the first step shows the full name instead of the short one."""
FAR = 1 << 30
"""A move by so many rows goes to the first or to the last one."""

M = TypeVar("M")


def _step(shift: int, by: int) -> int:
    """Return by how many cells names move: one between the short and the full name."""
    return by if shift + by <= 1 else by * SIDEWAYS


class Mode(Protocol):
    """A view: drawn, moved in, searched. Each verb returns the view as it is after it."""

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[Mode, list[Line]]:
        """Return the view with what it scrolled, and its lines."""

    def hint(self) -> Line:
        """Return one line about what is selected."""

    def moved(self, by: int) -> Mode:
        """Select something else, up or down."""

    def sideways(self, by: int) -> Mode:
        """Move the names, or the selection, to the left or right."""

    def entered(self) -> Mode | str:
        """Open what is selected; a text is the name of a function to go to."""

    def back(self) -> Mode | None:
        """Undo one step inside of the view; None when there is none."""

    def searched(self, text: str) -> Mode:
        """Search for a part of a name."""

    def to_match(self, step: int) -> Mode:
        """Select the next or the previous match."""

    def size(self) -> tuple[int, int]:
        """Return the number of rows, and which of them is the first one seen."""


@dataclass(frozen=True, slots=True)
class TopMode:
    """The functions in the columns of pprof -top."""

    data: toplist.Listed
    state: RowList = RowList()

    @property
    def names(self) -> Sequence[str]:
        """The names of the rows in their order."""
        return [row.name for row in self.data.rows]

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TopMode, list[Line]]:
        """Draw the list."""
        state, lines = toplist.draw(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say the whole name."""
        return toplist.hint(self.data, self.state)

    def moved(self, by: int) -> TopMode:
        """Select another row."""
        return replace(self, state=self.state.moved(self.names, by))

    def sideways(self, by: int) -> TopMode:
        """Move the names."""
        return replace(self, state=self.state.sideways(self.names, _step(self.state.shift, by)))

    def entered(self) -> TopMode | str:
        """Go to the selected function."""
        names = self.names
        return names[self.state.selection.at(range(len(names)))] if names else self

    def back(self) -> TopMode | None:
        """Forget what was searched."""
        return replace(self, state=replace(self.state, text="")) if self.state.text else None

    def searched(self, text: str) -> TopMode:
        """Select the first function with this text in its name."""
        return replace(self, state=self.state.searched(self.names, text))

    def to_match(self, step: int) -> TopMode:
        """Select the next or previous one."""
        return replace(self, state=self.state.to_match(self.names, step))

    def size(self) -> tuple[int, int]:
        """Return the number of functions, and the first one seen."""
        return len(self.data.rows), self.state.selection.top


@dataclass(frozen=True, slots=True)
class GrowthMode:
    """The functions that changed since the base, growth first."""

    data: Compared
    state: RowList = RowList()

    @property
    def names(self) -> Sequence[str]:
        """The names of the rows in their order."""
        return [each.name for each in self.data.changes]

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[GrowthMode, list[Line]]:
        """Draw the list."""
        state, lines = comparison.draw(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say then and now of the selected function."""
        return comparison.hint(self.data, self.state)

    def moved(self, by: int) -> GrowthMode:
        """Select another row."""
        return replace(self, state=self.state.moved(self.names, by))

    def sideways(self, by: int) -> GrowthMode:
        """Move the names."""
        return replace(self, state=self.state.sideways(self.names, _step(self.state.shift, by)))

    def entered(self) -> GrowthMode | str:
        """Go to the selected function."""
        names = self.names
        return names[self.state.selection.at(range(len(names)))] if names else self

    def back(self) -> GrowthMode | None:
        """Forget what was searched."""
        return replace(self, state=replace(self.state, text="")) if self.state.text else None

    def searched(self, text: str) -> GrowthMode:
        """Select the first function with this text in its name."""
        return replace(self, state=self.state.searched(self.names, text))

    def to_match(self, step: int) -> GrowthMode:
        """Select the next or previous one."""
        return replace(self, state=self.state.to_match(self.names, step))

    def size(self) -> tuple[int, int]:
        """Return the number of functions, and the first one seen."""
        return len(self.data.changes), self.state.selection.top


@dataclass(frozen=True, slots=True)
class PeekMode:
    """One function between its callers and its calls, and the stacks that lead to it."""

    peek: Peek
    stacks: Sequence[StackLine]
    measure: Measure
    state: Peeked = Peeked()

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[PeekMode, list[Line]]:
        """Draw it."""
        state, lines = peek.draw(
            self.peek, self.stacks, self.measure, self.state, width, height, focused=focused
        )
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say the whole name of the selected line."""
        return peek.hint(self.peek, self.stacks, self.measure, self.state)

    def moved(self, by: int) -> PeekMode:
        """Select another line."""
        return replace(self, state=self.state.moved(self.peek, self.stacks, by))

    def sideways(self, by: int) -> PeekMode:
        """Move the names."""
        return replace(self, state=self.state.sideways(_step(self.state.shift, by)))

    def entered(self) -> PeekMode | str:
        """Go to the selected function, or unfold the selected stack."""
        state, name = self.state.entered(self.peek, self.stacks)
        return name or replace(self, state=state)

    def back(self) -> None:
        """Nothing to undo in here."""

    def searched(self, text: str) -> PeekMode:
        """Nothing is searched in here."""
        return self

    def to_match(self, step: int) -> PeekMode:
        """Nothing is searched in here."""
        return self

    def size(self) -> tuple[int, int]:
        """All of it counts as seen."""
        return 0, 0


@dataclass(frozen=True, slots=True)
class TreeMode:
    """The call tree."""

    root: CallNode
    measure: Measure
    state: CallTree

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TreeMode, list[Line]]:
        """Draw the rows that are not folded away."""
        state, lines = calltree.draw(
            self.root, self.measure, self.state, width, height, focused=focused
        )
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say what is selected."""
        return calltree.hint(self.root, self.measure, self.state)

    def moved(self, by: int) -> TreeMode:
        """Select another row."""
        return replace(self, state=self.state.moved(self.root, by))

    def sideways(self, by: int) -> TreeMode:
        """Fold, or open: left and right."""
        state = self.state.left() if by < 0 else self.state.entered(self.root)
        return replace(self, state=state)

    def entered(self) -> TreeMode | str:
        """Go to the selected function."""
        return self.state.selected[-1] if self.state.selected else self

    def back(self) -> TreeMode | None:
        """Forget what was searched."""
        return self.searched("") if self.state.found.text else None

    def searched(self, text: str) -> TreeMode:
        """Select the first node with this text in its name."""
        return replace(self, state=self.state.searched(self.root, text))

    def to_match(self, step: int) -> TreeMode:
        """Select the next or previous one."""
        return replace(self, state=self.state.to_match(step))

    def size(self) -> tuple[int, int]:
        """Folding hides rows: nobody counts them."""
        return 0, 0


@dataclass(frozen=True, slots=True)
class FlameMode:
    """The flame view."""

    root: CallNode
    measure: Measure
    state: Flame = Flame()

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[FlameMode, list[Line]]:
        """Draw the boxes."""
        return self, flame.draw(
            self.root, self.measure, self.state, width, height, focused=focused
        )

    def hint(self) -> Line:
        """Say what is selected."""
        return flame.hint(self.root, self.measure, self.state)

    def moved(self, by: int) -> FlameMode:
        """Go to the caller, or to the largest call."""
        state = self.state.to_parent() if by < 0 else self.state.to_child(self.root)
        return replace(self, state=state)

    def sideways(self, by: int) -> FlameMode:
        """Select the box beside."""
        return replace(self, state=self.state.to_sibling(self.root, by))

    def entered(self) -> FlameMode:
        """Zoom into the selected box."""
        return replace(self, state=self.state.zoomed())

    def back(self) -> FlameMode | None:
        """Forget what was searched, or zoom out."""
        if self.state.found.text:
            return self.searched("")
        return replace(self, state=self.state.back()) if self.state.zooms else None

    def searched(self, text: str) -> FlameMode:
        """Select the first box with this text in its name."""
        return replace(self, state=self.state.searched(self.root, text))

    def to_match(self, step: int) -> FlameMode:
        """Select the next or previous one."""
        return replace(self, state=self.state.to_match(step))

    def size(self) -> tuple[int, int]:
        """Boxes are not counted."""
        return 0, 0


@dataclass(frozen=True, slots=True)
class GoroutinesMode:
    """How many goroutines stand at each stack."""

    groups: Sequence[Group]
    state: GoroutineList = GoroutineList()

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[GoroutinesMode, list[Line]]:
        """Draw the stacks."""
        state, lines = goroutines.draw(self.groups, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say what they wait for."""
        return goroutines.hint(self.groups, self.state)

    def moved(self, by: int) -> GoroutinesMode:
        """Select another stack."""
        return replace(self, state=self.state.moved(self.groups, by))

    def sideways(self, by: int) -> GoroutinesMode:
        """Stacks do not move."""
        return self

    def entered(self) -> GoroutinesMode:
        """Unfold the selected stack."""
        return replace(self, state=self.state.toggled(self.groups))

    def back(self) -> GoroutinesMode | None:
        """Forget what was searched."""
        return replace(self, state=replace(self.state, text="")) if self.state.text else None

    def searched(self, text: str) -> GoroutinesMode:
        """Select the first stack with this text in a frame."""
        return replace(self, state=self.state.searched(self.groups, text))

    def to_match(self, step: int) -> GoroutinesMode:
        """Select the next or previous one."""
        return replace(self, state=self.state.to_match(self.groups, step))

    def size(self) -> tuple[int, int]:
        """Return the number of stacks, and the first one seen."""
        return len(self.groups), self.state.selection.top
