"""Draws the fields of a process as lines: name, value, change since the start, meaning."""

from __future__ import annotations

from collections.abc import Sequence

from memtui.model import Absent, ProcessIdentity, ProcessSample
from memtui.panes.fields import FIELDS, Facts, Field
from memtui.render.cells import Line, Role, Span, line
from memtui.render.table import Column, table
from memtui.timeline import View

_NAME, _VALUE, _CHANGE, _MEANING = (
    Column("field", 8, text=True),
    Column("now", 10),
    Column("since start", 8),
    Column("meaning", 24, yields=1, role="dim", text=True),
)


def facts_of(view: View) -> Facts | None:
    """Return the samples that the fields need; None before the first sample."""
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
    role: Role = field.doc.role
    if value in (Absent.NO_ACCESS.value, Absent.NOT_REPORTED.value):
        role = "dim"
    direction: Role = "grow" if change[:1] == "+" else "shrink" if change[:1] == "−" else "dim"
    return (
        Span(field.name, "dim"),
        Span(value, role),
        Span(change, direction),
        Span(field.doc.words, "dim"),
    )


def field_lines(facts: Facts, width: int) -> list[Line]:
    """Return a line for each field; a long text covers the columns of change and meaning."""
    rows = [field_row(field, facts) for field in FIELDS]
    numbers = [row for row in rows if len(row[1].text) <= _VALUE.width + 4 and row[2].text]
    _, lines = table((_NAME, _VALUE, _CHANGE, _MEANING), numbers, width)
    by_name = dict(zip([row[0].text for row in numbers], lines, strict=True))
    widest = max((len(row[1].text) for row in numbers), default=0)
    value_cells = max(_VALUE.width, widest)
    return [by_name.get(row[0].text) or _text_line(row, value_cells, width) for row in rows]


def _text_line(row: Sequence[Span], value_cells: int, width: int) -> Line:
    """Return the line of a field without a change: its value may use that column too."""
    name, value, _, meaning = row
    start = line(Span(f"{name.text:<{_NAME.width}} ", "dim"))
    if len(value.text) <= value_cells:
        value = Span(f"{value.text:>{value_cells}}", value.role)
    used = _NAME.width + 1 + max(value_cells + 1 + _CHANGE.width, len(value.text))
    if used + 1 + _MEANING.width > width:
        return (*start, value)
    gap = " " * (used - _NAME.width - 1 - len(value.text) + 1)
    return (*start, value, Span(gap), meaning)
