"""Two moments side by side over the panes; it scrolls."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from memtui.panes.compare import Moment, compared
from memtui.screens.sheet import Sheet, SheetScreen


class CompareScreen(SheetScreen):
    """The comparison in a box; the key that opened it closes it too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "dismiss", "close")]

    def __init__(self, first: Moment, second: Moment) -> None:
        sheet = Sheet(lambda width: compared(first, second, width), id="comparison")
        super().__init__(sheet, "two moments")
