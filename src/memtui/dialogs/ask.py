"""One line that is typed over the panes: a moment to go to, the note of a mark."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class AskScreen(ModalScreen[str | None]):
    """A question with a line for the answer; None when there is none.

    ``means`` says what an answer means, or raises ValueError that says why it means nothing: such
    an answer is not taken.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss(None)", "none", priority=True)
    ]

    def __init__(self, title: str, hint: str, means: Callable[[str], str]) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._means = means
        self._said = Static(Text(hint), id="ask-said")

    def compose(self) -> ComposeResult:
        """Show the line, and under it what the answer means."""
        with Vertical(id="ask", classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "enter goes   esc back"
            yield Input(id="ask-line", compact=True, select_on_focus=False)
            yield self._said

    @on(Input.Changed)
    def _changed(self, changed: Input.Changed) -> None:
        """Describe what the answer means so far."""
        try:
            said = self._means(changed.value) if changed.value.strip() else self._hint
        except ValueError as error:
            said = str(error)
        self._said.update(Text(said, no_wrap=True, overflow="ellipsis"))

    @on(Input.Submitted)
    def _submitted(self, submitted: Input.Submitted) -> None:
        try:
            self._means(submitted.value)
        except ValueError as error:
            self._said.update(Text(str(error), no_wrap=True, overflow="ellipsis"))
        else:
            self.dismiss(submitted.value)
