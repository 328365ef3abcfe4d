"""Lines in a box over the panes: it scrolls by the keys that select rows.

Two moments side by side over the panes; it scrolls.

A cycle of the collector with all its fields; the next ones by the keys that select rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from memtui.panes.compare import ComparedMoment, compared
from memtui.panes.gctrace.card import CARD_CELLS
from memtui.panes.gctrace.pane import GcTracePane
from memtui.render.cells import Line
from memtui.render.line_widget import LineWidget

LinesOf: TypeAlias = Callable[[int], Sequence[Line]]
"""Lines for a width in cells."""
FAR = 1 << 20
FRAME_CELLS = 4
"""The border and the padding of a box, across."""


class ScrollBox(LineWidget):
    """The lines, from the one that is the first to be seen."""

    def __init__(self, lines_of: LinesOf, *, id: str, closes: str = "esc closes") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="box")
        self._lines_of = lines_of
        self._closes = closes
        self._top = 0

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return what is to be seen."""
        lines = self._lines_of(width)
        self._top = max(0, min(self._top, len(lines) - height))
        below = len(lines) - self._top - height
        more = f"{below} more ↓   " if below > 0 else ""
        self.border_subtitle = more + self._closes
        return lines[self._top : self._top + height]

    def turn_to(self, lines_of: LinesOf, top: int, closes: str) -> None:
        """Show other lines, from one of them on."""
        self._lines_of, self._top, self._closes = lines_of, top, closes
        self.paint()

    def shift(self, by: int) -> None:
        """Show what stands above or below."""
        self._top = max(0, self._top + by)
        self.paint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll with the wheel."""
        self.shift(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll with the wheel."""
        self.shift(-3)


class SheetScreen(ModalScreen[None]):
    """A sheet over the panes, until it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,space,ctrl+c", "dismiss", "close"),
        Binding("down,j", "scroll_by(1)", "down"),
        Binding("up,k", "scroll_by(-1)", "up"),
        Binding("pagedown,ctrl+f", "scroll_by(10)", "page down"),
        Binding("pageup,ctrl+b", "scroll_by(-10)", "page up"),
        Binding("home,g", f"scroll_by({-FAR})", "top"),
        Binding("end,G", f"scroll_by({FAR})", "end"),
    ]

    def __init__(self, sheet: ScrollBox, title: str) -> None:
        super().__init__()
        self.sheet = sheet
        self.sheet.border_title = title

    def compose(self) -> ComposeResult:
        """Show it."""
        yield self.sheet

    def action_scroll_by(self, by: int) -> None:
        """Scroll by some lines."""
        self.sheet.shift(by)


class CompareScreen(SheetScreen):
    """The comparison in a box; the key that opened it closes it too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "dismiss", "close")]

    def __init__(self, first: ComparedMoment, second: ComparedMoment) -> None:
        sheet = ScrollBox(lambda width: compared(first, second, width), id="comparison")
        super().__init__(sheet, "two moments")


class CycleCard(LineWidget):
    """The fields of the cycle that is selected in the pane."""

    def __init__(self, pane: GcTracePane) -> None:
        super().__init__(id="cycle", classes="box")
        self._pane = pane
        self.styles.width = CARD_CELLS + 4
        self.styles.height = len(pane.card(CARD_CELLS)) + 2

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the fields, one a line."""
        return self._pane.card(width)


class CycleScreen(ModalScreen[None]):
    """The card over the panes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,space,ctrl+c", "dismiss", "close"),
        Binding("down,j", "step(1)", "next cycle"),
        Binding("up,k", "step(-1)", "cycle before"),
    ]

    def __init__(self, pane: GcTracePane) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        """Show the card in a box."""
        card = CycleCard(self._pane)
        card.border_title = "a cycle of the collector"
        card.border_subtitle = "j k next, before · esc closes"
        yield card

    def action_step(self, by: int) -> None:
        """Select the next row of the table, and show that cycle."""
        self._pane.step(by)
        self.query_one(CycleCard).paint()
