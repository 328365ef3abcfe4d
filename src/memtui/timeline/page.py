"""Keeps events of one kind in pages of a minute, and summaries of dropped pages."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from memtui.model import KIND_OF, KINDS, Event, Sample


@dataclass(frozen=True, slots=True)
class Extent:
    """The lowest, the highest and the last value of a series in a span of time."""

    low: int
    high: int
    last: int

    def joined(self, later: Extent) -> Extent:
        """Return the extent of both spans; ``later`` comes after this one."""
        return Extent(min(self.low, later.low), max(self.high, later.high), later.last)


def main_series(sample: Sample) -> Iterator[tuple[str, int]]:
    """Yield the main series of a sample, without unknown values.

    Values are bytes, except pauses, which are microseconds: the longest pause of a gctrace cycle,
    or all pauses of a cycle from MemStats.
    """
    for name, read in KIND_OF[type(sample)].series.items():
        if isinstance(value := read(sample), int):
            yield name, value


PAGE_S = 60.0
PAGE_EVENTS = 512

STEADY_KINDS = tuple(kind.type for kind in KINDS if kind.is_steady)
"""Kinds whose dropped pages keep their last event: a ledger of three days needs it."""


@dataclass(frozen=True, slots=True)
class PageSummary:
    """The summary of a page of one kind whose events were dropped, or are in a file.

    ``last`` is its last event, if its kind is one of STEADY_KINDS; ``read_last`` reads it from the
    file.
    """

    start: float
    end: float
    count: int
    extents: dict[str, Extent]
    last: Event | None = None
    read_last: Callable[[], Event | None] | None = None

    def joined(self, later: PageSummary) -> PageSummary:
        """Return the summary of both pages; ``later`` comes after this one."""
        extents = dict(self.extents)
        for name, extent in later.extents.items():
            known = extents.get(name)
            extents[name] = known.joined(extent) if known else extent
        last = later.last or self.last
        return PageSummary(self.start, later.end, self.count + later.count, extents, last)

    def last_event(self) -> Event | None:
        """Return the last event, None if it was not kept; may read a file."""
        return self.read_last() if self.read_last is not None else self.last


@dataclass(slots=True)
class EventPage:
    """Events of one kind, at most PAGE_S long.

    ``places`` are the times by which events are found: the time of an event, but never less than
    that of the event before it. Events may arrive late (a gctrace line is read after its cycle),
    and a clock may be set back. The order is that of arrival; the time shown is the event's own.
    """

    start: float
    end: float
    events: list[Event] = field(default_factory=list)
    places: array[float] = field(default_factory=lambda: array("d"))
    extents: dict[str, Extent] = field(default_factory=dict)

    def append(self, at: float, event: Event) -> None:
        """Add an event at a place, and update the extents."""
        self.end = at
        self.events.append(event)
        self.places.append(at)
        for name, value in main_series(event.sample):
            now = Extent(value, value, value)
            known = self.extents.get(name)
            self.extents[name] = known.joined(now) if known else now

    def is_full(self, at: float) -> bool:
        """Return whether an event of this time needs a new page."""
        return at - self.start >= PAGE_S or len(self.events) >= PAGE_EVENTS

    def before(self, at: float) -> int:
        """Return the number of events before a time."""
        return bisect_left(self.places, at)

    def until(self, at: float) -> int:
        """Return the number of events up to and including a time."""
        return bisect_right(self.places, at)

    def drop_oldest(self, count: int) -> None:
        """Drop the oldest events; the extents still include them."""
        del self.events[:count]
        del self.places[:count]

    def summary(self) -> PageSummary:
        """Return the summary that remains when all events are dropped."""
        last = self.events[-1] if self.events else None
        is_lasting = last is not None and isinstance(last.sample, STEADY_KINDS)
        kept = last if is_lasting else None
        return PageSummary(self.start, self.end, len(self.events), self.extents, kept)

    def copied(self) -> EventPage:
        """Return a copy that does not change with this page."""
        events, places, extents = self.events[:], self.places[:], self.extents.copy()
        return EventPage(self.start, self.end, events, places, extents)


KEPT_PAGES = 8192
"""Pages of a stored session in memory: five and a half days with a sample each second."""

FINENESS = 48
"""A summary spans at most this part of its age: two minutes at an age of 90 minutes, half an hour
at an age of a day.

That is a few columns of a plot. Their number grows by about fifty each time the age of the session
doubles, not by one each minute.
"""


class PastSummaries:
    """The summaries of dropped pages of one kind, oldest first; those of a file never change."""

    def __init__(self, stored: Iterable[PageSummary] = ()) -> None:
        self._stored = tuple(stored)[-KEPT_PAGES:]
        self._own: list[PageSummary] = []
        self.whole_since: float | None = self._stored[-1].end if self._stored else None
        """The end of the newest summary; None while there is none."""

    def add(self, summary: PageSummary, now: float) -> None:
        """Add the summary of the next dropped page; join those that are old enough."""
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
        """Return the summaries that overlap a span, both ends included."""
        return [*_overlapping(self._stored, start, end), *_overlapping(self._own, start, end)]

    def remembered(self) -> list[PageSummary]:
        """Return the summaries of pages that this track dropped, without those of a file."""
        return self._own

    def copied(self) -> PastSummaries:
        """Return a copy that does not change with these."""
        copy = PastSummaries()
        copy._stored, copy._own, copy.whole_since = self._stored, self._own, self.whole_since
        return copy


def _overlapping(known: Sequence[PageSummary], start: float, end: float) -> Sequence[PageSummary]:
    first = bisect_left(known, start, key=lambda each: each.end)
    return known[first : bisect_right(known, end, key=lambda each: each.start)]
