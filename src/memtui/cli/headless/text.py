"""Formats all panes as text, one below the other: for tickets, scripts and screen readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from memtui import units
from memtui.diagnosis import DEFAULT_WINDOW_S, Diagnosis, one_line, trial_of
from memtui.diagnosis.trends import trend_of
from memtui.local_time import date_and_time, time_of_day
from memtui.model import (
    SOURCES,
    Attached,
    GcCycle,
    GcPause,
    ProcessIdentity,
    ProcessSample,
    Trouble,
)
from memtui.panes.bars import heading_line
from memtui.panes.empty import empty_lines
from memtui.panes.explain.environment import environment_rows
from memtui.panes.explain.verdict import explain_rows, trial_rows
from memtui.panes.field_lines import facts_of, field_lines
from memtui.panes.gctrace.columns import PAUSES, cycle_lines, cycles_at
from memtui.panes.gctrace.status import NO_TRACE, in_full, status_of, waiting_for
from memtui.panes.gctrace.table import entries_of
from memtui.panes.profile import frame, top
from memtui.panes.profile.base_view import NameListState
from memtui.panes.profile.formatting import Measure
from memtui.panes.profile.top import ListOrder
from memtui.panes.profile.view_options import ViewOptions
from memtui.pprof.top import TopRow
from memtui.render.cells import Line, fit, line, text_of, wrapped
from memtui.render.table import Column, table
from memtui.sanitize import plain
from memtui.timeline import View

LEAST_S = 60.0
"""No hourly rate is shown for a shorter time."""
_MOST = 600


@dataclass(frozen=True, slots=True)
class SeriesCourse:
    """A series over a time: first, last, lowest and highest bytes, and growth per hour.

    ``name`` is the name in JSON, ``title`` the one on the screen. ``per_h`` is None if there are
    too few samples.
    """

    name: str
    title: str
    first: int
    last: int
    low: int
    high: int
    per_h: float | None


def span_of(view: View, seconds: float) -> tuple[float, float]:
    """Return the start and end of the last ``seconds`` that were watched."""
    first = view.timeline.track(ProcessSample).first
    return max(view.until - seconds, first[0] if first else view.until), view.until


def courses(view: View, seconds: float) -> Iterator[SeriesCourse]:
    """Yield RES, RES−SHR and SHR over the last ``seconds``; without samples, none."""
    start, end = span_of(view, seconds)
    found = view.timeline.track(ProcessSample).sampled(start, end, _MOST)
    sizes_at = [(at, each.res_bytes, each.shr_bytes) for at, each in found]
    known = [
        (at, res, shr) for at, res, shr in sizes_at if isinstance(res, int) and isinstance(shr, int)
    ]
    series = (
        ("res", "RES", [(at, res) for at, res, _ in sizes_at if isinstance(res, int)]),
        ("res_less_shr", "RES−SHR", [(at, res - shr) for at, res, shr in known]),
        ("shr", "SHR", [(at, shr) for at, _, shr in known]),
    )
    for name, title, values in series:
        if values:
            sizes = [size for _, size in values]
            trend = trend_of([(at, float(size)) for at, size in values])
            slope = trend.slope_per_h if trend and end - start >= LEAST_S else None
            yield SeriesCourse(name, title, sizes[0], sizes[-1], min(sizes), max(sizes), slope)


CYCLES, FUNCTIONS = 12, 12
_COURSE = (
    Column("", 8, text=True), Column("now", 7), Column("change", 8), Column("low", 7),
    Column("high", 7), Column("an hour", 9, yields=1),
)  # fmt: skip


def snapshot(view: View, diagnosis: Diagnosis, width: int, moment: str = "") -> Iterator[str]:
    """Yield the lines of all panes in at most ``width`` cells, without escape codes.

    ``moment`` describes a view that is not live.
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
            yield plain(text_of(fit(each, width)).rstrip())


def _head(view: View, diagnosis: Diagnosis, width: int, moment: str) -> Iterator[Line]:
    yield heading_line(view, width, line(f"{plain(moment)} ") if moment else ())
    yield line(f" {date_and_time(view.until)} local time")
    yield from _indented(wrapped(one_line(diagnosis), width - 2))


