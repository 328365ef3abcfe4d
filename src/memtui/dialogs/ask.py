"""Dialogs with a question: a line of text, an action on the process, the end of a child."""

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

from memtui.model import Act
from memtui.panes.explain.verdict import FREE_HANDLER
from memtui.sanitize import plain

_EFFECTS = {
    Act.FORCE_GC: "The service runs a garbage collection now. This uses CPU for a moment and "
    "changes its heap and its next goal.",
    Act.FREE_MEMORY: "The service runs a garbage collection and returns all free memory to the "
    "system. This uses CPU for a moment, and later requests fault memory in again.",
}

NO_HANDLER = "memtui knows no URL that frees memory. Add a handler to the service:\n\n"


class InputScreen(ModalScreen[str | None]):
    """Asks for a line of text; returns None if the user cancels.

    ``describe`` returns the meaning of a text, or raises ValueError with the reason why the text
    is invalid: it is then not accepted.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss(None)", "cancel", priority=True)
    ]

    def __init__(
        self, title: str, hint: str, describe: Callable[[str], str], *, enter: str = "save"
    ) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._describe = describe
        self._enter = enter
        self._description = Static(Text(hint), id="ask-description")

    def compose(self) -> ComposeResult:
        """Show the input, and the meaning of the text below it."""
        with Vertical(id="ask", classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = f"enter {self._enter}   esc cancel"
            yield Input(id="ask-line", compact=True, select_on_focus=False)
            yield self._description

    @on(Input.Changed)
    def _on_changed(self, changed: Input.Changed) -> None:
        """Show the meaning of the text."""
        try:
            words = self._describe(changed.value) if changed.value.strip() else self._hint
        except ValueError as error:
            words = str(error)
        self._show(words)

    @on(Input.Submitted)
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        try:
            self._describe(submitted.value)
        except ValueError as error:
            self._show(str(error))
        else:
            self.dismiss(submitted.value)

    def _show(self, words: str) -> None:
        self._description.update(Text(words, no_wrap=True, overflow="ellipsis"))


class ActionScreen(ModalScreen[bool]):
    """Asks before memtui acts on the process; shows the effect and the expected result."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "dismiss(True)", "run"),
        Binding("escape,n,q,c,ctrl+c", "dismiss(False)", "cancel"),
    ]

    def __init__(self, act: Act, expected: str) -> None:
        super().__init__()
        self._act = act
        self._expected = expected

    def compose(self) -> ComposeResult:
        """Show the question in a box."""
        text = Text(f"{_EFFECTS[self._act]}\n\n")
        text.append("Expected: ", "bold")
        text.append(plain(self._expected))
        box = Static(text, classes="box")
        box.border_title = self._act.value
        box.border_subtitle = "enter run   esc cancel"
        yield box


class HandlerScreen(ModalScreen[None]):
    """Shows the handler that the service needs to free memory."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,ctrl+c", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        """Show the lines of Go in a box."""
        box = Static(Text(NO_HANDLER + FREE_HANDLER), classes="box")
        box.border_title = Act.FREE_MEMORY.value
        box.border_subtitle = "esc close"
        yield box


class QuitScreen(ModalScreen[str | None]):
    """Asks about a running child; returns "end", "leave" (running), or None to stay."""

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
        for key, effect in (
            ("e", "end it: SIGINT, then SIGTERM, then SIGKILL"),
            ("l", "leave it running; its output is discarded"),
            ("esc", "stay"),
        ):
            text.append(f"  {key:<5}", "bold")
            text.append(f"{effect}\n")
        text.rstrip()
        yield Static(text, classes="box")

    def action_answer(self, answer: str) -> None:
        """Return the answer."""
        self.dismiss(answer or None)
