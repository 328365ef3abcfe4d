"""Remembers signals that arrive before the screen and the child exist."""

from __future__ import annotations

import signal
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2)


class EarlySignals:
    """Remembers the last ending signal during the start, when there is no event loop yet.

    Installs handlers instead of SIG_IGN, because a child would inherit SIG_IGN (man 7 signal).
    """

    def __init__(self) -> None:
        self.ending_signal: int | None = None

    def listen(self) -> None:
        """Install the handlers; the dashboard replaces them when it is mounted."""
        for number in ENDING:
            signal.signal(number, self._remember)
        for number in PASSED_ON:
            signal.signal(number, lambda number, frame: None)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.ending_signal = number
