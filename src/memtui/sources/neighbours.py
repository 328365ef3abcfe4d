"""The sources of a session that ask the same server: what one of them meets, the others look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from memtui.sources.http import Address, Cause, HttpFailed
from memtui.sources.source import SourceFailed

_DOWN = (Cause.REFUSED, Cause.UNREACHABLE)
"""A server that cannot be connected to: to try it costs it nothing, and each page of it is away.

Who is asked and says nothing, or nonsense, may do so for one page, and is not asked more for it.
"""


@dataclass(slots=True)
class _Neighbour:
    look: Callable[[], None]
    server: str = ""


class Neighbours:
    """Has each source look at once when a server is gone, and when it is there again."""

    def __init__(self) -> None:
        self._all: dict[str, _Neighbour] = {}
        self._down: set[str] = set()

    def join(self, name: str, look: Callable[[], None]) -> None:
        """Let a source take part: ``look`` has it ask at once instead of when it would."""
        self._all[name] = _Neighbour(look)

    def failed(self, name: str, address: Address, failure: SourceFailed) -> None:
        """Take what a source could not read."""
        server = self._note(name, address)
        is_down = isinstance(failure, HttpFailed) and failure.cause in _DOWN
        if is_down and server not in self._down:
            self._down.add(server)
            self._tell(name, server)

    def answered(self, name: str, address: Address) -> None:
        """Take that a source was answered."""
        server = self._note(name, address)
        if server in self._down:
            self._down.discard(server)
            self._tell(name, server)

    def closed(self, name: str, address: Address) -> None:
        """Take that a source saw the socket of a server closed: it may be gone."""
        self._tell(name, self._note(name, address))

    def _note(self, name: str, address: Address) -> str:
        server = str(address.at("/"))
        self._all[name].server = server
        return server

    def _tell(self, name: str, server: str) -> None:
        for other, neighbour in self._all.items():
            if other != name and neighbour.server == server:
                neighbour.look()
