"""The views that are lists: functions, their growth, goroutines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from memtui.panes.profile import goroutines, labels, source, top
from memtui.panes.profile.base_view import ProfileView, RowList, SelectedList, name_step
from memtui.panes.profile.goroutines import GoroutineGroup, GoroutineListState
from memtui.panes.profile.top import Comparison
from memtui.render.cells import Line, Span, fitted, line

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ListView(ProfileView, Generic[R]):
    """A list: its rows, and where somebody is in it."""

    rows: Sequence[R]
    state: SelectedList[R]

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
        return replace(self, state=self.state.moved(self.rows, by))

    def back(self) -> Self | None:
        """Forget what was searched."""
        return self.searched("") if self.state.text else None

    def searched(self, text: str) -> Self:
        """Select the first row from here on with this text in it."""
        return replace(self, state=self.state.searched(self.rows, text))

    def to_match(self, step: int) -> Self:
        """Select the next or previous one."""
        return replace(self, state=self.state.to_match(self.rows, step))

    def size(self) -> tuple[int, int]:
        """Return the number of rows, and the first one seen."""
        return len(self.rows), self.state.selection.top


@dataclass(frozen=True, slots=True)
class NameListView(ListView[str]):
    """A list of functions, one a row, by their names."""

    state: RowList

    @property
    def selected(self) -> str:
        """The name of the selected row, "" when there is none."""
        return self.rows[self.state.selection.at(range(len(self.rows)))] if self.rows else ""

    def sideways(self, by: int) -> Self:
        """Move the names."""
        return replace(self, state=self.state.sideways(self.rows, name_step(self.state.shift, by)))

    def clicked(self, cell: tuple[int, int], size: tuple[int, int]) -> Self | None:
        """Select the function of a line; the first line has the titles."""
        row = self.state.selection.top + cell[1] - 1
        if not cell[1] or row >= len(self.rows):
            return None
        return replace(self, state=self.state.to_row(row))

    def entered(self) -> Self | str:
        """Go to the selected function."""
        return self.selected or self


@dataclass(frozen=True, slots=True)
class TopView(NameListView):
    """The functions in the columns of pprof -top."""

    data: top.TopList

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[TopView, list[Line]]:
        """Draw the list."""
        state, lines = top.draw_top(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say the whole name."""
        return top.top_hint(self.data, self.state)


@dataclass(frozen=True, slots=True)
class GrowthView(NameListView):
    """The functions that changed since the base, growth first."""

    data: Comparison

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[GrowthView, list[Line]]:
        """Draw the list."""
        state, lines = top.draw_growth(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say then and now of the selected function."""
        return top.growth_hint(self.data, self.state)


@dataclass(frozen=True, slots=True)
class LabelsView(NameListView):
    """The values of labels, and what the samples of each come to."""

    data: labels.LabelRows

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[LabelsView, list[Line]]:
        """Draw the list, or why it is empty."""
        if not self.data.rows:
            return self, fitted([line(Span(f" {labels.NO_LABELS}", "dim"))], width, height)
        state, lines = labels.draw(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say what opening does."""
        return labels.hint(self.data, self.state)

    def entered(self) -> LabelsView:
        """Stay: what is opened is a filter, which the pane sets."""
        return self

    def narrowing(self) -> dict[str, str]:
        """Return the filter that keeps the samples of the selected label."""
        at = self.state.selection.at(range(len(self.rows)))
        return {"tagfocus": self.data.rows[at].filter} if self.rows else {}


@dataclass(frozen=True, slots=True)
class SourceView(NameListView):
    """The source of a function, with what each line comes to."""

    data: source.SourceRows

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[SourceView, list[Line]]:
        """Draw the lines."""
        state, lines = source.draw(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Say what the line comes to."""
        return source.hint(self.data, self.state)

    def entered(self) -> SourceView:
        """Stay: below a line of source there is nothing."""
        return self


@dataclass(frozen=True, slots=True)
class GoroutinesView(ListView[GoroutineGroup]):
    """How many goroutines stand at each stack."""

    state: GoroutineListState

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[GoroutinesView, list[Line]]:
        """Draw how many there are in each state, and the stacks."""
        states = (Span(" "), *goroutines.by_state(self.rows, width - 2))
        state, lines = goroutines.draw(self.rows, self.state, width, height - 1, focused=focused)
        return replace(self, state=state), [states, *lines]

    def hint(self) -> Line:
        """Say what they wait for."""
        return goroutines.hint(self.rows, self.state)

    def entered(self) -> GoroutinesView:
        """Unfold the selected stack."""
        return replace(self, state=self.state.toggled(self.rows))
