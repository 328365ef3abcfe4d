"""Builds a timeline from part of a session that is stored in pages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from memtui.model import KINDS, Event, GcCycle, ProcessSample, RuntimeSample, Sample
from memtui.timeline.landmarks import Landmark
from memtui.timeline.page import STEADY_KINDS, Extent, PageSummary
from memtui.timeline.session import Timeline

STEPPED = (ProcessSample, GcCycle, RuntimeSample)
"""Kinds whose times a step can go to, in order of preference."""


_TYPE_OF_KIND = {kind.name: kind.type for kind in KINDS}

_TYPE_OF_SERIES: Mapping[str, type[Sample]] = {
    **{name: kind.type for kind in KINDS for name in kind.series},
    "gc_cpu_ppm": GcCycle,  # computed from two cycles
}
"""The type of sample that each series is read from."""


@dataclass(frozen=True, slots=True)
class SpanSummary:
    """A summary of the events of a span of time, of all kinds; times are Unix seconds.

    ``counts`` is the number of events by the name of their kind, ``extents`` the extent of each
    main series by its name. ``last`` returns the last sample of one of STEADY_KINDS, and may read
    a file: a ledger of three days needs only a few of many. ``earliest`` is the earliest time of
    the events, which may have arrived late; None: unknown.
    """

    start: float
    end: float
    counts: Mapping[str, int] = field(default_factory=dict)
    extents: Mapping[str, Extent] = field(default_factory=dict)
    last: Callable[[type[Sample]], Event | None] = lambda kind: None
    earliest: float | None = None

    def pages(self) -> Iterator[tuple[type[Sample], PageSummary]]:
        """Yield the summary of each kind of sample."""
        extents: dict[type[Sample], dict[str, Extent]] = {}
        for name, extent in self.extents.items():
            extents.setdefault(_TYPE_OF_SERIES.get(name, RuntimeSample), {})[name] = extent
        for name, count in self.counts.items():
            if kind := _TYPE_OF_KIND.get(name):
                read_last = partial(self.last, kind) if kind in STEADY_KINDS else None
                known = extents.get(kind, {})
                yield kind, PageSummary(self.start, self.end, count, known, read_last=read_last)


class PageStore(Protocol):
    """A session in one or more files, of which nothing needs to be in memory.

    Every method may block on reading. Two threads never call it at once.
    """

    def span(self) -> tuple[float, float]:
        """Return the first and the last time."""
        ...

    def host(self) -> str:
        """Return the name of the machine that it was recorded on, "" if unknown."""
        ...

    def summaries(self) -> Sequence[SpanSummary]:
        """Return the summary of each page, oldest first."""
        ...

    def state(self, at: float) -> Iterable[Event]:
        """Return the newest samples and source states at the start of the page of this time."""
        ...

    def events(self, start: float, end: float, *, whole: bool) -> Iterable[Event]:
        """Return the events from ``start`` to ``end`` in order of arrival.

        Profiles need only their totals unless ``whole``.
        """
        ...

    def profile(self, at: float) -> Event | None:
        """Return the newest whole profile at a time."""
        ...

    def refresh(self) -> None:
        """Reopen the store, to see what was added since."""
        ...

    def landmarks(self) -> Sequence[Landmark]:
        """Return the landmarks of the whole session, as far as summaries contain them."""
        ...


class Pages:
    """The page summaries of a store by kind, built once for all its timelines.

    ``begun`` are the events of its first minute: the first of each kind is the first of the
    session.
    """

    def __init__(self, summaries: Sequence[SpanSummary], begun: Iterable[Event] = ()) -> None:
        self.by_kind: dict[type[Sample], list[PageSummary]] = {}
        self.first: dict[type[Sample], Event] = {}
        self._starts = [summary.start for summary in summaries]
        for event in begun:
            self.first.setdefault(type(event.sample), event)
        for summary in summaries:
            for kind, page in summary.pages():
                self.by_kind.setdefault(kind, []).append(page)

    def beginning(self, at: float) -> float:
        """Return the start of the page of a time."""
        place = bisect_right(self._starts, at)
        return self._starts[place - 1] if place else at


def timeline_from(store: PageStore, pages: Pages, start: float, first: float) -> Timeline:
    """Return a timeline that knows what came before ``start``, most of it as summaries.

    The caller appends the events from ``start`` on. ``first`` is the start of the session. The cost
    is proportional to the number of pages before.
    """
    timeline = Timeline(first)
    for kind, known in pages.by_kind.items():
        timeline.track(kind).recall(known, start)
    for kind, event in pages.first.items():
        if event.at < start:
            timeline.track(kind).first = (event.at, event.sample)
    for event in store.state(start):
        if event.at < start:
            timeline.track(type(event.sample)).uncount()
            timeline.append(event)
    return timeline


def stepped_kind(timeline: Timeline) -> type[ProcessSample | GcCycle | RuntimeSample]:
    """Return the kind of sample that a step goes to: the first of STEPPED that has samples."""
    return next((kind for kind in STEPPED if timeline.track(kind).count), ProcessSample)


def step_from(timeline: Timeline, at: float, by: int) -> float | None:
    """Return the time of the next sample after ``at`` (``by`` > 0) or of the previous one.

    None if the timeline holds none.
    """
    track = timeline.track(stepped_kind(timeline))
    return track.after(at) if by > 0 else track.before(at)
