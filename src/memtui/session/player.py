"""Moves the cursor as keys and the clock ask; what it looks at is live, or comes from a reel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import replace

from memtui.model import Event, Mark, ProcessSample
from memtui.recording import NotARecording
from memtui.session.replay_window import ReplayWindow, holds_fully
from memtui.timeline import (
    Cursor,
    Landmark,
    PageStore,
    SessionCourse,
    Timeline,
    View,
    landmarks_of,
    nearest_landmark,
    step_from,
)

Clock = Callable[[], float]

FASTEST_READ = 240.0
"""Played faster than this, only a little is read at each place that is come to."""


class Player:
    """The cursor of a session, and the timeline that it looks at.

    ``live`` is the timeline that sources feed, None when there are none: then ``store`` holds all,
    ``course`` says from when to when, and ``start`` is where it is begun to be looked at: at its
    first moment, playing, unless told. With both, the store holds what the live one has let go.
    """

    def __init__(
        self,
        live: Timeline | None,
        clock: Clock,
        store: PageStore | None = None,
        course: SessionCourse | None = None,
        start: Cursor | None = None,
    ) -> None:
        first = course.first if course is not None else live.started_at if live else 0.0
        self.live = live
        self.cursor = start or (Cursor(first, playing=True) if live is None else Cursor())
        self.changed: Callable[[], None] = lambda: None
        """Called when what is looked at came to be in memory."""
        self._clock = clock
        self._reel = (
            ReplayWindow(store, course or SessionCourse(first, first))
            if store is not None
            else None
        )
        self._copy: Timeline | None = None
        """What the live timeline held when the cursor left now."""
        self._shown = live or Timeline(first)
        self._seen = self.cursor.at or first
        """The moment that is shown: that of the cursor, as soon as it is in memory."""
        self._froze_at: float | None = None
        self._marks: list[Landmark] = []
        self._recent: tuple[Landmark, ...] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Show where a stored session begins to be looked at."""
        self._look()
        if self.live is None:
            self._start(self._survey())

    # What is seen

    def view(self) -> View:
        """Return what the panes look at: of a moment not yet in memory, what was there before."""
        if self.live is not None and self.cursor.is_following:
            return self.cursor.view(self.live, self._clock())
        now = self._clock() if self.live is not None else self._seen
        moves = self.cursor.playing and self._shown.newest_at <= self._seen
        return View(self._shown, self._seen, now, frozen=not moves)

    def course(self) -> SessionCourse:
        """Return the ends of the session, and what stands out in it as far as is known."""
        known = self._reel.course if self._reel is not None else None
        if self.live is None:
            assert known is not None
            return replace(known, landmarks=(*known.landmarks, *self._marks))
        first, last = self._span()
        if self._recent is None:
            since = self.live.whole_since or 0.0
            older = [each for each in known.landmarks if each.at < since] if known else []
            self._recent = (*older, *landmarks_of(self.live, since, last))
        return SessionCourse(first, last, self._recent, known.host if known else "")

    def _span(self) -> tuple[float, float]:
        known = self._reel.course if self._reel is not None else None
        if self.live is None:
            assert known is not None
            return known.first, known.last
        begun = self.live.track(ProcessSample).first
        first = begun[0] if begun else self.live.started_at
        return (min(first, known.first) if known else first), self.live.newest_at

    def marked(self, event: Event) -> None:
        """Show a mark that was put just now; in a stored session it stays until it is closed."""
        self._recent = None
        if self.live is None and isinstance(event.sample, Mark):
            self._marks.append(Landmark(event.at, "mark", event.sample.text))

    @property
    def is_reading(self) -> bool:
        """Whether something is on its way into memory."""
        return bool(self._tasks)

    @property
    def has_moved(self) -> bool:
        """Whether the cursor of a frozen live session is elsewhere than where it froze."""
        return self.live is None or self.cursor.at != self._froze_at

    # Moving

    def toggle(self) -> None:
        """Freeze, or follow again; where the cursor was moved: play on, or stand still.

        At the end of a stored session it plays from the start.
        """
        cursor = self.cursor
        if cursor.is_following:
            self.freeze()
        elif cursor.playing:
            self.cursor = cursor.paused()
            self._settle()
        elif not self.has_moved:
            self.follow()
        else:
            first, last = self._span()
            if self.live is None and (cursor.at or 0.0) >= last:
                self.go(first)
            self.cursor = self.cursor.started()

    def freeze(self) -> None:
        """Stand still at this moment; the sources go on."""
        if self.live is None or not self.cursor.is_following:
            return
        self.cursor = self.cursor.toggled(self.view().until)
        self._froze_at = self.cursor.at
        self._recent = self._copy = None
        self._look()
        if self._reel is not None:
            self._start(self._survey())

    def follow(self) -> None:
        """Follow now again; of a session that is over: go to its end and stay."""
        if self.live is None:
            self.cursor = self.cursor.paused()
            self.go(self._span()[1])
            return
        self.cursor = self.cursor.followed()
        self._froze_at = self._copy = None
        self._shown = self.live
        if self._reel is not None:
            self._start(self._reel.let_go())

    def go(self, at: float) -> None:
        """Look at another moment of the session."""
        self.freeze()
        first, last = self._span()
        self.cursor = self.cursor.to(max(first, min(at, last)))
        self._look()

    def move(self, by_s: float) -> None:
        """Move the cursor by some seconds."""
        self.freeze()
        self.cursor = self.cursor.moved(by_s, self._clock(), *self._span())
        self._look()

    def step(self, by: int) -> None:
        """Go to the next sample (``by`` > 0) or the one before, and stand still."""
        self.freeze()
        first, last = self._span()
        at = first if self.cursor.at is None else self.cursor.at
        if self.live is not None and by > 0 and at >= self._shown.newest_at:
            self._copy = None
            self._look()
        found = step_from(self._shown, at, by)
        if found is None and by > 0 and self._reel is not None:
            found = self._reel.next_moment(at)
        if found is None:
            found = max(first, min(at + by, last))
        self.cursor = self.cursor.stepped(found)
        self._look()

    def hasten(self, by: int) -> None:
        """Play faster or slower."""
        self.cursor = self.cursor.hastened(by)

    def tick(self, elapsed_s: float) -> bool:
        """Play on; return whether the cursor moved."""
        if not self.cursor.playing:
            return False
        self.cursor = self.cursor.played(elapsed_s, self._span()[1], self.course().gaps)
        if not self.cursor.playing and self.live is not None:
            self.follow()
            return True
        self._look()
        if not self.cursor.playing:
            self._settle()
        return True

    async def to_landmark(self, by: int) -> Landmark | None:
        """Go to the next mark, restart, gap or GC spike, or the one before; return it.

        Spikes that are not in memory are looked for some hours far. None: there is nothing.
        """
        self.freeze()
        at = self.cursor.at or 0.0
        first, last = self._span()
        known = [*self.course().landmarks, *landmarks_of(self._shown, first, self._seen)]
        known.sort(key=lambda each: each.at)
        found = nearest_landmark(known, at, by)
        if self._reel is not None:
            edge = found.at if found else last if by > 0 else first
            found = await self._reel.spike(at, edge, by) or found
        if found is not None and self.cursor.at == at:
            self.go(found.at)
        return found

    # What is in memory

    def _look(self) -> None:
        """Show the moment of the cursor: at once when it is in memory, else when it is there."""
        at, reel = self.cursor.at, self._reel
        if at is None:
            return
        if self.live is not None and (reel is None or holds_fully(self.live, at)):
            self._look_at_live(self.live, at)
        elif reel is not None and reel.holds(at):
            self._look_at_reel(reel)
            is_slow = self.cursor.speed <= FASTEST_READ
            if self.cursor.playing and is_slow and reel.needs_more(at, self.cursor.speed):
                self._start(self._then_look(reel.read_ahead(self.cursor.speed)))
        elif reel is not None and not (self.cursor.playing and reel.is_reading):
            self._read(reel, at)

    def _look_at_live(self, live: Timeline, at: float) -> None:
        """Look at what the live timeline held when it froze; at what it holds where that ends."""
        if self._reel is not None:
            self._reel.forget_wishes()
        if self._copy is None or at > self._copy.newest_at:
            self._copy = live.copied()
        self._shown, self._seen = self._copy, at

    def _look_at_reel(self, reel: ReplayWindow) -> None:
        at = self.cursor.at
        if at is None:
            return
        at = min(at, reel.end)
        reel.show(at)
        self._shown, self._seen = reel.timeline, at

    def _read(self, reel: ReplayWindow, at: float) -> None:
        def came() -> None:
            self._look_at_reel(reel)
            self.changed()

        speed = self.cursor.speed if self.cursor.playing else 0.0
        reading = reel.read(at, came, speed, briefly=speed > FASTEST_READ)
        self._start(self._then_look(reading))

    async def _then_look(self, reading: Coroutine[None, None, None]) -> None:
        """Look again when something was read: the cursor may have gone on beyond it."""
        await reading
        if self.cursor.playing and self.cursor.at != self._seen:
            self._look()
            self.changed()

    def _settle(self) -> None:
        """Read more around the cursor where it came to rest after a fast journey."""
        at, reel = self.cursor.at, self._reel
        if at is None or reel is None or self._shown is not reel.timeline:
            return
        if not reel.is_rich(at):
            self._read(reel, at)

    async def _survey(self) -> None:
        if self._reel is not None:
            await self._reel.survey(grows=self.live is not None)
            self._recent = None
            self.changed()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(_readable(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _readable(work: Coroutine[None, None, None]) -> None:
    """Do what reads the store; where that cannot be read there is only what memory holds."""
    with contextlib.suppress(NotARecording, OSError):
        await work
