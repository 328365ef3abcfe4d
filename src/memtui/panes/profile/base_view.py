"""What all views of a profile have in common: the pane drives them by the same verbs.

What all lists of a profile have in common: a selected row, and what was searched in them.

A list of rows that each have numbers and a name: selected, searched and moved sideways.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from memtui.panes.profile.formatting import highlighted, shown_name
from memtui.render.cells import Line, Span, cells, exactly, fitted
from memtui.render.table import FIRST, Column, Selection, marked, table

SIDEWAYS = 8
"""Cells by which names move; the first step shows the full name instead of the short one."""
FAR = 1 << 30
"""A move by so many rows goes to the first or to the last one."""


def name_step(shift: int, by: int) -> int:
    """Return by how many cells names move: one between the short and the full name."""
    return by if shift + by <= 1 else by * SIDEWAYS


class ProfileView(ABC):
    """A view: drawn, moved in, searched. Each verb returns the view as it is after it.

    A verb that means nothing in a view leaves it as it is.
    """

    __slots__ = ()

    @abstractmethod
    def draw(self, width: int, height: int, *, focused: bool) -> tuple[ProfileView, list[Line]]:
        """Return the view with what it scrolled, and its lines."""

    @abstractmethod
    def hint(self) -> Line:
        """Return one line about what is selected."""

    @abstractmethod
    def moved(self, by: int) -> ProfileView:
        """Select something else, up or down."""

    @abstractmethod
    def entered(self) -> ProfileView | str:
        """Open what is selected; a text is the name of a function to go to."""

    def sideways(self, by: int) -> ProfileView:
        """Move the names, or the selection, to the left or right."""
        return self

    def filters_to_set(self) -> dict[str, str]:
        """Return the filters that opening what is selected sets, by their names."""
        return {}

    @property
    def opens_source(self) -> bool:
        """Whether opening what is selected shows its source."""
        return False

    def along_the_largest(self) -> ProfileView:
        """Go to the end of the largest calls from here on."""
        return self

    def clicked(self, cell: tuple[int, int], size: tuple[int, int]) -> ProfileView | None:
        """Select what was drawn at a cell (x, y) of a size; None where a click selects nothing."""
        return None

    def back(self) -> ProfileView | None:
        """Undo one step inside of the view; None when there is none."""
        return None

    @property
    def can_search(self) -> bool:
        """Whether anything can be searched in here."""
        return False

    @property
    def has_search(self) -> bool:
        """Whether something was searched and is not forgotten."""
        return False

    def searched(self, text: str) -> ProfileView:
        """Search for a part of a name; "" forgets what was searched."""
        return self

    def to_match(self, step: int) -> ProfileView:
        """Select the next or the previous match."""
        return self

    def size(self) -> tuple[int, int]:
        """Return the number of rows, and which is the first one seen; 0, 0: nobody counts them."""
        return 0, 0

    def status(self, room: int) -> Line:
        """Say what was found and where the view is, in at most ``room`` cells."""
        return ()


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SelectedList(Generic[R]):
    """Which row is selected, and what was searched."""

    selection: Selection = FIRST
    text: str = ""

    @abstractmethod
    def contains(self, row: R, wanted: str) -> bool:
        """Return whether a row has a text, which is in lower case, in it."""

    def moved(self, rows: Sequence[R], by: int) -> Self:
        """Select another row."""
        return replace(self, selection=self.selection.moved(by, range(len(rows))))

    def to_row(self, row: int) -> Self:
        """Select a row by its number."""
        return replace(self, selection=replace(self.selection, row=row))

    def searched(self, rows: Sequence[R], text: str) -> Self:
        """Search for a text, and select the first row from here on that has it."""
        return replace(self, text=text).to_match(rows, 1, from_here=True)

    def to_match(self, rows: Sequence[R], step: int, *, from_here: bool = False) -> Self:
        """Select the next (1) or previous (−1) row that has the text; after the end again."""
        wanted = self.text.lower()
        if not wanted or not rows:
            return self
        start = self.selection.at(range(len(rows))) + (0 if from_here else step)
        for away in range(len(rows)):
            at = (start + away * step) % len(rows)
            if self.contains(rows[at], wanted):
                return self.to_row(at)
        return self


@dataclass(frozen=True, slots=True)
class RowList(SelectedList[str]):
    """A list of names; ``shift`` is by how many cells they are moved sideways."""

    shift: int = 0

    def contains(self, row: str, wanted: str) -> bool:
        """Return whether a name has a text in it."""
        return wanted in row.lower()

    def sideways(self, names: Sequence[str], by: int) -> RowList:
        """Move the names sideways by some cells; the first one shows them in full."""
        most = max(map(len, names), default=0)
        return replace(self, shift=max(0, min(self.shift + by, max(1, most))))


def draw_rows(
    columns: Sequence[Column],
    count: int,
    row_of: Callable[[int], tuple[Sequence[str | Span], str]],
    state: RowList,
    width: int,
    height: int,
    *,
    focused: bool,
) -> tuple[RowList, list[Line]]:
    """Return exactly ``height`` lines of exactly ``width`` cells, the titles first.

    ``row_of`` gives the cells and the name of a row by its number; it is asked for the rows that
    are seen. The name goes into the last column. Beside the lines comes the state with the first
    row that was drawn, so that the next picture scrolls no further than it must.
    """
    room = max(0, height - 1)
    selection = state.selection.within(range(count), room)
    shown = range(selection.top, min(selection.top + room, count))
    rows = [row_of(at) for at in shown]
    head, lines = table(columns, [(*numbers, "") for numbers, _ in rows], width - 1)
    drawn: list[Line] = []
    for (_, name), spans in zip(rows, lines, strict=True):
        room = cells(spans[-1:])
        said = highlighted(shown_name(name, state.shift, room - 1), name, state.text)
        drawn.append((Span(" "), *spans[:-1], *exactly((Span(" "), *said), room)))
    if focused and drawn:
        at = selection.at(range(count)) - selection.top
        drawn[at] = marked(drawn[at], width)
    return replace(state, selection=selection), fitted([(Span(" "), *head), *drawn], width, height)


@dataclass(frozen=True, slots=True)
class ListView(ProfileView, Generic[R]):
    """A list: its rows, and where somebody is in it."""

    rows: Sequence[R]
    state: SelectedList[R]

    @property
    def can_search(self) -> bool:
        """Names can be searched."""
        return True

    @property
    def has_search(self) -> bool:
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
