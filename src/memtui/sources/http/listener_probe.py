"""Probes one listener for net/http/pprof: over plain HTTP after a pause, or over TLS."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from memtui.parse.process.sockets import Listener, TcpListener
from memtui.sources.http.client import Address, HttpCause, HttpFailed, Response, get, wants_tls
from memtui.sources.http.drain_process import DRAINS
from memtui.sources.process.proc import PROC

DEADLINES_S = (1.0, 5.0, 10.0)
"""Deadlines of the first, second and last probe: on a busy host a service may get no CPU for
seconds. The second probe follows at once if there is no other endpoint; after the last one the
listener is not probed again in the session."""
_LIMIT_BYTES = 64 << 10
_TLS_PORTS = frozenset({10250, 10257, 10259})
"""Of kubelet, kube-controller-manager and kube-scheduler (kubernetes.io, Ports and Protocols)."""


GREETING_S = 0.05
"""A server that speaks first (NATS, SMTP, SSH, MySQL) sends its greeting right after accept: on
loopback well within this time."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_TLS_ALERT = b"\x15\x03"
"""The record type and the major version of a TLS alert (RFC 8446, 5.1)."""
_HEADERS_END = b"\r\n\r\n"


class Silence(Enum):
    """The reason why a listener sent no HTTP response."""

    GREETED = "spoke first"
    CLOSED = "closed the connection"
    TIMED_OUT = "timed out"
    NOT_HTTP = "not HTTP"
    TLS = "TLS"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


class ProbeResult(Enum):
    """The result of a probe for /debug/pprof/; the value follows the name of the listener."""

    PPROF = "has pprof"
    ABSENT = "answers 404"
    OTHER = "answers without pprof"
    LOCKED = "wants credentials"
    REDIRECT = "redirects"
    TLS = "wants a client certificate or another TLS"
    LATE = "did not answer"
    CUT = "closed the connection"
    GREETS = "speaks first: not HTTP"
    NOT_HTTP = "is not HTTP"
    OTHER_PROTOCOL = "has another protocol (not asked)"
    REFUSED = "refuses"
    UNREACHABLE = "cannot be reached"


_VERDICTS = {
    HttpCause.REFUSED: ProbeResult.REFUSED,
    HttpCause.TIMED_OUT: ProbeResult.LATE,
    HttpCause.RESET: ProbeResult.CUT,
    HttpCause.NOT_HTTP: ProbeResult.NOT_HTTP,
    HttpCause.CERTIFICATE: ProbeResult.TLS,
    HttpCause.TLS: ProbeResult.TLS,
    HttpCause.TOO_LARGE: ProbeResult.OTHER,
    HttpCause.UNREACHABLE: ProbeResult.UNREACHABLE,
    HttpCause.BAD_URL: ProbeResult.UNREACHABLE,
}
_SILENCES = {
    Silence.GREETED: ProbeResult.GREETS,
    Silence.CLOSED: ProbeResult.CUT,
    Silence.TIMED_OUT: ProbeResult.LATE,
    Silence.NOT_HTTP: ProbeResult.NOT_HTTP,
    Silence.REFUSED: ProbeResult.REFUSED,
    Silence.UNREACHABLE: ProbeResult.UNREACHABLE,
}
_SETTLED = frozenset({
    ProbeResult.PPROF, ProbeResult.CUT, ProbeResult.GREETS, ProbeResult.NOT_HTTP,
    ProbeResult.OTHER_PROTOCOL, ProbeResult.TLS,
})  # fmt: skip
"""Results that do not change while a socket listens: one probe per session."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of probing one listener; ``address`` is that of its /debug/pprof/, if any.

    ``spoke_at`` is the address of any HTTP response; ``silences`` is the number of late answers,
    the last one with a deadline of ``deadline_s`` seconds.
    """

    listener: Listener
    verdict: ProbeResult
    address: Address | None = None
    spoke_at: Address | None = None
    silences: int = 0
    deadline_s: float = 0.0

    @property
    def is_late(self) -> bool:
        """Whether it did not answer in time, so that its content is unknown."""
        return self.verdict is ProbeResult.LATE

    @property
    def is_open(self) -> bool:
        """Whether another probe may have another result."""
        may_be_busy = self.is_late and self.silences < len(DEADLINES_S)
        return may_be_busy or self.verdict is ProbeResult.REFUSED

    @property
    def is_settled(self) -> bool:
        """Whether it is never probed again, even in a new search by the user."""
        return self.verdict in _SETTLED or (self.is_late and not self.is_open)

    def __str__(self) -> str:
        """Return it as a part of a sentence: 127.0.0.1:8080 answers 404."""
        text = f"{self.listener} {self.verdict.value}"
        return f"{text} within {self.deadline_s:g} s (host busy?)" if self.is_late else text


