"""The base classes of the panes: a frame, a selected row, text input, and search in the rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from memtui.model import Sample, Trouble
from memtui.panes.field_doc import FieldDoc
from memtui.render.cells import Line, Picture, Span, cut, fit, framed, line, text_of
from memtui.render.line_widget import FlatLineWidget
from memtui.render.table import Selection
from memtui.render.text_line import ENDS, Editor, edit
from memtui.sanitize import plain
from memtui.timeline import View


class Pane(FlatLineWidget, can_focus=True):
    """A pane of the dashboard. Subclasses define its rows and draw them."""

    NUMBER: ClassVar[int]
    NAME: ClassVar[str]
    SOURCE: ClassVar[str]
    """The source whose state is shown while there is no data."""
    KINDS: ClassVar[tuple[type[Sample], ...]]
    """The samples that it draws: it is painted again when a new one arrives."""
    TAIL: ClassVar[bool] = False
    """Whether the newest row is the last one, and the selection follows it."""

    KEYS_HELP: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The keys of this pane and what they do, for the help: ten at most."""
    SEARCH_HELP: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The keys that search the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", id="pane.up", show=False),
        Binding("down,j", "move(1)", "down", id="pane.down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "page up", id="pane.page_up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "page down", id="pane.page_down", show=False),
        Binding("home,g", "to_start", "top", id="pane.top", show=False),
        Binding("end,G", "to_end", "end", id="pane.end", show=False),
        Binding("left,h", "shift(-1)", "left", id="pane.left", show=False),
        Binding("right,l", "shift(1)", "right", id="pane.right", show=False),
    ]

    can_open: ClassVar[str] = ""
    """The action of a double click on a row; "" if rows do not open."""

    class Moved(Message):
        """The selection moved, or the pane got the focus."""

    def __init__(self) -> None:
        super().__init__(id=self.NAME)
        self.view: View | None = None
        self.selection = Selection(None if self.TAIL else 0)
        self._stamp: tuple[object, ...] = ()
        self._rows_from = 0
        """The line of the picture that has the first row."""

    @property
    def is_zoomed(self) -> bool:
        """Whether the pane has the whole screen because the user zoomed it."""
        return self.is_attached and self.screen.has_class("-zoomed")

    def show(self, view: View) -> None:
        """Show a view; nothing is drawn if it has nothing new."""
        self.view = view
        stamp = (
            view.frozen_at,
            view.timeline.states(self.SOURCE).count,
            *(view.timeline.track(kind).count for kind in self.KINDS),
        )
        if stamp != self._stamp:
            self._stamp = stamp
            self.paint()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the frame and its content."""
        picture = Picture(title=line(Span(self.NAME, "title")))
        if self.view is not None and width >= 4 and height >= 3:
            picture = self.picture(self.view, width - 2, height - 2)
            trouble = self.view.state(self.SOURCE)
            if trouble and isinstance(trouble[1], Trouble) and not picture.is_empty:
                reason = cut(plain(trouble[1].reason), width - 6)
                picture = replace(picture, start=(), foot=line(Span(reason, "bad")))
        return framed(picture, width, height, number=self.NUMBER, focused=self.has_focus)

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Return the content for ``width`` by ``height`` cells."""
        raise NotImplementedError

    def rows(self, view: View) -> range:
        """Return the numbers of the rows that can be selected."""
        raise NotImplementedError

    def hint(self, view: View) -> Line:
        """Return one line about the selected row."""
        raise NotImplementedError

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of this pane for the footer: (key, what it does)."""
        return ()

    def field_docs(self, view: View) -> Sequence[FieldDoc]:
        """Return the documentation of the visible fields, columns and plots."""
        return ()

    def selected_doc(self, view: View) -> int | None:
        """Return the number of the selected field in ``field_docs``; None if there is none."""
        return None

    def copied(self, *, whole: bool) -> str:
        """Return the visible text of the selected row or the ``whole`` pane, without the frame."""
        rows = [row for row in self.painted_lines[1:-1] if whole or _is_selected(row)]
        texts = [text_of(row).strip("│").rstrip() for row in rows or self.painted_lines[1:-1]]
        return "\n".join(plain(text) for text in texts).strip("\n")

    def _move(self, selection: Selection) -> None:
        self.selection = selection
        self.paint()
        self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        """Select another row."""
        if self.view is not None:
            self._move(self.selection.moved(by, self.rows(self.view), tail=self.TAIL))

    def action_page(self, pages: int) -> None:
        """Select the row a page away."""
        self.action_move(pages * max(1, self.size.height - 4))

    def action_to_start(self) -> None:
        """Select the first row."""
        self._move(Selection(0))

    def action_to_end(self) -> None:
        """Select the last row; with ``TAIL`` the selection follows new rows again."""
        if self.view is not None:
            self._move(Selection(None if self.TAIL else self.rows(self.view).stop - 1))

    def action_shift(self, by: int) -> None:
        """Move left or right; subclasses define the meaning."""

    def on_focus(self, event: events.Focus) -> None:
        """Draw the frame as focused, after Textual has set ``has_focus``."""
        self.call_later(self.paint)
        self.post_message(self.Moved())

    def on_blur(self, event: events.Blur) -> None:
        """Draw the frame without the focus."""
        self.call_later(self.paint)

    def on_click(self, event: events.Click) -> None:
        """Select the row under the mouse; a double click opens it."""
        row = self.selection.top + event.y - 1 - self._rows_from
        if self.view is None or not 0 < event.y < self.size.height - 1:
            return
        if event.y - 1 >= self._rows_from and row in self.rows(self.view):
            self._move(replace(self.selection, row=row))
            if event.chain == 2 and self.can_open:
                self.run_worker(self.run_action(self.can_open), exit_on_error=False)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.action_move(-3)


def _is_selected(row: Line) -> bool:
    return any(span.role == "selected" for span in row)


class TypedPane(Pane):
    """A pane with text input, which receives all keys while the user types."""

    @property
    @abstractmethod
    def is_typing(self) -> bool:
        """Whether the user types a text."""

    @abstractmethod
    def typed(self, key: str, text: str | None) -> None:
        """Handle a key and its character; for a pasted text the key is ""."""

    def on_key(self, event: events.Key) -> None:
        """Pass every key to the input while the user types."""
        if not self.is_typing:
            return
        event.stop()
        event.prevent_default()
        self.typed(event.key, event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Paste into the input."""
        if self.is_typing:
            self.typed("", event.text)


