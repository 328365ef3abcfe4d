"""Asks before memtui acts on the process: the effect, and what to expect."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from memtui.model import Act
from memtui.panes.explain.verdict import HANDLER
from memtui.sanitize import plain

_DOES = {
    Act.FORCE_GC: "The service runs a garbage collection now: it takes CPU for a moment, and its "
    "heap and its next goal change.",
    Act.FREE_MEMORY: "The service runs a garbage collection and returns all free memory to the "
    "system: it takes CPU for a moment, and the next requests fault memory in again.",
}

NO_URL = "No address to free memory by. Add a handler to the service:\n\n"


class ActionScreen(ModalScreen[bool]):
    """The question; the answer is whether to do it. Without a way it only says how to add one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "dismiss(True)", "do it"),
        Binding("escape,n,q,c,ctrl+c", "dismiss(False)", "no"),
    ]

    def __init__(self, act: Act, expected: str) -> None:
        super().__init__()
        self._act = act
        self._expected = expected

    def compose(self) -> ComposeResult:
        """Show the question in a box."""
        text = Text(f"{_DOES[self._act]}\n\n")
        text.append("Expected: ", "bold")
        text.append(plain(self._expected))
        box = Static(text, classes="box")
        box.border_title = self._act.value
        box.border_subtitle = "enter do it   esc no"
        yield box


class HandlerScreen(ModalScreen[None]):
    """How to give the service what is missing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,ctrl+c", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        """Show the lines of Go in a box."""
        box = Static(Text(NO_URL + HANDLER), classes="box")
        box.border_title = Act.FREE_MEMORY.value
        box.border_subtitle = "esc closes"
        yield box
