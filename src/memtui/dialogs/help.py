"""The help: the keys on one page that fits 80x24, then the documentation of the current pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from memtui.dialogs.scroll_box import FRAME_CELLS, ScrollBox, ScrollScreen
from memtui.panes import position
from memtui.panes.field_doc import doc_lines
from memtui.panes.keymap import EVERYWHERE, Keymap
from memtui.panes.pane import Pane
from memtui.panes.position import TIME
from memtui.render.cells import Line, Span, line
from memtui.timeline import View

_KEYS = (
    ("1-5 tab", "go to a pane; 5 explains where RES goes"),
    ("z esc", "zoom the pane; show all panes"),
    ("↑↓ jk g G", "select a row, the first, the last; pgup pgdn: a page"),
    ("space  . ,", "freeze/resume; step one sample (recording continues)"),
    ("6  m  R", "timeline and its keys; set a mark; start/stop recording"),
    ("y Y", "copy the row, the pane (OSC 52: works over ssh)"),
    (": ctrl+p", "command palette: all commands and themes by name"),
    ("q ctrl+c", "quit"),
)
_WIDTH, _KEY_CELLS = 78, 15
_CLOSE = "esc close"


def help_lines(pane: type[Pane] | None, keymap: Keymap) -> list[Line]:
    """Return the keys in groups: everywhere, and a pane or the timeline (None)."""
    lines = _group("Everywhere", _KEYS, keymap, EVERYWHERE)
    if pane is None:
        lines += _group("On the timeline (6)", position.KEYS_HELP, keymap, TIME)
    else:
        own = (*pane.KEYS_HELP, *pane.SEARCH_HELP)
        lines += _group(f"In pane {pane.NUMBER}, {pane.NAME}", own, keymap, pane.NAME)
    return lines


def _group(title: str, keys: Sequence[tuple[str, str]], keymap: Keymap, scope: str) -> list[Line]:
    rows = [
        line("  ", Span(f"{keymap.translated(key, scope):<{_KEY_CELLS}} ", "key"), effect)
        for key, effect in keys
    ]
    return [line(Span(title, "title")), *rows] if rows else []


class HelpScreen(ScrollScreen):
    """Shows the keys; the key that opened it turns the page, then closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1", "turn", "meanings, close")]

    def __init__(self, pane: Pane | None, view: View, keymap: Keymap) -> None:
        kind = None if pane is None else type(pane)
        self._pane = kind
        self._field_docs = pane.field_docs(view) if pane else ()
        self._selected = pane.selected_doc(view) if pane else None
        self._is_second_page = False
        keys = help_lines(kind, keymap)
        box_keys = f"? meanings   {_CLOSE}" if self._field_docs else _CLOSE
        super().__init__(ScrollBox(lambda width: keys, id="help", keys=box_keys), "memtui: keys")
        self.box.styles.width = _WIDTH
        self.box.styles.height = len(keys) + 2

    def action_turn(self) -> None:
        """Show the second page; close after it."""
        if self._is_second_page or not self._field_docs or self._pane is None:
            self.dismiss()
            return
        self._is_second_page = True
        width = _WIDTH - FRAME_CELLS
        lines, first = doc_lines(self._field_docs, self._selected, width)
        self.box.styles.height = len(lines) + 2
        self.box.border_title = f"memtui: pane {self._pane.NUMBER}, {self._pane.NAME}: meanings"
        self.box.show_lines(lambda width: lines, first, _CLOSE)
