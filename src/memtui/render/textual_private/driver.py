"""The terminal as Textual drives it on Linux, but at rest while nothing happens.

Textual looks for keys ten times a second, and wakes the thread that writes three times for each
update: a tenth of the CPU time of a quiet dashboard.
"""

from __future__ import annotations

import os
import select
from codecs import getincrementaldecoder
from collections.abc import Iterable

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

BEGIN_UPDATE, END_UPDATE = "\x1b[?2026h", "\x1b[?2026l"
"""A terminal that knows them shows what lies between them at once (textual 8, app.py)."""

_CHUNK_BYTES = 4096
_TICK_S = constants.ESCAPE_DELAY / 2
_SETTLED_S = constants.ESCAPE_DELAY * 2
"""The parser waits ESCAPE_DELAY for what may follow an escape: after that nothing is left in it."""


class QuietDriver(LinuxDriver):
    """Waits for input without a beat, and writes an update in one piece."""

    _stop_fd = -1
    """Readable when no input is wanted any more (man 2 eventfd)."""
    _update: list[str] | None = None
    """The pieces of the update that is being written."""

    def write(self, data: str) -> None:
        """Write to the terminal; an update when its last piece is there."""
        if data == BEGIN_UPDATE:
            self._update = [data]
        elif self._update is None:
            super().write(data)
        else:
            self._update.append(data)
            if data == END_UPDATE:
                whole, self._update = "".join(self._update), None
                super().write(whole)

    def start_application_mode(self) -> None:
        """Take the terminal over, at the start and after ctrl+z."""
        if self._stop_fd < 0:
            self._stop_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def disable_input(self) -> None:
        """End the thread that waits for input; may be called again."""
        if self._stop_fd >= 0:
            os.eventfd_write(self._stop_fd, 1)
        super().disable_input()  # waits for the thread
        if self._stop_fd >= 0:
            os.close(self._stop_fd)
            self._stop_fd = -1

    def run_input_thread(self) -> None:
        """Pass on what is typed, until ``disable_input``."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")().decode
        stop_fd = self._stop_fd
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        poll.register(stop_fd, select.POLLIN)
        waits_s = 0.0  # how much longer the parser may wait for the rest of a sequence
        while stop_fd not in (ready := dict(poll.poll(_TICK_S * 1000 if waits_s > 0 else None))):
            waits_s -= _TICK_S
            if self.fileno in ready:
                waits_s = _SETTLED_S
                if not (data := _read(self.fileno)):  # the terminal is gone: SIGHUP tells that
                    poll.unregister(self.fileno)
                elif text := decode(data):  # none: a part of a character
                    self._pass_on(parser.feed(text))
            self._pass_on(parser.tick())

    def _pass_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)


def _read(fd: int) -> bytes:
    """Return what was typed; nothing when the other end is closed."""
    try:
        return os.read(fd, _CHUNK_BYTES)
    except OSError:
        return b""
