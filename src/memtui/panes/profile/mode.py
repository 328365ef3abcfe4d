"""What all views of a profile have in common: the pane drives them by the same verbs."""

from __future__ import annotations

from abc import ABC, abstractmethod

from memtui.render.cells import Line

SIDEWAYS = 8
"""Cells by which names move; the first step shows the full name instead of the short one."""
FAR = 1 << 30
"""A move by so many rows goes to the first or to the last one."""


def step(shift: int, by: int) -> int:
    """Return by how many cells names move: one between the short and the full name."""
    return by if shift + by <= 1 else by * SIDEWAYS


class Mode(ABC):
    """A view: drawn, moved in, searched. Each verb returns the view as it is after it.

    A verb that means nothing in a view leaves it as it is.
    """

    __slots__ = ()

    @abstractmethod
    def draw(self, width: int, height: int, *, focused: bool) -> tuple[Mode, list[Line]]:
        """Return the view with what it scrolled, and its lines."""

    @abstractmethod
    def hint(self) -> Line:
        """Return one line about what is selected."""

    @abstractmethod
    def moved(self, by: int) -> Mode:
        """Select something else, up or down."""

    @abstractmethod
    def entered(self) -> Mode | str:
        """Open what is selected; a text is the name of a function to go to."""

    def sideways(self, by: int) -> Mode:
        """Move the names, or the selection, to the left or right."""
        return self

    def narrowing(self) -> dict[str, str]:
        """Return the filters that opening what is selected sets, by their names."""
        return {}

    @property
    def leads_to_source(self) -> bool:
        """Whether opening what is selected shows its source."""
        return False

    def along_the_largest(self) -> Mode:
        """Go to the end of the largest calls from here on."""
        return self

    def clicked(self, cell: tuple[int, int], size: tuple[int, int]) -> Mode | None:
        """Select what was drawn at a cell (x, y) of a size; None where a click selects nothing."""
        return None

    def back(self) -> Mode | None:
        """Undo one step inside of the view; None when there is none."""
        return None

    @property
    def finds(self) -> bool:
        """Whether anything can be searched in here."""
        return False

    @property
    def searches(self) -> bool:
        """Whether something was searched and is not forgotten."""
        return False

    def searched(self, text: str) -> Mode:
        """Search for a part of a name; "" forgets what was searched."""
        return self

    def to_match(self, step: int) -> Mode:
        """Select the next or the previous match."""
        return self

    def size(self) -> tuple[int, int]:
        """Return the number of rows, and which is the first one seen; 0, 0: nobody counts them."""
        return 0, 0

    def words(self, room: int) -> Line:
        """Say what was found and where the view is, in at most ``room`` cells."""
        return ()
