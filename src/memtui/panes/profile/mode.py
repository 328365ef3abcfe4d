"""What all views of a profile have in common: the pane drives them by the same verbs."""

from __future__ import annotations

from typing import Protocol

from memtui.panes.cells import Line

SIDEWAYS = 8
"""Cells by which names move; the first step shows the full name instead of the short one."""
FAR = 1 << 30
"""A move by so many rows goes to the first or to the last one."""


def step(shift: int, by: int) -> int:
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
