"""Handles the keys of the timeline: move the cursor, go to a time, mark, compare."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.app import App

from memtui.dashboard.event_pump import EventPump
from memtui.dashboard.status_bars import StatusBars
from memtui.local_time import date_and_time, time_of_day
from memtui.model import Event, Mark
from memtui.panes.compare import ComparedMoment, compared_moment
from memtui.panes.position import PositionBar, landmark_words
from memtui.recording.time_expressions import parse_moment
from memtui.sanitize import plain
from memtui.session import Player
from memtui.timeline import SessionCourse

LONGEST_NOTE = 200
PLAYBACK_STEP_S = 0.5
"""The cursor moves and the screen is painted twice a second."""


class PlaybackTimer:
    """Moves the cursor and calls ``paint`` while a recording plays."""

    def __init__(self, app: App[None], player: Player, paint: Callable[[], None]) -> None:
        self._player = player
        self._paint = paint
        self._moved_s = time.monotonic()
        self._timer = app.set_interval(PLAYBACK_STEP_S, self._step, pause=True)

    def update(self) -> None:
        """Start or stop the timer, as the cursor plays or not."""
        if self._player.cursor.playing:
            self._moved_s = time.monotonic()
            self._timer.reset()
            self._timer.resume()
        else:
            self._timer.pause()

    def _step(self) -> None:
        now_s = time.monotonic()
        if self._player.tick(now_s - self._moved_s):
            self._paint()
        self._moved_s = now_s
        if not self._player.cursor.playing:
            self._timer.pause()


class TimeControls:
    """Handles the requests of the timeline.

    ``moved`` is called after the cursor moved. ``keeps_marks`` is false for a recording that is
    replayed: it is read-only.
    """

    def __init__(
        self,
        app: App[None],
        player: Player,
        bars: StatusBars,
        pump: EventPump,
        moved: Callable[[], None],
        *,
        keeps_marks: bool,
    ) -> None:
        self._app = app
        self._keeps_marks = keeps_marks
        self._player = player
        self._bars = bars
        self._pump = pump
        self._moved = moved
        self._first_moment: ComparedMoment | None = None

    def run(self, request: PositionBar.TimeRequest) -> None:
        """Handle the request of a key."""
        player, amount = self._player, request.amount
        self._bars.show_notice("")
        match request.action:
            case "move":
                player.move(amount)
            case "start":
                player.go(player.course().first)
            case "end":
                player.follow()
            case "speed":
                player.hasten(amount)
            case "landmark":
                self._app.run_worker(
                    self._to_landmark(amount), group="landmark", exclusive=True,
                    exit_on_error=False,
                )  # fmt: skip
            case "go_to":
                self._ask_time()
            case "compare":
                self._compare()
        self._moved()

    async def _to_landmark(self, by: int) -> None:
        found = await self._player.to_landmark(by)
        if found is None:
            words = f"no {'later' if by > 0 else 'earlier'} landmark"
        else:
            words = landmark_words(found)
        self._bars.show_notice(words)
        self._moved()

    def _ask_time(self) -> None:
        from memtui.dialogs.ask import InputScreen

        player = self._player
        course, at = player.course(), player.view().until

        def go(text: str | None) -> None:
            if text:
                player.go(_moment_in(text, course, at))
                self._moved()

        self._app.push_screen(
            InputScreen(
                "go to",
                "14:03  14:03:20  2026-11-22 14:03  +5m  -30s  50%  @mark",
                lambda text: date_and_time(_moment_in(text, course, at)),
                enter="go",
            ),
            go,
        )

    def ask_mark(self) -> None:
        """Ask for a note, and set a mark with it at the time of the view."""
        from memtui.dialogs.ask import InputScreen

        at = self._player.view().until
        kept = "" if self._keeps_marks else " until you quit (the recording is read-only)"

        def put(text: str | None) -> None:
            if text is not None:
                note = text.strip()[:LONGEST_NOTE] or "mark"
                self._pump.add_event(Event(at, "user", Mark(note)))
                self._player.marked(Event(at, "user", Mark(note)))
                self._bars.show_notice(f"marked {time_of_day(at)}{kept}: {plain(note)}")
                self._moved()

        self._app.push_screen(
            InputScreen(f"mark {time_of_day(at)}", f"a short note{kept}", plain), put
        )

    def _compare(self) -> None:
        """Keep this moment, or compare it with the one that was kept."""
        current = compared_moment(self._player.view())
        before, self._first_moment = self._first_moment, current
        if before is None or before.at == current.at:
            self._bars.show_notice(
                f"First moment set ({time_of_day(current.at)}). Move to the second and press c"
            )
            return
        from memtui.dialogs.scroll_box import CompareScreen

        self._first_moment = None
        first, second = sorted((before, current), key=lambda each: each.at)
        self._app.push_screen(CompareScreen(first, second))


def _moment_in(text: str, course: SessionCourse, at: float) -> float:
    """Return the moment that a text names; raise ValueError with the reason if it names none."""
    marks = [
        Event(each.at, "user", Mark(each.text)) for each in course.landmarks if each.kind == "mark"
    ]
    return parse_moment(text, (course.first, course.last), here=at, marks=marks)
