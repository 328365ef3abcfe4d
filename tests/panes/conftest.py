"""Panes as pictures made of strings."""

from collections.abc import Callable

import pytest

from memtui.model import Event, Sample
from memtui.panes.pane import Pane
from memtui.render.cells import text_of
from memtui.timeline import Cursor, Timeline, View

NOON = 1_795_000_000.0


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clocks on the wall show UTC."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.fixture
def view() -> Callable[..., View]:
    """Make a view of samples: each is (seconds after NOON, source, sample)."""

    def make(
        *events: tuple[float, str, Sample], frozen_at: float | None = None, now: float | None = None
    ) -> View:
        timeline = Timeline(NOON)
        timeline.extend(Event(NOON + at, source, sample) for at, source, sample in events)
        last = max((at for at, _, _ in events), default=0.0)
        cursor = Cursor(None if frozen_at is None else NOON + frozen_at)
        return cursor.view(timeline, NOON + (last if now is None else now))

    return make


@pytest.fixture
def drawn() -> Callable[..., str]:
    """Draw a pane in a frame of width by height cells, without spaces at the ends of lines."""

    def draw(pane: Pane, view: View, width: int, height: int) -> str:
        pane.view = view
        lines = pane.compose_lines(width, height)
        return "\n" + "\n".join(text_of(row) for row in lines) + "\n"

    return draw
