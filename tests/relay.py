"""A real server before a real one, which fails as it is told to: refuses, hangs, drips, lies."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType

from heldport import HeldPort

FAULTS = ("refuse", "hang", "reset", "drip", "error", "garbage", "tls")
"""What it can be told to do to each request; "" passes them on."""

_PATIENCE_S = 60.0
_DRIPPING_S = 1.0
_TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
"""What a TLS server that is no Go server says to plain HTTP: fatal, protocol version."""


class Relay:
    """Passes requests on to ``service`` ("host:port") on a port of its own, until ``fault`` is set.

    A context manager: in the end its port and all connections are closed.
    """

    def __init__(self, service: str) -> None:
        host, _, port = service.rpartition(":")
        self._service = (host, int(port))
        self._fault = ""
        self._ended = threading.Event()
        self._changed = threading.Event()
        self._port = HeldPort()
        self._server = self._port.listening()
        self.asked = 0
        """How many requests came."""

    @property
    def address(self) -> str:
        """Where it listens, "host:port"."""
        return self._port.address

    @property
    def fault(self) -> str:
        """What it does to requests now."""
        return self._fault

    @fault.setter
    def fault(self, fault: str) -> None:
        was, self._fault = self._fault, fault
        self._changed.set()  # those that hang or drip are let go
        self._changed = threading.Event()
        if fault == "refuse":
            self._stop_listening()
        elif was == "refuse":
            self._server = self._port.listening()
            self._accept()

    def __enter__(self) -> Relay:
        self._accept()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._changed.set()
        self._stop_listening()
        self._port.close()

    def _stop_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._server.close()

    def _accept(self) -> None:
        threading.Thread(target=self._serve, args=(self._server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        changed, fault = self._changed, self._fault
        with client, contextlib.suppress(OSError):
            client.settimeout(_PATIENCE_S)
            request = _head(client)
            self.asked += bool(request)
            if not request:
                return
            match fault:
                case "hang":
                    changed.wait()
                case "error":
                    client.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\noops\n")
                case "garbage":
                    client.sendall(b"\x00\xff-ERR \x1b[31mwho are you\r\n\r\n")
                case "tls":
                    client.sendall(_TLS_ALERT)
                case _:
                    self._pass_on(client, request, fault, changed)

    def _pass_on(
        self, client: socket.socket, request: bytes, fault: str, changed: threading.Event
    ) -> None:
        answer = self._answer_to(request)
        if fault == "reset":
            client.sendall(answer[: len(answer) // 2])
            linger = struct.pack("ii", 1, 0)  # close sends RST: man 7 socket, SO_LINGER
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif fault == "drip":
            end = answer.index(b"\r\n\r\n") + 4
            client.sendall(answer[:end])
            for at in range(end, len(answer)):
                client.sendall(answer[at : at + 1])
                if changed.wait(_DRIPPING_S):
                    return
        else:
            client.sendall(answer)

    def _answer_to(self, request: bytes) -> bytes:
        with socket.create_connection(self._service, timeout=_PATIENCE_S) as service:
            service.sendall(request)
            parts = []
            while data := service.recv(1 << 16):
                parts.append(data)
            return b"".join(parts)


def _head(client: socket.socket) -> bytes:
    """Return the head of a request, which has no body and asks for the connection to be closed."""
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(1 << 16)
        if not data:
            return b""
        head += data
    return head
