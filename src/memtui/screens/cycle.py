"""A cycle of the collector with all its fields; the next ones by the keys that select rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from memtui.panes.cells import Line
from memtui.panes.gctrace.card import CARD_CELLS
from memtui.panes.gctrace.pane import GcTracePane
from memtui.panes.painted import Painted


class CycleCard(Painted):
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
