"""Dialogs that show lines in a scrolling box: the comparison of two moments, one GC cycle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from memtui.panes.compare import ComparedMoment, comparison_lines
from memtui.panes.gctrace.card import CARD_CELLS
from memtui.panes.gctrace.pane import GcTracePane
from memtui.render.cells import Line
from memtui.render.line_widget import LineWidget

LinesForWidth: TypeAlias = Callable[[int], Sequence[Line]]
"""Returns the lines for a width in cells."""
ALL_LINES = 1 << 20
"""A scroll distance beyond any end."""
FRAME_CELLS = 4
"""The width of the border and the padding of a box."""


class ScrollBox(LineWidget):
    """A box that scrolls through its lines."""

    def __init__(self, lines_for: LinesForWidth, *, id: str, keys: str = "esc close") -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="box")
        self._lines_for = lines_for
        self._keys = keys
        self._top = 0

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the visible lines."""
        lines = self._lines_for(width)
        self._top = max(0, min(self._top, len(lines) - height))
        below = len(lines) - self._top - height
        more = f"{below} more ↓   " if below > 0 else ""
        self.border_subtitle = more + self._keys
        return lines[self._top : self._top + height]

    def show_lines(self, lines_for: LinesForWidth, top: int, keys: str) -> None:
        """Show other lines, from line ``top`` on."""
        self._lines_for, self._top, self._keys = lines_for, top, keys
        self.paint()

    def shift(self, by: int) -> None:
        """Scroll by some lines."""
        self._top = max(0, self._top + by)
        self.paint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll with the wheel."""
        self.shift(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll with the wheel."""
        self.shift(-3)


class ScrollScreen(ModalScreen[None]):
    """A scroll box over the panes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,space,ctrl+c", "dismiss", "close"),
        Binding("down,j", "scroll_by(1)", "down"),
        Binding("up,k", "scroll_by(-1)", "up"),
        Binding("pagedown,ctrl+f", "scroll_by(10)", "page down"),
        Binding("pageup,ctrl+b", "scroll_by(-10)", "page up"),
        Binding("home,g", f"scroll_by({-ALL_LINES})", "top"),
        Binding("end,G", f"scroll_by({ALL_LINES})", "end"),
    ]

    def __init__(self, box: ScrollBox, title: str) -> None:
        super().__init__()
        self.box = box
        self.box.border_title = title

    def compose(self) -> ComposeResult:
        """Show the box."""
        yield self.box

    def action_scroll_by(self, by: int) -> None:
        """Scroll by some lines."""
        self.box.shift(by)


class CompareScreen(ScrollScreen):
    """Compares two moments; the key that opened it closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "dismiss", "close")]

    def __init__(self, first: ComparedMoment, second: ComparedMoment) -> None:
        box = ScrollBox(lambda width: comparison_lines(first, second, width), id="comparison")
        super().__init__(box, "comparison of two moments")


class CycleCard(LineWidget):
    """The fields of the GC cycle that is selected in the pane."""

    def __init__(self, pane: GcTracePane) -> None:
        super().__init__(id="cycle", classes="box")
        self._pane = pane
        self.styles.width = CARD_CELLS + 4
        self.styles.height = len(pane.card(CARD_CELLS)) + 2

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the fields, one on each line."""
        return self._pane.card(width)


class CycleScreen(ModalScreen[None]):
    """Shows all fields of one GC cycle."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,space,ctrl+c", "dismiss", "close"),
        Binding("down,j", "step(1)", "next cycle"),
        Binding("up,k", "step(-1)", "previous cycle"),
    ]

    def __init__(self, pane: GcTracePane) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        """Show the card in a box."""
        card = CycleCard(self._pane)
        card.border_title = "GC cycle"
        card.border_subtitle = "j k next, previous   esc close"
        yield card

    def action_step(self, by: int) -> None:
        """Select another row of the table and show its cycle."""
        self._pane.step(by)
        self.query_one(CycleCard).paint()
