"""Where on the timeline the screen looks, how it moves on, and what is to be seen from there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from weakref import ReferenceType, ref

from memtui.model import Attached, Ended, ProcessIdentity, Sample, Trouble
from memtui.timeline.session import Timeline

S = TypeVar("S", bound=Sample)

SPEEDS = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""How fast a recording can be played: seconds of it in a second."""

TimeSpan = tuple[float, float]
"""From the last sample before to the first one after a time of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the screen looks: at a moment (Unix seconds), or (``at`` None) wherever now is.

    At a moment it stands still, or is ``playing`` from there at ``speed``, which it remembers
    while it does not.
    """

    at: float | None = None
    playing: bool = False
    speed: float = 1.0

    @property
    def is_following(self) -> bool:
        """Whether it looks wherever now is."""
        return self.at is None

    def toggled(self, now: float) -> Cursor:
        """Freeze at ``now``, or follow again."""
        if self.at is None:
            return Cursor(now, speed=self.speed)
        return self.followed()

    def followed(self) -> Cursor:
        """Follow now again, at the pace of time."""
        return Cursor()

    def to(self, at: float) -> Cursor:
        """Look at another moment, playing on from there if it played."""
        return replace(self, at=at)

    def stepped(self, at: float) -> Cursor:
        """Stand still at a moment: that of the next sample, or of the one before."""
        return replace(self, at=at, playing=False)

    def moved(self, by_s: float, now: float, first: float, last: float) -> Cursor:
        """Move by some seconds, from ``now`` when it followed, within a session's ends."""
        at = (now if self.at is None else self.at) + by_s
        return replace(self, at=max(first, min(at, last)))

    def paused(self) -> Cursor:
        """Stand still."""
        return replace(self, playing=False)

    def started(self) -> Cursor:
        """Play from here."""
        return replace(self, playing=self.at is not None)

    def played(self, elapsed_s: float, last: float, gaps: Sequence[TimeSpan] = ()) -> Cursor:
        """Return where it is when ``elapsed_s`` seconds have passed for who looks on.

        A gap is jumped over, for there is nothing to be seen in it; at the end it stands still.
        """
        if self.at is None or not self.playing:
            return self
        at = self.at + elapsed_s * self.speed
        place = bisect_right(gaps, at, key=lambda gap: gap[0]) - 1
        if place >= 0 and self.at <= gaps[place][1] and at < gaps[place][1]:
            at = gaps[place][1]
        if at >= last:
            return replace(self, at=max(self.at, last), playing=False)
        return replace(self, at=at)

    def hastened(self, by: int) -> Cursor:
        """Play faster (``by`` > 0) or slower by so many steps of SPEEDS."""
        place = min(range(len(SPEEDS)), key=lambda at: abs(SPEEDS[at] - self.speed)) + by
        return replace(self, speed=SPEEDS[max(0, min(place, len(SPEEDS) - 1))])

    def view(self, timeline: Timeline, now: float) -> View:
        """Return what a pane gets.

        Following shows all that came, also when the clock was set back since.
        """
        if self.at is None:
            return View(timeline, max(now, timeline.newest_at), now, frozen=False)
        return View(timeline, self.at, now, frozen=True)


@dataclass(frozen=True, slots=True)
class View:
    """A timeline and the moment it is looked at: all that a pane gets.

    ``until`` is the last moment shown, ``now`` the time of day; both Unix seconds. ``frozen``
    says that it ends at a moment that somebody chose, whatever comes after it.
    """

    timeline: Timeline
    until: float
    now: float
    frozen: bool

    @property
    def stands(self) -> tuple[float, ReferenceType[Timeline]] | None:
        """At what a frozen view looks, to tell it from another one; None when it follows.

        It keeps no timeline: a pane that is not seen would hold all that there was to be seen.
        """
        return (self.until, ref(self.timeline)) if self.frozen else None

    def last(self, kind: type[S]) -> tuple[float, S] | None:
        """Return the newest sample of a kind and its moment."""
        return self.timeline.track(kind).last(self.until)

    def sample(self, kind: type[S]) -> S | None:
        """Return the newest sample of a kind."""
        found = self.last(kind)
        return found[1] if found else None

    def ended(self) -> tuple[float, Ended] | None:
        """Return when and how the process ended; who knows its exit code knows best.

        None also when another one is watched since.
        """
        told = self.timeline.track(ProcessIdentity).tail(2, self.until)
        # One that ended at once may have ended before anybody said who it was.
        since = told[-1][0] if len({identity for _, identity in told}) > 1 else 0.0
        found = [
            entry for entry in self.timeline.track(Ended).tail(8, self.until) if entry[0] >= since
        ]
        knowing = (entry for entry in found if entry[1].exit_code is not None)
        return next(knowing, found[0] if found else None)

    def state(self, source: str) -> tuple[float, Attached | Trouble | Ended] | None:
        """Return what a source last said about itself."""
        return self.timeline.states(source).last(self.until)
