"""What to do with a program that memtui started, when the user leaves."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from memtui.sanitize import plain


class QuitScreen(ModalScreen[str | None]):
    """Ask: "end" the program, "leave" it running, or None: stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "answer('end')", "end it"),
        Binding("l", "answer('leave')", "leave it running"),
        Binding("escape,c,q,ctrl+c", "answer('')", "stay"),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = plain(name)

    def compose(self) -> ComposeResult:
        """Show the question in a box."""
        text = Text(f"{self._name} is still running.\n\n")
        for key, does in (
            ("e", "end it: SIGINT, then SIGTERM, then SIGKILL"),
            ("l", "leave it running; its output is thrown away"),
            ("esc", "stay"),
        ):
            text.append(f"  {key:<5}", "bold")
            text.append(f"{does}\n")
        text.rstrip()
        yield Static(text, classes="box")

    def action_answer(self, answer: str) -> None:
        """Give the answer."""
        self.dismiss(answer or None)
