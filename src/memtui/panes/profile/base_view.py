"""The interface of all views of a profile, and the base of those that are lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from memtui.panes.profile.formatting import highlighted, shown_name
from memtui.render.cells import Line, Span, cells, fit, fit_lines
from memtui.render.table import FIRST, Column, Selection, selected_line, table

SIDEWAYS = 8
"""Cells to scroll names by; the first step only changes the short name to the full one."""
FAR = 1 << 30
"""A number of rows that reaches the first or last row of any list."""


def name_step(shift: int, by: int) -> int:
    """Return the cells to scroll names by: 1 from the short to the full name, else SIDEWAYS."""
    return by if shift + by <= 1 else by * SIDEWAYS


class ProfileView(ABC):
    """One view of a profile. Views are immutable: each action returns the changed view.

    An action that a view does not support returns the view itself.
    """

    __slots__ = ()

    @abstractmethod
    def draw(self, width: int, height: int, *, focused: bool) -> tuple[ProfileView, list[Line]]:
        """Return the lines of the view, and the view with its new scroll position."""

    @abstractmethod
    def hint(self) -> Line:
        """Return one line about the selected item."""

    @abstractmethod
    def moved(self, by: int) -> ProfileView:
        """Move the selection up or down."""

    @abstractmethod
    def entered(self) -> ProfileView | str:
        """Open the selected item; a text is the name of a function to go to."""

    def sideways(self, by: int) -> ProfileView:
        """Scroll the names, or move the selection, left or right."""
        return self

    def filters_to_set(self) -> dict[str, str]:
        """Return the filters that opening the selected item sets, by name."""
        return {}

    @property
    def opens_source(self) -> bool:
        """Whether opening the selected item shows its source."""
        return False

    def along_the_largest(self) -> ProfileView:
        """Follow the largest call of each function, down to a leaf."""
        return self

    def clicked(self, cell: tuple[int, int], size: tuple[int, int]) -> ProfileView | None:
        """Select the item at a cell (x, y) of a view of some size; None if there is none."""
        return None

    def back(self) -> ProfileView | None:
        """Undo one step in the view; None if there is none."""
        return None

    @property
    def can_search(self) -> bool:
        """Whether the view can be searched."""
        return False

    @property
    def has_search(self) -> bool:
        """Whether a search is active."""
        return False

    def searched(self, text: str) -> ProfileView:
        """Search for a part of a name; "" ends the search."""
        return self

    def to_match(self, step: int) -> ProfileView:
        """Select the next or the previous match."""
        return self

    def size(self) -> tuple[int, int]:
        """Return the number of rows and the first visible one; (0, 0) if rows are not counted."""
        return 0, 0

    def status(self, room: int) -> Line:
        """Return search results and zoom of the view, in at most ``room`` cells."""
        return ()


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ListState(Generic[R]):
    """The state of a list: the selected row, and the text of a search."""

    selection: Selection = FIRST
    text: str = ""

    @abstractmethod
    def contains(self, row: R, text: str) -> bool:
        """Return whether a row contains a text, which is in lower case."""

    def moved(self, rows: Sequence[R], by: int) -> Self:
        """Select another row."""
        return replace(self, selection=self.selection.moved(by, range(len(rows))))

    def to_row(self, row: int) -> Self:
        """Select a row by its number."""
        return replace(self, selection=replace(self.selection, row=row))

    def searched(self, rows: Sequence[R], text: str) -> Self:
        """Search for a text, and select the first match from the selected row on."""
        return replace(self, text=text).to_match(rows, 1, from_here=True)

    def to_match(self, rows: Sequence[R], step: int, *, from_here: bool = False) -> Self:
        """Select the next (1) or previous (−1) match, wrapping around at the end."""
        text = self.text.lower()
        if not text or not rows:
            return self
        start = self.selection.at(range(len(rows))) + (0 if from_here else step)
        for away in range(len(rows)):
            at = (start + away * step) % len(rows)
            if self.contains(rows[at], text):
                return self.to_row(at)
        return self


@dataclass(frozen=True, slots=True)
class NameListState(ListState[str]):
    """The state of a list of names; ``shift`` is the number of cells they are scrolled by."""

    shift: int = 0

    def contains(self, row: str, text: str) -> bool:
        """Return whether a name contains a text, which is in lower case."""
        return text in row.lower()

    def sideways(self, names: Sequence[str], by: int) -> NameListState:
        """Scroll the names by some cells; the first one shows them in full."""
        most = max(map(len, names), default=0)
        return replace(self, shift=max(0, min(self.shift + by, max(1, most))))


def draw_rows(
    columns: Sequence[Column],
    count: int,
    row_of: Callable[[int], tuple[Sequence[str | Span], str]],
    state: NameListState,
    width: int,
    height: int,
    *,
    focused: bool,
) -> tuple[NameListState, list[Line]]:
    """Return exactly ``height`` lines of exactly ``width`` cells, the titles first.

    ``row_of`` returns the cells and the name of a row by its number; it is called for visible rows
    only. The name goes into the last column. The returned state has the new scroll position.
    """
    room = max(0, height - 1)
    selection = state.selection.within(range(count), room)
    shown = range(selection.top, min(selection.top + room, count))
    rows = [row_of(at) for at in shown]
    head, lines = table(columns, [(*numbers, "") for numbers, _ in rows], width - 1)
    drawn: list[Line] = []
    for (_, name), spans in zip(rows, lines, strict=True):
        room = cells(spans[-1:])
        name_spans = highlighted(shown_name(name, state.shift, room - 1), name, state.text)
        drawn.append((Span(" "), *spans[:-1], *fit((Span(" "), *name_spans), room)))
    if focused and drawn:
        at = selection.at(range(count)) - selection.top
        drawn[at] = selected_line(drawn[at], width)
    return replace(state, selection=selection), fit_lines(
        [(Span(" "), *head), *drawn], width, height
    )


@dataclass(frozen=True, slots=True)
class ListView(ProfileView, Generic[R]):
    """A view that is a list of rows."""

    rows: Sequence[R]
    state: ListState[R]

    @property
    def can_search(self) -> bool:
        """True: names can be searched."""
        return True

    @property
    def has_search(self) -> bool:
        """Whether a search is active."""
        return bool(self.state.text)

    def moved(self, by: int) -> Self:
        """Select another row."""
        return replace(self, state=self.state.moved(self.rows, by))

    def back(self) -> Self | None:
        """End the search."""
        return self.searched("") if self.state.text else None

    def searched(self, text: str) -> Self:
        """Select the first match from the selected row on."""
        return replace(self, state=self.state.searched(self.rows, text))

    def to_match(self, step: int) -> Self:
        """Select the next or previous match."""
        return replace(self, state=self.state.to_match(self.rows, step))

    def size(self) -> tuple[int, int]:
        """Return the number of rows, and the first visible one."""
        return len(self.rows), self.state.selection.top


@dataclass(frozen=True, slots=True)
class NameListView(ListView[str]):
    """A view that is a list of names, one a row, usually of functions."""

    state: NameListState

    @property
    def selected(self) -> str:
        """The name of the selected row, "" if there is none."""
        return self.rows[self.state.selection.at(range(len(self.rows)))] if self.rows else ""

    def sideways(self, by: int) -> Self:
        """Scroll the names."""
        return replace(self, state=self.state.sideways(self.rows, name_step(self.state.shift, by)))

    def clicked(self, cell: tuple[int, int], size: tuple[int, int]) -> Self | None:
        """Select the row that was clicked; the first line has the titles."""
        row = self.state.selection.top + cell[1] - 1
        if not cell[1] or row >= len(self.rows):
            return None
        return replace(self, state=self.state.to_row(row))

    def entered(self) -> Self | str:
        """Go to the selected function."""
        return self.selected or self
