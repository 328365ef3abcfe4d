"""All that a report tells, read from a recording once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    ProcessIdentity,
    ProcessSample,
    Profile,
    SampleValues,
    moment_of,
)
from memtui.recording import Recording
from memtui.recording.info import RecordingInfo, read_info
from memtui.recording.recorded_pages import full_profile, landmarks_of, load_timeline
from memtui.report.series import Columns, columns_of
from memtui.timeline import Landmark, View

MOST_LIVES = 6
SHORTEST_LIFE_S = 30.0
_BEFORE_S = 0.001


@dataclass(frozen=True, slots=True)
class Life:
    """One process among several: from when to when (Unix seconds) it ran, and its verdict."""

    start: float
    end: float
    res: int | None
    line: str


@dataclass(frozen=True, slots=True)
class GrownFunctions:
    """What grew between two profiles of one kind: the moments they are of, and their functions."""

    kind: str
    type: str
    unit: str
    first: Dated
    last: Dated
    total_before: int
    total: int
    functions: tuple[FunctionGrowth, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """What is told of a recording from ``start`` to ``end`` (Unix seconds).

    ``diagnosis`` is that of the last process in this time, as ``memtui explain`` has it. ``lives``
    are the processes before it, if there were others. ``landmarks`` are those of this time.
    ``place`` says where the process runs; ``last`` is what /proc said last.
    """

    start: float
    end: float
    diagnosis: Diagnosis
    trial: Trial | None
    columns: Columns
    landmarks: tuple[Landmark, ...]
    lives: tuple[Life, ...]
    grown: tuple[GrownFunctions, ...]
    contents: RecordingInfo
    identity: ProcessIdentity | None
    last: ProcessSample | None
    place: tuple[str, ...]


def account_of(recording: Recording, start: float, end: float) -> Account:
    """Read what a report of this time needs: headers of long times, samples of short ones."""
    view = _view(recording, start, end)
    diagnosis = diagnose(build_window(view, end - start))
    landmarks = tuple(
        each
        for each in landmarks_of(recording)
        if each.at <= end and max(each.at, each.until) >= start
    )
    return Account(
        start=start,
        end=end,
        diagnosis=diagnosis,
        trial=trial_of(view),
        columns=columns_of(recording, start, end),
        landmarks=landmarks,
        lives=tuple(_lives(recording, start, end, landmarks)),
        grown=tuple(_grown(recording, diagnosis.window.start, end)),
        contents=read_info(recording),
        identity=view.sample(ProcessIdentity),
        last=view.sample(ProcessSample),
        place=tuple(environment_lines(view)),
    )


def _view(recording: Recording, start: float, end: float) -> View:
    return View(load_timeline(recording, start, end), end, end, frozen=True)


def _lives(
    recording: Recording, start: float, end: float, landmarks: Sequence[Landmark]
) -> Iterator[Life]:
    """Yield the processes before the last one, the newest of them, each with its verdict."""
    began = [start, *(each.at for each in landmarks if each.kind == "restart"), end]
    spans = [(a, b - _BEFORE_S) for a, b in pairwise(began) if b - a >= SHORTEST_LIFE_S]
    if spans and spans[-1][0] == began[-2]:
        del spans[-1]
    ends = [each.at for each in landmarks if each.kind == "end"]
    for first, begun_anew in spans[-MOST_LIVES:]:
        last = next((at for at in ends if first < at < begun_anew), begun_anew)
        diagnosis = diagnose(build_window(_view(recording, first, last), last - first))
        ledger = diagnosis.ledger
        yield Life(first, last, ledger.res if ledger else None, one_line(diagnosis))


_TYPES = {"heap": "inuse_space", "goroutine": "goroutine", "file": "inuse_space"}
"""What of a profile says that memory grew, by the kind of profile."""


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
        if kind == "goroutine":  # all of them wait in the runtime: what called it tells them apart
            found = [each for each in found if not is_of_runtime(each.name)]
            found.sort(key=lambda each: -each.cum_growth)
        yield GrownFunctions(
            kind, last.type, last.unit, then, now, first.total, last.total,
            tuple(found),
        )  # fmt: skip


def _dated(
    recording: Recording, event: Event, sample_type: str
) -> tuple[Dated, SampleValues] | None:
    """Return the moment of a profile and its values of a type; None where it has none."""
    whole = full_profile(recording, event)
    if whole is None or not isinstance(whole.sample, Profile):
        return None
    of_type = (each for each in whole.sample.values if each.type == sample_type)
    values = next(of_type, None)
    return None if values is None else (moment_of(whole.sample, event.at), values)
