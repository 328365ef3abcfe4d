"""What a recorder remembers of the events that went by: for headers and their summaries."""

from __future__ import annotations

from collections import Counter

from memtui.model import (
    Attached,
    Ended,
    Event,
    GcCycle,
    MappingGroups,
    MappingSample,
    ProcessIdentity,
    ProcessSample,
    RuntimeSample,
    Sample,
    Surroundings,
    Trouble,
)
from memtui.recording.codec import NAMES
from memtui.recording.header import Summary
from memtui.timeline import Extent, main_series

SLOW: tuple[type[Sample], ...] = (
    ProcessIdentity,
    Surroundings,
    ProcessSample,
    RuntimeSample,
    MappingSample,
    MappingGroups,
    GcCycle,
)
"""Kinds whose newest sample stands in each header: with these alone every pane can be drawn."""

LASTING: tuple[type[Sample], ...] = (ProcessSample, RuntimeSample, MappingSample, GcCycle)
"""Those that the ledger of a long span is made of."""

_STATES = (Attached, Trouble, Ended)
_MOST_STATES = 32


class Standing:
    """The newest event of each slow kind, and the last word of each source about itself."""

    def __init__(self) -> None:
        self._slow: dict[type[Sample], Event] = {}
        self._states: dict[str, Event] = {}

    def note(self, event: Event) -> None:
        """Remember an event, if it is one to remember."""
        kind = type(event.sample)
        if kind in SLOW:
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

    def events(self) -> tuple[Event, ...]:
        """Return what stands now, the process first."""
        return (*self._states.values(), *(self._slow[kind] for kind in SLOW if kind in self._slow))


class Tally:
    """The summary of a member, as its events come."""

    def __init__(self, start: float) -> None:
        self._start = self._end = start
        self._counts: Counter[str] = Counter()
        self._extents: dict[str, Extent] = {}

    def note(self, event: Event) -> None:
        """Count an event."""
        self._counts[NAMES[type(event.sample)]] += 1
        self._end = max(self._end, event.at)
        for name, value in main_series(event.sample):
            now = Extent(value, value, value)
            known = self._extents.get(name)
            self._extents[name] = known.joined(now) if known else now

    def summary(self) -> Summary:
        """Return what happened until now."""
        return Summary(self._start, self._end, dict(self._counts), dict(self._extents))
