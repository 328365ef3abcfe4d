"""Shows a recording in the dashboard: a finished one, one being written, or one from a pipe."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from memtui.cli.errors import CliError, exists
from memtui.cli.options.display import ScreenOptions
from memtui.render.preferences import DEFAULT, Preferences

if TYPE_CHECKING:
    from memtui.dashboard.app import MemtuiApp
    from memtui.recording.recorded_pages import RecordedPages
    from memtui.sources.signals import EarlySignals


_STEP_BYTES = 1 << 16
_INTERVAL_S = 0.1


class Spool:
    """Copies a stream to a temporary file, so that the dashboard can go back in it.

    Entering the context waits until the start of the recording can be read. Raises CliError if the
    stream ends before that.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._folder = Path(tempfile.mkdtemp(prefix="memtui-"))
        self.path = self._folder / "stream.memtui"
        self._has_ended = threading.Event()

    def __enter__(self) -> Spool:
        """Wait until the recording can be shown."""
        from memtui.recording import NotARecording
        from memtui.recording.recorded_pages import RecordedPages

        self.path.touch(0o600)
        threading.Thread(target=self._copy, name="spool", daemon=True).start()
        while True:
            was_last = self._has_ended.is_set()
            try:
                RecordedPages(self.path).span()
            except NotARecording as error:
                if was_last:
                    shutil.rmtree(self._folder, ignore_errors=True)
                    text = str(error).replace(f"{self.path}", "standard input")
                    raise CliError(text) from None
            else:
                return self
            time.sleep(_INTERVAL_S)

    def _copy(self) -> None:
        with self.path.open("ab", buffering=0) as file:
            try:
                while chunk := os.read(self._descriptor, _STEP_BYTES):
                    file.write(chunk)
            except OSError:  # a full disk or a broken pipe: the part until here is shown
                pass
        self._has_ended.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the temporary file."""
        shutil.rmtree(self._folder, ignore_errors=True)


def show(
    paths: Sequence[Path],
    at: str | None,
    speed: float,
    options: ScreenOptions,
    *,
    is_paused: bool,
    is_followed: bool,
) -> int:
    """Show the screen of a recording until it is closed; return the exit code."""
    from memtui.cli.live import terminal
    from memtui.cli.live.settings import preferences
    from memtui.cli.progress import waiting
    from memtui.sources.signals import EarlySignals

    early = EarlySignals()
    chosen = preferences(options)
    with waiting("reading the recording,"):
        store = pages_of(paths)
        app = (
            following(store, paths[-1], early, chosen)
            if is_followed
            else replaying(store, at, speed, early, chosen, is_paused=is_paused)
        )
    terminal.take_terminal()
    early.listen()
    terminal.end_with_the_terminal(lambda: None)
    terminal.show(app)
    if app.defect is not None:
        raise app.defect
    return app.return_code or 0


def pages_of(paths: Sequence[Path]) -> RecordedPages:
    """Open the files of one recording; raise CliError if they are not one."""
    from memtui.recording import NotARecording
    from memtui.recording.recorded_pages import RecordedPages

    for path in paths:
        if not exists(path):
            raise CliError(f"no such file: {path}", "memtui record writes a recording")
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
    preferences: Preferences = DEFAULT,
    *,
    is_paused: bool,
) -> MemtuiApp:
    """Return the dashboard of a finished recording, starting at ``at``."""
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
    return MemtuiApp(Timeline(first), player=player, early_signals=early, preferences=preferences)


def moment_of(store: RecordedPages, at: str) -> float:
    """Return the moment of ``--at``; raise CliError."""
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
    preferences: Preferences = DEFAULT,
) -> MemtuiApp:
    """Return the dashboard of a recording that is being written, with the clock of its host."""
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
    return MemtuiApp(
        timeline, [source], player=player, early_signals=early, clock=clock, preferences=preferences
    )
