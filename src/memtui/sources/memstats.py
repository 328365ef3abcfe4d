"""The pages that MemStats can be read from, and one reading of one of them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from urllib.parse import urlsplit

from memtui.model import Origin
from memtui.parse.expvar import parse_expvar
from memtui.parse.gops import parse_gops
from memtui.parse.heaptext import parse_heap_text
from memtui.parse.memstats import MemStatsError, MemStatsPage
from memtui.parse.prometheus import parse_prometheus
from memtui.sources.gops import GopsAgent, ask_gops
from memtui.sources.http import Address, get, refusal
from memtui.sources.source import SourceFailed

_PARSERS: dict[Origin, Callable[[bytes], MemStatsPage]] = {
    Origin.EXPVAR: parse_expvar,
    Origin.HEAP_TEXT: parse_heap_text,
    Origin.METRICS: parse_prometheus,
    Origin.GOPS: parse_gops,
}
_DEADLINES_S = {
    Origin.EXPVAR: 15.0,
    Origin.HEAP_TEXT: 300.0,
    Origin.METRICS: 15.0,
    Origin.GOPS: 2.0,
}
"""The host may be busy. A heap?debug=1 that was begun is written to its end in any case: so memtui
waits for its last lines."""
_LIMITS_BYTES = {
    Origin.EXPVAR: 4 << 20,
    Origin.HEAP_TEXT: 1 << 30,
    Origin.METRICS: 16 << 20,
}
_TAIL_BYTES = 64 << 10
"""Of heap?debug=1 only the end is kept: the trailer is 10 KB, what is before it 40 KB to 230 MB."""
_LARGE_BYTES = 256 << 10
"""More than this is parsed in a thread."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to ask; ``is_own`` when the process itself holds the socket behind it."""

    origin: Origin
    address: Address | GopsAgent
    is_own: bool

    @property
    def http(self) -> Address | None:
        """Where it is asked for over HTTP; None for a gops agent."""
        return self.address if isinstance(self.address, Address) else None

    def __str__(self) -> str:
        """Write it for the screen: never with credentials."""
        return str(self.address).replace("?…", "?debug=1")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page said, and what asking cost; ``waited_s`` is the time until it began to speak."""

    page: MemStatsPage
    took_s: float
    waited_s: float
    size_bytes: int


class NoSuchPage(SourceFailed):
    """What answers there is no page with MemStats, and will not be one soon."""


def pages_of_pprof(base: Address, *, is_own: bool) -> Iterator[Page]:
    """Yield the pages beside a /debug/pprof/, best first."""
    yield Page(Origin.EXPVAR, base.at("/debug/vars"), is_own)
    yield Page(Origin.METRICS, base.at("/metrics"), is_own)
    yield Page(Origin.HEAP_TEXT, base.join("heap?debug=1"), is_own)


def pages_of_url(address: Address, *, is_own: bool) -> Iterator[Page]:
    """Yield the pages that an address of a profile leads to, best first.

    They are of the same server, so they get the credentials in the address; the rest of its
    query goes to the heap profile alone, for which it was given.
    """
    path, query = urlsplit(address.url).path, urlsplit(address.url).query
    prefix, pprof, _ = path.partition("/debug/pprof")
    if not pprof:
        prefix = ""
    kept = [each for each in query.split("&") if each and not each.startswith(("debug=", "gc="))]
    for start in dict.fromkeys((prefix, "")):
        yield Page(Origin.EXPVAR, address.at(f"{start}/debug/vars"), is_own)
    yield Page(Origin.METRICS, address.at("/metrics"), is_own)
    heap = address.at(f"{prefix}/debug/pprof/heap?{'&'.join(('debug=1', *kept))}")
    yield Page(Origin.HEAP_TEXT, heap, is_own)


async def ask(page: Page) -> Answer:
    """Ask a page once; raise SourceFailed, NoSuchPage when it is none with honest MemStats."""
    deadline_s = _DEADLINES_S[page.origin]
    if isinstance(page.address, GopsAgent):
        body, took_s = await ask_gops(page.address, deadline_s)
        return Answer(await _parsed(page, body), took_s, took_s, len(body))
    answer = await get(
        page.address,
        deadline_s=deadline_s,
        limit_bytes=_LIMITS_BYTES[page.origin],
        tail_bytes=_TAIL_BYTES if page.origin is Origin.HEAP_TEXT else None,
    )
    if (failed := refusal(page.address, answer)) is not None:
        if answer.status >= 500:
            raise failed
        raise NoSuchPage(failed.reason, failed.hint)
    parsed = await _parsed(page, answer.body)
    return Answer(parsed, answer.took_s, answer.waited_s, answer.size_bytes)


async def _parsed(page: Page, body: bytes) -> MemStatsPage:
    parse = _PARSERS[page.origin]
    if page.origin is Origin.METRICS and "prometheus_client" not in sys.modules:
        await asyncio.to_thread(import_module, "prometheus_client.parser")
    try:
        if len(body) > _LARGE_BYTES:
            return await asyncio.to_thread(parse, body)
        return parse(body)
    except MemStatsError as error:
        raise NoSuchPage(f"{page} {error}") from None