async def probe_again(listener: Listener, pid: int, proc: Path, before: Probe | None) -> Probe:
    """Probe a listener, with a longer deadline after each late answer."""
    silences = before.silences if before else 0
    deadline_s = DEADLINES_S[min(silences, len(DEADLINES_S) - 1)]
    probe = await probe_listener(listener, pid, proc, deadline_s)
    return replace(probe, silences=silences + probe.is_late, deadline_s=deadline_s)


async def probe_listener(
    listener: Listener, pid: int, proc: Path = PROC, deadline_s: float | None = None
) -> Probe:
    """Request /debug/pprof/ of one listener; a TLS port is probed again over TLS, without secrets.

    Usual TLS ports are probed over TLS first: net/http answers a ClientHello on a plain port
    with 400 and logs nothing, but logs a line for plain HTTP on a TLS port.
    """
    deadline_s = DEADLINES_S[0] if deadline_s is None else deadline_s
    probe = Probe(listener, ProbeResult.REFUSED, deadline_s=deadline_s)
    for address in _addresses(listener, pid, proc):
        ways = [address, _over_tls(address)]
        if _is_usual_for_tls(listener):
            ways.reverse()
        for asked in ways:
            answer = await _answer(asked, deadline_s)
            if isinstance(answer, ProbeResult):
                probe = Probe(listener, answer, deadline_s=deadline_s)
            elif not wants_tls(answer):
                verdict = _verdict(answer)
                found = asked if verdict is ProbeResult.PPROF else None
                return Probe(listener, verdict, found, asked, deadline_s=deadline_s)
            if answer is not ProbeResult.TLS and isinstance(answer, ProbeResult):
                break
        if probe.verdict is not ProbeResult.REFUSED:
            break
    return probe


def _is_usual_for_tls(listener: Listener) -> bool:
    """Return whether a port usually has TLS: 443, 6443, 8443 and so on."""
    if not isinstance(listener, TcpListener):
        return False
    return listener.port % 1000 == 443 or listener.port in _TLS_PORTS


async def _answer(address: Address, deadline_s: float) -> Response | ProbeResult:
    """Request the page over HTTP or TLS; return the response, or the reason without one."""
    if address.url.startswith("http:"):
        heard = await knock(address, deadline_s=deadline_s, limit_bytes=_LIMIT_BYTES)
        if heard is Silence.TLS:
            return ProbeResult.TLS
        return _SILENCES[heard] if isinstance(heard, Silence) else heard
    try:
        return await get(address, deadline_s=deadline_s, limit_bytes=_LIMIT_BYTES)
    except HttpFailed as failed:
        return _VERDICTS[failed.cause]


def _addresses(listener: Listener, pid: int, proc: Path) -> Iterator[Address]:
    """Yield the addresses of a listener, most likely first."""
    if not isinstance(listener, TcpListener):
        yield Address("http://localhost/debug/pprof/", _socket_path(listener.path, pid, proc))
        return
    hosts = [listener.host]
    if listener.is_wildcard:
        hosts = ["127.0.0.1", "::1"] if ":" in listener.host else ["127.0.0.1"]
    for host in hosts:
        authority = f"[{host}]" if ":" in host else host
        yield Address(f"http://{authority}:{listener.port}/debug/pprof/")


