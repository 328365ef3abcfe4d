"""Events of one kind in pages of a minute, and what is left of a page when it is let go.

What a track has let go of: summaries that grow coarser with their age.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from memtui.model import KINDS, Event
from memtui.timeline.extent import Extent, main_series

PAGE_S = 60.0
PAGE_EVENTS = 512

LASTING = tuple(kind.type for kind in KINDS if kind.is_steady)
"""Kinds of which a page that is let go keeps its last event: a ledger of three days needs it."""


@dataclass(frozen=True, slots=True)
class PageSummary:
    """What is known of a span whose events were let go, or lie elsewhere.

    ``last`` is its last event, of the LASTING kinds; ``read`` tells it where it lies elsewhere.
    """

    start: float
    end: float
    count: int
    extents: dict[str, Extent]
    last: Event | None = None
    read: Callable[[], Event | None] | None = None

    def joined(self, later: PageSummary) -> PageSummary:
        """Return the summary of both spans; ``later`` comes after this one."""
        extents = dict(self.extents)
        for name, extent in later.extents.items():
            known = extents.get(name)
            extents[name] = known.joined(extent) if known else extent
        last = later.last or self.last
        return PageSummary(self.start, later.end, self.count + later.count, extents, last)

    def known(self) -> Event | None:
        """Return the last event, None where nobody kept it; may read a file."""
        return self.read() if self.read is not None else self.last


@dataclass(slots=True)
class EventPage:
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
        """Return whether an event of this moment needs a page of its own."""
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

    def summary(self) -> PageSummary:
        """Return what is left of it when all its events are let go."""
        last = self.events[-1] if self.events else None
        is_lasting = last is not None and isinstance(last.sample, LASTING)
        kept = last if is_lasting else None
        return PageSummary(self.start, self.end, len(self.events), self.extents, kept)

    def copied(self) -> EventPage:
        """Return a page that stays as this one is now."""
        events, places, extents = self.events[:], self.places[:], self.extents.copy()
        return EventPage(self.start, self.end, events, places, extents)


KEPT_PAGES = 8192
"""How many pages of a stored session are known: five days and a half of samples each second."""

FINENESS = 48
"""A summary spans at most this part of its age: two minutes of what was 90 minutes ago, half an
hour of yesterday.

That is a column of a plot, or a few; and there are about fifty summaries more each time that the
age of the session doubles, not one each minute.
"""


class PastSummaries:
    """The summaries of one kind, oldest first; those of a stored session stay as they are."""

    def __init__(self, stored: Iterable[PageSummary] = ()) -> None:
        self._stored = tuple(stored)[-KEPT_PAGES:]
        self._own: list[PageSummary] = []
        self.whole_since: float | None = self._stored[-1].end if self._stored else None
        """The end of the newest summary; None while there is none."""

    def add(self, summary: PageSummary, now: float) -> None:
        """Take the summary of the page that is let go next; join those that are old enough."""
        self.whole_since = summary.end
        if not summary.extents and summary.last is None:
            return
        kept: list[PageSummary] = []
        for each in (*self._own, summary):
            longest_s = max(PAGE_S, (now - each.end) / FINENESS)
            if kept and each.end - kept[-1].start <= longest_s:
                kept[-1] = kept[-1].joined(each)
            else:
                kept.append(each)
        self._own = kept

    def overlapping(self, start: float, end: float) -> list[PageSummary]:
        """Return the summaries that touch a span, both ends included."""
        return [*_overlapping(self._stored, start, end), *_overlapping(self._own, start, end)]

    def remembered(self) -> list[PageSummary]:
        """Return those of events that this track itself has let go of."""
        return self._own

    def copied(self) -> PastSummaries:
        """Return one that stays as this one is now."""
        copy = PastSummaries()
        copy._stored, copy._own, copy.whole_since = self._stored, self._own, self.whole_since
        return copy


def _overlapping(known: Sequence[PageSummary], start: float, end: float) -> Sequence[PageSummary]:
    first = bisect_left(known, start, key=lambda each: each.end)
    return known[first : bisect_right(known, end, key=lambda each: each.start)]
