"""Keeps the events of one kind: the newest in full, older ones as summaries."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Generic, TypeVar, cast

from memtui.model import KINDS, Event, Sample
from memtui.timeline.page import EventPage, Extent, PageSummary, PastSummaries, main_series
from memtui.timeline.sharing import share_values

KEPT_S = 3600.0
"""Older events are dropped, unless there are few; the scratch recording has them."""

FEW_EVENTS = 512
"""This many events are kept however old they are."""

SHARED_KINDS = tuple(kind.type for kind in KINDS if kind.shares_values)
"""Kinds whose consecutive samples have most values in common."""

S = TypeVar("S", bound=Sample)


class Track(Generic[S]):
    """The events of one kind in order of arrival: the newest in full, older ones as summaries.

    It holds at most ``kept_events``: those of the last KEPT_S, and the last FEW_EVENTS.
    """

    def __init__(self, kept_events: int) -> None:
        self.first: tuple[float, S] | None = None
        self.count = 0
        self._kept = kept_events
        self._held = 0
        self._past = PastSummaries()
        self._pages: deque[EventPage] = deque()

    def append(self, event: Event) -> None:
        """Add an event; one with an earlier time than the last is placed directly after it."""
        pages = self._pages
        at = max(event.at, pages[-1].end) if pages else event.at
        if pages and isinstance(event.sample, SHARED_KINDS):
            before = pages[-1].events[-1].sample
            event = Event(event.at, event.source, share_values(event.sample, before))
        if not pages or pages[-1].is_full(at):
            pages.append(EventPage(at, at))
        pages[-1].append(at, event)
        if self.first is None:
            self.first = (event.at, cast("S", event.sample))
        self.count += 1
        self._held += 1
        self._drop_old(at)

    def _drop_old(self, now: float) -> None:
        """Drop the oldest pages until few enough and recent enough events are held."""
        pages = self._pages
        while len(pages) > 1:
            oldest = pages[0]
            left = self._held - len(oldest.events)
            is_old = oldest.end < now - KEPT_S and left >= FEW_EVENTS
            if not is_old and self._held <= self._kept:
                return
            pages.popleft()
            self._past.add(oldest.summary(), now)
            self._held = left
        spare = max(0, self._held - self._kept)
        pages[0].drop_oldest(spare)
        self._held -= spare

    def recall(self, known: Sequence[PageSummary], until: float) -> None:
        """Begin with the summaries of a file, those before ``until``."""
        known = known[: bisect_left(known, until, key=lambda each: each.end)]
        self._past = PastSummaries(known)
        self.count = sum(each.count for each in known)

    def uncount(self) -> None:
        """Do not count the next event: the summaries have counted it already."""
        self.count = max(0, self.count - 1)

    @property
    def whole_since(self) -> float | None:
        """The end of the last page whose events were dropped; None while all are held."""
        return self._past.whole_since

    def after(self, at: float) -> float | None:
        """Return the time of the first event after ``at``; None if none is held."""
        for page in self._held_between(at, math.inf):
            place = page.until(at)
            if place < len(page.places):
                return page.places[place]
        return None

    def before(self, at: float) -> float | None:
        """Return the time of the last event before ``at``; None if none is held."""
        for page in reversed(self._pages):
            place = page.before(at)
            if place:
                return page.places[place - 1]
        return None

    def lighten(self, room: int, weight: Callable[[S], int], light: Callable[[S], S]) -> None:
        """Replace older samples by ``light`` ones, so that the newer ones fit into ``room``.

        The newest sample stays as it is, and so does ``first``.
        """
        is_newest = True
        for page in reversed(self._pages):
            for place in reversed(range(len(page.events))):
                event = page.events[place]
                sample = cast("S", event.sample)
                weighs = weight(sample)
                room -= weighs
                if room < 0 and weighs and not is_newest:
                    page.events[place] = replace(event, sample=light(sample))
                is_newest = False

    def last(self, until: float) -> tuple[float, S] | None:
        """Return the time and the sample of the last event up to ``until``."""
        newest = self.tail(1, until)
        return newest[0] if newest else None

    def numbers(self, until: float) -> range:
        """Return the numbers of the events held up to ``until``; the first event has number 0."""
        later = 0
        for page in reversed(self._pages):
            if page.end <= until:
                break
            later += len(page.events) - page.until(until)
        return range(self.count - self._held, max(self.count - self._held, self.count - later))

    def rows(self, numbers: range) -> list[tuple[float, S]]:
        """Return the held events with these numbers, oldest first."""
        found: list[list[Event]] = []
        stop = self.count
        for page in reversed(self._pages):
            start = stop - len(page.events)
            if stop <= numbers.start:
                break
            found.append(page.events[max(0, numbers.start - start) : max(0, numbers.stop - start)])
            stop = start
        return [entry for each in reversed(found) for entry in self._entries(each)]

    def tail(self, length: int, until: float) -> list[tuple[float, S]]:
        """Return at most ``length`` of the events held up to ``until``, oldest first."""
        stop = self.numbers(until).stop
        return self.rows(range(max(0, stop - length), stop))

    def between(self, start: float, end: float) -> list[tuple[float, S]]:
        """Return the events held from ``start`` to ``end``, both included, oldest first."""
        found: list[tuple[float, S]] = []
        for page in self._held_between(start, end):
            found += self._entries(page.events[page.before(start) : page.until(end)])
        return found

    def remembered(self) -> list[tuple[float, S]]:
        """Return the last events of dropped pages, oldest first, if the kind is in STEADY_KINDS."""
        return list(self._entries([each.last for each in self._past.remembered() if each.last]))

    def sampled(self, start: float, end: float, most: int) -> list[tuple[float, S]]:
        """Return about ``most`` of the known events from ``start`` to ``end``, evenly spaced in
        time.

        The first and the last one are included. Of a dropped page only the last event is known, if
        the kind is in STEADY_KINDS. The cost is proportional to ``most`` and the number of pages,
        not to the number of events.
        """
        past, pages = self._past.overlapping(start, end), self._held_between(start, end)
        known_since = past[0].start if past else pages[0].start if pages else start
        start = max(start, known_since)
        step = max((end - start) / most, 1e-9)
        found: list[Event] = []
        edge = start
        for summary in past:
            known = summary.last_event() if summary.end >= edge else None
            if known is not None and edge <= known.at <= end:
                found.append(known)
                edge = start + ((known.at - start) // step + 1) * step
        for page in pages:
            at = page.before(edge) if page.end >= edge else len(page.places)
            while at < len(page.places) and page.places[at] <= end:
                found.append(page.events[at])
                edge = start + ((page.places[at] - start) // step + 1) * step
                at = bisect_left(page.places, edge, at + 1)
        newest = self.last(end)
        entries = list(self._entries(found))
        if newest and entries and newest[1] is not entries[-1][1]:
            entries.append(newest)
        return entries

    def _entries(self, events: Sequence[Event]) -> Iterator[tuple[float, S]]:
        return ((event.at, cast("S", event.sample)) for event in events)

    def envelopes(
        self, names: Sequence[str], start: float, step_s: float, columns: int, until: float
    ) -> list[list[Extent | None]]:
        """Return the extents of each series in ``columns`` spans of ``step_s`` seconds.

        Events after ``until`` do not count. The summary is used for a page within one span and for
        a dropped page; the latter counts in every span that it overlaps.
        """
        found: dict[str, list[Extent | None]] = {name: [None] * columns for name in names}

        def add(name: str, column: int, extent: Extent) -> None:
            if name in found and 0 <= column < columns:
                known = found[name][column]
                found[name][column] = known.joined(extent) if known else extent

        def add_summary(each: PageSummary | EventPage) -> None:
            first, last = (int((at - start) // step_s) for at in (each.start, each.end))
            for name, extent in each.extents.items():
                for column in range(max(0, first), min(columns - 1, last) + 1):
                    add(name, column, extent)

        end = min(until, start + step_s * columns)
        for summary in self._past.overlapping(start, end):
            add_summary(summary)
        for page in self._held_between(start, end):
            first, last = (int((at - start) // step_s) for at in (page.start, page.end))
            if first == last and page.end <= end:
                add_summary(page)
                continue
            stop = page.until(end)
            for at, event in zip(page.places[:stop], page.events, strict=False):
                for name, value in main_series(event.sample):
                    add(name, int((at - start) // step_s), Extent(value, value, value))
        return list(found.values())

    def copied(self) -> Track[S]:
        """Return a copy that does not change with this track."""
        copy: Track[S] = Track(self._kept)
        copy.first, copy.count, copy._held = self.first, self.count, self._held
        copy._past = self._past.copied()
        copy._pages = deque(page.copied() for page in self._pages)
        return copy

    def _held_between(self, start: float, end: float) -> list[EventPage]:
        first = bisect_left(self._pages, start, key=lambda page: page.end)
        last = bisect_right(self._pages, end, key=lambda page: page.start)
        return list(islice(self._pages, first, last))
