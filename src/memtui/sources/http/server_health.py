"""Checks through /proc whether the target's socket still listens, at no cost to the target.

Also notifies all sources of a server when one of them finds it down or up again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from memtui.model import Trouble
from memtui.parse.process.proc import ParseError
from memtui.parse.process.sockets import Listener, TcpListener
from memtui.sources.http.client import Address, HttpCause, HttpFailed
from memtui.sources.http.endpoint import listeners
from memtui.sources.process.host import shares_network
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import reader_at
from memtui.sources.source import SourceFailed

LOOK_S = 1.0
_STOPPED = "Tt"
"""States: stopped by a signal, or by a debugger (man 5 proc, /proc/PID/stat)."""


STOPPED = Trouble(
    "the process is stopped and does not answer", "SIGCONT resumes it (kill -CONT)", 0.0
)


class SocketState(Enum):
    """The result of a check."""

    NOTHING = "all is as it was, as far as one can see"
    CLOSED = "the socket that it listened on is closed"
    STOPPED = "it is stopped"


class SocketWatch:
    """Watches the listening socket of a process by its link /proc/PID/fd/N.

    Reading the link takes a few microseconds here and nothing in the target, so it is read each
    second, where a request each second would be a load. A process that ends closes it too.
    """

    def __init__(self, pid: int | None, link: tuple[Path, str] | None, proc: Path = PROC) -> None:
        self._pid = pid
        self._link = link
        self._proc = proc

    @classmethod
    def of(cls, pid: int | None, address: Address | None, proc: Path = PROC) -> SocketWatch:
        """Return the watch of the socket of an address; without ``pid`` it never reports a change.

        Reads all descriptors of the process: call it in a thread.
        """
        listener = None if pid is None or address is None else listener_at(pid, address, proc)
        link = None if pid is None or listener is None else _link(pid, listener, proc)
        return cls(pid, link, proc)

    def look(self) -> SocketState:
        """Check once. A closed socket is reported only once; a request finds out more then."""
        if self._link is not None:
            path, was = self._link
            if _target(path) != was:
                self._link = None
                return SocketState.CLOSED
        return SocketState.STOPPED if self._is_stopped() else SocketState.NOTHING

    def _is_stopped(self) -> bool:
        if self._pid is None:
            return False
        try:
            return reader_at(self._proc).stat(self._pid).state in _STOPPED
        except (OSError, ParseError):
            return False

    async def watched(
        self, seconds: float, pause: Callable[[float], Awaitable[bool]]
    ) -> SocketState:
        """Wait ``seconds`` and check each second; return early on a change.

        Also returns early if ``pause`` was interrupted.
        """
        end = time.monotonic() + seconds
        while True:
            seen = self.look()
            left_s = end - time.monotonic()
            if seen is not SocketState.NOTHING or left_s <= 0:
                return seen
            if await pause(min(left_s, LOOK_S)):
                return SocketState.NOTHING

    async def opened(self, pause: Callable[[float], Awaitable[bool]]) -> None:
        """Wait until the process is no longer stopped, or ``pause`` is interrupted."""
        while self._is_stopped() and not await pause(LOOK_S):
            pass


def listener_at(pid: int, address: Address, proc: Path = PROC) -> Listener | None:
    """Return the TCP socket of the process that listens at this address."""
    parts = urlsplit(address.url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        is_local = parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
        if address.unix_socket is not None or not is_local or not shares_network(pid, proc):
            return None
        found = (each for each in listeners(pid, proc) if isinstance(each, TcpListener))
        return next((each for each in found if each.port == port), None)
    except (ValueError, SourceFailed):
        return None


def _link(pid: int, listener: Listener, proc: Path) -> tuple[Path, str] | None:
    wanted, folder = f"socket:[{listener.inode}]", proc / str(pid) / "fd"
    try:
        numbers = os.listdir(folder)
    except OSError:
        return None
    return next(
        ((folder / each, wanted) for each in numbers if _target(folder / each) == wanted), None
    )


def _target(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


_DOWN = (HttpCause.REFUSED, HttpCause.UNREACHABLE)
"""Failures to connect: they cost the server nothing, and concern all of its pages.

A late or invalid response may concern only one page, and does not notify other sources.
"""


@dataclass(slots=True)
class _RegisteredSource:
    look: Callable[[], None]
    server: str = ""


class ServerHealth:
    """Makes each source check at once when a server goes down, and when it is up again."""

    def __init__(self) -> None:
        self._all: dict[str, _RegisteredSource] = {}
        self._down: set[str] = set()

    def join(self, name: str, look: Callable[[], None]) -> None:
        """Register a source; ``look`` makes it send its next request at once."""
        self._all[name] = _RegisteredSource(look)

    def failed(self, name: str, address: Address, failure: SourceFailed) -> None:
        """Report the failure of a source."""
        server = self._note(name, address)
        is_down = isinstance(failure, HttpFailed) and failure.cause in _DOWN
        if is_down and server not in self._down:
            self._down.add(server)
            self._notify_others(name, server)

    def answered(self, name: str, address: Address) -> None:
        """Report a response to a source."""
        server = self._note(name, address)
        if server in self._down:
            self._down.discard(server)
            self._notify_others(name, server)

    def closed(self, name: str, address: Address) -> None:
        """Report that a source found the socket of a server closed."""
        self._notify_others(name, self._note(name, address))

    def _note(self, name: str, address: Address) -> str:
        server = str(address.at("/"))
        self._all[name].server = server
        return server

    def _notify_others(self, name: str, server: str) -> None:
        for other, neighbour in self._all.items():
            if other != name and neighbour.server == server:
                neighbour.look()
