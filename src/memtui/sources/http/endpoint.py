"""Finds the listening sockets of a process, and the one that serves net/http/pprof."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from contextlib import nullcontext
from itertools import groupby
from pathlib import Path

from memtui.parse.process.sockets import Listener, TcpListener
from memtui.sources.http.client import Address
from memtui.sources.http.known_services import KnownService, service_of
from memtui.sources.http.listener_probe import Probe, ProbeResult, probe_again
from memtui.sources.process.host import shares_network
from memtui.sources.process.proc import PROC
from memtui.sources.process.reader import no_access, reader_at, start_ticks
from memtui.sources.source import SourceFailed

PPROF_PORT = 6060
"""The port in the documentation of net/http/pprof, which most services use."""

_MOST_PROBES = 16
_MOST_NAMED = 5
_TTRPC = ".ttrpc"
"""The suffix of containerd's ttrpc socket, which logs an error for other protocols."""
_OR_URL = "or give --pprof URL"
ASKS_AGAIN = f"memtui asks again and waits longer, {_OR_URL}"
"""The hint for a listener that did not answer in time."""
_IMPORT = f'import _ "net/http/pprof" in the service, {_OR_URL}'


class EndpointAnswers(dict[Listener, Probe]):
    """The probes of the listeners of one process, shared by all sources.

    A source acquires ``turn`` before it probes, so that no listener is probed twice at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.turn = asyncio.Lock()

    def clear(self) -> None:
        """Remove the probes that may have changed; a listener without HTTP is not probed again.

        A restarted server is another listener: its socket has another inode.
        """
        settled = {each: probe for each, probe in self.items() if probe.is_settled}
        super().clear()
        self.update(settled)

    @property
    def is_late(self) -> bool:
        """Whether a listener did not answer in time."""
        return any(probe.is_late for probe in self.values())

    @property
    def http(self) -> list[Address]:
        """The addresses of HTTP servers that answered, in the order of the probes."""
        return [probe.spoke_at for probe in self.values() if probe.spoke_at is not None]


def listeners(pid: int, proc: Path = PROC) -> list[Listener]:
    """Return the listening sockets of a process, TCP first, in a stable order.

    They are the inodes of its socket descriptors that are listening in
    /proc/PID/net/{tcp,tcp6,unix}, in the network namespace of the process. Raises SourceFailed if
    the process has ended or belongs to another user.
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
    """Return the address of /debug/pprof/ of a process.

    Its listeners are probed one after the other, TCP first, until one serves it. ``known`` keeps
    the probes: a listener that answered is not probed again, a late one is probed again with a
    longer deadline; :class:`EndpointAnswers` are shared between sources. Raises SourceFailed with
    the result of the probes and a hint.
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
            f"not probed (--no-probe): listens on {_name_list(found)}",
            "give the one with net/http/pprof to --pprof",
            final=True,
        )
    near = found if shares_network(pid, proc) else [one for one in found if _is_file(one)]
    if not near:
        raise SourceFailed(
            f"listens on {_name_list(found)} in another network namespace (a container)",
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
    start_ticks(pid, reader_at(proc))  # if it ended meanwhile, that is the better error
    raise _not_found([known[each] for each in asked], len(wanted) - len(asked), service)


async def _first_with_pprof(
    asked: list[Listener], pid: int, proc: Path, known: MutableMapping[Listener, Probe]
) -> Address | None:
    """Probe the listeners whose answer may change, and late ones once more."""
    for each in asked:
        if each in known and (address := known[each].address) is not None:
            return address
    for each in asked:
        before = known.get(each)
        if before is None or before.is_open:
            known[each] = await probe_again(each, pid, proc, before)
            if (address := known[each].address) is not None:
                return address
    late = [known[each] for each in asked if known[each].is_late and known[each].silences == 1]
    again = await asyncio.gather(*(probe_again(each.listener, pid, proc, each) for each in late))
    known.update({each.listener: each for each in again})
    return next((each.address for each in again if each.address is not None), None)


def _is_of_another_protocol(listener: Listener, service: KnownService | None) -> bool:
    """Return whether a listener is known to have no HTTP, without a probe."""
    if isinstance(listener, TcpListener):
        return service is not None and listener.port in service.other_ports
    return listener.path.endswith(_TTRPC)


def advice(service: KnownService | None) -> str:
    """Return how to enable an endpoint; for a known service its own switch."""
    if service is None:
        return _IMPORT
    return f"{service.title}: {service.switch}, {_OR_URL}"


def memstats_advice(pid: int | None, proc: Path = PROC) -> str:
    """Return how to enable a page with MemStats; reads the binary of the process."""
    service = None if pid is None else service_of(pid, proc)
    if service is None:
        return f'import _ "expvar" or _ "net/http/pprof" in the service, {_OR_URL}'
    return advice(service)


def _not_found(probes: list[Probe], not_probed: int, service: KnownService | None) -> SourceFailed:
    left = f", {not_probed} not probed" if not_probed else ""
    named = f"{_name_list(probes)}{left}"
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


def _name_list(things: Iterable[Listener | Probe]) -> str:
    """Return the first few names in one line."""
    names = [str(thing) for thing in things]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _one_a_port(found: Iterable[Listener]) -> list[Listener]:
    """Return one listener per port, loopback preferred, most likely ports first."""
    tcp = [listener for listener in found if isinstance(listener, TcpListener)]
    tcp.sort(key=lambda one: (one.port, not one.is_loopback, not one.is_wildcard, one.host))
    of_port = [next(same) for _, same in groupby(tcp, key=lambda one: one.port)]
    of_port.sort(key=lambda one: (one.port != PPROF_PORT, not one.is_loopback))
    return [*of_port, *(one for one in found if not isinstance(one, TcpListener))]


def _is_file(listener: Listener) -> bool:
    """Return whether the socket is a file, which does not depend on the network namespace."""
    return not isinstance(listener, TcpListener) and not listener.is_abstract
