"""What can be seen of a process that is asked over HTTP without asking it: free for the process."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from memtui.model import Trouble
from memtui.parse.proc import ParseError
from memtui.parse.sockets import Listener, TcpListener
from memtui.sources.endpoint import PROC, listeners, shares_network
from memtui.sources.http import Address
from memtui.sources.proc import read_stat
from memtui.sources.source import SourceFailed

LOOK_S = 1.0
_STOPPED = "Tt"
"""By a signal, and by a debugger (man 5 proc, /proc/PID/stat)."""


STOPPED = Trouble(
    "the process is stopped: it answers nothing", "SIGCONT lets it go on (kill -CONT)", 0.0
)


class Seen(Enum):
    """What a look found."""

    NOTHING = "all is as it was, as far as one can see"
    CLOSED = "the socket that it listened on is closed"
    STOPPED = "it is stopped"


class Door:
    """The socket that a process listens on, by its descriptor: /proc/PID/fd/N says what it is.

    Reading that link costs some microseconds here and nothing there: it is looked at each second,
    where a question each second would be a load. A process that ends closes it too.
    """

    def __init__(self, pid: int | None, link: tuple[Path, str] | None, proc: Path = PROC) -> None:
        self._pid = pid
        self._link = link
        self._proc = proc

    @classmethod
    def of(cls, pid: int | None, address: Address | None, proc: Path = PROC) -> Door:
        """Find the one behind an address; without ``pid`` there is nothing to be seen.

        Reads all descriptors of the process: call it in a thread.
        """
        listener = None if pid is None or address is None else listener_at(pid, address, proc)
        link = None if pid is None or listener is None else _link(pid, listener, proc)
        return cls(pid, link, proc)

    def look(self) -> Seen:
        """Look once. That it is closed is said one time only: who asks then knows more."""
        if self._link is not None:
            path, was = self._link
            if _target(path) != was:
                self._link = None
                return Seen.CLOSED
        return Seen.STOPPED if self._is_stopped() else Seen.NOTHING

    def _is_stopped(self) -> bool:
        if self._pid is None:
            return False
        try:
            return read_stat(self._pid, self._proc).state in _STOPPED
        except (OSError, ParseError):
            return False

    async def watched(self, seconds: float, pause: Callable[[float], Awaitable[bool]]) -> Seen:
        """Wait, and look each second; return early when there is something to be seen.

        Also when ``pause`` says that somebody woke it.
        """
        end = time.monotonic() + seconds
        while True:
            seen = self.look()
            left_s = end - time.monotonic()
            if seen is not Seen.NOTHING or left_s <= 0:
                return seen
            if await pause(min(left_s, LOOK_S)):
                return Seen.NOTHING

    async def opened(self, pause: Callable[[float], Awaitable[bool]]) -> None:
        """Wait until the process is not stopped any more, or somebody wakes it."""
        while self._is_stopped() and not await pause(LOOK_S):
            pass


def listener_at(pid: int, address: Address, proc: Path = PROC) -> Listener | None:
    """Return the TCP socket with which the process itself listens at this address."""
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
