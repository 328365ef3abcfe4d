"""A recording as a store of pages: what a timeline is made of when it looks back.

Puts part of a recording on a timeline: all of it where it is short, else what lasts of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from memtui.model import (
    Ended,
    Event,
    Mark,
    Profile,
    Restart,
)
from memtui.recording.reader import MAX_DELAY_S, Recording
from memtui.timeline import STEADY_KINDS, Landmark, SpanSummary, Timeline


class RecordedPages:
    """Some files as one session; opened when something is asked for, and anew by ``refresh``.

    May be asked by several threads, one after the other.
    """

    def __init__(self, paths: Path | Sequence[Path]) -> None:
        self._paths = paths
        self._opened: Recording | None = None
        self._lock = threading.RLock()

    @property
    def recording(self) -> Recording:
        """The files themselves; raises NotARecording."""
        with self._lock:
            if self._opened is None:
                self._opened = Recording.open(self._paths)
            return self._opened

    def refresh(self) -> None:
        """See what was written since, and which files are there now."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def host(self) -> str:
        """Return the name of the machine that it was recorded on."""
        return self.recording.header.host

    def span(self) -> tuple[float, float]:
        """Return the first and the last moment."""
        with self._lock:
            return self.recording.span

    def summaries(self) -> Sequence[SpanSummary]:
        """Return what each member holds, from headers alone."""
        with self._lock:
            return self.recording.summaries()

    def state(self, at: float) -> Iterable[Event]:
        """Return what held at a moment: the newest of each slow kind, each source's word."""
        with self._lock:
            return self.recording.state(at)

    def events(self, start: float, end: float, *, whole: bool) -> Iterable[Event]:
        """Yield the events of these moments; profiles with all they say if ``whole``."""
        return self.recording.events(start, end, whole_profiles=whole)

    def profile(self, at: float) -> Event | None:
        """Return the newest profile of a moment with all it says."""
        with self._lock:
            return self.recording.profile(at)

    def landmarks(self) -> Sequence[Landmark]:
        """Return marks, restarts, ends and gaps of the whole."""
        with self._lock:
            return landmarks_of(self.recording)


def landmarks_of(recording: Recording) -> list[Landmark]:
    """Return marks, restarts, ends and gaps of a recording, in the order of time."""
    found = [_landmark(event) for event in recording.notable_events()]
    found += [Landmark(gap.start, "gap", gap.reason, gap.end) for gap in recording.gaps()]
    return sorted(found, key=lambda each: each.at)


def _landmark(event: Event) -> Landmark:
    match event.sample:
        case Mark(text=text):
            return Landmark(event.at, "mark", text)
        case Ended(reason=reason):
            return Landmark(event.at, "end", reason)
        case _:
            assert isinstance(event.sample, Restart)
            return Landmark(event.at, "restart", "process restarted")


Told = Callable[[Iterable[Event], float, float], Iterable[Event]]

WHOLE_S = 2 * 3600.0
"""A window up to so long is loaded with all its events."""
EDGE_S = 600.0
"""Of a longer one, so much at its start and at its end; between them one sample of a kind a minute,
and the marks."""


def load_timeline(
    recording: Recording,
    start: float,
    end: float,
    told: Told = lambda events, *span: events,
) -> Timeline:
    """Return a timeline with what a ledger and a verdict of this window need.

    Of each kind of profile the first and the last one are whole, and the first one of the last
    process; others have their totals only. ``told`` lets the events through while they are read,
    between two moments, and can say how far that is.
    """
    timeline = Timeline(start)
    for event in recording.state(start):
        timeline.append(event)
    for event in _with_whole_profiles(recording, _events(recording, start, end, told)):
        timeline.append(event)
    return timeline


def _events(recording: Recording, start: float, end: float, told: Told) -> list[Event]:
    if end - start <= WHOLE_S:
        return list(told(recording.events_dated(start, end), start, end))
    first, last = start + EDGE_S, end - EDGE_S
    between = [
        event
        for summary in recording.summaries()
        if first < summary.end < last
        for event in map(summary.last, STEADY_KINDS)
        if event is not None and first < event.at < last
    ]
    between += [
        each
        for each in recording.notable_events()
        if first < each.at < last and isinstance(each.sample, Mark | Restart)
    ]
    between.sort(key=lambda event: event.at)
    return [*recording.events(start, first), *between, *recording.events(last, end)]


def _with_whole_profiles(recording: Recording, events: list[Event]) -> list[Event]:
    places = [at for at, event in enumerate(events) if isinstance(event.sample, Profile)]
    born = max(
        (at for at, event in enumerate(events) if isinstance(event.sample, Restart)), default=0
    )
    of_last = [place for place in places if place > born]
    found = list(events)
    for place in sorted(_ends_of_kinds(events, places) | _ends_of_kinds(events, of_last)):
        found[place] = full_profile(recording, events[place]) or events[place]
    return found


def full_profile(recording: Recording, event: Event) -> Event | None:
    """Return a profile of which the totals are known with all it says; None when it is damaged."""
    for reached in (event.at, event.at + MAX_DELAY_S):
        whole = recording.profile(reached)
        if whole is not None and whole.at == event.at:
            return whole
    return None


def _ends_of_kinds(events: list[Event], places: list[int]) -> set[int]:
    """Return the first and the last place of each kind of profile."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for place in places:
        sample = events[place].sample
        assert isinstance(sample, Profile)
        first.setdefault(sample.kind, place)
        last[sample.kind] = place
    return {*first.values(), *last.values()}
