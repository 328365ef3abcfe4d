"""Moves the cursor by keys and by the clock, over a live or a stored session."""

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
"""At a higher speed only a little is read around each time."""


class Player:
    """The cursor of a session, and the timeline that it shows.

    ``live`` is the timeline that sources feed, None if there are none: then ``store`` has all
    events, ``course`` the ends of the session, and ``start`` the first position: the first time,
    playing, unless given. With both, the store has what the live timeline dropped.
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
        """Called when the shown time has been read into memory."""
        self._clock = clock
        self._window = (
            ReplayWindow(store, course or SessionCourse(first, first))
            if store is not None
            else None
        )
        self._copy: Timeline | None = None
        """A copy of the live timeline from when the cursor left the present."""
        self._shown = live or Timeline(first)
        self._seen = self.cursor.at or first
        """The time that is shown: that of the cursor, once it is in memory."""
        self._froze_at: float | None = None
        self._marks: list[Landmark] = []
        self._recent: tuple[Landmark, ...] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Show the first position of a stored session."""
        self._look()
        if self.live is None:
            self._start(self._survey())

    # The view

    def view(self) -> View:
        """Return the view of the panes; while a time is being read, the view before it."""
        if self.live is not None and self.cursor.is_following:
            return self.cursor.view(self.live, self._clock())
        now = self._clock() if self.live is not None else self._seen
        moves = self.cursor.playing and self._shown.newest_at <= self._seen
        return View(self._shown, self._seen, now, frozen=not moves)

    def course(self) -> SessionCourse:
        """Return the ends of the session, and the landmarks known so far."""
        known = self._window.course if self._window is not None else None
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
        known = self._window.course if self._window is not None else None
        if self.live is None:
            assert known is not None
            return known.first, known.last
        begun = self.live.track(ProcessSample).first
        first = begun[0] if begun else self.live.started_at
        return (min(first, known.first) if known else first), self.live.newest_at

    def add_mark(self, event: Event) -> None:
        """Show a new mark; in a stored session it lasts until memtui quits."""
        self._recent = None
        if self.live is None and isinstance(event.sample, Mark):
            self._marks.append(Landmark(event.at, "mark", event.sample.text))

    @property
    def is_reading(self) -> bool:
        """Whether part of the session is being read into memory."""
        return bool(self._tasks)

    @property
    def has_moved(self) -> bool:
        """Whether the cursor has moved since the session was frozen."""
        return self.live is None or self.cursor.at != self._froze_at

    # Moves

    def toggle(self) -> None:
        """Freeze or follow; if the cursor was moved, play or pause.

        At the end of a stored session, play from the start.
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
        """Freeze at the present; the sources continue."""
        if self.live is None or not self.cursor.is_following:
            return
        self.cursor = self.cursor.toggled(self.view().until)
        self._froze_at = self.cursor.at
        self._recent = self._copy = None
        self._look()
        if self._window is not None:
            self._start(self._survey())

    def follow(self) -> None:
        """Follow the present; in a stored session, go to the end and pause."""
        if self.live is None:
            self.cursor = self.cursor.paused()
            self.go(self._span()[1])
            return
        self.cursor = self.cursor.followed()
        self._froze_at = self._copy = None
        self._shown = self.live
        if self._window is not None:
            self._start(self._window.release())

    def go(self, at: float) -> None:
        """Go to a time of the session."""
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
        """Go to the next sample (``by`` > 0) or to the previous one, and pause."""
        self.freeze()
        first, last = self._span()
        at = first if self.cursor.at is None else self.cursor.at
        if self.live is not None and by > 0 and at >= self._shown.newest_at:
            self._copy = None
            self._look()
        found = step_from(self._shown, at, by)
        if found is None and by > 0 and self._window is not None:
            found = self._window.next_time(at)
        if found is None:
            found = max(first, min(at + by, last))
        self.cursor = self.cursor.stepped(found)
        self._look()

    def hasten(self, by: int) -> None:
        """Change the playback speed."""
        self.cursor = self.cursor.hastened(by)

    def tick(self, elapsed_s: float) -> bool:
        """Advance playback; return whether the cursor moved."""
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
        """Go to the next mark, restart, gap or GC spike, or to the previous one; return it.

        Spikes that are not in memory are searched for in some hours of the recording. None if there
        is none.
        """
        self.freeze()
        at = self.cursor.at or 0.0
        first, last = self._span()
        known = [*self.course().landmarks, *landmarks_of(self._shown, first, self._seen)]
        known.sort(key=lambda each: each.at)
        found = nearest_landmark(known, at, by)
        if self._window is not None:
            edge = found.at if found else last if by > 0 else first
            found = await self._window.spike(at, edge, by) or found
        if found is not None and self.cursor.at == at:
            self.go(found.at)
        return found

    # Memory

    def _look(self) -> None:
        """Show the time of the cursor, at once if it is in memory, else when it has been read."""
        at, window = self.cursor.at, self._window
        if at is None:
            return
        if self.live is not None and (window is None or holds_fully(self.live, at)):
            self._show_live(self.live, at)
        elif window is not None and window.holds(at):
            self._show_window(window)
            is_slow = self.cursor.speed <= FASTEST_READ
            if self.cursor.playing and is_slow and window.needs_more(at, self.cursor.speed):
                self._start(self._then_look(window.read_ahead(self.cursor.speed)))
        elif window is not None and not (self.cursor.playing and window.is_reading):
            self._read(window, at)

    def _show_live(self, live: Timeline, at: float) -> None:
        """Show the copy of the live timeline; a new copy if the time is after its end."""
        if self._window is not None:
            self._window.cancel_reads()
        if self._copy is None or at > self._copy.newest_at:
            self._copy = live.copied()
        self._shown, self._seen = self._copy, at

    def _show_window(self, window: ReplayWindow) -> None:
        at = self.cursor.at
        if at is None:
            return
        at = min(at, window.end)
        window.show(at)
        self._shown, self._seen = window.timeline, at

    def _read(self, window: ReplayWindow, at: float) -> None:
        def on_loaded() -> None:
            self._show_window(window)
            self.changed()

        speed = self.cursor.speed if self.cursor.playing else 0.0
        reading = window.read(at, on_loaded, speed, briefly=speed > FASTEST_READ)
        self._start(self._then_look(reading))

    async def _then_look(self, reading: Coroutine[None, None, None]) -> None:
        """Look again after reading: the cursor may have moved on."""
        await reading
        if self.cursor.playing and self.cursor.at != self._seen:
            self._look()
            self.changed()

    def _settle(self) -> None:
        """Read more around the cursor when it stops after fast playback."""
        at, window = self.cursor.at, self._window
        if at is None or window is None or self._shown is not window.timeline:
            return
        if not window.is_rich(at):
            self._read(window, at)

    async def _survey(self) -> None:
        if self._window is not None:
            await self._window.survey(grows=self.live is not None)
            self._recent = None
            self.changed()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(_until_unreadable(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _until_unreadable(work: Coroutine[None, None, None]) -> None:
    """Await work that reads the store; if it cannot be read, only memory is shown."""
    with contextlib.suppress(NotARecording, OSError):
        await work
