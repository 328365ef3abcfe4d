"""Sends one HTTP GET with a deadline and a size limit, and reports failures in one line.

A response that has begun is always read to its end. :mod:`memtui.sources.http.drain_process` reads
the rest of an abandoned response, also after memtui quits.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, cast

from memtui import units
from memtui.sources.http.credentials import ANYBODY, BadSecret, Credentials
from memtui.sources.http.drain_process import DRAINS
from memtui.sources.source import SourceFailed

if TYPE_CHECKING:
    from types import TracebackType

    import httpcore
    import httpx

_HEADERS = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "memtui"}
_CHUNK_BYTES = 1 << 16


class HttpCause(Enum):
    """The cause of a failed request."""

    REFUSED = "refused"
    TIMED_OUT = "timed out"
    RESET = "reset"
    CERTIFICATE = "certificate"
    TLS = "tls"
    NOT_HTTP = "not http"
    TOO_LARGE = "too large"
    UNREACHABLE = "unreachable"
    BAD_URL = "bad url"


class HttpFailed(SourceFailed):
    """A request failed: the reason as a text, and the cause."""

    def __init__(self, cause: HttpCause, reason: str, hint: str = "") -> None:
        super().__init__(reason, hint, final=cause is HttpCause.BAD_URL)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a request: a URL, its unix socket, and the credentials of the user.

    The certificate of a service that memtui found among its sockets is not verified: there is no
    name to verify, and memtui sends no secret.
    """

    url: str
    unix_socket: str | None = None
    verify: bool = True
    access: Credentials = ANYBODY

    def join(self, path: str) -> Address:
        """Return the address of a path below this one."""
        return replace(self, url=self.url.rstrip("/") + "/" + path)

    def at(self, path: str) -> Address:
        """Return the address of another path of the same server, without the query."""
        scheme, _, rest = self.url.partition("://")
        authority = rest.partition("?")[0].partition("/")[0]
        return replace(self, url=f"{scheme}://{authority}{path}")

    @property
    def is_secret(self) -> bool:
        """Whether a request sends a secret."""
        return "@" in self.url or self.access.has_secret

    def __str__(self) -> str:
        """Return the text for screen and recording, without credentials and query values."""
        if self.unix_socket is None:
            return shown(self.url)
        _, slash, path = shown(self.url).partition("/")
        return f"unix:{self.unix_socket.replace(chr(0), '@')}{slash}{path}"


@dataclass(frozen=True, slots=True)
class Response:
    """A raw response: redirects are not followed, nothing is decoded. Header names are lower case.

    ``took_s`` is the time from before the connection to the last byte, ``waited_s`` the time to the
    headers. ``size_bytes`` is the size of the whole body; ``body`` may be only its end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_s: float
    waited_s: float
    size_bytes: int


def shown(url: str) -> str:
    """Return a URL without "http://", user, password and the values of its query.

    A password may contain an unescaped "/", "?" or "#", so everything before the last "@" is
    removed.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    rest, _, query = rest.rpartition("@")[2].partition("?")
    prefix = "" if scheme == "http" else f"{scheme}://"
    return f"{prefix}{rest.partition('#')[0]}{'?…' if query else ''}"


def import_httpx() -> None:
    """Import httpx without its command line, which imports rich: 5 MB and 50 ms of CPU.

    httpx treats a missing ``_main`` as "the command line is not installed" (httpx 0.28,
    __init__.py). The entry in sys.modules exists only during the import.
    """
    known = cast("dict[str, object]", sys.modules)
    known["httpx._main"] = None
    try:
        import_module("httpx")
    finally:
        del known["httpx._main"]


