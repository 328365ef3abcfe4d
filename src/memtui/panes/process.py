"""Pane 1: the process, field by field, with what each field means.

The fields of a process as lines: name, value, change since the session began, meaning.
"""

from __future__ import annotations

from collections.abc import Sequence

from memtui.model import Absent, ProcessIdentity, ProcessSample
from memtui.panes.empty import explained
from memtui.panes.field_doc import Meaning
from memtui.panes.fields import FIELDS, Facts, Field
from memtui.panes.pane import SearchedPane
from memtui.render.cells import Line, Picture, Role, Span, line
from memtui.render.table import Column, marked, table
from memtui.timeline import View

_NAME, _VALUE, _CHANGE, _MEANING = (
    Column("field", 8, text=True),
    Column("now", 10),
    Column("since start", 8),
    Column("meaning", 24, yields=1, role="dim", text=True),
)


def facts_of(view: View) -> Facts | None:
    """Return what the fields are made of, or None while nothing was read."""
    track = view.timeline.track(ProcessSample)
    newest = track.tail(2, view.until)
    if not newest or track.first is None:
        return None
    (before_at, before), (now_at, now) = newest[0], newest[-1]
    identity = view.sample(ProcessIdentity)
    return Facts(identity, track.first[1], now, before, now_at - before_at, now_at)


def field_row(field: Field, facts: Facts) -> tuple[Span, ...]:
    """Return the cells of a field: name, value, change, meaning."""
    value, change = field.value(facts), field.change(facts)
    role: Role = field.role
    if value in (Absent.NO_ACCESS.value, Absent.NOT_REPORTED.value):
        role = "dim"
    direction: Role = "grow" if change[:1] == "+" else "shrink" if change[:1] == "−" else "dim"
    return (
        Span(field.name, "dim"),
        Span(value, role),
        Span(change, direction),
        Span(field.says.words, "dim"),
    )


def field_lines(facts: Facts, width: int) -> list[Line]:
    """Return a line a field; a long text takes the place of change and meaning."""
    rows = [field_row(field, facts) for field in FIELDS]
    numbers = [row for row in rows if len(row[1].text) <= _VALUE.width + 4 and row[2].text]
    _, lines = table((_NAME, _VALUE, _CHANGE, _MEANING), numbers, width)
    by_name = dict(zip([row[0].text for row in numbers], lines, strict=True))
    wide = max((len(row[1].text) for row in numbers), default=0)
    value_width = max(_VALUE.width, wide)
    return [by_name.get(row[0].text) or _text_line(row, value_width, width) for row in rows]


def _text_line(row: Sequence[Span], value_width: int, width: int) -> Line:
    """Return the line of a field that has no change: its value may take the room of it."""
    name, value, _, meaning = row
    start = line(Span(f"{name.text:<{_NAME.width}} ", "dim"))
    if len(value.text) <= value_width:
        value = Span(f"{value.text:>{value_width}}", value.role)
    taken = _NAME.width + 1 + max(value_width + 1 + _CHANGE.width, len(value.text))
    if taken + 1 + _MEANING.width > width:
        return (*start, value)
    gap = " " * (taken - _NAME.width - 1 - len(value.text) + 1)
    return (*start, value, Span(gap), meaning)


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
        """Say what the selected field means."""
        if view.sample(ProcessSample) is None:
            return ()
        field = FIELDS[self.selection.at(self.rows(view))]
        return field.meaning.hint()
