"""Reads from a recording everything that a report contains.

A series is reduced to as many columns as a plot is wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from memtui.diagnosis import (
    Diagnosis,
    FunctionGrowth,
    Trial,
    build_window,
    compare_functions,
    diagnose,
    environment_lines,
    one_line,
    trial_of,
)
from memtui.diagnosis.function_growth import is_of_runtime
from memtui.model import (
    Dated,
    Event,
    GcCycle,
    ProcessIdentity,
    ProcessSample,
    Profile,
    RuntimeSample,
    Sample,
    SampleValues,
    moment_of,
)
from memtui.recording import Recording
from memtui.recording.info import RecordingInfo, read_info
from memtui.recording.recorded_pages import WHOLE_S, full_profile, landmarks_of, load_timeline
from memtui.recording.summary import SeriesReader
from memtui.timeline import Extent, Landmark, SpanSummary, View

COLUMNS = 600


class ExtentPiece(NamedTuple):
    """The extent of a series between two moments."""

    start: float
    end: float
    name: str
    extent: Extent


@dataclass(frozen=True, slots=True)
class Columns:
    """Series by name, in columns of ``step_s`` seconds starting at ``start`` (Unix seconds).

    A column has its lowest, highest and last value; None: unknown.
    """

    start: float
    step_s: float
    series: Mapping[str, Sequence[Extent | None]]

    def of(self, *names: str) -> Sequence[Extent | None]:
        """Return the first of these series that has values; otherwise one without values."""
        for name in names:
            if name in self.series:
                return self.series[name]
        return [None] * COLUMNS

    def at(self, column: float) -> float:
        """Return the moment at which a column starts."""
        return self.start + column * self.step_s


def columns_of(recording: Recording, start: float, end: float) -> Columns:
    """Return the series between two moments: from all samples up to two hours, else from headers.

    A header has the lowest and the highest value of a minute, so no peak is lost.
    """
    if end - start <= WHOLE_S:
        pieces = _of_events(recording.events_dated(start, end))
    else:
        pieces = _of_summaries(recording.summaries())
    return fold_columns(pieces, start, end)


def fold_columns(pieces: Iterable[ExtentPiece], start: float, end: float) -> Columns:
    """Put extents into columns; an extent that spans several columns is put into each."""
    step_s = max(end - start, 1.0) / COLUMNS
    series: dict[str, list[Extent | None]] = {}
    for piece in pieces:
        first, last = (int((at - start) // step_s) for at in (piece.start, piece.end))
        if last < 0 or piece.start > end:
            continue
        first = min(first, COLUMNS - 1)  # a value at the very end belongs to the last column
        found = series.setdefault(piece.name, [None] * COLUMNS)
        for column in range(max(0, first), min(COLUMNS - 1, last) + 1):
            known = found[column]
            found[column] = known.joined(piece.extent) if known else piece.extent
    return Columns(start, step_s, series)


def _of_events(events: Iterable[Event]) -> Iterator[ExtentPiece]:
    meter = SeriesReader()
    for event in events:
        for name, value in (*meter.read(event.sample), *_of_memstats(event.sample)):
            yield ExtentPiece(event.at, event.at, name, Extent(value, value, value))


def _of_summaries(summaries: Iterable[SpanSummary]) -> Iterator[ExtentPiece]:
    for summary in summaries:
        for name, extent in summary.extents.items():
            yield ExtentPiece(summary.start, summary.end, name, extent)
        for event in filter(None, map(summary.last, (RuntimeSample, GcCycle))):
            if event.at < summary.start - 1.0:  # it was carried over from an earlier member
                continue
            more = [*_of_memstats(event.sample)]
            if isinstance(event.sample, GcCycle) and "gc_pause_us" not in summary.extents:
                more += SeriesReader().read(event.sample)  # format 1.0 has no summary of cycles
            for name, value in more:
                yield ExtentPiece(event.at, event.at, name, Extent(value, value, value))


def _of_memstats(sample: Sample) -> Iterator[tuple[str, int]]:
    """Yield the live heap if MemStats have it; summaries do not have it."""
    if isinstance(sample, RuntimeSample) and isinstance(sample.heap_live_bytes, int):
        yield "heap_live", sample.heap_live_bytes


MOST_EARLIER_RUNS = 6
SHORTEST_RUN_S = 30.0
_BEFORE_S = 0.001


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """An earlier process: start and end in Unix seconds, its last RES, and its verdict."""

    start: float
    end: float
    res: int | None
    line: str


@dataclass(frozen=True, slots=True)
class GrownFunctions:
    """The growth between two profiles of one kind: their moments, totals and functions."""

    kind: str
    type: str
    unit: str
    first: Dated
    last: Dated
    total_before: int
    total: int
    functions: tuple[FunctionGrowth, ...]


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything that a report contains of a recording, from ``start`` to ``end`` (Unix seconds).

    ``diagnosis`` is about the last process in this time, as in ``memtui explain``. ``earlier_runs``
    are the processes before it. ``place`` describes where the process runs; ``last`` is its last
    sample.
    """

    start: float
    end: float
    diagnosis: Diagnosis
    trial: Trial | None
    columns: Columns
    landmarks: tuple[Landmark, ...]
    earlier_runs: tuple[EarlierRun, ...]
    grown: tuple[GrownFunctions, ...]
    contents: RecordingInfo
    identity: ProcessIdentity | None
    last: ProcessSample | None
    place: tuple[str, ...]


