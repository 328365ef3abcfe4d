"""What all lists of a profile have in common: a selected row, and what was searched in them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from memtui.panes.table import FIRST, Selection

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
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
