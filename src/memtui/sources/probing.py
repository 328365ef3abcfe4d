"""Asks a listener of unknown kind for one page, and sends nothing to a server that speaks first.

A request that a server does not understand ends in its log: NATS greets its clients and logs a
parser error for HTTP. So the probe listens for a greeting before it sends. It does so on the very
connection of the request, because a connection that ends without a word is logged by a TLS server
(Go 1.27.3 net/http/server.go: a plain HTTP request is answered with 400 and not logged, EOF is).
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

from memtui.sources.http import Address, Cause, HttpFailed, Response, failure_of, import_httpx

if TYPE_CHECKING:
    import httpcore

GREETING_S = 0.05
"""Servers that speak first do so as soon as they accept."""
_HEADERS = (
    (b"User-Agent", b"memtui"),
    (b"Connection", b"close"),
    (b"Accept-Encoding", b"identity"),
)


class SpeaksFirstError(Exception):
    """A server sent something before it was asked: it is no HTTP server."""


async def ask(address: Address, *, deadline_s: float, limit_bytes: int) -> Response:
    """Ask for a page once; raise HttpFailed when no answer came within ``deadline_s``.

    Raises SpeaksFirstError, and sends nothing, when the server sends something before it is asked.
    Redirects are not followed, and certificates are not checked: nothing secret is sent. No more
    than ``limit_bytes`` of the body are read.
    """
    if "httpx" not in sys.modules:
        await asyncio.to_thread(import_httpx)
    import httpcore
    import httpx

    try:
        async with asyncio.timeout(deadline_s):
            return await _ask(address, limit_bytes)
    except TimeoutError:
        raise HttpFailed(
            Cause.TIMED_OUT,
            f"{address} did not answer within {deadline_s:g} s (host busy?)",
            "it is asked again, and given more time",
        ) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        as_httpx = getattr(httpx, type(error).__name__)(str(error))
        as_httpx.__cause__ = error
        raise failure_of(address, as_httpx) from None
    except OSError as error:
        raise failure_of(address, error) from None


async def _ask(address: Address, limit_bytes: int) -> Response:
    import httpcore
    import httpx

    began = time.perf_counter()
    context = httpx.create_ssl_context(verify=False, trust_env=False)
    async with (
        httpcore.AsyncConnectionPool(
            ssl_context=context, network_backend=_listening_first(), uds=address.unix_socket
        ) as pool,
        pool.stream("GET", address.url, headers=_HEADERS) as answer,
    ):
        waited_s = time.perf_counter() - began
        body = bytearray()
        async for chunk in answer.aiter_stream():
            body += chunk
            if len(body) > limit_bytes:
                raise HttpFailed(Cause.TOO_LARGE, f"{address} answers with a large page")
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in answer.headers
        }
        took_s = time.perf_counter() - began
        return Response(answer.status, headers, bytes(body), took_s, waited_s, len(body))


def _listening_first() -> httpcore.AsyncNetworkBackend:
    """Return what connects, and raises SpeaksFirstError where the server does."""
    import httpcore

    class ListeningFirst(httpcore.AnyIOBackend):
        async def connect_tcp(self, *args: Any, **named: Any) -> httpcore.AsyncNetworkStream:
            return await _silent(await super().connect_tcp(*args, **named))

        async def connect_unix_socket(
            self, *args: Any, **named: Any
        ) -> httpcore.AsyncNetworkStream:
            return await _silent(await super().connect_unix_socket(*args, **named))

    return ListeningFirst()


async def _silent(stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
    """Return the stream of a server that waits to be asked."""
    import httpcore

    try:
        said = await stream.read(1, timeout=GREETING_S)
    except httpcore.ReadTimeout:
        return stream
    await stream.aclose()
    if said:
        raise SpeaksFirstError
    raise httpcore.ReadError("closed before it was asked")
