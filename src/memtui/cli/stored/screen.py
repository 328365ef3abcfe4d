"""The dashboard on a recording: one that is over, or one that is being written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memtui.cli.errors import CliError, exists
from memtui.cli.options.screen import ScreenOptions
from memtui.render.preferences import DEFAULT, Preferences

if TYPE_CHECKING:
    from memtui.dashboard.app import MemtuiApp
    from memtui.recording.recorded_pages import RecordedPages
    from memtui.sources.signals import EarlySignals


def show(
    paths: Sequence[Path],
    at: str | None,
    speed: float,
    wishes: ScreenOptions,
    *,
    is_paused: bool,
    is_followed: bool,
) -> int:
    """Show the screen of a recording until it is closed; return the exit code."""
    from memtui.cli.live import terminal
    from memtui.cli.live.settings import habits
    from memtui.cli.progress import waiting
    from memtui.sources.signals import EarlySignals

    early = EarlySignals()
    used_to = habits(wishes)
    with waiting("reading the recording,"):
        store = pages_of(paths)
        app = (
            following(store, paths[-1], early, used_to)
            if is_followed
            else replaying(store, at, speed, early, used_to, is_paused=is_paused)
        )
    terminal.take_terminal()
    early.listen()
    terminal.end_with_the_terminal(lambda: None)
    terminal.show(app)
    if app.defect is not None:
        raise app.defect
    return app.return_code or 0


def pages_of(paths: Sequence[Path]) -> RecordedPages:
    """Return the recording that these files are; raise Complaint when they are none."""
    from memtui.recording import NotARecording
    from memtui.recording.recorded_pages import RecordedPages

    for path in paths:
        if not exists(path):
            raise CliError(f"no such file: {path}", "memtui record makes one; so does R")
    store = RecordedPages(paths[0] if len(paths) == 1 else paths)
    try:
        store.span()
    except NotARecording as error:
        raise CliError(str(error)) from None
    return store


def replaying(
    store: RecordedPages,
    at: str | None,
    speed: float,
    early: EarlySignals | None = None,
    habits: Preferences = DEFAULT,
    *,
    is_paused: bool,
) -> MemtuiApp:
    """Return the dashboard on a recording that is over; ``at`` is where it begins."""
    from memtui.dashboard.app import MemtuiApp
    from memtui.session import Player
    from memtui.timeline import Cursor, SessionCourse, Timeline

    first, last = store.span()
    start = first if at is None else moment_of(store, at)
    player = Player(
        None,
        time.time,
        store,
        SessionCourse(first, last, host=store.host()),
        Cursor(start, playing=not is_paused, speed=speed),
    )
    return MemtuiApp(Timeline(first), player=player, early=early, habits=habits)


def moment_of(store: RecordedPages, at: str) -> float:
    """Return the moment that ``--at`` names; raise Complaint."""
    from memtui.recording.time_expressions import NotAMoment, parse_moment

    try:
        marks = store.recording.notable_events() if at.strip().startswith("@") else ()
        return parse_moment(at, store.span(), marks=marks)
    except NotAMoment as error:
        raise CliError(f"--at: {error}") from None


def following(
    store: RecordedPages,
    path: Path,
    early: EarlySignals | None = None,
    habits: Preferences = DEFAULT,
) -> MemtuiApp:
    """Return the dashboard on a recording that is being written; its clock is that of the host."""
    from memtui.dashboard.app import MemtuiApp
    from memtui.session import Player
    from memtui.session.followed_recording import FollowedRecording
    from memtui.session.replay_window import load_recent
    from memtui.timeline import SessionCourse

    source = FollowedRecording(path)
    first, last = store.span()
    timeline = load_recent(store, SessionCourse(first, last))

    def clock() -> float:
        return timeline.newest_at

    player = Player(timeline, clock, store, SessionCourse(first, last, host=store.host()))
    return MemtuiApp(timeline, [source], player=player, early=early, clock=clock, habits=habits)
