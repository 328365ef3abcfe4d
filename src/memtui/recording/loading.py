"""Puts part of a recording on a timeline: all of it where it is short, else what lasts of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from memtui.model import Event, Mark, Profile, Restart
from memtui.recording.reader import LATE_S, Recording
from memtui.timeline import LASTING, Timeline

Told = Callable[[Iterable[Event], float, float], Iterable[Event]]

WHOLE_S = 2 * 3600.0
"""A window up to so long is loaded with all its events."""
EDGE_S = 600.0
"""Of a longer one, so much at its start and at its end; between them one sample of a kind a minute,
and the marks."""


def timeline_of(
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
    for event in recording.standing(start):
        timeline.append(event)
    for event in _with_whole_profiles(recording, _events(recording, start, end, told)):
        timeline.append(event)
    return timeline


def _events(recording: Recording, start: float, end: float, told: Told) -> list[Event]:
    if end - start <= WHOLE_S:
        return list(told(recording.within(start, end), start, end))
    first, last = start + EDGE_S, end - EDGE_S
    between = [
        event
        for summary in recording.summaries()
        if first < summary.end < last
        for event in map(summary.last, LASTING)
        if event is not None and first < event.at < last
    ]
    between += [
        each
        for each in recording.notable()
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
        found[place] = whole_profile(recording, events[place]) or events[place]
    return found


def whole_profile(recording: Recording, event: Event) -> Event | None:
    """Return a profile of which the totals are known with all it says; None when it is damaged."""
    for reached in (event.at, event.at + LATE_S):
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
