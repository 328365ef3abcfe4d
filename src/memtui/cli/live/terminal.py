"""The terminal that the screen needs, whatever standard input and output are connected to."""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from memtui.cli.errors import CliError

if TYPE_CHECKING:
    from memtui.dashboard.app import MemtuiApp

GRACE_S = 8.0
"""How long the dashboard may take to end when the terminal is gone: as long as a child may."""


def end_with_the_terminal(last: Callable[[], None]) -> None:
    """See to it that memtui ends when the terminal hangs up, whatever the event loop is doing.

    Textual writes through a thread with a short queue. When a stalled terminal goes away, that
    thread dies with the queue full, and the event loop waits on it for ever: no signal handler of
    the loop runs any more. So a thread of its own waits for the hang-up (man 2 poll, POLLHUP),
    asks as SIGHUP would, and after GRACE_S calls ``last`` and ends the process.
    """

    def wait() -> None:
        poll = select.poll()
        poll.register(0, 0)  # a hang-up is reported unasked
        poll.poll()
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(GRACE_S)
        last()
        os._exit(128 + signal.SIGHUP)

    threading.Thread(target=wait, name="hang-up", daemon=True).start()


def piped_input() -> int | None:
    """Return a descriptor of what is piped into memtui; None when that is nothing to read.

    A pipe, a socket and a regular file are read; a terminal and devices such as /dev/null are not.
    """
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode):
        return os.dup(0)
    return None


def take_terminal() -> None:
    """Connect descriptors 0, 1 and 2 to the terminal.

    Textual reads keys from 0, asks 1 for the size and paints on 2; COLUMNS and LINES in the
    environment would freeze that size. Raises Complaint when there is no terminal.
    """
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        raise CliError(
            f"TERM is {os.environ.get('TERM') or 'not set'}: memtui needs a terminal that can draw",
            "try: TERM=xterm-256color memtui …",
        )
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    missing = [fd for fd in (0, 1, 2) if not _is_terminal(fd)]
    if missing:
        _connect(missing)
    # Python leaves these None when a descriptor was closed at its start; Textual uses them.
    if sys.__stdin__ is None:
        vars(sys)["__stdin__"] = sys.stdin = open(0, closefd=False)  # noqa: SIM115 - stays open
    if sys.__stderr__ is None:
        vars(sys)["__stderr__"] = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - too


def show(app: MemtuiApp) -> None:
    """Show the screen until it is closed; what is wrong with the settings is told before."""
    for problem in app.problems:
        print(f"memtui: {problem}", file=sys.stderr)  # noqa: T201 - stands there after the screen
    app.run(mouse=app.preferences.has_mouse)


def _connect(missing: list[int]) -> None:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        raise CliError(
            "no terminal", "over ssh use ssh -t; memtui draws a screen and reads keys"
        ) from None
    for fd in missing:
        if fd != terminal:
            os.dup2(terminal, fd)
    if terminal not in missing:
        os.close(terminal)


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False
