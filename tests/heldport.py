"""A port that stays ours while nobody listens on it: who comes then is refused, by nobody else."""

from __future__ import annotations

import socket


class HeldPort:
    """A port of 127.0.0.1, held until ``close``; servers may listen on it meanwhile, one at a time.

    A socket that is bound and does not listen refuses connections and keeps the port from being
    given away, to a server or to a client (man 7 ip, ip_local_port_range). With SO_REUSEADDR on
    both, as Go's servers have it, another socket may listen there (man 7 socket).
    """

    def __init__(self) -> None:
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind(("127.0.0.1", 0))
        self.port: int = self._holder.getsockname()[1]

    @property
    def address(self) -> str:
        """Where it is, "host:port"."""
        return f"127.0.0.1:{self.port}"

    def listening(self) -> socket.socket:
        """Return a socket that listens there."""
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", self.port))
        server.listen(16)
        return server

    def close(self) -> None:
        """Let go of it."""
        self._holder.close()
