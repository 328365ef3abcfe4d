"""Pane 1: the process, field by field, with what each field means."""

from __future__ import annotations

from memtui.model import ProcessIdentity, ProcessSample
from memtui.panes.cells import Line, Picture, Span, line
from memtui.panes.explained import explained
from memtui.panes.fieldlines import facts_of, field_lines
from memtui.panes.fields import FIELDS
from memtui.panes.pane import Pane
from memtui.panes.table import marked
from memtui.timeline import View


class ProcessPane(Pane):
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

    def hint(self, view: View) -> Line:
        """Say what the selected field means."""
        if view.sample(ProcessSample) is None:
            return ()
        field = FIELDS[self.selection.at(self.rows(view))]
        return line(Span(field.name, field.role), f"  {field.meaning}")
