"""The screen on terminals of all kinds: old ones, poor ones, without colours, without UTF-8."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sysconfig
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S
from shellwindow import RESTORED

pytestmark = pytest.mark.terminal

OpenTerminal = Callable[..., Any]
DEMO = str(files("memtui") / "demo" / "orders.memtui")
REPLAY = f"memtui replay {DEMO} --at 100% --paused"
MEMTUI = f"{sysconfig.get_path('scripts')}/memtui"
PANES = ("1 process", "2 RES", "3 gctrace", "4 inuse_space", "q quit")


@pytest.mark.parametrize(
    ("environment", "corner"),
    [
        ("TERM=linux", "┌"),
        ("TERM=screen-256color", "╭"),
        ("TERM=xterm-256color", "╭"),
        ("TERM=xterm-256color LC_ALL=C", "+"),
    ],
)
def test_every_terminal_shows_the_panes_and_is_restored(
    terminal: OpenTerminal, environment: str, corner: str
) -> None:
    window = terminal(80, 24)
    window.type(f"clear; {environment} {REPLAY}; echo code=$?")
    screen = window.wait_for(*PANES, "AT THE END", "loadCatalogue", f"{corner} 1 process")
    assert max(map(len, screen.splitlines())) <= 80
    if corner == "+":
        assert screen.isascii()
    window.press("?")
    window.wait_for("Everywhere")
    window.press("Escape")
    window.wait_gone("Everywhere")
    window.press("q")
    window.wait_for("code=0")
    assert window.modes() == RESTORED


def test_the_mouse_is_left_to_the_terminal_when_that_is_wished(terminal: OpenTerminal) -> None:
    window = terminal(80, 24)
    window.type(f"{REPLAY}")
    window.wait_for(*PANES)
    assert window.modes()[1] == "1"
    window.press("q")
    window.wait_gone("1 process")
    window.type(f"{REPLAY} --no-mouse --theme light")
    window.wait_for(*PANES)
    assert window.modes()[1] == "0"
    window.press("q")


def test_settings_that_are_wrong_are_told_and_the_screen_opens(
    terminal: OpenTerminal, tmp_path: Path
) -> None:
    file = tmp_path / "memtui" / "config.toml"
    file.parent.mkdir()
    file.write_text('theme = "pink"\n[keys]\nquit = "Q"\nnonsense = "x"\n')
    window = terminal(120, 30)
    window.type(f"XDG_CONFIG_HOME={tmp_path} {REPLAY}; echo code=$?")
    window.wait_for(*PANES[:-1], "settings?", "Q quit")
    window.press("q")
    window.press("Q")
    screen = window.wait_for("code=0")
    said = " ".join(screen.split())
    assert "config.toml:1: theme = 'pink'" in said
    assert "keys: nonsense: unknown action" in said
    assert "Traceback" not in screen


@contextmanager
def bytes_of_a_screen(environment: Mapping[str, str]) -> Iterator[Callable[..., bytes]]:
    """Open the screen on a terminal of our own; the function presses keys and reads what comes."""
    keyboard, screen = os.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    memtui = subprocess.Popen(
        [MEMTUI, *REPLAY.split()[1:]],
        stdin=screen, stdout=screen, stderr=screen,
        env=clean | dict(environment),
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(screen)

    def press(keys: bytes, wanted: bytes, seconds: float = PATIENCE_S) -> bytes:
        os.write(keyboard, keys)
        read, deadline = b"", time.monotonic() + seconds
        while wanted not in re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", read):
            if time.monotonic() > deadline:
                pytest.fail(f"{wanted!r} did not come: {read[-500:]!r}")
            if select.select([keyboard], [], [], 0.2)[0]:
                read += os.read(keyboard, 1 << 16)
        return read

    try:
        yield press
    finally:
        memtui.kill()
        memtui.wait()
        os.close(keyboard)


def test_without_utf8_no_byte_above_ascii_reaches_the_terminal() -> None:
    with bytes_of_a_screen({"TERM": "xterm-256color", "LANG": "C"}) as press:
        came = press(b"", b"loadCatalogue")
        came += press(b"1?", b"Everywhere") + press(b"?", b"VmRSS")
        came += press(b"q", b"loadCatalogue") + press(b"5", b"lazily freed")
        came += press(b":", b"explain: open")
    assert came.isascii()


def test_without_colours_no_colour_reaches_the_terminal() -> None:
    with bytes_of_a_screen({"TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "1"}) as press:
        came = press(b"", b"loadCatalogue") + press(b"5", b"lazily freed")
    numbers = {
        number
        for codes in re.findall(rb"\x1b\[([0-9;]*)m", came)
        for number in codes.split(b";")
        if number
    }
    assert numbers <= {b"0", b"1", b"2", b"4", b"7", b"22", b"39", b"49"}


@pytest.mark.parametrize(("name", "most"), [("linux", 16), ("screen-256color", 256)])
def test_no_more_colours_are_sent_than_the_terminal_has(name: str, most: int) -> None:
    with bytes_of_a_screen({"TERM": name, "LANG": "C.UTF-8", "COLORTERM": ""}) as press:
        came = press(b"", b"loadCatalogue")
    codes = re.findall(rb"\x1b\[([0-9;]*)m", came)
    assert codes
    assert not any(b"8;2;" in code for code in codes)
    assert any(b"38;5;" in code for code in codes) == (most == 256)


def test_what_is_copied_goes_to_the_clipboard_of_the_terminal() -> None:
    with bytes_of_a_screen({"TERM": "xterm-256color", "LANG": "C.UTF-8"}) as press:
        press(b"", b"loadCatalogue")
        press(b"1j", b"anonymous")
        came = press(b"y", b"copied")
    assert re.search(rb"\x1b\]52;c;[A-Za-z0-9+/=]+\x07", came)


@pytest.mark.parametrize("look", ["", "--theme light", "--theme ansi"])
def test_what_was_sent_cell_by_cell_looks_like_the_whole_screen_drawn_anew(
    terminal: OpenTerminal, look: str
) -> None:
    window = terminal(120, 40)
    window.type(f"{REPLAY} {look}")
    window.wait_for(*PANES, "loadCatalogue")
    window.press("1", "Down", "Down", "3", "Up", "Up", "4", "Down", "2", "Left", "1", "End", "Up")
    window.wait_for("owner of the process  name")
    sent = settled(window)
    window.resize(110, 40)
    window.wait_for(*PANES)
    settled(window)
    window.resize(120, 40)
    assert settled(window, like=sent) == sent


def settled(window: Any, like: str = "", seconds: float = 60.0) -> str:
    """Return the cells with their styles, when they stay as they are for a while, or are alike."""
    deadline, quiet_since, seen, last = time.monotonic() + seconds, time.monotonic(), "", ""
    while time.monotonic() < deadline:
        seen = str(window.cells())
        if seen == like:
            break
        if seen != last:
            quiet_since, last = time.monotonic(), seen
        elif time.monotonic() - quiet_since > (10.0 if like else 1.5):
            break
        time.sleep(0.1)
    return seen
