"""Pictures of the screen, from the recording that comes with memtui, compared with those kept.

They are of the newest Textual: how it writes a picture changes from one version to the next. What
changed on purpose is kept with: python -m pytest tests/test_snapshots.py --snapshot-update
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from dashboard import on_top, shown, until
from textual.pilot import Pilot

from memtui.cli.stored.screen import pages_of, replaying
from memtui.dashboard.app import MemtuiApp
from memtui.render.preferences import Preferences

pytestmark = [pytest.mark.snapshot, pytest.mark.world]

DEMO = Path(str(files("memtui") / "demo" / "orders.memtui"))
USUAL = Preferences()
SMALL, MIDDLE, LARGE, NARROW = (80, 24), (120, 40), (160, 50), (60, 18)

PICTURES: dict[str, tuple[tuple[int, int], tuple[str, ...], Preferences]] = {
    "80x24": (SMALL, ("1",), USUAL),
    "120x40": (MIDDLE, ("3",), USUAL),
    "160x50": (LARGE, ("4",), USUAL),
    "narrow": (NARROW, ("2",), USUAL),
    "process": (SMALL, ("1", "z", "G"), USUAL),
    "trend": (SMALL, ("2", "z"), USUAL),
    "gctrace": (SMALL, ("3", "z"), USUAL),
    "pprof": (SMALL, ("4", "z"), USUAL),
    "flame": (SMALL, ("4", "z", "v", "v"), USUAL),
    "explain": (SMALL, ("5",), USUAL),
    "light": (SMALL, ("4", "j"), Preferences("light")),
    "ansi": (SMALL, ("4", "j"), Preferences("ansi")),
    "ascii": (SMALL, ("1",), Preferences(signs="ascii")),
    "console": (SMALL, ("5",), Preferences("ansi", "console")),
    "help": (SMALL, ("4", "question_mark"), USUAL),
    "meaning": (SMALL, ("1", "j", "question_mark", "question_mark"), Preferences("light")),
    "time": (SMALL, ("6",), USUAL),
}


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clocks on the wall show UTC."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()


def prepared(keys: tuple[str, ...]) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Press keys once all is read that the picture shows, and wait until it stands still."""

    async def prepare(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, MemtuiApp)
        await until(lambda: app.focused and app.focused.id == "position")  # it has the keys first
        if app.size.width >= 70:
            await until(lambda: "main" in shown(app, "pprof") and "253" in shown(app, "gctrace"))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if "question_mark" in keys:
            await until(lambda: on_top(app, "help"))
        if "v" in keys:
            await until(lambda: "main.main" in shown(app, "pprof"))
        before = ""
        while (seen := "".join(shown(app, pane.NAME) for pane in app.panes)) != before:
            before = seen
            await pilot.pause(0.5)
        await pilot.wait_for_scheduled_animations()

    return prepare


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name: str, snap_compare: Any) -> None:
    size, keys, preferences = PICTURES[name]
    app = replaying(pages_of([DEMO]), "100%", 1.0, None, preferences, is_paused=True)
    assert snap_compare(app, terminal_size=size, run_before=prepared(keys))
