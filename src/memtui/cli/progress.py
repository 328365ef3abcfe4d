"""Shows progress on one line of the terminal, on standard error."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from memtui.model import Event

FIRST_SHOWN_S = 0.3
"""Work that takes less time shows no progress."""
INTERVAL_S = 0.2
_EVENTS_PER_CHECK = 256
"""The clock is read once per this number of events."""


class Progress:
    """A line on standard error that changes during some work and is removed after it.

    Nothing is shown if standard error is not a terminal, or, with ``beside_output``, if the output
    goes to the terminal too.
    """

    def __init__(self, what: str = "", *, beside_output: bool = False) -> None:
        self._what = what
        self._is_terminal = _is_terminal(sys.stderr)
        self._is_shown = self._is_terminal and not (beside_output and _is_terminal(sys.stdout))
        self._next_s = time.monotonic() + FIRST_SHOWN_S
        self._calls = 0
        self._has_line = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def at(self, share: float) -> None:
        """Show the share that is done, 0 to 1, unless the line is newer than INTERVAL_S."""
        if not self._is_shown or (now := time.monotonic()) < self._next_s:
            return
        self._next_s = now + INTERVAL_S
        self.show_work(f"{min(99, max(0, int(share * 100)))}%")

    def over(self, events: Iterable[Event], start: float, end: float) -> Iterator[Event]:
        """Yield the events between two moments, and show the share that is done."""
        length = max(1e-9, end - start)
        for event in events:
            self._calls += 1
            if self._is_shown and self._calls % _EVENTS_PER_CHECK == 0:
                self.at((event.at - start) / length)
            yield event

    def show_work(self, state: str) -> None:
        """Show the work and its state."""
        self.show(f"{self._what} {state}; ctrl+c stops")

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._is_shown:
            self._has_line = True
            click.echo(f"\r\x1b[K {text}", nl=False, err=True)

    def say(self, text: str, *, is_stamped: bool = False) -> None:
        """Print a line that stays; with date and time if it goes to a log (``is_stamped``)."""
        self.clear()
        stamp = time.strftime("%Y-%m-%d %H:%M:%S ") if is_stamped and not self._is_terminal else ""
        click.echo(f"{stamp}memtui: {text}", err=True)

    def clear(self) -> None:
        """Remove the line."""
        if self._has_line:
            click.echo("\r\x1b[K", nl=False, err=True)
        self._has_line = False


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show for how many seconds some work has been going on whose share is unknown."""
    if not _is_terminal(sys.stderr):
        yield
        return
    is_done, began_s = threading.Event(), time.monotonic()
    progress = Progress(what)

    def show_seconds() -> None:
        pause_s = FIRST_SHOWN_S
        while not is_done.wait(pause_s):
            progress.show_work(f"{time.monotonic() - began_s:.0f}s")
            pause_s = 1.0

    thread = threading.Thread(target=show_seconds, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()
        progress.clear()


def _is_terminal(stream: object) -> bool:
    is_terminal = getattr(stream, "isatty", None)
    return bool(is_terminal and is_terminal())
