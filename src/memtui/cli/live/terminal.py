"""Connects memtui to the terminal, also if standard input and output are redirected."""

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
"""How long the dashboard may take to end after a hangup: as long as a child may."""


def end_with_the_terminal(last: Callable[[], None]) -> None:
    """End memtui when the terminal hangs up, even if the event loop is blocked.

    Textual writes through a thread with a short queue. When a stalled terminal goes away, that
    thread dies with a full queue and the event loop waits for it forever, so no signal handler of
    the loop runs. A thread of memtui waits for the hangup (man 2 poll, POLLHUP), sends SIGHUP, and
    after GRACE_S calls ``last`` and ends the process.
    """

    def wait() -> None:
        poll = select.poll()
        poll.register(0, 0)  # poll always reports POLLHUP
        poll.poll()
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(GRACE_S)
        last()
        os._exit(128 + signal.SIGHUP)

    threading.Thread(target=wait, name="hangup", daemon=True).start()


def piped_input() -> int | None:
    """Return a descriptor of standard input; None if gctrace cannot come from it.

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
    environment would fix that size. Raises CliError if there is no terminal.
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
    # Python sets these to None if a descriptor was closed at the start; Textual uses them.
    if sys.__stdin__ is None:
        vars(sys)["__stdin__"] = sys.stdin = open(0, closefd=False)  # noqa: SIM115 - stays open
    if sys.__stderr__ is None:
        vars(sys)["__stderr__"] = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - too


def show(app: MemtuiApp) -> None:
    """Print the problems of the settings, then show the screen until it is closed."""
    for problem in app.problems:
        print(f"memtui: {problem}", file=sys.stderr)  # noqa: T201 - visible after the screen
    app.run(mouse=app.preferences.has_mouse)


def _connect(missing: list[int]) -> None:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        raise CliError(
            "no terminal", "over ssh, use ssh -t; without a terminal, use --plain or --once"
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
