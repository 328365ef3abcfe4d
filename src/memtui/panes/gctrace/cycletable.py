"""The table of the cycles: its order, the selected one, and the rows that are to be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic

from memtui.model import ProcessIdentity
from memtui.panes.cells import Line, Span
from memtui.panes.gctrace.columns import Entry, Figure, S, cycle_lines
from memtui.panes.gctrace.order import Order, Sorting, entries_of
from memtui.panes.table import Selection
from memtui.timeline import Track, View

FigureMaker = Callable[[int, bool], Sequence[Figure[S]]]
"""Makes the columns for a width; the flag tells whether the start of the process is known."""

Words = Callable[[Entry[S]], Line]
"""Says a cycle in one line."""

Card = Callable[[Entry[S], int], list[Line]]
"""Says every field of a cycle, in lines of a width."""


class CycleTable(Generic[S]):
    """The cycles of one kind of sample, as they came or sorted by a column.

    As they came, a row is known by the number of its event, and the table follows its end. Sorted,
    rows are places from 0 on: the selection stays with its cycle while others are sorted in
    around it, or at the top, with whichever cycle that is.
    """

    def __init__(
        self, kind: type[S], figures_at: FigureMaker[S], words: Words[S], card: Card[S]
    ) -> None:
        self.sorting = Sorting()
        self.words: Words[S] = words
        self.card: Card[S] = card
        self._kind: type[S] = kind
        self._figures_at: FigureMaker[S] = figures_at
        self._order: Order[S] | None = None
        self._chosen: int | None = None
        self._widest: dict[str, int] = {}

    @property
    def follows(self) -> bool:
        """Whether an untouched selection follows the end."""
        return self.sorting.as_they_came

    def sort_by_next(self) -> None:
        """Sort by the next column."""
        self.sorting = self.sorting.next(self._figures_at(0, True))
        self._order, self._chosen = None, None

    def reverse(self) -> None:
        """Turn the order round."""
        self.sorting = self.sorting.reversed()
        self._chosen = None

    def explained(self, width: int) -> Line:
        """Say by what the table is sorted, and what those numbers are."""
        figure = self._figures_at(width, True)[self.sorting.column]
        first = "largest" if self.sorting.descending else "smallest"
        return (
            Span(f"by {figure.title}", "title"),
            Span(f", {first} first: "),
            Span(figure.meaning, figure.role if figure.role != "dim" else "text"),
        )

    def rows(self, view: View) -> range:
        """Return the numbers of the rows that can be selected."""
        if self.sorting.as_they_came:
            return self._track(view).numbers(view.until)
        return range(len(self._ordered(view)))

    def choose(self, view: View, place: int | None) -> None:
        """Note which row was selected, so that the selection can stay with its cycle."""
        order = None if self.sorting.as_they_came else self._ordered(view)
        self._chosen = None
        if order is not None and place and place < len(order):
            self._chosen = order.number_at(place, descending=self.sorting.descending)

    def hold(self, view: View, place: int) -> None:
        """Let the selection stay with the cycle in this place, also with that at the top."""
        if not self.sorting.as_they_came and place < len(order := self._ordered(view)):
            self._chosen = order.number_at(place, descending=self.sorting.descending)

    def placed(self, view: View, selection: Selection) -> Selection:
        """Return the selection where its cycle stands now."""
        if self.sorting.as_they_came:
            return selection
        order, place = self._ordered(view), None
        if self._chosen is not None:
            place = order.place_of(self._chosen, descending=self.sorting.descending)
        return replace(selection, row=place or 0)

    def words_of(self, view: View, row: int) -> Line:
        """Return the cycle of a row in one line; nothing where there is none."""
        found = self._entries(view, range(row, row + 1))
        return self.words(found[0]) if found else ()

    def card_of(self, view: View, row: int, width: int) -> list[Line]:
        """Return every field of the cycle of a row; nothing where there is none."""
        found = self._entries(view, range(row, row + 1))
        return self.card(found[0], width) if found else []

    def lines(self, view: View, rows: range, width: int) -> tuple[Line, list[Line]]:
        """Return the head of the table and some of its rows."""
        has_start = view.sample(ProcessIdentity) is not None
        return cycle_lines(
            self._figures_at(width, has_start),
            self._entries(view, rows),
            width,
            sorted_by=self.sorting.column,
            descending=self.sorting.descending,
            widest=self._widest,
        )

    def _track(self, view: View) -> Track[S]:
        return view.timeline.track(self._kind)

    def _entries(self, view: View, rows: range) -> list[Entry[S]]:
        if self.sorting.as_they_came:
            return entries_of(self._track(view), rows)
        return self._ordered(view).rows(rows, descending=self.sorting.descending)

    def _ordered(self, view: View) -> Order[S]:
        track = self._track(view)
        if self._order is None or self._order.track is not track:
            self._order = Order(track, self._figures_at(0, True)[self.sorting.column])
        self._order.take(track.numbers(view.until))
        return self._order
