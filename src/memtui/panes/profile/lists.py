"""What all lists of a profile have in common: a selected row, and what was searched in them.

A list of rows that each have numbers and a name: selected, searched and moved sideways.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from memtui.panes.profile.values import highlighted, name_at
from memtui.render.cells import Line, Span, cells, exactly, fitted
from memtui.render.table import FIRST, Column, Selection, marked, table

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SelectedList(Generic[R]):
    """Which row is selected, and what was searched."""

    selection: Selection = FIRST
    text: str = ""

    @abstractmethod
    def says(self, row: R, wanted: str) -> bool:
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
            if self.says(rows[at], wanted):
                return self.to_row(at)
        return self


@dataclass(frozen=True, slots=True)
class RowList(SelectedList[str]):
    """A list of names; ``shift`` is by how many cells they are moved sideways."""

    shift: int = 0

    def says(self, row: str, wanted: str) -> bool:
        """Return whether a name has a text in it."""
        return wanted in row.lower()

    def sideways(self, names: Sequence[str], by: int) -> RowList:
        """Move the names sideways by some cells; the first one shows them in full."""
        most = max(map(len, names), default=0)
        return replace(self, shift=max(0, min(self.shift + by, max(1, most))))


def draw(
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
        said = highlighted(name_at(name, state.shift, room - 1), name, state.text)
        drawn.append((Span(" "), *spans[:-1], *exactly((Span(" "), *said), room)))
    if focused and drawn:
        at = selection.at(range(count)) - selection.top
        drawn[at] = marked(drawn[at], width)
    return replace(state, selection=selection), fitted([(Span(" "), *head), *drawn], width, height)
