"""Where a process listens, and behind which of its sockets net/http/pprof answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby
from pathlib import Path

from memtui.parse.process.sockets import Listener, TcpListener
from memtui.sources.http.client import Address, HttpCause, HttpFailed, Response, get, wants_tls
from memtui.sources.http.probe import KnownService, Silence, knock, service_of
from memtui.sources.process.host import shares_network
from memtui.sources.process.reader import no_access, reader_at, start_ticks
from memtui.sources.source import SourceFailed

PROC = Path("/proc")
PPROF_PORT = 6060
"""The port of the example in the documentation of net/http/pprof, and so of most services."""

_DEADLINES_S = (1.0, 5.0, 10.0)
"""How long the first question to a listener may take, the second and the last: a busy host may
leave a service without CPU for seconds. The second follows at once when nothing else was found;
after the last the listener is left alone for the session."""
_LIMIT_BYTES = 64 << 10
_MOST_PROBES = 16
_MOST_NAMED = 5
_TLS_PORTS = frozenset({10250, 10257, 10259})
"""Of kubelet, kube-controller-manager and kube-scheduler (kubernetes.io, Ports and Protocols)."""
_TTRPC = ".ttrpc"
"""The end of the name of containerd's socket for ttrpc, which logs an error for a stranger."""
_OR_URL = "or give --pprof URL"
ASKS_AGAIN = f"memtui asks again and waits longer, {_OR_URL}"
"""What to do about a listener that was late: nothing is known of the service by that."""
_IMPORT = f'import _ "net/http/pprof" in the service, {_OR_URL}'


class ProbeResult(Enum):
    """What a listener did when it was asked for /debug/pprof/, in words that follow its name."""

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
"""What does not change while a socket listens: such a listener is asked once in a session."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one listener answered; ``address`` is that of its /debug/pprof/, if it has one.

    ``spoke_at`` is where it gave an HTTP answer, whatever that said; ``silences`` is how often it
    did not answer in time, the last time within ``deadline_s`` seconds.
    """

    listener: Listener
    verdict: ProbeResult
    address: Address | None = None
    spoke_at: Address | None = None
    silences: int = 0
    deadline_s: float = 0.0

    @property
    def is_late(self) -> bool:
        """Whether it did not answer in time: that is no statement about what it serves."""
        return self.verdict is ProbeResult.LATE

    @property
    def is_open(self) -> bool:
        """Whether it may answer otherwise when it is asked again."""
        may_be_busy = self.is_late and self.silences < len(_DEADLINES_S)
        return may_be_busy or self.verdict is ProbeResult.REFUSED

    @property
    def is_settled(self) -> bool:
        """Whether it is never asked again, also not when the user asks for a new search."""
        return self.verdict in _SETTLED or (self.is_late and not self.is_open)

    def __str__(self) -> str:
        """Format it as a part of a sentence: 127.0.0.1:8080 answers 404."""
        said = f"{self.listener} {self.verdict.value}"
        return f"{said} within {self.deadline_s:g} s (host busy?)" if self.is_late else said


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
    deadline_s = _DEADLINES_S[min(silences, len(_DEADLINES_S) - 1)]
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


async def probe_listener(
    listener: Listener, pid: int, proc: Path = PROC, deadline_s: float | None = None
) -> Probe:
    """Ask one listener for /debug/pprof/; a TLS port is asked again over TLS, without secrets.

    Where TLS is usual it is asked over TLS first: net/http answers a ClientHello on a plain port
    with 400 and logs nothing, but logs a line for plain HTTP on a TLS port.
    """
    deadline_s = _DEADLINES_S[0] if deadline_s is None else deadline_s
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
    """Return whether TLS is usual at this port: 443, 6443, 8443 and so on."""
    if not isinstance(listener, TcpListener):
        return False
    return listener.port % 1000 == 443 or listener.port in _TLS_PORTS


async def _answer(address: Address, deadline_s: float) -> Response | ProbeResult:
    """Ask for the page, plainly or over TLS; return the answer, or what its absence means."""
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
    """Yield where a listener can be reached, the likeliest first."""
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
    """Return the path of a unix socket as we must say it: a process may have another root."""
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
