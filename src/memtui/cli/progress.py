"""How far something long is, on standard error, where somebody looks at that."""

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

PATIENCE_S = 0.3
"""What takes less time is not worth a word."""
BEAT_S = 0.2
_LOOKS_UP = 256
"""After so many calls the clock is looked at."""


class Progress:
    """A line that changes while something goes on; the line is gone when that is over.

    Nothing is shown where standard error is no terminal, nor, with ``beside_output``, where the
    output goes to the same terminal line by line.
    """

    def __init__(self, what: str, *, beside_output: bool = False) -> None:
        self._what = what
        self._is_shown = _is_terminal(sys.stderr) and not (
            beside_output and _is_terminal(sys.stdout)
        )
        self._next_s = time.monotonic() + PATIENCE_S
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
        """Show how much is done, 0 to 1, if it is time to."""
        if not self._is_shown or (now := time.monotonic()) < self._next_s:
            return
        self._next_s = now + BEAT_S
        self.show(f"{min(99, max(0, int(share * 100)))}%")

    def show(self, how_far: str) -> None:
        """Show the line with these words."""
        self._has_line = True
        click.echo(f"\r\x1b[K {self._what} {how_far}; ctrl+c ends it", nl=False, err=True)

    def over(self, events: Iterable[Event], start: float, end: float) -> Iterator[Event]:
        """Yield events between two moments, and show how far they are."""
        length = max(1e-9, end - start)
        for event in events:
            self._calls += 1
            if self._is_shown and self._calls % _LOOKS_UP == 0:
                self.at((event.at - start) / length)
            yield event

    def clear(self) -> None:
        """Take the line away."""
        if self._has_line:
            click.echo("\r\x1b[K", nl=False, err=True)
        self._has_line = False


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """Describe what goes on, and for how long already, while that cannot say how far it is."""
    if not _is_terminal(sys.stderr):
        yield
        return
    over, began_s = threading.Event(), time.monotonic()
    line = Progress(what)

    def tell() -> None:
        pause_s = PATIENCE_S
        while not over.wait(pause_s):
            line.show(f"{time.monotonic() - began_s:.0f}s")
            pause_s = 1.0

    telling = threading.Thread(target=tell, name="waiting", daemon=True)
    telling.start()
    try:
        yield
    finally:
        over.set()
        telling.join()
        line.clear()


def _is_terminal(stream: object) -> bool:
    is_terminal = getattr(stream, "isatty", None)
    return bool(is_terminal and is_terminal())
