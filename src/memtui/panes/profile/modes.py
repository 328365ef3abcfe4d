"""The views of a profile as the pane drives them: data, state, and the same verbs for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

from memtui.model import SampleValues
from memtui.panes.cells import Line, Span
from memtui.panes.profile import calltree, comparison, flame, goroutines, peek, toplist, walk
from memtui.panes.profile.calltree import CallTree
from memtui.panes.profile.comparison import Compared, compared
from memtui.panes.profile.flame import Flame
from memtui.panes.profile.goroutines import GoroutineList, Group
from memtui.panes.profile.order import Order
from memtui.panes.profile.peek import Peeked
from memtui.panes.profile.rowlist import RowList
from memtui.panes.profile.values import Measure
from memtui.panes.table import Selection
from memtui.pprof.calls import CallNode
from memtui.pprof.question import Answer, Around, Called, Grown, Listed
from memtui.pprof.top import Row

SIDEWAYS = 8
"""Cells by which names move; the first step shows the full name instead of the short one."""
FAR = 1 << 30
"""A move by so many rows goes to the first or to the last one."""


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

    @property
    def finds(self) -> bool:
        """Whether anything can be searched in here."""

    @property
    def searches(self) -> bool:
        """Whether something was searched and is not forgotten."""

    def searched(self, text: str) -> Mode:
        """Search for a part of a name."""

    def to_match(self, step: int) -> Mode:
        """Select the next or the previous match."""

    def size(self) -> tuple[int, int]:
        """Return the number of rows, and which of them is the first one seen."""


@dataclass(frozen=True, slots=True)
class _RowMode(ABC):
    """A list of functions, one a row."""

    names: Sequence[str]
    state: RowList

    @abstractmethod
    def draw(self, width: int, height: int, *, focused: bool) -> tuple[Self, list[Line]]:
        """Draw the list."""

    @abstractmethod
    def hint(self) -> Line:
        """Say what is selected."""

    @property
    def selected(self) -> str:
        """The name of the selected row, "" when there is none."""
        return self.names[self.state.selection.at(range(len(self.names)))] if self.names else ""

    @property
    def finds(self) -> bool:
        """Names can be searched."""
        return True

    @property
    def searches(self) -> bool:
        """Whether something was searched."""
        return bool(self.state.text)

    def moved(self, by: int) -> Self:
        """Select another row."""
        return replace(self, state=self.state.moved(self.names, by))

    def sideways(self, by: int) -> Self:
        """Move the names."""
        return replace(self, state=self.state.sideways(self.names, _step(self.state.shift, by)))

    def entered(self) -> Self | str:
        """Go to the selected function."""
        return self.selected or self

    def back(self) -> Self | None:
        """Forget what was searched."""
        return replace(self, state=replace(self.state, text="")) if self.state.text else None

    def searched(self, text: str) -> Self:
        """Select the first function with this text in its name."""
        return replace(self, state=self.state.searched(self.names, text))

    def to_match(self, step: int) -> Self:
        """Select the next or previous one."""
        return replace(self, state=self.state.to_match(self.names, step))

    def size(self) -> tuple[int, int]:
        """Return the number of functions, and the first one seen."""
        return len(self.names), self.state.selection.top


@dataclass(frozen=True, slots=True)
class TopMode(_RowMode):
    """The functions in the columns of pprof -top."""

    data: toplist.Listed

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TopMode, list[Line]]:
        """Draw the list."""
        state, lines = toplist.draw(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say the whole name."""
        return toplist.hint(self.data, self.state)


