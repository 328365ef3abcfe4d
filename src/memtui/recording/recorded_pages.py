"""Loads a window of a recording: every event if it is short, otherwise one summary a minute."""

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
    """One or more files as a page store; opened when first used, reopened after ``refresh``.

    Several threads may use it, one after the other.
    """

    def __init__(self, paths: Path | Sequence[Path]) -> None:
        self._paths = paths
        self._opened: Recording | None = None
        self._lock = threading.RLock()

    @property
    def recording(self) -> Recording:
        """The opened recording; raises NotARecording."""
        with self._lock:
            if self._opened is None:
                self._opened = Recording.open(self._paths)
            return self._opened

    def refresh(self) -> None:
        """Close the files, so that the next call sees what was written since."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            self._opened = None

    def host(self) -> str:
        """Return the name of the machine that it was recorded on."""
        return self.recording.header.host

    def span(self) -> tuple[float, float]:
        """Return the first and the last time."""
        with self._lock:
            return self.recording.span

    def summaries(self) -> Sequence[SpanSummary]:
        """Return the summary of each member, from headers alone."""
        with self._lock:
            return self.recording.summaries()

    def state(self, at: float) -> Iterable[Event]:
        """Return the newest samples and source states at a time."""
        with self._lock:
            return self.recording.state(at)

    def events(self, start: float, end: float, *, whole: bool) -> Iterable[Event]:
        """Yield the events of a span; whole profiles if ``whole``."""
        return self.recording.events(start, end, whole_profiles=whole)

    def profile(self, at: float) -> Event | None:
        """Return the newest whole profile at a time."""
        with self._lock:
            return self.recording.profile(at)

    def landmarks(self) -> Sequence[Landmark]:
        """Return the marks, restarts, ends and gaps."""
        with self._lock:
            return landmarks_of(self.recording)


def landmarks_of(recording: Recording) -> list[Landmark]:
    """Return the marks, restarts, ends and gaps of a recording, in time order."""
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


ProgressFilter = Callable[[Iterable[Event], float, float], Iterable[Event]]

WHOLE_S = 2 * 3600.0
"""A window up to this length is loaded with all its events."""
EDGE_S = 600.0
"""Of a longer window, the first and the last part of this length is loaded with all events; between
them one sample of each kind a minute, and the marks.
"""


def load_timeline(
    recording: Recording,
    start: float,
    end: float,
    progress: ProgressFilter = lambda events, *span: events,
) -> Timeline:
    """Return a timeline with what the ledger and the verdict of a window need.

    Of each kind of profile the first and the last one are whole, and the first one of the last
    process; others have only their totals. ``progress`` passes the events of a span through, to
    show how far reading is.
    """
    timeline = Timeline(start)
    for event in recording.state(start):
        timeline.append(event)
    for event in _load_profiles(recording, _load_events(recording, start, end, progress)):
        timeline.append(event)
    return timeline


def _load_events(
    recording: Recording, start: float, end: float, progress: ProgressFilter
) -> list[Event]:
    if end - start <= WHOLE_S:
        return list(progress(recording.events_dated(start, end), start, end))
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


def _load_profiles(recording: Recording, events: list[Event]) -> list[Event]:
    places = [at for at, event in enumerate(events) if isinstance(event.sample, Profile)]
    restart = max(
        (at for at, event in enumerate(events) if isinstance(event.sample, Restart)), default=0
    )
    of_last = [place for place in places if place > restart]
    found = list(events)
    for place in sorted(_ends_of_kinds(events, places) | _ends_of_kinds(events, of_last)):
        found[place] = full_profile(recording, events[place]) or events[place]
    return found


def full_profile(recording: Recording, event: Event) -> Event | None:
    """Return the whole profile of an event that has only its totals; None if it is damaged."""
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
