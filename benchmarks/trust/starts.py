"""Starting and ending: at random moments, and by each signal."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from trust.row import MEMTUI, Row, in_ms, started

ROUNDS = 100
LATEST_S = 1.5
ENDED_S = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Window:
    """A shell in a tmux of its own."""

    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self._run("new-session", "-d", "-x", "100", "-y", "30", "exec bash --norc")
        # A shell whose command died of SIGINT leaves out the rest of the line, but not this.
        self.type("PS1='> ' PROMPT_COMMAND='echo round $N code=$?'")

    def _run(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def type(self, line: str) -> None:
        """Type a line."""
        self._run("send-keys", "-l", line)
        self._run("send-keys", "Enter")

    def press(self, key: str) -> None:
        """Press a key."""
        self._run("send-keys", key)

    def screen(self) -> str:
        """Return what is to be seen."""
        return self._run("capture-pane", "-p")

    def shell(self) -> psutil.Process:
        """Return the shell."""
        return psutil.Process(int(self._run("display-message", "-p", "#{pane_pid}")))

    def is_restored(self) -> bool:
        """Tell whether there is no alternate screen and no mouse, but a cursor."""
        flags = "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"
        return self._run("display-message", "-p", flags).split() == ["0", "0", "1"]

    def close(self) -> None:
        """End tmux and what runs in it."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@contextmanager
def window() -> Iterator[Window]:
    """Open a window; it is closed in the end."""
    with tempfile.TemporaryDirectory() as folder:
        opened = Window(Path(folder) / "tmux")
        try:
            yield opened
        finally:
            opened.close()


def rounds(count: int = ROUNDS, seed: int = 1) -> list[str]:
    """Start and quit so often, after a random time by a random way; return what was not well."""
    chance, wrong = random.Random(seed), []
    with started("orders", GODEBUG="gctrace=1") as service, window() as terminal:
        for number in range(count):
            terminal.press("C-u")  # what was typed too late for the round before
            terminal.type(f"clear; N={number}; {MEMTUI} --pid {service.pid}")
            time.sleep(chance.uniform(0.0, LATEST_S))
            way = chance.choice(("q", "TERM", "INT", "HUP"))
            wrong += _ended(terminal, number, way)
        wrong += [f"left behind: {each.pid}" for each in terminal.shell().children(recursive=True)]
    return wrong


def _ended(terminal: Window, number: int, way: str) -> list[str]:
    """End what runs in the window; return what was not well."""
    deadline = time.monotonic() + ENDED_S
    while not (found := re.search(rf"round {number} code=(\d+)", terminal.screen())):
        if time.monotonic() > deadline:
            return [f"round {number}: still there after {ENDED_S:g} s ({way})"]
        for each in terminal.shell().children():
            try:
                if way == "q":
                    terminal.press("q")
                elif str(MEMTUI) in each.cmdline():
                    each.send_signal(getattr(signal, f"SIG{way}"))
            except psutil.Error:
                continue
        time.sleep(0.1)
    screen, wrong = terminal.screen(), []
    if "Traceback" in screen or "defect" in screen or "Warning" in screen:
        wrong.append(f"round {number} ({way}): {screen.strip()}")
    if not terminal.is_restored():
        wrong.append(f"round {number} ({way}): the terminal is not restored")
    codes = {"q": {0}, "TERM": {143}, "INT": {130, 1}, "HUP": {129}}[way]
    if int(found[1]) not in codes:
        wrong.append(f"round {number} ({way}): exit code {found[1]}")
    return wrong


def signalled() -> dict[str, float]:
    """Return for each signal how long the end took, in seconds."""
    took: dict[str, float] = {}
    with started("orders", GODEBUG="gctrace=1") as service, window() as terminal:
        for number in SIGNALS:
            terminal.type(f"clear; {MEMTUI} --pid {service.pid}")
            while "LIVE" not in terminal.screen():
                time.sleep(0.05)
            (memtui,) = terminal.shell().children()
            began = time.monotonic()
            memtui.send_signal(number)
            memtui.wait(ENDED_S)
            took[number.name] = time.monotonic() - began
            while f"code={128 + number}" not in terminal.screen():
                time.sleep(0.05)
    return took


def rows(count: int = ROUNDS) -> Iterator[Row]:
    """Start and end."""
    if shutil.which("tmux") is None:
        raise SystemExit("needs tmux")
    took = signalled()
    yield Row(
        f"{', '.join(took)}",
        "terminal restored, file closed, exit code 128+n",
        f"ended after {in_ms(list(took.values()))}",
        True,
    )
    wrong = rounds(count)
    yield Row(
        f"{count} starts and ends in tmux, at random moments of the first {LATEST_S:g} s",
        "no traceback, no orphan, terminal restored",
        "; ".join(wrong)[:500] or "none, none, always",
        not wrong,
    )
