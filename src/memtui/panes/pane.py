"""What all panes have in common: a frame, a selected row, and a view that they are shown.

A pane into which a text can be typed: while it is, all keys belong to it.

A pane whose rows can be searched by a part of what they say.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from memtui.model import Sample, Trouble
from memtui.panes.field_doc import Meaning
from memtui.render.cells import Line, Picture, Span, cut, exactly, framed, line, text_of
from memtui.render.line_widget import FlatLineWidget
from memtui.render.table import Selection
from memtui.render.text_line import ENDS, Editor, changed
from memtui.sanitize import plain
from memtui.timeline import View


class Pane(FlatLineWidget, can_focus=True):
    """One question, answered by one view. Subclasses say which rows there are, and draw them."""

    NUMBER: ClassVar[int]
    NAME: ClassVar[str]
    SOURCE: ClassVar[str]
    """The source whose state is shown when there is nothing else."""
    KINDS: ClassVar[tuple[type[Sample], ...]]
    """The samples that it draws: when none of them came, there is nothing new to paint."""
    TAIL: ClassVar[bool] = False
    """Whether the newest row stands last, and an untouched selection follows it."""

    KEYS_HELP: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The keys of this pane alone, and what they do: for the help, at most ten."""
    SEARCH_HELP: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The keys that search, where rows can be searched."""

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
    """The action that opens a row, "" where rows do not open: for a double click."""

    class Moved(Message):
        """The selection of the focused pane moved, or the pane got the focus."""

    def __init__(self) -> None:
        super().__init__(id=self.NAME)
        self.view: View | None = None
        self.selection = Selection(None if self.TAIL else 0)
        self._stamp: tuple[object, ...] = ()
        self._rows_from = 0
        """The line of the picture in which the first row was drawn."""

    @property
    def is_zoomed(self) -> bool:
        """Whether the pane has the whole screen because the user zoomed it."""
        return self.is_attached and self.screen.has_class("-zoomed")

    def show(self, view: View) -> None:
        """Show what this view holds; nothing is drawn when nothing came."""
        self.view = view
        stamp = (
            view.stands,
            view.timeline.states(self.SOURCE).count,
            *(view.timeline.track(kind).count for kind in self.KINDS),
        )
        if stamp != self._stamp:
            self._stamp = stamp
            self.paint()

    def compose_lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the frame and what is in it."""
        picture = Picture(title=line(Span(self.NAME, "title")))
        if self.view is not None and width >= 4 and height >= 3:
            picture = self.picture(self.view, width - 2, height - 2)
            trouble = self.view.state(self.SOURCE)
            if trouble and isinstance(trouble[1], Trouble) and not picture.is_empty:
                reason = cut(plain(trouble[1].reason), width - 6)
                picture = replace(picture, start=(), foot=line(Span(reason, "bad")))
        return framed(picture, width, height, number=self.NUMBER, focused=self.has_focus)

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Return what to draw inside ``width`` by ``height`` cells."""
        raise NotImplementedError

    def rows(self, view: View) -> range:
        """Return the numbers of the rows that can be selected."""
        raise NotImplementedError

    def hint(self, view: View) -> Line:
        """Return one line about the selected row."""
        raise NotImplementedError

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of this pane alone, for the footer: (key, what it does)."""
        return ()

    def meanings(self, view: View) -> Sequence[Meaning]:
        """Return what each field, column and plot that is seen means."""
        return ()

    def meaning_at_hand(self, view: View) -> int | None:
        """Return which of the meanings is that of what is selected, if any is."""
        return None

    def copied(self, *, whole: bool) -> str:
        """Return what is seen of the selected row, or of the whole pane, as text without frame."""
        rows = [row for row in self.painted_lines[1:-1] if whole or _is_selected(row)]
        seen = [text_of(row).strip("│").rstrip() for row in rows or self.painted_lines[1:-1]]
        return "\n".join(plain(row) for row in seen).strip("\n")

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
        """Select the last row; a tail follows its end again."""
        if self.view is not None:
            self._move(Selection(None if self.TAIL else self.rows(self.view).stop - 1))

    def action_shift(self, by: int) -> None:
        """Move sideways; what that means is the pane's own affair."""

    def on_focus(self, event: events.Focus) -> None:
        """Draw the frame of the focused pane, once Textual has noted the focus."""
        self.call_later(self.paint)
        self.post_message(self.Moved())

    def on_blur(self, event: events.Blur) -> None:
        """Draw the frame of a pane at rest."""
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
    """A pane that is told what is typed, key by key."""

    @property
    @abstractmethod
    def is_typing(self) -> bool:
        """Whether something is typed."""

    @abstractmethod
    def typed(self, key: str, text: str | None) -> None:
        """Take a key and its character, or with "" as the key a text that was pasted."""

    def on_key(self, event: events.Key) -> None:
        """While something is typed all keys belong to it, but those that leave the pane."""
        if not self.is_typing:
            return
        event.stop()
        event.prevent_default()
        self.typed(event.key, event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Paste into what is typed."""
        if self.is_typing:
            self.typed("", event.text)


MOST_LOOKED_AT = 5000
"""Rows that are looked at for one match: a key must not take seconds."""


class SearchedPane(TypedPane):
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
