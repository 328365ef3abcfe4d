"""What each series did over the whole time, in as many columns as a plot is wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from memtui.model import Event, GcCycle, RuntimeSample, Sample
from memtui.recording import Recording
from memtui.recording.recorded_pages import WHOLE_S
from memtui.recording.summary import SeriesReader
from memtui.timeline import Extent, SpanSummary

COLUMNS = 600


class Piece(NamedTuple):
    """What a series did from a moment to another one."""

    start: float
    end: float
    name: str
    extent: Extent


@dataclass(frozen=True, slots=True)
class Columns:
    """Series by their names, in columns of ``step_s`` seconds from ``start`` (Unix seconds) on.

    A column has the lowest, the highest and the last value in it; None: nothing is known.
    """

    start: float
    step_s: float
    series: Mapping[str, Sequence[Extent | None]]

    def of(self, *names: str) -> Sequence[Extent | None]:
        """Return the first of these series of which anything is known; else one without values."""
        for name in names:
            if name in self.series:
                return self.series[name]
        return [None] * COLUMNS

    def at(self, column: float) -> float:
        """Return the moment at which a column begins."""
        return self.start + column * self.step_s


def columns_of(recording: Recording, start: float, end: float) -> Columns:
    """Return the series of a time: of up to two hours each sample, else what headers say.

    A header has the lowest and the highest value of a minute, so nothing that stood out is lost.
    """
    if end - start <= WHOLE_S:
        pieces = _of_events(recording.events_dated(start, end))
    else:
        pieces = _of_summaries(recording.summaries())
    return folded(pieces, start, end)


def folded(pieces: Iterable[Piece], start: float, end: float) -> Columns:
    """Put pieces into columns; one that touches several stands for each of them."""
    step_s = max(end - start, 1.0) / COLUMNS
    series: dict[str, list[Extent | None]] = {}
    for piece in pieces:
        first, last = (int((at - start) // step_s) for at in (piece.start, piece.end))
        if last < 0 or piece.start > end:
            continue
        first = min(first, COLUMNS - 1)  # what is told at the very end belongs to the last one
        found = series.setdefault(piece.name, [None] * COLUMNS)
        for column in range(max(0, first), min(COLUMNS - 1, last) + 1):
            known = found[column]
            found[column] = known.joined(piece.extent) if known else piece.extent
    return Columns(start, step_s, series)


def _of_events(events: Iterable[Event]) -> Iterator[Piece]:
    meter = SeriesReader()
    for event in events:
        for name, value in (*meter.read(event.sample), *_of_memstats(event.sample)):
            yield Piece(event.at, event.at, name, Extent(value, value, value))


def _of_summaries(summaries: Iterable[SpanSummary]) -> Iterator[Piece]:
    for summary in summaries:
        for name, extent in summary.extents.items():
            yield Piece(summary.start, summary.end, name, extent)
        for event in filter(None, map(summary.last, (RuntimeSample, GcCycle))):
            if event.at < summary.start - 1.0:  # it stands from a member before this one
                continue
            more = [*_of_memstats(event.sample)]
            if isinstance(event.sample, GcCycle) and "gc_pause_us" not in summary.extents:
                more += SeriesReader().read(event.sample)  # a file of format 1.0 sums no cycles up
            for name, value in more:
                yield Piece(event.at, event.at, name, Extent(value, value, value))


def _of_memstats(sample: Sample) -> Iterator[tuple[str, int]]:
    """Yield the live heap where a page tells it; no summary has it."""
    if isinstance(sample, RuntimeSample) and isinstance(sample.heap_live_bytes, int):
        yield "heap_live", sample.heap_live_bytes
