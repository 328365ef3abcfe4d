"""The views that are lists: functions, their growth, goroutines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from memtui.panes.cells import Line, Span
from memtui.panes.profile import comparison, goroutines, toplist
from memtui.panes.profile.comparison import Compared
from memtui.panes.profile.goroutines import GoroutineList, Group
from memtui.panes.profile.mode import step
from memtui.panes.profile.rowlist import RowList


@dataclass(frozen=True, slots=True)
class RowMode(ABC):
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
        return replace(self, state=self.state.sideways(self.names, step(self.state.shift, by)))

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
class TopMode(RowMode):
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
class GrowthMode(RowMode):
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