def read_report_data(recording: Recording, start: float, end: float) -> ReportData:
    """Read the data of a report: headers for a long time, samples for a short one."""
    view = _view(recording, start, end)
    diagnosis = diagnose(build_window(view, end - start))
    landmarks = tuple(
        each
        for each in landmarks_of(recording)
        if each.at <= end and max(each.at, each.until) >= start
    )
    return ReportData(
        start=start,
        end=end,
        diagnosis=diagnosis,
        trial=trial_of(view),
        columns=columns_of(recording, start, end),
        landmarks=landmarks,
        earlier_runs=tuple(_earlier_runs(recording, start, end, landmarks)),
        grown=tuple(_grown(recording, diagnosis.window.start, end)),
        contents=read_info(recording),
        identity=view.sample(ProcessIdentity),
        last=view.sample(ProcessSample),
        place=tuple(environment_lines(view)),
    )


def _view(recording: Recording, start: float, end: float) -> View:
    return View(load_timeline(recording, start, end), end, end, frozen=True)


def _earlier_runs(
    recording: Recording, start: float, end: float, landmarks: Sequence[Landmark]
) -> Iterator[EarlierRun]:
    """Yield the newest processes before the last one, each with its verdict."""
    began = [start, *(each.at for each in landmarks if each.kind == "restart"), end]
    spans = [(a, b - _BEFORE_S) for a, b in pairwise(began) if b - a >= SHORTEST_RUN_S]
    if spans and spans[-1][0] == began[-2]:
        del spans[-1]
    ends = [each.at for each in landmarks if each.kind == "end"]
    for first, next_start in spans[-MOST_EARLIER_RUNS:]:
        last = next((at for at in ends if first < at < next_start), next_start)
        diagnosis = diagnose(build_window(_view(recording, first, last), last - first))
        ledger = diagnosis.ledger
        yield EarlierRun(first, last, ledger.res if ledger else None, one_line(diagnosis))


_TYPES = {"heap": "inuse_space", "goroutine": "goroutine", "file": "inuse_space"}
"""The sample type that shows growth, by kind of profile."""


def _grown(recording: Recording, start: float, end: float) -> Iterator[GrownFunctions]:
    """Compare the first and the last profile of each kind."""
    ends: dict[str, list[Event]] = {}
    for event in recording.profile_totals(start, end):
        if isinstance(event.sample, Profile) and event.sample.kind in _TYPES:
            known = ends.setdefault(event.sample.kind, [event])
            known[1:] = [event]
    for kind, events in ends.items():
        if len(events) < 2 or events[0].at == events[-1].at:
            continue
        old, new = (_dated(recording, event, _TYPES[kind]) for event in (events[0], events[-1]))
        if old is None or new is None:
            continue
        (then, first), (now, last) = old, new
        found = compare_functions(first.functions, last.functions)
        if kind == "goroutine":  # all goroutines wait in the runtime; their callers differ
            found = [each for each in found if not is_of_runtime(each.name)]
            found.sort(key=lambda each: -each.cum_growth)
        yield GrownFunctions(
            kind, last.type, last.unit, then, now, first.total, last.total,
            tuple(found),
        )  # fmt: skip


def _dated(
    recording: Recording, event: Event, sample_type: str
) -> tuple[Dated, SampleValues] | None:
    """Return the moment of a profile and its values of a type; None if it has none."""
    whole = full_profile(recording, event)
    if whole is None or not isinstance(whole.sample, Profile):
        return None
    of_type = (each for each in whole.sample.values if each.type == sample_type)
    values = next(of_type, None)
    return None if values is None else (moment_of(whole.sample, event.at), values)
