"""Pane 1: the process."""

from __future__ import annotations

from collections.abc import Sequence

from memtui.model import ProcessIdentity, ProcessSample
from memtui.panes.empty import empty_lines
from memtui.panes.field_doc import FieldDoc
from memtui.panes.field_lines import facts_of, field_lines
from memtui.panes.fields import FIELDS
from memtui.panes.pane import SearchedPane
from memtui.render.cells import Line, Picture, Span, line
from memtui.render.table import selected_line
from memtui.timeline import View


class ProcessPane(SearchedPane):
    """The fields of the process."""

    NUMBER = 1
    NAME = "process"
    SOURCE = "process"
    KINDS = (ProcessIdentity, ProcessSample)

    def rows(self, view: View) -> range:
        """Return the numbers of the fields."""
        return range(len(FIELDS))

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw one field a line, from the first visible one."""
        title = line(Span("process", "title"))
        facts = facts_of(view)
        if facts is None:
            rows = empty_lines(view, self.SOURCE, width, "reading /proc …")
            return Picture(title, rows=rows, is_empty=True)
        self.selection = self.selection.within(self.rows(view), height)
        lines = field_lines(facts, width - 1)
        shown = [(Span(" "), *row) for row in lines]
        if self.has_focus:
            selected = self.selection.at(self.rows(view))
            shown[selected] = selected_line(shown[selected], width)
        top = self.selection.top
        status = line(Span("ended", "bad")) if view.ended() else ()
        below = len(FIELDS) - top - height
        foot = line(Span(f"{below} more ↓", "dim")) if below > 0 else ()
        return Picture(title, status, foot=foot, rows=shown[top : top + height])

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys for the footer."""
        return self.keys_while_typing() or (("/", "find"), ("y", "copy"))

    def row_text(self, view: View, row: int) -> str:
        """Return the name of a field and its meaning."""
        return f"{FIELDS[row].name} {FIELDS[row].doc.words}"

    def field_docs(self, view: View) -> Sequence[FieldDoc]:
        """Return the documentation of the fields."""
        return [field.doc for field in FIELDS]

    def selected_doc(self, view: View) -> int | None:
        """Return the number of the selected field."""
        return self.selection.at(self.rows(view))

    def hint(self, view: View) -> Line:
        """Return the documentation of the selected field."""
        if view.sample(ProcessSample) is None:
            return ()
        return FIELDS[self.selection.at(self.rows(view))].doc.hint()
