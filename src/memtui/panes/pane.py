"""What all panes have in common: a frame, a selected row, and a view that they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from memtui.model import Sample, Trouble
from memtui.panes.cells import Line, Picture, Span, cut, framed, line, text_of
from memtui.panes.meaning import Meaning
from memtui.panes.painted import Flat
from memtui.panes.table import Selection
from memtui.plain import plain
from memtui.timeline import View


class Pane(Flat, can_focus=True):
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