@dataclass(frozen=True, slots=True)
class GrowthMode(_RowMode):
    """The functions that changed since the base, growth first."""

    data: Compared

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[GrowthMode, list[Line]]:
        """Draw the list."""
        state, lines = comparison.draw(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say then and now of the selected function."""
        return comparison.hint(self.data, self.state)


@dataclass(frozen=True, slots=True)
class PeekMode:
    """One function between its callers and its calls, and the stacks that lead to it."""

    near: peek.Neighbours
    state: Peeked

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[PeekMode, list[Line]]:
        """Draw it."""
        state, lines = peek.draw(self.near, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say the whole name of the selected line."""
        return peek.hint(self.near, self.state)

    @property
    def finds(self) -> bool:
        """Nothing is searched in here."""
        return False

    @property
    def searches(self) -> bool:
        """Nothing is searched in here."""
        return False

    def moved(self, by: int) -> PeekMode:
        """Select another line."""
        return replace(self, state=self.state.moved(self.near, by))

    def sideways(self, by: int) -> PeekMode:
        """Move the names."""
        return replace(self, state=self.state.sideways(_step(self.state.shift, by)))

    def entered(self) -> PeekMode | str:
        """Go to the selected function, or unfold the selected stack."""
        state, name = self.state.entered(self.near)
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

    @property
    def finds(self) -> bool:
        """Names can be searched."""
        return True

    @property
    def searches(self) -> bool:
        """Whether something was searched."""
        return bool(self.state.found.text)

    def words(self, room: int) -> Line:
        """Say what was found."""
        return calltree.words(self.measure, self.state, room)

    def along_the_largest(self) -> TreeMode:
        """Open the largest call of each, from the selected one on."""
        return replace(self, state=self.state.along_the_largest(self.root))

    def moved(self, by: int) -> TreeMode:
        """Select another row."""
        return replace(self, state=self.state.moved(self.root, by))

    def sideways(self, by: int) -> TreeMode:
        """Fold, or open: left and right."""
        state = self.state.left() if by < 0 else self.state.entered(self.root)
        return replace(self, state=state)

    def entered(self) -> TreeMode | str:
        """Go to the selected function."""
        node = walk.node_at(self.root, self.state.selected)
        return node.name if self.state.selected and not node.folded else self

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
    state: Flame

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[FlameMode, list[Line]]:
        """Draw the boxes."""
        return self, flame.draw(self.root, self.measure, self.state, width, height, focused=focused)

    def words(self, room: int) -> Line:
        """Say into what it is zoomed, and what the search found."""
        return flame.words(self.root, self.measure, self.state, room)

    def hint(self) -> Line:
        """Say what is selected."""
        return flame.hint(self.root, self.measure, self.state)

    @property
    def finds(self) -> bool:
        """Names can be searched."""
        return True

    @property
    def searches(self) -> bool:
        """Whether something was searched."""
        return bool(self.state.found.text)

    def along_the_largest(self) -> FlameMode:
        """Go to the end of the largest calls from here on."""
        return replace(self, state=self.state.along_the_largest(self.root))

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
    state: GoroutineList

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[GoroutinesMode, list[Line]]:
        """Draw how many there are in each state, and the stacks."""
        states = (Span(" "), *goroutines.by_state(self.groups, width - 2))
        state, lines = goroutines.draw(self.groups, self.state, width, height - 1, focused=focused)
        return replace(self, state=state), [states, *lines]

    def hint(self) -> Line:
        """Say what they wait for."""
        return goroutines.hint(self.groups, self.state)

    @property
    def finds(self) -> bool:
        """Names can be searched."""
        return True

    @property
    def searches(self) -> bool:
        """Whether something was searched."""
        return bool(self.state.text)

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


def of_values(values: SampleValues, order: Order, old: Mode | None) -> TopMode:
    """Return the list of the functions that a profile knows by itself."""
    rows = [Row(each.name, each.flat, each.cum) for each in values.functions]
    return _top(rows, Measure(values.unit, values.total), order, old)


def mode_of(
    answer: Answer,
    order: Order,
    old: Mode | None,
    *,
    is_flame: bool = False,
    span_s: float | None = None,
    is_difference: bool = False,
) -> Mode:
    """Return the view of an answer; what was selected in the ``old`` one stays so where it can.

    ``span_s`` is the time between base and profile.
    """
    measure = Measure(answer.type.unit, answer.total, is_difference)
    match answer:
        case Grown(now=now, base=base):
            data = compared(base, now, answer.type.unit, span_s, order)
            names = tuple(each.name for each in data.changes)
            return GrowthMode(names, _kept_row(names, old), data)
        case Listed(rows=rows):
            return _top(rows, measure, order, old)
        case Around(peek=found, stacks=stacks):
            state = old.state if isinstance(old, PeekMode) else Peeked()
            return PeekMode(peek.Neighbours(found, stacks, measure), state)
        case Called(root=root) if is_flame:
            flaming = old.state.settled(root) if isinstance(old, FlameMode) else Flame()
            return FlameMode(root, measure, flaming)
        case Called(root=root):
            tree = old.state.settled(root) if isinstance(old, TreeMode) else CallTree.of(root)
            return TreeMode(root, measure, tree)
        case _:
            listing = old.state if isinstance(old, GoroutinesMode) else GoroutineList()
            return GoroutinesMode(goroutines.groups(answer.now, answer.base), listing)


def _top(rows: Sequence[Row], measure: Measure, order: Order, old: Mode | None) -> TopMode:
    data = toplist.listed(rows, measure, order)
    names = tuple(row.name for row in data.rows)
    return TopMode(names, _kept_row(names, old), data)


def _kept_row(names: Sequence[str], old: Mode | None) -> RowList:
    """Select the function that was selected before, unless that was simply the first one."""
    if not isinstance(old, TopMode | GrowthMode):
        return RowList()
    if not old.state.selection.row or old.selected not in names:
        return replace(old.state, selection=Selection())
    return old.state.to_row(names.index(old.selected))


def reordered(mode: Mode, order: Order) -> Mode:
    """Return a list in another order, its first row selected; other views have none."""
    if isinstance(mode, GrowthMode):
        data = comparison.ordered(mode.data, order)
        names = tuple(each.name for each in data.changes)
        state = replace(mode.state, selection=Selection())
        return GrowthMode(names, state, data)
    if not isinstance(mode, TopMode):
        return mode
    found = _top(mode.data.rows, mode.data.measure, order, None)
    return replace(found, state=replace(mode.state, selection=Selection()))
