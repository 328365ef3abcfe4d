"""Runs each source in a worker and routes its events to the timeline and the recorder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import App

from memtui.model import KINDS, Event
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.source import Clock, Source, drive
from memtui.timeline import Timeline

MAY_WAIT = frozenset(kind.type for kind in KINDS if kind.may_wait)
"""Samples that are painted with the next sample of the process, a second later at most."""


class EventPump:
    """Adds events to the timeline and the recording, and calls ``paint_soon`` for new ones."""

    def __init__(
        self,
        app: App[None],
        sources: Sequence[Source],
        timeline: Timeline,
        player: Player,
        recorder: SessionRecorder | None,
        clock: Clock,
        paint_soon: Callable[[], None],
    ) -> None:
        self.sources = list(sources)
        self._app = app
        self._timeline = timeline
        self._player = player
        self._recorder = recorder
        self._clock = clock
        self._paint_soon = paint_soon

    def start(self) -> None:
        """Start the sources."""
        self._run(self.sources)

    def add_sources(self, sources: Sequence[Source]) -> None:
        """Add and start more sources."""
        self.sources += sources
        self._run(sources)

    def _run(self, sources: Sequence[Source]) -> None:
        for source in sources:
            running = drive(source, self.add_event, self._clock)
            self._app.run_worker(running, group=source.name, exit_on_error=False)

    def add_event(self, event: Event) -> None:
        """Add an event to the timeline and the recording."""
        if self._player.live is not None:
            self._timeline.append(event)
        if self._recorder is not None:
            self._recorder.append(event)
        kind = type(event.sample)
        if kind not in MAY_WAIT or self._timeline.track(kind).count < 2:
            self._paint_soon()