def _process(view: View, width: int) -> Iterator[Line]:
    yield line("1 process")
    facts = facts_of(view)
    if facts is None:
        yield from empty_lines(view, "process", width, "no sample from /proc yet")
    else:
        yield from _indented(field_lines(facts, width - 1))


def _trend(view: View, width: int) -> Iterator[Line]:
    start, end = span_of(view, DEFAULT_WINDOW_S)
    lasted = units.duration(end - start)
    yield line(f"2 RES and SHR from {time_of_day(start)} to {time_of_day(end)} ({lasted})")
    rows = [
        (
            each.title,
            units.size(each.last),
            units.change(each.last - each.first),
            units.size(each.low),
            units.size(each.high),
            "…" if each.per_h is None else units.change(round(each.per_h)),
        )
        for each in courses(view, DEFAULT_WINDOW_S)
    ]
    if not rows:
        yield from empty_lines(view, "process", width, "no sample from /proc yet")
        return
    head, lines = table(_COURSE, rows, width - 1)
    yield from _indented([head, *lines])


def _cycles(view: View, width: int) -> Iterator[Line]:
    """Yield the newest cycles of gctrace or of MemStats, or why there are none."""
    status = status_of(view, view.until - DEFAULT_WINDOW_S, view.until)
    count = status.cycles or status.pauses
    origin = "gctrace" if status.cycles else "gc from MemStats" if status.pauses else "gctrace"
    yield line(f"3 {origin}, {count} cycles seen" if count else f"3 {origin}")
    if not count:
        yield from empty_lines(view, "gctrace", width, waiting_for(view))
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
        pause_entries = entries_of(pauses, pauses.numbers(view.until)[-CYCLES:])
        head, rows = cycle_lines(PAUSES, pause_entries, width - 1, sorted_by=None, descending=False)
    yield from _indented([head, *rows])
    if not status.cycles:
        yield from _indented(wrapped(NO_TRACE, width - 2))


def _profile(view: View, width: int) -> Iterator[Line]:
    """Yield the largest functions of the newest profile, or why there is none."""
    look = ViewOptions()
    shown = look.shown(view)
    if shown is None:
        yield line("4 pprof")
        yield from empty_lines(view, "profile", width, "no profile yet")
        return
    values = look.values(shown.profile)
    title, status = frame.title(look, shown, None, width), frame.status(shown, None, 0, width)
    yield line("4 ", *title, ", ", *status)
    rows = [TopRow(each.name, each.flat, each.cum) for each in values.functions]
    listed = top.order_top(rows, Measure(values.unit, values.total), ListOrder())
    height = min(FUNCTIONS, len(rows)) + 1
    _, lines = top.draw_top(listed, NameListState(), width, height, focused=False)
    yield from lines
    if len(rows) > FUNCTIONS:
        yield line(f" and {len(rows) - FUNCTIONS} more functions")


def _explain(view: View, diagnosis: Diagnosis, width: int) -> Iterator[Line]:
    yield line("5 explain")
    if view.sample(ProcessSample) is None:
        yield from empty_lines(view, "process", width, "no sample from /proc yet")
        return
    rows = explain_rows(diagnosis, width, frozenset())
    if trial := trial_of(view):
        rows += trial_rows(trial, width)
    yield from (each.line for each in (*rows, *environment_rows(view, width)))


def _sources(view: View, width: int) -> Iterator[Line]:
    """Yield a line for each source: where it reads, or why it does not."""
    yield line("sources")
    for source in SOURCES:
        for number, row in enumerate(
            wrapped(describe_source(view, source.name), max(8, width - 15))
        ):
            yield line(f" {'' if number else source.title:<13} ", *row)


def describe_source(view: View, source: str) -> str:
    """Return where a source reads, or why it does not and what to do."""
    found = view.state(source)
    state = found[1] if found else None
    if isinstance(state, Trouble):
        return plain(f"not read: {state.reason}" + (f"; {state.hint}" if state.hint else ""))
    if state is None:
        return "every second" if source == "process" and view.sample(ProcessSample) else "no answer"
    return plain(state.where or "there") if isinstance(state, Attached) else plain(state.reason)


def _indented(rows: Sequence[Line]) -> Iterator[Line]:
    return (line(" ", *row) for row in rows)
