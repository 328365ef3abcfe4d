"""Draws a diagnosis as rows: the causes, the ledger, the evidence and advice; and a trial."""

from __future__ import annotations

from collections.abc import Iterable

from memtui import units
from memtui.diagnosis import Cause, Diagnosis, Finding, PaneName, PartName, Trial
from memtui.local_time import time_of_day
from memtui.panes.explain.ledger import (
    ExplainRow,
    growth_role,
    ledger_bar,
    table_head,
    table_rows,
    total_row,
)
from memtui.render.cells import Line, Role, Span, line, wrapped

PANE_OF = {
    PaneName.PROCESS: 1,
    PaneName.TREND: 2,
    PaneName.GCTRACE: 3,
    PaneName.PROFILE: 4,
    PaneName.LEDGER: 5,
}
"""The pane that shows the numbers of an observation."""


def cause_role(cause: Cause) -> Role:
    """Return the role of a cause: good, bad for a leak, dim without data, else "grow"."""
    match cause:
        case Cause.HEAP_LEAK | Cause.GOROUTINE_LEAK | Cause.OFF_HEAP:
            return "bad"
        case Cause.STEADY:
            return "good"
        case Cause.NOT_ENOUGH_DATA:
            return "dim"
        case _:
            return "grow"


def finding_rows(diagnosis: Diagnosis, width: int) -> list[ExplainRow]:
    """Return the causes in a sentence each, each followed by its share and confidence."""
    rows: list[ExplainRow] = []
    for found in diagnosis.findings:
        rows += [
            ExplainRow(each)
            for each in _indented(found.sentence, width, 1, cause_role(found.cause))
        ]
        rows.append(ExplainRow(line(Span(f" {found.weight}", "dim"))))
    return rows


def reason_rows(diagnosis: Diagnosis, width: int) -> list[ExplainRow]:
    """Return the evidence, the advice and the other blocks of each finding."""
    rows: list[ExplainRow] = []
    several = len(diagnosis.findings) > 1
    for found in diagnosis.findings:
        rows.append(ExplainRow(()))
        if several:
            rows.append(ExplainRow(line(Span(f" {found.cause.value}", "title"))))
        rows += _rows_of_finding(found, width)
    if diagnosis.notes:
        rows += _block("In this window", diagnosis.notes, width)
    return rows


def _rows_of_finding(found: Finding, width: int) -> list[ExplainRow]:
    rows = [ExplainRow(line(Span(" Evidence", "title")))] if found.evidence else []
    for each in found.evidence:
        pane = PANE_OF[each.place]
        key = line(Span(f"  {pane}", "key"))
        texts = _indented(each.text, width - 3, 1, "text")
        keys = [key, *[line("   ")] * (len(texts) - 1)]
        rows += [ExplainRow((*at, *text), pane=pane) for at, text in zip(keys, texts, strict=True)]
    rows += _block("What to do", found.advice.lines(), width)
    rows += _block("Ruled out", [rival.text for rival in found.rivals], width)
    rows += _block("What would disprove this", found.refuted_by, width)
    rows += _block("To be surer", found.raised_by, width)
    return rows


def _block(title: str, texts: Iterable[str], width: int) -> list[ExplainRow]:
    rows = [
        ExplainRow((Span("  · " if not number else "    ", "dim"), *text))
        for each in texts
        for number, text in enumerate(wrapped(each, max(8, width - 5)))
    ]
    return [ExplainRow(line(Span(f" {title}", "title"))), *rows] if rows else []


def _indented(text: str, width: int, by: int, role: Role) -> list[Line]:
    return [(Span(" " * by), *row) for row in wrapped(text, max(8, width - by - 1), role)]


LEAST_SHOWN = 256 << 10
"""Parts with a smaller change are left out."""

FREE_HANDLER = """\
import ("net/http"; "runtime/debug")

func free(w http.ResponseWriter, r *http.Request) {
    debug.FreeOSMemory()
    w.WriteHeader(http.StatusNoContent)
}

func init() { http.HandleFunc("/debug/free", free) }

then: memtui --pid PID --free-url http://127.0.0.1:PORT/debug/free"""
"""Go code that adds the handler for --free-url."""


def trial_rows(trial: Trial, width: int) -> list[ExplainRow]:
    """Return the expectation and the result of a trial, and the parts that changed."""
    rows = [ExplainRow(line(Span(f" {trial.act.value} at {time_of_day(trial.at)}", "title")))]
    expected = trial.expected.sentence if trial.expected else "unknown without MemStats"
    texts: tuple[tuple[str, Role], ...] = (
        (f"Expected: {expected}", "dim"),
        (f"Result: {trial.sentence}", "text"),
    )
    for text, role in texts:
        rows += [ExplainRow((Span("  "), *each)) for each in wrapped(text, width - 3, role)]
    for part in trial.ledger.parts if trial.ledger else ():
        if part.growth and abs(part.growth) >= LEAST_SHOWN:
            was = units.size((part.size or 0) - part.growth)
            change = Span(f" {units.change(part.growth):>8}", growth_role(part.growth))
            words = f"  {part.title:<26} {was:>6} → {units.size(part.size or 0):>6}"
            rows.append(ExplainRow(line(words, change), part))
    return [ExplainRow(()), *rows]


def explain_rows(diagnosis: Diagnosis, width: int, opened: frozenset[PartName]) -> list[ExplainRow]:
    """Return all rows in ``width`` cells; ``opened`` parts show their components."""
    rows = finding_rows(diagnosis, width)
    ledger = diagnosis.ledger
    if ledger is not None:
        rows += [
            ExplainRow(()),
            ExplainRow(ledger_bar(ledger, width - 1)),
            ExplainRow(()),
            ExplainRow(table_head(width)),
        ]
        rows += [ExplainRow(drawn, part) for part, drawn in table_rows(ledger, width, opened)]
        rows.append(ExplainRow(total_row(ledger, width)))
    return rows + reason_rows(diagnosis, width)
