"""A list of rows that each have numbers and a name: selected, searched and moved sideways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from memtui.panes.cells import Line, Span, cells, exactly, fitted
from memtui.panes.profile.listing import Listing
from memtui.panes.profile.values import highlighted, name_at
from memtui.panes.table import Column, marked, table


@dataclass(frozen=True, slots=True)
class RowList(Listing[str]):
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
