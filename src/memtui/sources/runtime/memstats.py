"""Lists the pages with MemStats of a process, and reads one of them.

Also finds the GC cycles that earlier pages did not have, and checks that a page belongs to the
target process.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from memtui.model import Absent, Origin
from memtui.parse.process.proc import ProcStatus
from memtui.parse.runtime.memstats import (
    CommandHash,
    Cycle,
    MemStatsError,
    MemStatsPage,
    parse_expvar,
    parse_gops,
    parse_heap_text,
)
from memtui.parse.runtime.prometheus import parse_prometheus
from memtui.sources.http.client import Address, get, refusal
from memtui.sources.http.server_health import listener_at
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import reader_at
from memtui.sources.runtime.gops import GopsAgent, ask_gops
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
class MemStatsAddress:
    """A page with MemStats; ``is_own`` if its socket belongs to the process."""

    origin: Origin
    address: Address | GopsAgent
    is_own: bool

    @property
    def http(self) -> Address | None:
        """The HTTP address; None for a gops agent."""
        return self.address if isinstance(self.address, Address) else None

    def __str__(self) -> str:
        """Return the text for the screen, without credentials."""
        return str(self.address).replace("?…", "?debug=1")


@dataclass(frozen=True, slots=True)
class MemStatsAnswer:
    """A page with its cost; ``waited_s`` is the time until the first byte."""

    page: MemStatsPage
    took_s: float
    waited_s: float
    size_bytes: int


class NoSuchPage(SourceFailed):
    """The address has no page with MemStats, and will not have one soon."""


def pages_of_pprof(base: Address, *, is_own: bool) -> Iterator[MemStatsAddress]:
    """Yield the pages of a server with /debug/pprof/, best first."""
    yield MemStatsAddress(Origin.EXPVAR, base.at("/debug/vars"), is_own)
    yield MemStatsAddress(Origin.METRICS, base.at("/metrics"), is_own)
    yield MemStatsAddress(Origin.HEAP_TEXT, base.join("heap?debug=1"), is_own)


def pages_of_url(address: Address, *, is_own: bool) -> Iterator[MemStatsAddress]:
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
        yield MemStatsAddress(Origin.EXPVAR, address.at(f"{start}/debug/vars"), is_own)
    yield MemStatsAddress(Origin.METRICS, address.at("/metrics"), is_own)
    heap = address.at(f"{prefix}/debug/pprof/heap?{'&'.join(('debug=1', *kept))}")
    yield MemStatsAddress(Origin.HEAP_TEXT, heap, is_own)


async def ask(page: MemStatsAddress) -> MemStatsAnswer:
    """Read a page once; raise SourceFailed, NoSuchPage if it has no valid MemStats."""
    deadline_s = _DEADLINES_S[page.origin]
    if isinstance(page.address, GopsAgent):
        body, took_s = await ask_gops(page.address, deadline_s)
        return MemStatsAnswer(await _parsed(page, body), took_s, took_s, len(body))
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
    return MemStatsAnswer(parsed, answer.took_s, answer.waited_s, answer.size_bytes)


async def _parsed(page: MemStatsAddress, body: bytes) -> MemStatsPage:
    parse = _PARSERS[page.origin]
    if page.origin is Origin.METRICS and "prometheus_client" not in sys.modules:
        await asyncio.to_thread(import_module, "prometheus_client.parser")
    try:
        if len(body) > _LARGE_BYTES:
            return await asyncio.to_thread(parse, body)
        return parse(body)
    except MemStatsError as error:
        raise NoSuchPage(f"{page} {error}") from None


class GcRing:
    """Finds the GC cycles in a MemStats page that earlier pages did not have."""

    def __init__(self) -> None:
        self._last: Cycle | None = None

    def new(self, page: MemStatsPage) -> tuple[bool, list[Cycle], int]:
        """Return whether the process restarted, its new cycles, and the number of lost cycles.

        Cycles beyond the capacity of the rings are lost. The process restarted if its number of
        cycles decreased, or if a known cycle has another end time now.
        """
        newest, last = page.stats.num_gc, self._last
        if isinstance(newest, Absent):
            return False, [], 0
        rings = {cycle.number: cycle for cycle in page.cycles}
        self._last = rings.get(newest, Cycle(newest, 0.0, 0.0))
        if last is None:
            return False, list(page.cycles), 0
        same = rings.get(last.number, last)
        if newest < last.number or (last.ended_at and same.ended_at != last.ended_at):
            return True, list(page.cycles), 0
        new = [each for each in page.cycles if each.number > last.number]
        return False, new, newest - last.number - len(new) if rings else 0


_SLACK_BYTES = 64 << 20
_SLACK = 4
"""The memory of Go may far exceed RES if the program never touched it."""


def foreign_reason(
    page: MemStatsPage, pid: int, status: ProcStatus, *, is_own: bool, proc: Path = PROC
) -> str | None:
    """Return why the page belongs to another process; None if it may belong to this one.

    A program may change its own os.Args, but keeps its name, which is sufficient if the socket
    belongs to the process (``is_own``). Otherwise the whole command line must be equal. Without a
    command line, the memory that Go holds may not exceed RES many times if the socket is foreign,
    and never the address space.
    """
    ours = _command(pid, proc)
    if page.command is not None and ours is not None:
        same = page.command.program == ours.program if is_own else page.command == ours
        return None if same else "belongs to another process: its command line differs"
    stats = page.stats
    sizes = (stats.sys_bytes, stats.heap_released_bytes, status.res_bytes, status.swap_bytes)
    whole, released, resident, swapped = (0 if isinstance(each, Absent) else each for each in sizes)
    held = whole - released
    if not is_own and held > _SLACK * (resident + swapped) + _SLACK_BYTES:
        return f"belongs to another process: Go holds {held >> 20} MiB, RES is {resident >> 20}"
    virtual = status.virt_bytes
    if isinstance(virtual, int) and whole > virtual + _SLACK_BYTES:
        return f"belongs to another process: Go has {whole >> 20} MiB, VIRT is {virtual >> 20}"
    return None


def _command(pid: int, proc: Path) -> CommandHash | None:
    try:
        command = reader_at(proc).command(pid)
    except OSError:
        return None
    return CommandHash.of(command) if command else None


def owns_address(pid: int, address: Address, proc: Path = PROC) -> bool:
    """Return whether the process listens at this address of this machine."""
    return listener_at(pid, address, proc) is not None
