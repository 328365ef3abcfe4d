"""Summaries of the events of a member."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from memtui.model import KINDS, Attached, Ended, Event, GcCycle, ProcessIdentity, Sample, Trouble
from memtui.recording.codec import NAMES
from memtui.recording.header import MemberSummary
from memtui.timeline import Extent, main_series
from memtui.timeline.cycles import gc_cpu_share

HEADER_KINDS = tuple(kind.type for kind in KINDS if kind.is_in_header)
"""Kinds whose newest sample stands in each header: with these alone every pane can be drawn."""

_STATES = (Attached, Trouble, Ended)
_MOST_STATES = 32


class NewestSamples:
    """The newest event of each slow kind, and the last word of each source about itself."""

    def __init__(self) -> None:
        self._slow: dict[type[Sample], Event] = {}
        self._states: dict[str, Event] = {}

    def note(self, event: Event) -> None:
        """Remember an event, if it is one to remember."""
        kind = type(event.sample)
        if kind in HEADER_KINDS:
            self._slow[kind] = event
        elif kind in _STATES and (event.source in self._states or self._has_room):
            self._states[event.source] = event

    @property
    def _has_room(self) -> bool:
        return len(self._states) < _MOST_STATES

    @property
    def identity(self) -> ProcessIdentity | None:
        """Who the process is."""
        found = self._slow.get(ProcessIdentity)
        return found.sample if found and isinstance(found.sample, ProcessIdentity) else None

    def newest(self, kind: type[Sample]) -> Event | None:
        """Return the newest event of a slow kind."""
        return self._slow.get(kind)

    @property
    def cycle(self) -> GcCycle | None:
        """The newest cycle of the trace."""
        found = self._slow.get(GcCycle)
        return found.sample if found and isinstance(found.sample, GcCycle) else None

    def events(self) -> tuple[Event, ...]:
        """Return what stands now, the process first."""
        return (
            *self._states.values(),
            *(self._slow[kind] for kind in HEADER_KINDS if kind in self._slow),
        )


class SummaryBuilder:
    """The summary of a member, as its events come; ``cycle`` is the last one before it."""

    def __init__(self, start: float, cycle: GcCycle | None = None) -> None:
        self._start = self._end = self._earliest = start
        self._meter = SeriesReader(cycle)
        self._counts: Counter[str] = Counter()
        self._extents: dict[str, Extent] = {}

    def note(self, event: Event) -> None:
        """Count an event."""
        self._counts[NAMES[type(event.sample)]] += 1
        self._end = max(self._end, event.at)
        self._earliest = min(self._earliest, event.at)
        for name, value in self._meter.read(event.sample):
            now = Extent(value, value, value)
            known = self._extents.get(name)
            self._extents[name] = known.joined(now) if known else now

    def summary(self) -> MemberSummary:
        """Return what happened until now."""
        return MemberSummary(
            self._start,
            self._end,
            dict(self._counts),
            dict(self._extents),
            earliest=self._earliest,
        )


class SeriesReader:
    """Reads the series of one sample after the other; ``cycle`` is the last one before them.

    Beside those that a sample carries there is ``gc_cpu_ppm``: the collector's share of all
    processors since the cycle before, in millionths.
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
