"""The keys, on one screen that fits 80x24."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

_HELP = (
    ("Panes", (
        ("1-4 tab", "go to a pane"),
        ("z esc", "zoom the pane; all panes again"),
        ("space", "freeze the view; the sources go on, nothing is lost"),
    )),
    ("In a pane", (
        ("↑↓ jk", "select a row; the line under the panes explains it"),
        ("pgup pgdn g G", "a page; the first row; the last row"),
        ("←→ hl", "trend: the time shown; pprof: the names sideways"),
    )),
    ("Sources", (
        ("3 o", "gctrace: all that the program wrote, or cycles alone"),
        ("4 r t p ^g", "pprof: fetch again; another kind; CPU; heap after a GC"),
        ("4 b B [ ]", "pprof: compare with this one; in shares; older, newer"),
        ("4 enter v / n", "pprof: callers; list, tree, flame; filter; find"),
        ("4 s f o e", "pprof: sample type; lines, files; order; save"),
    )),
    ("memtui", (
        ("q ctrl+c", "quit"),
    )),
)  # fmt: skip

_MEANING = (
    "RES is what the kernel counts, the heap what the runtime uses, pprof\n"
    "what the code holds. RES that grows over a flat live heap is memory\n"
    "freed but not returned, or memory that Go does not manage."
)


def help_text() -> Text:
    """Return the keys in their groups."""
    text = Text()
    for title, keys in _HELP:
        text.append(f"{title}\n", "bold")
        for key, does in keys:
            text.append(f"  {key:<14}", "bold")
            text.append(f"{does}\n")
    text.append(f"\n{_MEANING}")
    return text


class HelpScreen(ModalScreen[None]):
    """The keys; any of the usual ones closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,space,f1,ctrl+c", "dismiss", "close")
    ]

    def compose(self) -> ComposeResult:
        """Show the text in a box."""
        box = Static(help_text(), id="help", classes="box")
        box.border_title = "memtui"
        box.border_subtitle = "esc closes"
        yield box
