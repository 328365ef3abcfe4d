"""A recording in a real terminal: the one that comes with memtui, and one through a pipe."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

pytestmark = pytest.mark.terminal

OpenTerminal = Callable[..., Any]
DEMO = str(files("memtui") / "demo" / "orders.memtui")


def test_the_demo_shows_why_with_nothing_at_hand(terminal: OpenTerminal) -> None:
    window = terminal(80, 24)
    window.type("memtui demo")
    window.wait_for("REPLAY ×15", "RES", "web-1")
    window.press("End")
    window.wait_for("AT THE END", "freed by Go")
    window.press("5")
    window.wait_for("lazily freed")
    window.press("q")
    window.wait_for("ready>")
    assert window.modes() == ("0", "0", "1")


def test_a_recording_comes_through_a_pipe_and_keys_work(terminal: OpenTerminal) -> None:
    window = terminal(80, 24)
    window.type(f"cat {DEMO} | memtui replay -")
    window.wait_for("LIVE", "1 process")
    window.press("6", "Home")
    window.wait_for("FROZEN", "38.6M")
    window.press("q")
    window.wait_for("ready>")


def test_what_is_no_recording_is_said_in_a_line(terminal: OpenTerminal) -> None:
    window = terminal(80, 24)
    window.type("printf nonsense | memtui replay -; memtui replay /nowhere.memtui")
    screen = window.wait_for("no such file: /nowhere.memtui")
    assert "Traceback" not in screen
    assert screen.count("memtui: ") == 2
