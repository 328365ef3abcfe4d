"""A separate program that reads abandoned responses to their end and discards them.

:mod:`memtui.sources.http.drain_process` starts it and passes sockets over standard input. It
outlives memtui, holds one buffer, and ends when the last socket has ended and no one can pass
another. It imports little, because it starts while memtui is quitting.
"""

import os
import select
import socket
import time

MOST_BYTES = 1 << 30
"""No page of a Go program is larger; an endless stream is closed here."""
LONGEST_S = 900.0
SILENT_S = 300.0
"""A server that sends nothing for this time hangs, or has no HTTP."""
MOST_SOCKETS = 64
"""The maximum number of sockets; beyond it the oldest is closed."""
IDLE_S = 60.0
LOOK_S = 5.0
_BUFFER_BYTES = 1 << 18
_NUMBER_BYTES = 8


class _Page:
    """One response that is being discarded."""

    def __init__(self, number: bytes, fd: int) -> None:
        self.number = number
        self.fd = fd
        self.bytes = 0
        self.began = self.heard = time.monotonic()

    def is_over(self, now: float) -> bool:
        """Return whether a limit was reached."""
        return (
            self.bytes >= MOST_BYTES
            or now - self.began >= LONGEST_S
            or now - self.heard >= SILENT_S
        )


class Drain:
    """Discards what arrives on the sockets that are passed over ``control``."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._has_parent = True
        self._pages: dict[int, _Page] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._buffer = bytearray(_BUFFER_BYTES)
        self._used = time.monotonic()

    def run(self) -> None:
        """Discard until no socket is open and the parent has closed the control socket."""
        while self._is_needed():
            for fd, _ in self._poll.poll(LOOK_S * 1000):
                if fd == self._control.fileno():
                    self._accept()
                else:
                    self._discard(self._pages[fd])
            now = time.monotonic()
            for page in [each for each in self._pages.values() if each.is_over(now)]:
                self._close(page)

    def _is_needed(self) -> bool:
        if self._pages:
            self._used = time.monotonic()
            return True
        return self._has_parent and time.monotonic() - self._used < IDLE_S

    def _accept(self) -> None:
        try:
            number, fds, _, _ = socket.recv_fds(self._control, _NUMBER_BYTES, 1)
        except OSError:
            number, fds = b"", []
        if not number:
            self._has_parent = False
            self._poll.unregister(self._control)
            return
        for fd in fds:
            if len(self._pages) >= MOST_SOCKETS:
                self._close(next(iter(self._pages.values())))
            os.set_blocking(fd, False)
            self._pages[fd] = _Page(number, fd)
            self._poll.register(fd, select.POLLIN)

    def _discard(self, page: _Page) -> None:
        try:
            count = os.readv(page.fd, [self._buffer])
        except BlockingIOError:
            return
        except OSError:
            count = 0
        page.bytes += count
        page.heard = time.monotonic()
        if not count:
            self._close(page)

    def _close(self, page: _Page) -> None:
        self._poll.unregister(page.fd)
        os.close(page.fd)
        del self._pages[page.fd]
        try:
            self._control.send(page.number, socket.MSG_DONTWAIT)  # Python ignores SIGPIPE
        except OSError:
            self._has_parent = False


if __name__ == "__main__":
    Drain(socket.socket(fileno=0)).run()
