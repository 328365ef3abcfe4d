"""All panes as text, one below the other: for a ticket, a script, a screen reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memtui import units
from memtui.cli.screenless.snapshot.courses import courses, span_of
from memtui.diagnosis import USUAL_S, Diagnosis, one_line, trial_of
from memtui.model import Attached, GcCycle, GcPause, ProcessIdentity, ProcessSample, Trouble
from memtui.panes.bars import heading
from memtui.panes.cells import Line, exactly, line, text_of, wrapped
from memtui.panes.explain.place import place_rows
from memtui.panes.explain.rows import rows_of
from memtui.panes.explain.trial import trial_rows
from memtui.panes.explained import explained
from memtui.panes.fieldlines import facts_of, field_lines
from memtui.panes.gctrace.columns import PAUSES, cycle_lines, cycles_at
from memtui.panes.gctrace.edges import NO_TRACE, waiting_for
from memtui.panes.gctrace.order import entries_of
from memtui.panes.gctrace.status import in_full, status_of
from memtui.panes.moments import clock, date_and_clock
from memtui.panes.profile import toplist, words
from memtui.panes.profile.look import Look
from memtui.panes.profile.order import Order
from memtui.panes.profile.rowlist import RowList
from memtui.panes.profile.values import Measure
from memtui.panes.table import Column, table
from memtui.plain import plain
from memtui.pprof.top import Row
from memtui.timeline import View

CYCLES, FUNCTIONS = 12, 12
SOURCES = (
    ("process", "/proc"), ("gctrace", "gctrace"), ("profile", "pprof"), ("runtime", "MemStats"),
    ("mapping", "smaps_rollup"), ("surroundings", "limits"),
)  # fmt: skip
_COURSE = (
    Column("", 8, text=True), Column("now", 7), Column("change", 8), Column("low", 7),
    Column("high", 7), Column("an hour", 9, yields=1),
)  # fmt: skip


def snapshot(view: View, diagnosis: Diagnosis, width: int, moment: str = "") -> Iterator[str]:
    """Yield the lines of all panes in at most ``width`` cells, without escape codes.

    ``moment`` says how the view stands to now, where that is not plain from it.
    """
    blocks = (
        _head(view, diagnosis, width, moment),
        _process(view, width),
        _trend(view, width),
        _cycles(view, width),
        _profile(view, width),
        _explain(view, diagnosis, width),
        _sources(view, width),
    )
    for number, block in enumerate(blocks):
        if number:
            yield ""
        for each in block:
            yield plain(text_of(exactly(each, width)).rstrip())


def _head(view: View, diagnosis: Diagnosis, width: int, moment: str) -> Iterator[Line]:
    yield heading(view, width, line(f"{plain(moment)} ") if moment else ())
    yield line(f" {date_and_clock(view.until)} local time")
    yield from _indented(wrapped(one_line(diagnosis), width - 2))


def _process(view: View, width: int) -> Iterator[Line]:
    yield line("1 process")
    facts = facts_of(view)
    if facts is None:
        yield from explained(view, "process", width, "/proc told nothing yet")
    else:
        yield from _indented(field_lines(facts, width - 1))


def _trend(view: View, width: int) -> Iterator[Line]:
    start, end = span_of(view, USUAL_S)
    lasted = units.duration(end - start)
    yield line(f"2 RES and SHR from {clock(start)} to {clock(end)} ({lasted})")
    rows = [
        (
            each.title,
            units.size(each.last),
            units.change(each.last - each.first),
            units.size(each.low),
            units.size(each.high),
            "…" if each.per_h is None else units.change(round(each.per_h)),
        )
        for each in courses(view, USUAL_S)
    ]
    if not rows:
        yield from explained(view, "process", width, "/proc told nothing yet")
        return
    head, lines = table(_COURSE, rows, width - 1)
    yield from _indented([head, *lines])


def _cycles(view: View, width: int) -> Iterator[Line]:
    """Yield the newest cycles of the trace, or of MemStats; or why there are none."""
    status = status_of(view, view.until - USUAL_S, view.until)
    count = status.cycles or status.pauses
    origin = "gctrace" if status.cycles else "gc from MemStats" if status.pauses else "gctrace"
    yield line(f"3 {origin}, {count} cycles seen" if count else f"3 {origin}")
    if not count:
        yield from explained(view, "gctrace", width, waiting_for(view))
        return
    yield from _indented([in_full(status, width - 1)])
    has_start = view.sample(ProcessIdentity) is not None
    if status.cycles:
        track = view.timeline.track(GcCycle)
        entries = entries_of(track, track.numbers(view.until)[-CYCLES:])
        figures = cycles_at(width, has_start)
        head, rows = cycle_lines(figures, entries, width - 1, sorted_by=None, descending=False)
    else:
        pauses = view.timeline.track(GcPause)
        told = entries_of(pauses, pauses.numbers(view.until)[-CYCLES:])
        head, rows = cycle_lines(PAUSES, told, width - 1, sorted_by=None, descending=False)
    yield from _indented([head, *rows])
    if not status.cycles:
        yield from _indented(wrapped(NO_TRACE, width - 2))


def _profile(view: View, width: int) -> Iterator[Line]:
    """Yield the largest functions of the newest profile; or why there is none."""
    look = Look()
    shown = look.shown(view)
    if shown is None:
        yield line("4 pprof")
        yield from explained(view, "profile", width, "no profile came yet")
        return
    values = look.values(shown.profile)
    title, status = words.title(look, shown, None, width), words.status(shown, None, 0, width)
    yield line("4 ", *title, ", ", *status)
    rows = [Row(each.name, each.flat, each.cum) for each in values.functions]
    listed = toplist.listed(rows, Measure(values.unit, values.total), Order())
    height = min(FUNCTIONS, len(rows)) + 1
    _, lines = toplist.draw(listed, RowList(), width, height, focused=False)
    yield from lines
    if len(rows) > FUNCTIONS:
        yield line(f" and {len(rows) - FUNCTIONS} more functions")


def _explain(view: View, diagnosis: Diagnosis, width: int) -> Iterator[Line]:
    yield line("5 explain")
    if view.sample(ProcessSample) is None:
        yield from explained(view, "process", width, "/proc told nothing yet")
        return
    rows = rows_of(diagnosis, width, frozenset())
    if trial := trial_of(view):
        rows += trial_rows(trial, width)
    yield from (each.line for each in (*rows, *place_rows(view, width)))


def _sources(view: View, width: int) -> Iterator[Line]:
    """Yield for each source where it reads, or what is missing and why."""
    yield line("sources")
    for source, name in SOURCES:
        for number, row in enumerate(wrapped(source_words(view, source), max(8, width - 15))):
            yield line(f" {'' if number else name:<13} ", *row)


def source_words(view: View, source: str) -> str:
    """Say where a source reads, or why it does not and what to do."""
    found = view.state(source)
    said = found[1] if found else None
    if isinstance(said, Trouble):
        return plain(f"not seen: {said.reason}" + (f"; {said.hint}" if said.hint else ""))
    if said is None:
        return "each second" if source == "process" and view.sample(ProcessSample) else "no answer"
    return plain(said.where or "there") if isinstance(said, Attached) else plain(said.reason)


def _indented(rows: Sequence[Line]) -> Iterator[Line]:
    return (line(" ", *row) for row in rows)
