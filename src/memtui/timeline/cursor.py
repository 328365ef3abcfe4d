"""Computes the time that the screen shows, and what can be seen from there."""

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
"""Playback speeds: seconds of a recording per second."""

TimeSpan = tuple[float, float]
"""The last sample before and the first one after a time without data."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The time that the screen shows: Unix seconds, or the present while ``at`` is None.

    At a fixed time it is either paused or ``playing`` at ``speed``. A paused cursor keeps its
    speed.
    """

    at: float | None = None
    playing: bool = False
    speed: float = 1.0

    @property
    def is_following(self) -> bool:
        """Whether the cursor follows the present."""
        return self.at is None

    def toggled(self, now: float) -> Cursor:
        """Return a cursor frozen at ``now``, or one that follows again."""
        if self.at is None:
            return Cursor(now, speed=self.speed)
        return self.followed()

    def followed(self) -> Cursor:
        """Return a cursor that follows the present at normal speed."""
        return Cursor()

    def to(self, at: float) -> Cursor:
        """Return a cursor at another time, playing if this one plays."""
        return replace(self, at=at)

    def stepped(self, at: float) -> Cursor:
        """Return a paused cursor at the time of a sample."""
        return replace(self, at=at, playing=False)

    def moved(self, by_s: float, now: float, first: float, last: float) -> Cursor:
        """Return a cursor moved by some seconds, limited to the ends of the session.

        A cursor that follows moves from ``now``.
        """
        at = (now if self.at is None else self.at) + by_s
        return replace(self, at=max(first, min(at, last)))

    def paused(self) -> Cursor:
        """Return a paused cursor."""
        return replace(self, playing=False)

    def started(self) -> Cursor:
        """Return a cursor that plays from here."""
        return replace(self, playing=self.at is not None)

    def played(self, elapsed_s: float, last: float, gaps: Sequence[TimeSpan] = ()) -> Cursor:
        """Return the cursor after ``elapsed_s`` seconds of playback.

        Playback skips gaps, and pauses at the end.
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
        """Return a cursor that is faster (``by`` > 0) or slower by that many steps of SPEEDS."""
        place = min(range(len(SPEEDS)), key=lambda at: abs(SPEEDS[at] - self.speed)) + by
        return replace(self, speed=SPEEDS[max(0, min(place, len(SPEEDS) - 1))])

    def view(self, timeline: Timeline, now: float) -> View:
        """Return the view for the panes.

        A view that follows shows every event, even if the clock was set back since.
        """
        if self.at is None:
            return View(timeline, max(now, timeline.newest_at), now, frozen=False)
        return View(timeline, self.at, now, frozen=True)


@dataclass(frozen=True, slots=True)
class View:
    """A timeline and the time at which it is viewed: all the data of a pane.

    ``until`` is the last time shown, ``now`` the time of day; both are Unix seconds. ``frozen``:
    the view ends at a chosen time, even if there are later events.
    """

    timeline: Timeline
    until: float
    now: float
    frozen: bool

    @property
    def frozen_at(self) -> tuple[float, ReferenceType[Timeline]] | None:
        """Identity of a frozen view; None while live.

        It holds only a weak reference: a hidden pane must not keep a timeline in memory.
        """
        return (self.until, ref(self.timeline)) if self.frozen else None

    def last(self, kind: type[S]) -> tuple[float, S] | None:
        """Return the time and the sample of the newest event of a kind."""
        return self.timeline.track(kind).last(self.until)

    def sample(self, kind: type[S]) -> S | None:
        """Return the newest sample of a kind."""
        found = self.last(kind)
        return found[1] if found else None

    def ended(self) -> tuple[float, Ended] | None:
        """Return when and how the process ended; an event with an exit code is preferred.

        None if another process is watched since.
        """
        identities = self.timeline.track(ProcessIdentity).tail(2, self.until)
        # A process that ended at once may have ended before its identity was read.
        since = identities[-1][0] if len({identity for _, identity in identities}) > 1 else 0.0
        found = [
            entry for entry in self.timeline.track(Ended).tail(8, self.until) if entry[0] >= since
        ]
        with_code = (entry for entry in found if entry[1].exit_code is not None)
        return next(with_code, found[0] if found else None)

    def state(self, source: str) -> tuple[float, Attached | Trouble | Ended] | None:
        """Return the newest state of a source."""
        return self.timeline.states(source).last(self.until)