MOST_SEARCHED_ROWS = 5000
"""Rows that are searched for one match: a key must not take seconds."""


class SearchedPane(TypedPane):
    """A pane whose rows can be searched for a text."""

    SEARCH_HELP = (("/  n N", "find in the rows; next, previous match"),)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "find", id="pane.find"),
        Binding("n", "match(1)", "next match", id="pane.next_match"),
        Binding("N", "match(-1)", "previous match", id="pane.previous_match"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._editor: Editor | None = None
        self._search_text = ""
        self._has_match: bool = True
        self._selection_before = Selection()

    @abstractmethod
    def row_text(self, view: View, row: int) -> str:
        """Return the text of a row to search."""

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the pane, with the input in place of its lower edge."""
        lines = super().compose_lines(width, height)
        if self._editor is None or height < 3 or width < 12:
            return lines
        result = "" if self._has_match else " no match"
        room = width - 10 - len(result)
        edge = line(Span("╰ find ", "key"), *self._editor.drawn(room), Span(result, "bad"))
        return [*lines[:-1], fit((*edge, Span(" ╯", "focus")), width)]

    def action_find(self) -> None:
        """Open the input for the text to find."""
        self._editor, self._has_match, self._selection_before = Editor(), True, self.selection
        self._search_changed()

    def action_match(self, step: int) -> None:
        """Select the next or previous match; open the input if there is no search."""
        if not self._search_text:
            self.action_find()
        elif self.view is not None:
            self._select_match(self.selection.at(self.rows(self.view)) + step, step)

    def _select_match(self, start: int, step: int) -> None:
        """Select the first match from row ``start`` on; wrap around at the last row."""
        assert self.view is not None
        rows, text = self.rows(self.view), self._search_text.lower()
        self._has_match = not text
        for away in range(min(len(rows), MOST_SEARCHED_ROWS) if text else 0):
            row = rows[(start - rows.start + away * step) % len(rows)]
            if text in self.row_text(self.view, row).lower():
                self._has_match = True
                self._move(replace(self.selection, row=row))
                return
        self._search_changed()

    def _search_changed(self) -> None:
        self.paint()
        self.post_message(self.Moved())

    @property
    def is_typing(self) -> bool:
        """Whether the user types the text to find."""
        return self._editor is not None

    def typed(self, key: str, text: str | None) -> None:
        """Search at each key; enter keeps the match, esc restores the selection."""
        assert self._editor is not None
        if key in ENDS:
            self._editor = None
            if key != "enter":
                self._search_text = ""
                self._move(self._selection_before)
        else:
            self._editor = edit(self._editor, key, text)
            self._search_text = self._editor.text
            if self.view is not None and self.rows(self.view):
                self._select_match(self._selection_before.at(self.rows(self.view)), 1)
        self._search_changed()

    def keys_while_typing(self) -> Sequence[tuple[str, str]]:
        """Return the keys for the footer while the user types; empty otherwise."""
        if self._editor is None:
            return ()
        return (("enter", "done"), ("n N", "next match (after enter)"), ("esc", "cancel"))

    def on_blur(self, event: events.Blur) -> None:
        """Close the input when the pane loses the focus."""
        self._editor = None
        super().on_blur(event)