def _socket_path(path: str, pid: int, proc: Path) -> str:
    """Return the path of a unix socket for memtui: a process may have another root."""
    if path.startswith("@"):
        return "\0" + path[1:]
    if not path.startswith("/"):
        return str(proc / str(pid) / "cwd" / path)
    theirs = f"{proc / str(pid)}/root{path}"
    try:
        return path if os.path.samefile(path, theirs) else theirs
    except OSError:
        return theirs


def _over_tls(address: Address) -> Address:
    return Address(address.url.replace("http:", "https:", 1), address.unix_socket, verify=False)


def _verdict(response: Response) -> ProbeResult:
    if response.status == 200:
        is_index = b"/debug/pprof/" in response.body and b"heap" in response.body
        return ProbeResult.PPROF if is_index else ProbeResult.OTHER
    if response.status in (401, 403):
        return ProbeResult.LOCKED
    if 300 <= response.status < 400:
        return ProbeResult.REDIRECT
    return ProbeResult.ABSENT if response.status == 404 else ProbeResult.OTHER


async def knock(address: Address, *, deadline_s: float, limit_bytes: int) -> Response | Silence:
    """Request a page once, on a new connection; return the response, or why there is none.

    Nothing is sent to a server that speaks first. The body ends at ``limit_bytes`` and keeps its
    chunk framing. The deadline covers everything from the connection to the last byte.
    """
    try:
        async with asyncio.timeout(deadline_s):
            reader, writer = await _connected(address)
            try:
                return await _exchange(reader, writer, address, limit_bytes)
            finally:
                writer.close()
    except TimeoutError:
        return Silence.TIMED_OUT
    except ConnectionRefusedError:
        return Silence.REFUSED
    except (ConnectionResetError, BrokenPipeError):
        return Silence.CLOSED
    except OSError:
        return Silence.UNREACHABLE


async def _connected(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.unix_socket is not None:
        return await asyncio.open_unix_connection(address.unix_socket)
    parts = urlsplit(address.url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: Address, limit_bytes: int
) -> Response | Silence:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(GREETING_S):
            greeting = await reader.read(1)
    except TimeoutError:
        pass
    else:
        return Silence.GREETED if greeting else Silence.CLOSED
    parts = urlsplit(address.url)
    writer.write(
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\nUser-Agent: memtui\r\n\r\n".encode()
    )
    await writer.drain()
    raw, is_at_end = bytearray(), False
    try:
        while not (is_at_end := is_at_end or _is_whole(raw)) and len(raw) <= limit_bytes:
            chunk = await reader.read(1 << 16)
            raw += chunk
            is_at_end = not chunk
    finally:
        fd = writer.get_extra_info("socket").fileno()
        if not is_at_end and fd >= 0:  # a response that may have been begun is read to its end
            DRAINS.take(fd, str(address))
    return _parse_answer(bytes(raw), time.perf_counter() - began)


def _is_whole(raw: bytearray) -> bool:
    """Return whether the response is complete by its length, or is not HTTP."""
    if raw and not b"HTTP/".startswith(raw[:5]):
        return True
    head, end, body = raw.partition(_HEADERS_END)
    length = _headers(bytes(head)).get("content-length", "") if end else ""
    return length.isdecimal() and len(body) >= int(length)


def _parse_answer(raw: bytes, took_s: float) -> Response | Silence:
    if not raw:
        return Silence.CLOSED
    if raw.startswith(_TLS_ALERT):
        return Silence.TLS
    status = _STATUS.match(raw)
    if status is None:
        return Silence.NOT_HTTP
    head, _, body = raw.partition(_HEADERS_END)
    return Response(int(status[1]), _headers(head), body, took_s, took_s, len(body))


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
