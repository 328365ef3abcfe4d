"""A list of rows that each have numbers and a name: selected, searched and moved sideways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from memtui.panes.cells import Line, Span, cells, exactly, fitted
from memtui.panes.profile.values import highlighted, name_at
from memtui.panes.table import FIRST, Column, Selection, marked, table


@dataclass(frozen=True, slots=True)
class RowList:
    """Which row is selected, by how many cells names are moved sideways, what was searched."""

    selection: Selection = FIRST
    shift: int = 0
    text: str = ""

    def moved(self, names: Sequence[str], by: int) -> RowList:
        """Select another row."""
        return replace(self, selection=self.selection.moved(by, range(len(names))))

    def to_row(self, row: int) -> RowList:
        """Select a row by its number."""
        return replace(self, selection=replace(self.selection, row=row))

    def sideways(self, names: Sequence[str], by: int) -> RowList:
        """Move the names sideways by some cells; the first one shows them in full."""
        most = max(map(len, names), default=0)
        return replace(self, shift=max(0, min(self.shift + by, max(1, most))))

    def searched(self, names: Sequence[str], text: str) -> RowList:
        """Search for a part of a name, and select the first row from here on that has it."""
        return replace(self, text=text).to_match(names, 1, from_here=True)

    def to_match(self, names: Sequence[str], step: int, *, from_here: bool = False) -> RowList:
        """Select the next (1) or previous (−1) row whose name has the text; after the end again."""
        wanted = self.text.lower()
        if not wanted or not names:
            return self
        start = self.selection.at(range(len(names))) + (0 if from_here else step)
        for away in range(len(names)):
            at = (start + away * step) % len(names)
            if wanted in names[at].lower():
                return self.to_row(at)
        return self


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
