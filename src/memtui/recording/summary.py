"""Summarizes the events of a member, for headers and for the index of a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from memtui.model import KINDS, Attached, Ended, Event, GcCycle, ProcessIdentity, Sample, Trouble
from memtui.recording.codec import NAMES
from memtui.timeline import Extent, SpanSummary, main_series
from memtui.timeline.cycles import gc_cpu_share

HEADER_KINDS = tuple(kind.type for kind in KINDS if kind.is_in_header)
"""Kinds whose newest sample is in each header: enough to draw every pane."""

_STATES = (Attached, Trouble, Ended)
_MAX_STATES = 32


class NewestSamples:
    """The newest event of each kind of HEADER_KINDS, and the newest state of each source."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._samples: dict[type[Sample], Event] = {}
        self._states: dict[str, Event] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Keep an event if its kind is one of those that are kept."""
        kind = type(event.sample)
        if kind in HEADER_KINDS:
            self._samples[kind] = event
        elif kind in _STATES and (event.source in self._states or self._has_room):
            self._states[event.source] = event

    @property
    def _has_room(self) -> bool:
        return len(self._states) < _MAX_STATES

    @property
    def identity(self) -> ProcessIdentity | None:
        """The identity of the process; None while unknown."""
        found = self._samples.get(ProcessIdentity)
        return found.sample if found and isinstance(found.sample, ProcessIdentity) else None

    @property
    def cycle(self) -> GcCycle | None:
        """The newest gctrace cycle."""
        found = self._samples.get(GcCycle)
        return found.sample if found and isinstance(found.sample, GcCycle) else None

    def last(self, kind: type[Sample]) -> Event | None:
        """Return the newest event of a kind."""
        return self._samples.get(kind)

    def events(self) -> tuple[Event, ...]:
        """Return the states, then the samples in the order of HEADER_KINDS."""
        samples = (self._samples[kind] for kind in HEADER_KINDS if kind in self._samples)
        return (*self._states.values(), *samples)


class SeriesReader:
    """Reads the series of samples in their order; ``cycle`` is the gctrace cycle before them.

    In addition to the main series of each sample there is ``gc_cpu_ppm``: the GC's share of the
    CPU time of all processors since the previous cycle, in millionths.
    """

    def __init__(self, cycle: GcCycle | None = None) -> None:
        self._cycle = cycle

    def read(self, sample: Sample) -> Iterator[tuple[str, int]]:
        """Yield the name and the value of each series."""
        yield from main_series(sample)
        if isinstance(sample, GcCycle):
            share = gc_cpu_share(self._cycle, sample)
            if share is not None:
                yield "gc_cpu_ppm", round(share * 1e6)
            self._cycle = sample


class SummaryBuilder:
    """Builds the summary of a member event by event; ``cycle`` is the gctrace cycle before it."""

    def __init__(self, start: float, cycle: GcCycle | None = None) -> None:
        self._start = self._end = self._earliest = start
        self._series = SeriesReader(cycle)
        self._counts: Counter[str] = Counter()
        self._extents: dict[str, Extent] = {}

    def add(self, event: Event) -> None:
        """Add an event."""
        self._counts[NAMES[type(event.sample)]] += 1
        self._end = max(self._end, event.at)
        self._earliest = min(self._earliest, event.at)
        for name, value in self._series.read(event.sample):
            now = Extent(value, value, value)
            known = self._extents.get(name)
            self._extents[name] = known.joined(now) if known else now

    def summary(self) -> SpanSummary:
        """Return the summary of the events so far."""
        counts, extents = dict(self._counts), dict(self._extents)
        return SpanSummary(self._start, self._end, counts, extents, earliest=self._earliest)


def summarize(start: float, events: Iterable[Event], cycle: GcCycle | None = None) -> SpanSummary:
    """Return the summary of a member that begins at ``start``, with its newest samples."""
    builder, newest = SummaryBuilder(start, cycle), NewestSamples()
    for event in events:
        builder.add(event)
        newest.add(event)
    return replace(builder.summary(), last=newest.last)
