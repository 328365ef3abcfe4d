"""What the keys of time do: they move the cursor, ask where to, mark a moment, compare two."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.app import App

from memtui.dashboard.event_pump import EventPump
from memtui.dashboard.status_bars import StatusBars
from memtui.dialogs.ask import AskScreen
from memtui.dialogs.sheet import CompareScreen
from memtui.model import Event, Mark
from memtui.panes.compare import ComparedMoment, moment_of
from memtui.panes.position import PositionBar, said_of
from memtui.panes.time_of_day import clock, date_and_clock
from memtui.recording.time_expressions import parse_moment
from memtui.sanitize import plain
from memtui.session import Player
from memtui.timeline import SessionCourse

LONGEST_NOTE = 200
BEAT_S = 0.5
"""Twice a second the cursor plays on, and the screen is painted."""


class PlaybackTimer:
    """Beats while the cursor plays, and only then; ``paint`` shows where it came to."""

    def __init__(self, app: App[None], player: Player, paint: Callable[[], None]) -> None:
        self._player = player
        self._paint = paint
        self._beat_s = time.monotonic()
        self._timer = app.set_interval(BEAT_S, self._beat, pause=True)

    def heed(self) -> None:
        """Begin to beat, or cease, as the cursor says now."""
        if self._player.cursor.playing:
            self._beat_s = time.monotonic()
            self._timer.reset()
            self._timer.resume()
        else:
            self._timer.pause()

    def _beat(self) -> None:
        now_s = time.monotonic()
        if self._player.tick(now_s - self._beat_s):
            self._paint()
        self._beat_s = now_s
        if not self._player.cursor.playing:
            self._timer.pause()


class TimeControls:
    """Does with the player what the position bar asks for.

    ``say`` shows a notice in the line under the panes, ``take`` puts an event on the timeline and
    into the recording, ``moved`` is called when the cursor moved. ``keeps_marks``: there is a
    recording that marks go into; one that is looked back at is only read.
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
        self._compared: ComparedMoment | None = None

    def run(self, wanted: PositionBar.Wanted) -> None:
        """Do what a key asked for."""
        player, amount = self._player, wanted.amount
        self._bars.tell("")
        match wanted.what:
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
                self._ask_where()
            case "compare":
                self._compare()
        self._moved()

    async def _to_landmark(self, by: int) -> None:
        found = await self._player.to_landmark(by)
        self._bars.tell(said_of(found) if found else _none(by))
        self._moved()

    def _ask_where(self) -> None:
        player = self._player
        course, at = player.course(), player.view().until

        def go(text: str | None) -> None:
            if text:
                player.go(_where(text, course, at))
                self._moved()

        self._app.push_screen(
            AskScreen(
                "go to",
                "14:03  14:03:20  2026-11-22 14:03  +5m  -30s  50%  @mark",
                lambda text: date_and_clock(_where(text, course, at)),
            ),
            go,
        )

    def ask_mark(self) -> None:
        """Ask for a note, and put a mark with it at the moment that is looked at."""
        at = self._player.view().until
        kept = "" if self._keeps_marks else " until you quit (a recording is only read)"

        def put(text: str | None) -> None:
            if text is not None:
                note = text.strip()[:LONGEST_NOTE] or "mark"
                self._pump.take(Event(at, "user", Mark(note)))
                self._player.marked(Event(at, "user", Mark(note)))
                self._bars.tell(f"marked {clock(at)}{kept}: {plain(note)}")
                self._moved()

        self._app.push_screen(
            AskScreen(f"mark {clock(at)}", f"a note in a few words{kept}", plain), put
        )

    def _compare(self) -> None:
        """Remember this moment, or show it beside the one that was remembered."""
        here = moment_of(self._player.view())
        before, self._compared = self._compared, here
        if before is None or before.at == here.at:
            self._bars.tell(f"{clock(here.at)} is one of two: go to the other moment, then c again")
            return
        self._compared = None
        first, second = sorted((before, here), key=lambda each: each.at)
        self._app.push_screen(CompareScreen(first, second))


def _none(by: int) -> str:
    return "nothing stands out " + ("after this" if by > 0 else "before this")


def _where(text: str, course: SessionCourse, at: float) -> float:
    """Return the moment that a text means; raise ValueError that says why it means none."""
    marks = [
        Event(each.at, "user", Mark(each.text)) for each in course.landmarks if each.kind == "mark"
    ]
    return parse_moment(text, (course.first, course.last), here=at, marks=marks)
