"""Signals that come before there is a screen to close and a child to end."""

from __future__ import annotations

import signal
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2)


class EarlySignals:
    """Remembers what memtui was told while it starts: then it may have a child, but no loop.

    Handlers and not SIG_IGN, because a child inherits the latter (man 7 signal).
    """

    def __init__(self) -> None:
        self.told_to_end: int | None = None

    def listen(self) -> None:
        """Remember from now on; the dashboard takes over when it is mounted."""
        for number in ENDING:
            signal.signal(number, self._remember)
        for number in PASSED_ON:
            signal.signal(number, lambda number, frame: None)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.told_to_end = number
