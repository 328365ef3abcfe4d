"""Two moments side by side over the panes; it scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from memtui.panes.cells import Line
from memtui.panes.compare import Moment, compared
from memtui.panes.painted import Painted

WIDTH = 100


class Comparison(Painted):
    """The lines of the comparison, from the one that is the first to be seen."""

    def __init__(self, first: Moment, second: Moment) -> None:
        super().__init__(id="comparison", classes="box")
        self._first = first
        self._second = second
        self._top = 0

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return what is to be seen."""
        lines = compared(self._first, self._second, width)
        self._top = max(0, min(self._top, len(lines) - height))
        below = len(lines) - self._top - height
        self.border_subtitle = f"{below} more ↓ · esc closes" if below > 0 else "esc closes"
        return lines[self._top : self._top + height]

    def shift(self, by: int) -> None:
        """Show what stands above or below."""
        self._top = max(0, self._top + by)
        self.paint()


class CompareScreen(ModalScreen[None]):
    """The comparison in a box."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,c,q,space,ctrl+c", "dismiss", "close"),
        Binding("down,j", "scroll_by(1)", "down"),
        Binding("up,k", "scroll_by(-1)", "up"),
        Binding("pagedown,ctrl+f", "scroll_by(10)", "page down"),
        Binding("pageup,ctrl+b", "scroll_by(-10)", "page up"),
        Binding("home,g", "scroll_by(-1000)", "top"),
        Binding("end,G", "scroll_by(1000)", "end"),
    ]

    def __init__(self, first: Moment, second: Moment) -> None:
        super().__init__()
        self._comparison = Comparison(first, second)
        self._comparison.border_title = "two moments"

    def compose(self) -> ComposeResult:
        """Show it."""
        yield self._comparison

    def action_scroll_by(self, by: int) -> None:
        """Scroll by some lines."""
        self._comparison.shift(by)
