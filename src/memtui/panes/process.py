"""Pane 1: the process, field by field, with what each field means."""

from __future__ import annotations

from collections.abc import Sequence

from memtui.model import ProcessIdentity, ProcessSample
from memtui.panes.empty import explained
from memtui.panes.field_doc import Meaning
from memtui.panes.field_lines import facts_of, field_lines
from memtui.panes.fields import FIELDS
from memtui.panes.pane import SearchedPane
from memtui.render.cells import Line, Picture, Span, line
from memtui.render.table import marked
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
        """Draw a field a line, from the first one that is to be seen."""
        title = line(Span("process", "title"))
        facts = facts_of(view)
        if facts is None:
            waiting = "reading /proc …"
            return Picture(title, rows=explained(view, self.SOURCE, width, waiting), is_empty=True)
        self.selection = self.selection.within(self.rows(view), height)
        lines = field_lines(facts, width - 1)
        shown = [(Span(" "), *row) for row in lines]
        if self.has_focus:
            at = self.selection.at(self.rows(view))
            shown[at] = marked(shown[at], width)
        top = self.selection.top
        status = line(Span("ended", "bad")) if view.ended() else ()
        below = len(FIELDS) - top - height
        foot = line(Span(f"{below} more ↓", "dim")) if below > 0 else ()
        return Picture(title, status, foot=foot, rows=shown[top : top + height])

    def keys(self) -> Sequence[tuple[str, str]]:
        """Name the keys of this pane."""
        return self.keys_while_typing() or (("/", "find"), ("y", "copy"))

    def row_text(self, view: View, row: int) -> str:
        """Return the name of a field and what it means."""
        return f"{FIELDS[row].name} {FIELDS[row].says.words}"

    def meanings(self, view: View) -> Sequence[Meaning]:
        """Return what the fields mean."""
        return [field.meaning for field in FIELDS]

    def meaning_at_hand(self, view: View) -> int | None:
        """Return the field that is selected."""
        return self.selection.at(self.rows(view))

    def hint(self, view: View) -> Line:
        """Describe what the selected field means."""
        if view.sample(ProcessSample) is None:
            return ()
        field = FIELDS[self.selection.at(self.rows(view))]
        return field.meaning.hint()
