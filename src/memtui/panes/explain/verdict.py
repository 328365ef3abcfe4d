"""A verdict as lines of text: the cause, what it rests on, what to do, what would refute it."""

from __future__ import annotations

from collections.abc import Iterable

from memtui.diagnosis import Cause, Diagnosis, Finding, Place
from memtui.panes.cells import Line, Role, Span, line, wrapped
from memtui.panes.explain.row import Row

PANE_OF = {Place.PROCESS: 1, Place.TREND: 2, Place.GCTRACE: 3, Place.PROFILE: 4, Place.LEDGER: 5}
"""Where the numbers of a piece of evidence are to be seen."""


def role_of(cause: Cause) -> Role:
    """Return the role of a cause: good, bad when memory is lost, or to be looked at."""
    match cause:
        case Cause.HEAP_LEAK | Cause.GOROUTINE_LEAK | Cause.OFF_HEAP:
            return "bad"
        case Cause.STEADY:
            return "good"
        case Cause.NOT_ENOUGH_DATA:
            return "dim"
        case _:
            return "grow"


def headline(diagnosis: Diagnosis, width: int) -> list[Row]:
    """Return the causes in a sentence each, and under each how sure it is."""
    rows: list[Row] = []
    for found in diagnosis.findings:
        rows += [Row(each) for each in _indented(found.sentence, width, 1, role_of(found.cause))]
        rows.append(Row(line(Span(f" {found.weight}", "dim"))))
    return rows


def reasons(diagnosis: Diagnosis, width: int) -> list[Row]:
    """Return all that stands behind the causes, in blocks."""
    rows: list[Row] = []
    several = len(diagnosis.findings) > 1
    for found in diagnosis.findings:
        rows.append(Row(()))
        if several:
            rows.append(Row(line(Span(f" {found.cause.value}", "title"))))
        rows += _of_finding(found, width)
    if diagnosis.notes:
        rows += _block("In this window", diagnosis.notes, width)
    return rows


def _of_finding(found: Finding, width: int) -> list[Row]:
    rows = [Row(line(Span(" Evidence", "title")))] if found.evidence else []
    for each in found.evidence:
        pane = PANE_OF[each.place]
        key = line(Span(f"  {pane}", "key"))
        texts = _indented(each.text, width - 3, 1, "text")
        keys = [key, *[line("   ")] * (len(texts) - 1)]
        rows += [Row((*at, *text), pane=pane) for at, text in zip(keys, texts, strict=True)]
    rows += _block("What to do", found.advice.lines(), width)
    rows += _block("Ruled out", [rival.text for rival in found.rivals], width)
    rows += _block("What would disprove this", found.refuted_by, width)
    rows += _block("To be surer", found.raised_by, width)
    return rows


def _block(title: str, texts: Iterable[str], width: int) -> list[Row]:
    rows = [
        Row((Span("  · " if not number else "    ", "dim"), *text))
        for each in texts
        for number, text in enumerate(wrapped(each, max(8, width - 5)))
    ]
    return [Row(line(Span(f" {title}", "title"))), *rows] if rows else []


def _indented(text: str, width: int, by: int, role: Role) -> list[Line]:
    return [(Span(" " * by), *row) for row in wrapped(text, max(8, width - by - 1), role)]
