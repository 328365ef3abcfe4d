"""Where a process listens, and behind which of its sockets net/http/pprof answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from contextlib import nullcontext
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from memtui.parse.process.sockets import Listener, TcpListener
from memtui.sources.http.client import Address
from memtui.sources.http.known_services import KnownService, service_of
from memtui.sources.http.listener_probe import DEADLINES_S, Probe, ProbeResult, probe_listener
from memtui.sources.process.host import shares_network
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import no_access, reader_at, start_ticks
from memtui.sources.source import SourceFailed

PPROF_PORT = 6060
"""The port of the example in the documentation of net/http/pprof, and so of most services."""

_MOST_PROBES = 16
_MOST_NAMED = 5
_TTRPC = ".ttrpc"
"""The end of the name of containerd's socket for ttrpc, which logs an error for a stranger."""
_OR_URL = "or give --pprof URL"
ASKS_AGAIN = f"memtui asks again and waits longer, {_OR_URL}"
"""What to do about a listener that was late: nothing is known of the service by that."""
_IMPORT = f'import _ "net/http/pprof" in the service, {_OR_URL}'


class EndpointAnswers(dict[Listener, Probe]):
    """What the listeners of one process answered, for all who ask them to share.

    Who asks takes its ``turn`` first: then no listener is asked the same by two at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.turn = asyncio.Lock()

    def clear(self) -> None:
        """Forget what may have changed; a listener that does not speak HTTP is not asked again.

        A server that was started again is another listener: its socket has another inode.
        """
        settled = {each: probe for each, probe in self.items() if probe.is_settled}
        super().clear()
        self.update(settled)

    @property
    def is_late(self) -> bool:
        """Whether one of them did not answer in time."""
        return any(probe.is_late for probe in self.values())

    @property
    def http(self) -> list[Address]:
        """Where an HTTP server answered, in the order in which they were asked."""
        return [probe.spoke_at for probe in self.values() if probe.spoke_at is not None]


def listeners(pid: int, proc: Path = PROC) -> list[Listener]:
    """Return the sockets of a process that wait for connections, TCP first, in a stable order.

    They are the inodes of its socket descriptors that /proc/PID/net/{tcp,tcp6,unix} call
    listening: all in the network namespace of that process. Raises SourceFailed when the
    process has ended or belongs to somebody else.
    """
    reader = reader_at(proc)
    start_ticks(pid, reader)
    try:
        return reader.listeners(pid)
    except OSError:
        start_ticks(pid, reader)
        raise no_access(pid) from None


async def find_pprof(
    pid: int,
    *,
    probe: bool = True,
    proc: Path = PROC,
    known: MutableMapping[Listener, Probe] | None = None,
) -> Address:
    """Return the address of the /debug/pprof/ that a process serves.

    Its listeners are asked one after the other, TCP first, until one has it. ``known`` keeps the
    answers: a listener that answered is not asked again, one that was late is asked again with a
    longer deadline; :class:`EndpointAnswers` are shared with others who ask. Raises
    SourceFailed: what was seen in one line, and what to do.
    """
    known = EndpointAnswers() if known is None else known
    async with known.turn if isinstance(known, EndpointAnswers) else nullcontext():
        return await _find_pprof(pid, probe, proc, known)


async def _find_pprof(
    pid: int, probe: bool, proc: Path, known: MutableMapping[Listener, Probe]
) -> Address:
    found = await asyncio.to_thread(listeners, pid, proc)
    service = await asyncio.to_thread(service_of, pid, proc)
    if not found:
        raise SourceFailed("no pprof endpoint: the process listens on no socket", advice(service))
    if not probe:
        raise SourceFailed(
            f"not probed (--no-probe): listens on {_named(found)}",
            "give the one with net/http/pprof to --pprof",
            final=True,
        )
    near = found if shares_network(pid, proc) else [one for one in found if _is_file(one)]
    if not near:
        raise SourceFailed(
            f"listens on {_named(found)} in another network namespace (a container)",
            f"nsenter -t {pid} -n memtui --pid {pid}, {_OR_URL}",
        )
    wanted = _one_a_port(near)
    asked = wanted[:_MOST_PROBES]
    for each in asked:
        if _is_of_another_protocol(each, service):
            known.setdefault(each, Probe(each, ProbeResult.OTHER_PROTOCOL))
    address = await _first_with_pprof(asked, pid, proc, known)
    if address is not None:
        return address
    start_ticks(
        pid, reader_at(proc)
    )  # it may have ended meanwhile: that says more than a port that refuses
    raise _not_found([known[each] for each in asked], len(wanted) - len(asked), service)


async def _first_with_pprof(
    asked: list[Listener], pid: int, proc: Path, known: MutableMapping[Listener, Probe]
) -> Address | None:
    """Ask those that may answer otherwise than before, and those that were late once more."""
    for each in asked:
        if each in known and (address := known[each].address) is not None:
            return address
    for each in asked:
        before = known.get(each)
        if before is None or before.is_open:
            known[each] = await _probed(each, pid, proc, before)
            if (address := known[each].address) is not None:
                return address
    late = [known[each] for each in asked if known[each].is_late and known[each].silences == 1]
    again = await asyncio.gather(*(_probed(each.listener, pid, proc, each) for each in late))
    known.update({each.listener: each for each in again})
    return next((each.address for each in again if each.address is not None), None)


def _is_of_another_protocol(listener: Listener, service: KnownService | None) -> bool:
    """Return whether a listener is known, without asking it, to have no HTTP."""
    if isinstance(listener, TcpListener):
        return service is not None and listener.port in service.other_ports
    return listener.path.endswith(_TTRPC)


async def _probed(listener: Listener, pid: int, proc: Path, before: Probe | None) -> Probe:
    """Ask a listener, the longer the more often it was late."""
    silences = before.silences if before else 0
    deadline_s = DEADLINES_S[min(silences, len(DEADLINES_S) - 1)]
    probe = await probe_listener(listener, pid, proc, deadline_s)
    return replace(probe, silences=silences + probe.is_late, deadline_s=deadline_s)


def advice(service: KnownService | None) -> str:
    """Return what gives a process an endpoint: the switch of a service that is known first."""
    if service is None:
        return _IMPORT
    return f"{service.title}: {service.switch}, {_OR_URL}"


def memstats_advice(pid: int | None, proc: Path = PROC) -> str:
    """Return what gives a process a page with MemStats; reads its binary."""
    service = None if pid is None else service_of(pid, proc)
    if service is None:
        return f'import _ "expvar" or _ "net/http/pprof" in the service, {_OR_URL}'
    return advice(service)


def _not_found(probes: list[Probe], not_probed: int, service: KnownService | None) -> SourceFailed:
    left = f", {not_probed} not probed" if not_probed else ""
    named = f"{_named(probes)}{left}"
    if any(probe.verdict is ProbeResult.LOCKED for probe in probes):
        hint = "--pprof URL with --auth-env or --auth-file"
        return SourceFailed(f"no pprof endpoint: {named}", hint)
    late = [probe for probe in probes if probe.is_late]
    if any(probe.is_open for probe in late):
        return SourceFailed(f"no pprof endpoint found yet: {named}", ASKS_AGAIN)
    if late:
        hint = "give --pprof URL if the service has an endpoint"
        return SourceFailed(f"no pprof endpoint found: {named}", hint)
    return SourceFailed(f"no pprof endpoint: {named}", advice(service))


def _named(things: Iterable[Listener | Probe]) -> str:
    """Name the first few of them in one line."""
    names = [str(thing) for thing in things]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _one_a_port(found: Iterable[Listener]) -> list[Listener]:
    """Choose one listener of each port, the one nearest to us, and put likely ones first."""
    tcp = [listener for listener in found if isinstance(listener, TcpListener)]
    tcp.sort(key=lambda one: (one.port, not one.is_loopback, not one.is_wildcard, one.host))
    of_port = [next(same) for _, same in groupby(tcp, key=lambda one: one.port)]
    of_port.sort(key=lambda one: (one.port != PPROF_PORT, not one.is_loopback))
    return [*of_port, *(one for one in found if not isinstance(one, TcpListener))]


def _is_file(listener: Listener) -> bool:
    """Return whether the socket is reached through a file, whatever the network namespace."""
    return not isinstance(listener, TcpListener) and not listener.is_abstract
