"""A session of many hours in memory, in the place of one in a file."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from memtui.model import (
    KIND_OF,
    Event,
    GcCycle,
    Mark,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Sample,
)
from memtui.timeline import Extent, Landmark, SpanSummary, main_series

PAGE_S = 60.0


class MemoryStore:
    """Events as a PageStore; ``slow_s`` is what each reading takes, ``read`` counts them."""

    def __init__(self, events: Sequence[Event], slow_s: float = 0.0) -> None:
        self._events = sorted(events, key=lambda event: event.at)
        self._moments = [event.at for event in self._events]
        self.slow_s = slow_s
        self.read = 0

    def span(self) -> tuple[float, float]:
        """Return its ends."""
        return self._moments[0], self._moments[-1]

    def host(self) -> str:
        """Return a name."""
        return "web-1"

    def refresh(self) -> None:
        """Do nothing: it does not grow."""

    def summaries(self) -> Sequence[SpanSummary]:
        """Return a summary a minute."""
        first = self._moments[0]
        pages = groupby(self._events, key=lambda event: int((event.at - first) // PAGE_S))
        return [_summary(list(events)) for _, events in pages]

    def state(self, at: float) -> Iterable[Event]:
        """Return the newest of what is slow."""
        newest: dict[type[Sample], Event] = {}
        for event in self._events[: bisect_right(self._moments, at)]:
            if isinstance(event.sample, ProcessIdentity | ProcessSample | GcCycle):
                newest[type(event.sample)] = event
        return newest.values()

    def events(self, start: float, end: float, *, whole: bool) -> Iterable[Event]:
        """Return some events, after a while."""
        time.sleep(self.slow_s)
        low, high = bisect_left(self._moments, start), bisect_right(self._moments, end)
        self.read += high - low
        return self._events[low:high]

    def profile(self, at: float) -> Event | None:
        """Return the newest profile."""
        held = self._events[: bisect_right(self._moments, at)]
        return next((each for each in reversed(held) if isinstance(each.sample, Profile)), None)

    def landmarks(self) -> Sequence[Landmark]:
        """Return the marks."""
        return [
            Landmark(event.at, "mark", event.sample.text)
            for event in self._events
            if isinstance(event.sample, Mark)
        ]


def _summary(events: list[Event]) -> SpanSummary:
    extents: dict[str, Extent] = {}
    for event in events:
        for name, value in main_series(event.sample):
            now = Extent(value, value, value)
            extents[name] = extents[name].joined(now) if name in extents else now
    last = {type(event.sample): event for event in events}
    counts = Counter(KIND_OF[type(event.sample)].name for event in events)
    return SpanSummary(events[0].at, events[-1].at, counts, extents, last.get)
