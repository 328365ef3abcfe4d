"""A real terminal: tmux on a socket of its own, with a shell in it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from patience import PATIENCE_S

SCRIPTS = Path(sysconfig.get_path("scripts"))


class Terminal:
    """A shell in a tmux window."""

    def __init__(self, socket: Path, width: int, height: int) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        shell = "exec env -u PYTHONDONTWRITEBYTECODE PS1='begins> ' ENV= bash --norc --noprofile"
        self._run("new-session", "-d", "-x", str(width), "-y", str(height), shell)
        self._run("set-option", "-g", "status", "off")
        self.resize(width, height)
        # What is typed does not hold the prompt: it is there when all of this has been done.
        self.type(f"PATH={SCRIPTS}:$PATH TERM=xterm-256color PS1='rea''dy> '; clear")
        self.wait_for("ready>")
        self.wait_gone("begins>")

    def _run(self, *args: str) -> str:
        done = subprocess.run(
            [*self._tmux, *args], capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def type(self, command: str) -> None:
        """Type a line and return."""
        self._run("send-keys", "-l", command)
        self._run("send-keys", "Enter")

    def press(self, *keys: str) -> None:
        """Press keys by their tmux names."""
        for key in keys:
            self._run("send-keys", key)

    def resize(self, width: int, height: int) -> None:
        """Make the window another size."""
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def screen(self) -> str:
        """Return what is to be seen."""
        return self._run("capture-pane", "-p")

    def cells(self) -> str:
        """Return what is to be seen, with its colours."""
        return self._run("capture-pane", "-e", "-p")

    def modes(self) -> tuple[str, ...]:
        """Return whether the alternate screen, the mouse and the cursor are on."""
        flags = "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"
        return tuple(self._run("display-message", "-p", flags).split())

    def pane_pid(self) -> int:
        """Return the process id of the shell."""
        return int(self._run("display-message", "-p", "#{pane_pid}"))

    def memtui(self) -> psutil.Process:
        """Return the memtui that the shell started."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for each in psutil.Process(self.pane_pid()).children(recursive=True):
                with contextlib.suppress(psutil.Error):  # it ended meanwhile
                    if any(part.endswith("/memtui") for part in each.cmdline()):
                        return each
        pytest.fail(f"no memtui runs here\n{self.screen()}")

    def wait_for(self, *texts: str, seconds: float = PATIENCE_S) -> str:
        """Wait until the screen holds all of ``texts``; return it."""
        deadline = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if all(text in screen for text in texts):
                return screen
            if time.monotonic() > deadline:
                missing = [text for text in texts if text not in screen]
                pytest.fail(f"not on the screen after {seconds} s: {missing}\n{screen}")
            time.sleep(0.05)

    def wait_gone(self, text: str, seconds: float = PATIENCE_S) -> None:
        """Wait until the screen does not hold ``text`` any more."""
        deadline = time.monotonic() + seconds
        while text in (screen := self.screen()):
            if time.monotonic() > deadline:
                pytest.fail(f"still on the screen after {seconds} s: {text}\n{screen}")
            time.sleep(0.05)

    def close(self) -> None:
        """End tmux and what runs in it."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Open terminals of a size."""
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    opened: list[Terminal] = []

    def open_terminal(width: int = 120, height: int = 40) -> Terminal:
        opened.append(Terminal(tmp_path / f"tmux-{len(opened)}", width, height))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()