async def get(
    address: Address,
    *,
    deadline_s: float,
    limit_bytes: int,
    tail_bytes: int | None = None,
    ends_early: bool = False,
) -> Response:
    """Send one GET; raise HttpFailed without a complete response within ``deadline_s``.

    At most ``limit_bytes`` are read. ``tail_bytes`` keeps only the last bytes, so that the limit
    may be larger than the memory to use.

    A request that is abandoned (deadline, limit, cancellation) returns at once; the rest of the
    response is read and discarded in the background (``is_draining``), also after memtui quits. If
    the page ``ends_early``, as a CPU profile does, the server is notified at once.

    The deadline covers everything from the connection to the last byte. Proxies, netrc files and
    other environment settings are ignored; redirects are not followed; credentials are sent only if
    the address has them.
    """
    if "httpx" not in sys.modules:
        await asyncio.to_thread(import_httpx)
    import httpx

    headers = _headers(address)
    try:
        async with asyncio.timeout(deadline_s):
            exchange = _Exchange(str(address), ends_early=ends_early)
            return await _get(address, headers, limit_bytes, tail_bytes, exchange)
    except TimeoutError:
        raise HttpFailed(
            HttpCause.TIMED_OUT,
            f"{address} did not answer within {deadline_s:g} s (host busy?)",
            "memtui asks again; is the service stopped in a debugger, or not an HTTP server?",
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        # OSError: a TLS alert that comes with the first bytes is not wrapped by httpx 0.28.
        raise failure_of(address, error) from None


def _headers(address: Address) -> Mapping[str, str]:
    """Return the headers of a request; raise SourceFailed if a secret cannot be read."""
    try:
        authorization = address.access.authorization()
    except BadSecret as error:
        reason = f"no secret for {address} in {address.access.secret_file}: {error}"
        raise SourceFailed(reason) from None
    return _HEADERS | ({"Authorization": authorization} if authorization else {})


async def _get(
    address: Address,
    headers: Mapping[str, str],
    limit_bytes: int,
    tail_bytes: int | None,
    exchange: _Exchange,
) -> Response:
    import httpx

    began = time.perf_counter()
    url = httpx.URL(address.url)
    if url.scheme not in ("http", "https") or not url.host or (url.port or 80) > 0xFFFF:
        raise httpx.UnsupportedProtocol(address.url)
    transport = httpx.AsyncHTTPTransport(
        uds=address.unix_socket, verify=_certificates(address), trust_env=False
    )
    with exchange:
        async with (
            httpx.AsyncClient(
                transport=transport, headers=headers, timeout=None, trust_env=False
            ) as client,
            client.stream(
                "GET", url, follow_redirects=False, extensions={"trace": exchange.trace}
            ) as answer,
        ):
            waited_s = time.perf_counter() - began
            body, size_bytes = await _body(answer, limit_bytes, tail_bytes)
            exchange.is_whole = True
            took_s = time.perf_counter() - began
            return Response(
                answer.status_code, dict(answer.headers), body, took_s, waited_s, size_bytes
            )


class _Exchange:
    """Holds the connection of one request, so that the response is always read to its end.

    ``trace`` is httpcore's trace extension (httpcore 1.0, "Request extensions"). It provides the
    socket as soon as it exists, and the time at which the request is sent. The descriptor is a
    duplicate: the connection stays open when the client closes its own descriptor.
    """

    def __init__(self, name: str, *, ends_early: bool) -> None:
        self.is_whole = False
        self._name = name
        self._ends_early = ends_early
        self._fd = -1
        self._is_begun = False

    async def trace(self, event: str, info: dict[str, object]) -> None:
        """Handle a trace event of the client."""
        if event in _CONNECTED and self._fd < 0:
            stream = cast("httpcore.AsyncNetworkStream", info["return_value"])
            self._fd = os.dup(stream.get_extra_info("socket").fileno())
        elif event == "http11.send_request_headers.started":
            self._is_begun = True

    def __enter__(self) -> _Exchange:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._fd < 0:
            return
        try:
            if self._is_begun and not self.is_whole:
                DRAINS.take(self._fd, self._name, half_close=self._ends_early)
        finally:
            os.close(self._fd)


_CONNECTED = ("connection.connect_tcp.complete", "connection.connect_unix_socket.complete")


def is_draining(address: Address) -> bool:
    """Return whether an abandoned response of this address is still being read."""
    return DRAINS.is_draining(str(address))


async def _body(
    answer: httpx.Response, limit_bytes: int, tail_bytes: int | None
) -> tuple[bytes, int]:
    """Return the body, or its end, and its size in bytes."""
    body, size_bytes = bytearray(), 0
    announced = answer.headers.get("content-length", "")
    if not (announced.isdecimal() and int(announced) > limit_bytes):
        async for chunk in answer.aiter_raw(_CHUNK_BYTES):
            size_bytes += len(chunk)
            if size_bytes > limit_bytes:
                break
            body += chunk
            if tail_bytes is not None:
                del body[:-tail_bytes]
        else:
            return bytes(body), size_bytes
    raise HttpFailed(HttpCause.TOO_LARGE, f"the answer is larger than {units.size(limit_bytes)}")


def _certificates(address: Address) -> ssl.SSLContext | bool:
    """Return the trusted authorities: those of this machine and of httpx, or those of the user."""
    if not address.verify or address.access.insecure or not is_https(address.url):
        return False
    if address.access.cacert is not None:
        return ssl.create_default_context(cafile=address.access.cacert)
    import httpx

    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def is_https(url: str) -> bool:
    """Return whether a URL has the scheme https, in any case."""
    return url[:6].lower() == "https:"


def failure_of(address: Address, error: Exception) -> HttpFailed:
    """Return the failure of a request with a reason of one line."""
    import httpx

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"{address}: TLS certificate not valid: {cause.verify_message}"
            return HttpFailed(HttpCause.CERTIFICATE, reason, "--cacert FILE names its authority")
        if isinstance(cause, ssl.SSLError):
            return _tls_failure(address, cause)
        if isinstance(cause, ConnectionRefusedError):
            return HttpFailed(HttpCause.REFUSED, f"{address} refused the connection", _DOWN)
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return HttpFailed(HttpCause.RESET, f"{address} cut the connection", _DOWN)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return HttpFailed(
            HttpCause.BAD_URL, f"{address} is not a valid HTTP URL", "http://host:6060"
        )
    if isinstance(error, httpx.RemoteProtocolError):
        if "without sending" in str(error) or "incomplete" in str(error):
            return HttpFailed(HttpCause.RESET, f"{address} cut the connection", _DOWN)
        return HttpFailed(
            HttpCause.NOT_HTTP, f"{address} does not speak HTTP", "give another --pprof"
        )
    if isinstance(error, httpx.ReadError):
        return HttpFailed(HttpCause.RESET, f"{address} cut the connection", _DOWN)
    why = next((str(c.strerror) for c in causes if isinstance(c, OSError) and c.strerror), "")
    why = why or str(error) or type(error).__name__
    return HttpFailed(HttpCause.UNREACHABLE, f"{address} cannot be reached: {_one_line(why)}")


_DOWN = "does the service still run?"


def _tls_failure(address: Address, error: ssl.SSLError) -> HttpFailed:
    """Return the failure of TLS: usually plain HTTP on a port without TLS."""
    reason = (error.reason or str(error)).lower().replace("_", " ")
    if "wrong version number" in reason or "record layer" in reason:
        return HttpFailed(HttpCause.TLS, f"{address} does not speak TLS", "try http:// in --pprof")
    if "certificate required" in reason or "bad certificate" in reason:
        return HttpFailed(HttpCause.TLS, f"{address} wants a client certificate")
    return HttpFailed(HttpCause.TLS, f"{address}: TLS failed: {_one_line(reason)}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, including those in exception groups."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _causes(inner)
        error = error.__cause__ or error.__context__


def _one_line(text: str) -> str:
    return " ".join(text.split())[:120]


def refusal(address: Address, response: Response) -> SourceFailed | None:
    """Return the failure that a status other than 200 means; None for 200."""
    status = response.status
    if status == 200:
        return None
    if status in (401, 403):
        return SourceFailed(
            f"{address} wants credentials ({status})", "--pprof URL with --auth-env or --auth-file"
        )
    if status == 404:
        return SourceFailed(f"{address} answers 404: no such page", "is net/http/pprof in there?")
    if 300 <= status < 400:
        there = _one_line(shown(response.headers.get("location", "nowhere")))
        return SourceFailed(
            f"{address} redirects to {there} (not followed)", "give that address to --pprof"
        )
    if wants_tls(response):
        return SourceFailed(f"{address} wants TLS", "use https:// in --pprof")
    text = _one_line(response.body[:200].decode("utf-8", "replace"))
    if address.is_secret:  # a response may repeat the secret of the request
        text = ""
    return SourceFailed(f"{address} answers {status}{': ' if text else ''}{text}")


def wants_tls(response: Response) -> bool:
    """Return whether this is Go's answer to plain HTTP on a TLS port (net/http/server.go)."""
    return response.status == 400 and b"HTTP request to an HTTPS server" in response.body
