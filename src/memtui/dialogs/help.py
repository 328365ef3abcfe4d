"""The keys, on one page that fits 80x24, and on the next one what the pane at hand shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from memtui.dialogs.sheet import FRAME_CELLS, ScrollBox, SheetScreen
from memtui.panes import position
from memtui.panes.field_doc import sheet
from memtui.panes.keymap import EVERYWHERE, Keymap
from memtui.panes.pane import Pane
from memtui.panes.position import TIME
from memtui.render.cells import Line, Span, line
from memtui.timeline import View

_KEYS = (
    ("1-5 tab", "go to a pane; 5 explains where RES goes"),
    ("z esc", "zoom the pane; all panes again"),
    ("↑↓ jk g G", "select a row, the first, the last; pgup pgdn: a page"),
    ("space  . ,", "freeze, play; the sample after, before: nothing is lost"),
    ("6  m  R", "the time line and its keys; a mark; record, stop"),
    ("y Y", "copy the row, the pane (OSC 52: over ssh too)"),
    (": ctrl+p", "everything that can be done, by name; themes too"),
    ("q ctrl+c", "quit"),
)
_WIDTH, _KEY_CELLS = 78, 15
_CLOSES = "esc closes"


def help_lines(pane: type[Pane] | None, keymap: Keymap) -> list[Line]:
    """Return the keys in their groups: those of a pane, or (None) of the time line."""
    lines = _group("Everywhere", _KEYS, keymap, EVERYWHERE)
    if pane is None:
        lines += _group("On the time line (6)", position.KEYS_HELP, keymap, TIME)
    else:
        own = (*pane.KEYS_HELP, *pane.SEARCH_HELP)
        lines += _group(f"In pane {pane.NUMBER}, {pane.NAME}", own, keymap, pane.NAME)
    return lines


def _group(title: str, keys: Sequence[tuple[str, str]], keymap: Keymap, scope: str) -> list[Line]:
    rows = [
        line("  ", Span(f"{keymap.said(key, scope):<{_KEY_CELLS}} ", "key"), does)
        for key, does in keys
    ]
    return [line(Span(title, "title")), *rows] if rows else []


class HelpScreen(SheetScreen):
    """The keys; the key that opened it shows what is seen in the pane, then closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "turn", "what it means, close")
    ]

    def __init__(self, pane: Pane | None, view: View, keymap: Keymap) -> None:
        kind = None if pane is None else type(pane)
        self._pane = kind
        self._meanings = pane.meanings(view) if pane else ()
        self._at_hand = pane.meaning_at_hand(view) if pane else None
        self._is_turned = False
        keys = help_lines(kind, keymap)
        closes = f"? what it means   {_CLOSES}" if self._meanings else _CLOSES
        super().__init__(ScrollBox(lambda width: keys, id="help", closes=closes), "memtui: keys")
        self.sheet.styles.width = _WIDTH
        self.sheet.styles.height = len(keys) + 2

    def action_turn(self) -> None:
        """Show the next page; after the last one close."""
        if self._is_turned or not self._meanings or self._pane is None:
            self.dismiss()
            return
        self._is_turned = True
        width = _WIDTH - FRAME_CELLS
        lines, first = sheet(self._meanings, self._at_hand, width)
        self.sheet.styles.height = len(lines) + 2
        self.sheet.border_title = f"memtui: what pane {self._pane.NUMBER}, {self._pane.NAME}, shows"
        self.sheet.turn_to(lambda width: lines, first, _CLOSES)
