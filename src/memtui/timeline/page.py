"""Events of one kind in pages of a minute, and what is left of a page when it is let go."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from memtui.model import Event, GcCycle, MappingSample, ProcessSample, RuntimeSample
from memtui.timeline.extent import Extent, main_series

PAGE_S = 60.0
PAGE_EVENTS = 512

LASTING = (ProcessSample, RuntimeSample, MappingSample, GcCycle)
"""Kinds of which a page that is let go keeps its last event: a ledger of three days needs it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a span whose events were let go, or lie elsewhere.

    ``last`` is its last event, of the LASTING kinds; ``read`` tells it where it lies elsewhere.
    """

    start: float
    end: float
    count: int
    extents: dict[str, Extent]
    last: Event | None = None
    read: Callable[[], Event | None] | None = None

    def joined(self, later: Summary) -> Summary:
        """Return the summary of both spans; ``later`` comes after this one."""
        extents = dict(self.extents)
        for name, extent in later.extents.items():
            known = extents.get(name)
            extents[name] = known.joined(extent) if known else extent
        last = later.last or self.last
        return Summary(self.start, later.end, self.count + later.count, extents, last)

    def known(self) -> Event | None:
        """Return the last event, None where nobody kept it; may read a file."""
        return self.read() if self.read is not None else self.last


@dataclass(slots=True)
class Page:
    """Events of one kind, at most PAGE_S long.

    ``places`` are their places in time: an event has its own moment, but never one before that of
    the event before it. Sources may tell late (a trace line is read after its cycle), and a clock
    may be set back. The order is that of arrival; what is shown is the event's own moment.
    """

    start: float
    end: float
    events: list[Event] = field(default_factory=list)
    places: array[float] = field(default_factory=lambda: array("d"))
    extents: dict[str, Extent] = field(default_factory=dict)

    def append(self, at: float, event: Event) -> None:
        """Add an event at its place, and keep the extents true."""
        self.end = at
        self.events.append(event)
        self.places.append(at)
        for name, value in main_series(event.sample):
            now = Extent(value, value, value)
            known = self.extents.get(name)
            self.extents[name] = known.joined(now) if known else now

    def is_full(self, at: float) -> bool:
        """Tell whether an event of this moment needs a page of its own."""
        return at - self.start >= PAGE_S or len(self.events) >= PAGE_EVENTS

    def before(self, at: float) -> int:
        """Return how many events are placed before a moment."""
        return bisect_left(self.places, at)

    def until(self, at: float) -> int:
        """Return how many events are placed up to a moment."""
        return bisect_right(self.places, at)

    def forget(self, count: int) -> None:
        """Let go of its oldest events; the extents go on to tell of them."""
        del self.events[:count]
        del self.places[:count]

    def summary(self) -> Summary:
        """Return what is left of it when all its events are let go."""
        last = self.events[-1] if self.events else None
        is_lasting = last is not None and isinstance(last.sample, LASTING)
        kept = last if is_lasting else None
        return Summary(self.start, self.end, len(self.events), self.extents, kept)

    def copied(self) -> Page:
        """Return a page that stays as this one is now."""
        events, places, extents = self.events[:], self.places[:], self.extents.copy()
        return Page(self.start, self.end, events, places, extents)
