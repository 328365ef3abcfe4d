"""A deadline for patterns where no engine is installed that searches in linear time."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from memtui.cli.errors import CliError
from memtui.pprof.pattern import is_linear

SECONDS = 10.0
"""What a report may take when Python's own engine searches; it looks for signals now and then."""


@contextlib.contextmanager
def in_time(seconds: float = SECONDS) -> Iterator[None]:
    """Raise Complaint after some seconds, unless patterns take linear time. Main thread only."""
    if is_linear():
        yield
        return

    def give_up(number: int, frame: object) -> None:
        raise CliError(
            f"the report took longer than {seconds:g} s, for a pattern perhaps",
            "google-re2, where it is installed, searches in linear time",
        )

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
