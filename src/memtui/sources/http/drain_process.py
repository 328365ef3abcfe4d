"""Reads abandoned responses to their end in another process, also after memtui quits.

A Go program that writes ``heap?debug=1`` to a closed connection continues to the end of the text
and buffers all of it: text/tabwriter keeps its buffer when the write below it fails, and
runtime/pprof ignores the error (Go 1.27.3 text/tabwriter/tabwriter.go, handlePanic;
runtime/pprof/pprof.go, writeHeapInternal). A page of 235 MB raised RES from 45 MiB to 1.1 GiB. If
it is read to its end, no memory stays in use.

memtui must still quit at once. So the socket is passed to another process
(:mod:`memtui.sources.http.drain`), which discards the rest and outlives memtui. There is at most
one such process, and none until a response is abandoned.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
from pathlib import Path

from memtui.sources.http import drain

_READS = 16
_READ_BYTES = 1 << 16
_WITH_BOUNDARIES = socket.SOCK_DGRAM if sys.platform == "darwin" else socket.SOCK_SEQPACKET
"""macOS has no unix sockets of the type SOCK_SEQPACKET."""


class DrainProcess:
    """Manages the abandoned responses and the process that reads them to their end."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._names: dict[bytes, str] = {}
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def take(self, fd: int, name: str, *, half_close: bool = False) -> None:
        """Read a socket to its end in the background; the caller still closes ``fd``.

        ``name`` is the argument of ``is_draining``. If no process can be started, the rest is not
        read and the socket just closes. After ``half_close`` a Go server cancels the context of the
        request and writes the rest (Go 1.27.3 net/http/server.go, handleReadError). Some proxies
        abort the request then, and the server buffers the response after all, so it is only for
        pages that end early.
        """
        with contextlib.suppress(OSError):
            if half_close:
                with socket.socket(fileno=os.dup(fd)) as copy:
                    copy.shutdown(socket.SHUT_WR)
            if _is_at_end(fd):
                return
            number = next(self._numbers).to_bytes(8, "little")
            try:
                socket.send_fds(self._started(), [number], [fd])
            except OSError:  # it ended because it was idle
                self._forget()
                socket.send_fds(self._started(), [number], [fd])
            self._names[number] = name

    def is_draining(self, name: str) -> bool:
        """Return whether a response with this name is still being read."""
        self._listen()
        return name in self._names.values()

    def _listen(self) -> None:
        """Remove the responses that the process has finished."""
        while self._control is not None:
            try:
                number = self._control.recv(8, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                number = b""
            if not number:
                self._forget()
                return
            self._names.pop(number, None)

    def _started(self) -> socket.socket:
        self._listen()
        if self._control is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, _WITH_BOUNDARIES)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(Path(drain.__file__))],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            self._control = ours
        return self._control

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.poll()
        self._control = None
        self._names.clear()


def _is_at_end(fd: int) -> bool:
    """Read the data that has arrived; return whether the server closed the connection."""
    with socket.socket(fileno=fd) as alias:
        try:
            for _ in range(_READS):
                if not alias.recv(_READ_BYTES, socket.MSG_DONTWAIT):
                    return True
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            alias.detach()
    return False


DRAINS = DrainProcess()
"""The abandoned responses of this process; any part may abandon a request."""
