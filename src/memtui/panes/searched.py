"""A pane whose rows can be searched by a part of what they say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from memtui.panes.cells import Line, Span, exactly, line
from memtui.panes.editor import ENDS, Editor, changed
from memtui.panes.table import Selection
from memtui.panes.typed import Typed
from memtui.timeline import View

MOST_LOOKED_AT = 5000
"""Rows that are looked at for one match: a key must not take seconds."""


class Searched(Typed):
    """A pane with a line to type what to find in, while it is typed."""

    SEARCH_HELP = (("/  n N", "find in the rows; the next match, the one before"),)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "find", id="pane.find"),
        Binding("n", "match(1)", "next match", id="pane.next_match"),
        Binding("N", "match(-1)", "previous match", id="pane.previous_match"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._editor: Editor | None = None
        self._wanted = ""
        self._found: bool = True
        self._began = Selection()

    @abstractmethod
    def row_text(self, view: View, row: int) -> str:
        """Return what a row says."""

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the pane, with what is typed in place of its lower edge."""
        lines = super().compose_lines(width, height)
        if self._editor is None or height < 3 or width < 12:
            return lines
        said = "" if self._found else " none"
        room = width - 10 - len(said)
        typed = line(Span("╰ find ", "key"), *self._editor.drawn(room), Span(said, "bad"))
        return [*lines[:-1], exactly((*typed, Span(" ╯", "focus")), width)]

    def action_find(self) -> None:
        """Begin to type what to find."""
        self._editor, self._found, self._began = Editor(), True, self.selection
        self._told_by_search()

    def action_match(self, step: int) -> None:
        """Select the next or previous row that says it; without a search, begin one."""
        if not self._wanted:
            self.action_find()
        elif self.view is not None:
            self._go(self.selection.at(self.rows(self.view)) + step, step)

    def _go(self, start: int, step: int) -> None:
        """Select the first row with the text from one on; behind the last one, from the first."""
        assert self.view is not None
        rows, wanted = self.rows(self.view), self._wanted.lower()
        self._found = not wanted
        for away in range(min(len(rows), MOST_LOOKED_AT) if wanted else 0):
            row = rows[(start - rows.start + away * step) % len(rows)]
            if wanted in self.row_text(self.view, row).lower():
                self._found = True
                self._move(replace(self.selection, row=row))
                return
        self._told_by_search()

    def _told_by_search(self) -> None:
        self.paint()
        self.post_message(self.Moved())

    @property
    def is_typing(self) -> bool:
        """Whether a text to find is typed."""
        return self._editor is not None

    def typed(self, key: str, text: str | None) -> None:
        """Search while it is typed; enter keeps what was found, esc goes back to where it began."""
        assert self._editor is not None
        if key in ENDS:
            self._editor = None
            if key != "enter":
                self._wanted = ""
                self._move(self._began)
        else:
            self._editor = changed(self._editor, key, text)
            self._wanted = self._editor.text
            if self.view is not None and self.rows(self.view):
                self._go(self._began.at(self.rows(self.view)), 1)
        self._told_by_search()

    def keys_while_typing(self) -> Sequence[tuple[str, str]]:
        """Name the keys that do something while it is typed; none when nothing is."""
        if self._editor is None:
            return ()
        return (("enter", "done"), ("n N", "next match, after that"), ("esc", "back"))

    def on_blur(self, event: events.Blur) -> None:
        """Type nothing any more when another pane is gone to."""
        self._editor = None
        super().on_blur(event)
