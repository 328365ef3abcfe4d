"""Keeps the events of a session, one track per kind of sample."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias, TypeVar, cast

from memtui.model import (
    KIND_OF,
    KINDS,
    Attached,
    Ended,
    Event,
    GcCycle,
    OutputLine,
    ProcessSample,
    Profile,
    Restart,
    RuntimeSample,
    Sample,
    ScavengeLine,
    TornLine,
    Trouble,
)
from memtui.timeline.sharing import share_functions
from memtui.timeline.track import Track

TraceLine: TypeAlias = GcCycle | ScavengeLine | OutputLine | TornLine | Restart

KEPT_PROFILE_BYTES = 8 << 20
"""Memory for profiles; beyond it older ones drop their bytes and small functions.

The first profile of a session and the newest one are always kept whole.
"""

KEPT_FUNCTIONS = 200
"""Number of functions of each sample type that an older profile keeps, largest first."""

_FUNCTION_BYTES = 150

S = TypeVar("S", bound=Sample)


def _is_passing(state: Attached | Trouble | Ended) -> bool:
    """Return whether this trouble is over once the source sends a sample again."""
    return isinstance(state, Trouble) and state.retry_s is not None


def _weight(profile: Profile) -> int:
    """Return the approximate memory of a profile, in bytes."""
    functions = sum(len(values.functions) for values in profile.values)
    return len(profile.data or b"") + functions * _FUNCTION_BYTES


def _light(profile: Profile) -> Profile:
    """Return a profile without its bytes, with its largest functions only."""
    if profile.data is None:
        return profile
    values = (replace(each, functions=each.functions[:KEPT_FUNCTIONS]) for each in profile.values)
    return replace(profile, data=None, values=tuple(values))


class Timeline:
    """The events of a session: a track per kind of sample, and one for the state of each source."""

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.newest_at = started_at
        self._tracks: dict[type, Track[Sample]] = {kind.type: Track(kind.kept) for kind in KINDS}
        self._states: dict[str, Track[Attached | Trouble | Ended]] = {}
        self.lines: Track[TraceLine] = Track(KIND_OF[OutputLine].kept)
        """Everything that the program and its runtime wrote, in order of arrival."""

    def append(self, event: Event) -> None:
        """Add an event to the track of its kind."""
        if isinstance(event.sample, Profile) and (before := self.track(Profile).last(math.inf)):
            event = replace(event, sample=share_functions(event.sample, before[1]))
        self._tracks[type(event.sample)].append(event)
        self.newest_at = max(self.newest_at, event.at)
        if isinstance(event.sample, TraceLine):
            self.lines.append(event)
        if isinstance(event.sample, Profile):
            self.track(Profile).lighten(KEPT_PROFILE_BYTES, _weight, _light)
        states = self.states(event.source)
        if isinstance(event.sample, Attached | Trouble | Ended):
            states.append(event)
        elif (last := states.last(math.inf)) and _is_passing(last[1]):
            states.append(Event(event.at, event.source, Attached("")))

    def extend(self, events: Iterable[Event]) -> None:
        """Add several events."""
        for event in events:
            self.append(event)

    def track(self, kind: type[S]) -> Track[S]:
        """Return the track of a kind of sample."""
        return cast("Track[S]", self._tracks[kind])

    @property
    def whole_since(self) -> float | None:
        """The time since which all samples of memory are held in full; None: all are."""
        ends = (self.track(kind).whole_since for kind in (ProcessSample, GcCycle, RuntimeSample))
        return max((end for end in ends if end is not None), default=None)

    def copied(self) -> Timeline:
        """Return a copy that does not change with this timeline."""
        copy = Timeline(self.started_at)
        copy.newest_at = self.newest_at
        copy._tracks = {kind: track.copied() for kind, track in self._tracks.items()}
        copy._states = {name: track.copied() for name, track in self._states.items()}
        copy.lines = self.lines.copied()
        return copy

    def states(self, source: str) -> Track[Attached | Trouble | Ended]:
        """Return the states of a source."""
        return self._states.setdefault(source, Track(256))
