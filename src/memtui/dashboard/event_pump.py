"""What comes of the sources: each runs in a worker, and all its events go one way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import App

from memtui.model import (
    KINDS,
    Event,
)
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.source import Clock, Source, drive
from memtui.timeline import Timeline

BESIDE = frozenset(kind.type for kind in KINDS if kind.may_wait)
"""What is painted together with the next sample of the process, or a second later at most."""


class EventPump:
    """Puts events on the timeline and into the recording; ``paint_soon`` is told of new ones."""

    def __init__(
        self,
        app: App[None],
        sources: Sequence[Source],
        timeline: Timeline,
        player: Player,
        tape: SessionRecorder | None,
        clock: Clock,
        paint_soon: Callable[[], None],
    ) -> None:
        self.sources = list(sources)
        self._app = app
        self._timeline = timeline
        self._player = player
        self._tape = tape
        self._clock = clock
        self._paint_soon = paint_soon

    def start(self) -> None:
        """Let the sources run that are known from the start."""
        self._run(self.sources)

    def add(self, sources: Sequence[Source]) -> None:
        """Let others run too."""
        self.sources += sources
        self._run(sources)

    def _run(self, sources: Sequence[Source]) -> None:
        for source in sources:
            running = drive(source, self.take, self._clock)
            self._app.run_worker(running, group=source.name, exit_on_error=False)

    def take(self, event: Event) -> None:
        """Put an event on the timeline and into the recording."""
        if self._player.live is not None:
            self._timeline.append(event)
        if self._tape is not None:
            self._tape.append(event)
        kind = type(event.sample)
        if kind not in BESIDE or self._timeline.track(kind).count < 2:
            self._paint_soon()
