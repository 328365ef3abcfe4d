"""A session that lies elsewhere, in pages: what it must answer, and a timeline made of a part."""

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
"""Whose moments a step may go to."""


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
    """A session in a file, or in several: nothing of it needs to be in memory.

    Every method may block on reading; none is called by two threads at once.
    """

    def span(self) -> tuple[float, float]:
        """Return the first and the last moment."""
        ...

    def host(self) -> str:
        """Return the name of the machine that it was recorded on, "" when it does not say."""
        ...

    def summaries(self) -> Sequence[SpanSummary]:
        """Return what each page holds, oldest first."""
        ...

    def state(self, at: float) -> Iterable[Event]:
        """Return what held already where the page of this moment begins: who, where, what else."""
        ...

    def events(self, start: float, end: float, *, whole: bool) -> Iterable[Event]:
        """Return the events of these moments in the order they came.

        Of profiles their totals are enough unless they are to be ``whole``.
        """
        ...

    def profile(self, at: float) -> Event | None:
        """Return the newest profile of a moment, whole."""
        ...

    def refresh(self) -> None:
        """See what came since it was looked into first."""
        ...

    def landmarks(self) -> Sequence[Landmark]:
        """Return what stands out in the whole session, as far as summaries tell."""
        ...


class Pages:
    """The summaries of a store as the tracks hold them, made once for all timelines of it.

    ``begun`` are events of its first minute: of each kind the first is that of the session.
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
        """Return where the page of a moment begins."""
        place = bisect_right(self._starts, at)
        return self._starts[place - 1] if place else at


def timeline_from(store: PageStore, pages: Pages, start: float, first: float) -> Timeline:
    """Return a timeline that knows what was before ``start``, most of it in summaries.

    The events from ``start`` on are to be appended; ``first`` is the moment the session began.
    Costs a little for each page before.
    """
    timeline = Timeline(first)
    for kind, known in pages.by_kind.items():
        timeline.track(kind).recall(known, start)
    for kind, event in pages.first.items():
        if event.at < start:
            timeline.track(kind).first = (event.at, event.sample)
    for event in store.state(start):
        if event.at < start:
            timeline.track(type(event.sample)).count_again()
            timeline.append(event)
    return timeline


def stepped_kind(timeline: Timeline) -> type[ProcessSample | GcCycle | RuntimeSample]:
    """Return the kind of sample that a step goes to: the first of STEPPED of which there is any."""
    return next((kind for kind in STEPPED if timeline.track(kind).count), ProcessSample)


def step_from(timeline: Timeline, at: float, by: int) -> float | None:
    """Return the moment of the next sample after ``at`` (``by`` > 0) or of the one before it.

    None where the timeline holds none.
    """
    track = timeline.track(stepped_kind(timeline))
    return track.after(at) if by > 0 else track.before(at)
