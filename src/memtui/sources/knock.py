"""Asks a listener for one page over plain HTTP, after a pause in which a server may speak first."""

from __future__ import annotations

import asyncio
import re
import time
from enum import Enum
from urllib.parse import urlsplit

from memtui.sources.draining import DRAINS
from memtui.sources.http import Address, Response

GREETING_S = 0.05
"""A server of a protocol in which the server speaks first (NATS, SMTP, SSH, MySQL) writes its
greeting as soon as it has accepted: on loopback well within this."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_TLS_ALERT = b"\x15\x03"
"""The record type and the major version of a TLS alert (RFC 8446, 5.1)."""
_HEADERS_END = b"\r\n\r\n"


class Silence(Enum):
    """Why a listener gave no HTTP answer."""

    GREETED = "spoke first"
    CLOSED = "closed the connection"
    TIMED_OUT = "timed out"
    NOT_HTTP = "not HTTP"
    TLS = "TLS"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


async def knock(address: Address, *, deadline_s: float, limit_bytes: int) -> Response | Silence:
    """Ask for a page once, on a connection of its own; return the answer, or why there was none.

    Nothing is sent to a server that speaks first. The body is cut off at ``limit_bytes`` and keeps
    the framing of its chunks. The deadline is for everything from the connection to the last byte.
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
    return _answer(bytes(raw), time.perf_counter() - began)


def _is_whole(raw: bytearray) -> bool:
    """Tell whether an answer with a length has come, or something that is no HTTP."""
    if raw and not b"HTTP/".startswith(raw[:5]):
        return True
    head, end, body = raw.partition(_HEADERS_END)
    length = _headers(bytes(head)).get("content-length", "") if end else ""
    return length.isdecimal() and len(body) >= int(length)


def _answer(raw: bytes, took_s: float) -> Response | Silence:
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
