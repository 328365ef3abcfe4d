"""The keys, on one screen that fits 80x24: those of everywhere, and those of the pane at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from memtui.panes import position
from memtui.panes.pane import Pane

_EVERYWHERE = (
    ("1-5 tab", "go to a pane; 5 explains where RES goes"),
    ("z esc", "zoom the pane; all panes again"),
    ("↑↓ jk", "select a row; the line under the panes explains it"),
    ("pgup pgdn g G", "a page; the first row; the last row"),
    ("space  . ,", "freeze, play; the sample after, before: nothing is lost"),
    ("6  m  R", "the time line and its keys; a mark; record, stop"),
    ("q ctrl+c", "quit"),
)

_MEANING = (
    "RES is what the kernel counts, the heap what the runtime uses, pprof\n"
    "what the code holds. The line at the bottom says what they mean together."
)


def help_text(pane: type[Pane] | None) -> Text:
    """Return the keys in their groups: those of a pane, or (None) of the time line."""
    text = Text()
    _add(text, "Everywhere", _EVERYWHERE)
    if pane is None:
        _add(text, "On the time line (6)", position.KEYS_HELP)
    elif pane.KEYS_HELP:
        _add(text, f"In pane {pane.NUMBER}, {pane.NAME}", pane.KEYS_HELP)
    text.append(f"\n{_MEANING}")
    return text


def _add(text: Text, title: str, keys: Sequence[tuple[str, str]]) -> None:
    text.append(f"{title}\n", "bold")
    for key, does in keys:
        text.append(f"  {key:<14}", "bold")
        text.append(f"{does}\n")


class HelpScreen(ModalScreen[None]):
    """The keys; any of the usual ones closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,space,f1,ctrl+c", "dismiss", "close")
    ]

    def __init__(self, pane: Pane | None) -> None:
        super().__init__()
        self._pane = None if pane is None else type(pane)

    def compose(self) -> ComposeResult:
        """Show the text in a box."""
        box = Static(help_text(self._pane), id="help", classes="box")
        box.border_title = "memtui"
        box.border_subtitle = "esc closes"
        yield box
