"""Cells that go to the terminal by the short way are those that Textual would draw."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from dashboard import running, until
from rich.segment import Segment
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Region

from memtui.cli.stored.screen import pages_of, replaying
from memtui.dashboard.app import MemtuiApp
from memtui.render.line_widget import FlatLineWidget
from memtui.render.preferences import Preferences
from memtui.render.textual_private import CellsUpdate, LeanApp, QuietDriver

DEMO = Path(str(files("memtui") / "demo" / "orders.memtui"))
LOOKS = [
    Preferences(),
    Preferences(theme="light"),
    Preferences(theme="ansi"),
    Preferences(signs="ascii"),
]


def demo(preferences: Preferences = LOOKS[0]) -> MemtuiApp:
    return replaying(pages_of([DEMO]), "100%", 1.0, preferences=preferences, is_paused=True)


def runs(segments: list[Segment]) -> list[tuple[str, object]]:
    """Return the cells and the style of each, however they are cut."""
    return [(char, segment.style) for segment in segments for char in segment.text]


@pytest.mark.parametrize("preferences", LOOKS, ids=["dark", "light", "ansi", "ascii"])
async def test_a_line_is_what_textual_makes_of_it(preferences: Preferences) -> None:
    app = demo(preferences)
    async with running(app) as pilot:
        await until(lambda: "loadCatalogue" in app.panes[3].copied(whole=True))
        await pilot.pause()
        compared = 0
        for widget in app.screen.query(FlatLineWidget):
            width, height = widget.size
            if not widget.is_on_screen:
                continue
            # What Widget.render_lines does, which Flat does not call.
            theirs = widget._styles_cache.render_widget(widget, Region(0, 0, width, height))
            ours = widget.render_lines(Region(0, 0, width, height))
            sent = widget.pieces([Region(0, y, width, 1) for y in range(height)])
            for y in range(height):
                wanted = runs(list(theirs[y]))
                assert runs(list(ours[y])) == wanted, widget
                assert sent[y][:2] == (y, 0)
                assert runs(list(sent[y][2])) == wanted, widget
                compared += 1
        assert compared > 35


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what is sent to the terminal, as it is sent."""
    found: list[object] = []
    display = LeanApp._display

    def noting(app: LeanApp, screen: Any, update: Any) -> None:
        found.append(update)
        display(app, screen, update)

    monkeypatch.setattr(LeanApp, "_display", noting)
    return found


async def test_a_pane_goes_the_short_way_unless_something_covers_it(
    updates: list[object],
) -> None:
    app = demo()
    async with running(app) as pilot:
        await until(lambda: "loadCatalogue" in app.panes[3].copied(whole=True))
        await pilot.press("1")
        await pilot.pause()
        updates.clear()
        app.panes[0].action_move(1)
        await until(lambda: updates)
        assert all(isinstance(each, CellsUpdate) for each in updates), "Textual drew it"
        await pilot.press("question_mark")
        await until(lambda: len(app.screen_stack) == 2)
        await pilot.pause()
        updates.clear()
        app.panes[0].action_move(1)
        await until(lambda: updates)
        assert not any(isinstance(each, CellsUpdate) for each in updates), (
            "it was drawn over what covers it"
        )


def test_the_driver_is_the_quiet_one_unless_another_one_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert demo().driver_class is QuietDriver
    other = "textual.drivers.headless_driver:HeadlessDriver"
    monkeypatch.setattr("textual.constants.DRIVER", other)
    assert not issubclass(demo().driver_class, LinuxDriver)
