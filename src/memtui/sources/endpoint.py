"""Where a process listens, and behind which of its sockets net/http/pprof answers."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby
from pathlib import Path

from memtui.parse.proc import ParseError, parse_stat
from memtui.parse.sockets import Listener, TcpListener, parse_tcp_listeners, parse_unix_listeners
from memtui.sources.http import Address, Cause, HttpFailed, Response, wants_tls
from memtui.sources.packaged import advice_for
from memtui.sources.probing import SpeaksFirstError, ask
from memtui.sources.proc import who_may
from memtui.sources.source import SourceFailed

PROC = Path("/proc")
PPROF_PORT = 6060
"""The port of the example in the documentation of net/http/pprof, and so of most services."""

_DEADLINE_S, _LONG_DEADLINE_S = 1.0, 5.0
"""For the first question, and for the second one: a busy host answers late."""
_LIMIT_BYTES = 64 << 10
_MOST_PROBES = 16
_MOST_NAMED = 5
_MOST_SILENCES = 4
"""A service may stand still for seconds, and answer later; after that many it is no HTTP."""
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_OR_URL = "or give --pprof URL"
_IMPORT = f'import _ "net/http/pprof" in the service, {_OR_URL}'
_RPC = re.compile(r"ttrpc|grpc|dbus|varlink|plugin|shim|csi|notify|(^|/)containerd\.sock$")
"""Unix sockets with these names speak other protocols, and log what they do not understand."""


class Verdict(Enum):
    """What a listener did when it was asked for /debug/pprof/, in words that follow its name."""

    PPROF = "has pprof"
    ABSENT = "answers 404"
    OTHER = "answers without pprof"
    LOCKED = "wants credentials"
    REDIRECT = "redirects"
    TLS = "wants a client certificate or another TLS"
    MUTE = "did not answer"
    SPEAKS_FIRST = "speaks first, so it is not HTTP"
    NOT_ASKED = "was not asked: its name is that of another protocol"
    NOT_HTTP = "is not HTTP"
    REFUSED = "refuses"
    UNREACHABLE = "cannot be reached"


_VERDICTS = {
    Cause.REFUSED: Verdict.REFUSED,
    Cause.TIMED_OUT: Verdict.MUTE,
    Cause.RESET: Verdict.NOT_HTTP,
    Cause.NOT_HTTP: Verdict.NOT_HTTP,
    Cause.CERTIFICATE: Verdict.TLS,
    Cause.TLS: Verdict.TLS,
    Cause.TOO_LARGE: Verdict.OTHER,
    Cause.UNREACHABLE: Verdict.UNREACHABLE,
    Cause.BAD_URL: Verdict.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What one listener answered; ``address`` is that of its /debug/pprof/, if it has one.

    ``spoke_at`` is where it gave an HTTP answer, whatever that said; ``silences`` is how often it
    has said nothing at all, the last time within ``deadline_s``.
    """

    listener: Listener
    verdict: Verdict
    address: Address | None = None
    spoke_at: Address | None = None
    silences: int = 0
    deadline_s: float = _DEADLINE_S

    @property
    def is_open(self) -> bool:
        """Whether it may answer otherwise when it is asked again.

        A unix socket that said nothing is of another protocol: it has no host to be busy.
        """
        most = _MOST_SILENCES if isinstance(self.listener, TcpListener) else 1
        is_silent = self.verdict is Verdict.MUTE and self.silences < most
        return is_silent or self.verdict is Verdict.REFUSED

    def __str__(self) -> str:
        """Write it as a part of a sentence: 127.0.0.1:8080 answers 404."""
        within = f" within {self.deadline_s:g} s" if self.verdict is Verdict.MUTE else ""
        return f"{self.listener} {self.verdict.value}{within}"


class Answers(dict[Listener, Probe]):
    """What the listeners of one process answered, for all who ask them to share.

    Who asks takes its ``turn`` first: then no listener is asked the same by two at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.turn = asyncio.Lock()

    @property
    def http(self) -> list[Address]:
        """Where an HTTP server answered, in the order in which they were asked."""
        return [probe.spoke_at for probe in self.values() if probe.spoke_at is not None]


def start_ticks(pid: int, proc: Path = PROC) -> int:
    """Return when a process started, in clock ticks after boot: what tells it from a later one.

    Raises SourceFailed, for good, when the process is no more or only waits to be reaped.
    """
    try:
        stat = parse_stat((proc / str(pid) / "stat").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        raise SourceFailed(f"process {pid} has ended", final=True) from None
    except (OSError, ParseError):
        raise _no_access(pid) from None
    if stat.state in "ZX":
        raise SourceFailed(f"process {pid} has ended", final=True)
    return stat.start_ticks


def listeners(pid: int, proc: Path = PROC) -> list[Listener]:
    """Return the sockets of a process that wait for connections, TCP first, in a stable order.

    They are the inodes of its socket descriptors that /proc/PID/net/{tcp,tcp6,unix} call
    listening: all in the network namespace of that process. Raises SourceFailed when the
    process has ended or belongs to somebody else.
    """
    start_ticks(pid, proc)
    of_process = proc / str(pid)
    try:
        inodes = set(_socket_inodes(of_process / "fd"))
    except OSError:
        start_ticks(pid, proc)
        raise _no_access(pid) from None
    found: list[Listener] = []
    for name in ("tcp", "tcp6"):
        found += parse_tcp_listeners(_text(of_process / "net" / name))
    found += parse_unix_listeners(_text(of_process / "net/unix"))
    return [listener for listener in found if listener.inode in inodes]


def _no_access(pid: int) -> SourceFailed:
    return SourceFailed(
        f"no access to the sockets of process {pid}",
        f"{who_may('its user')}, {_OR_URL}",
    )


def _socket_inodes(folder: Path) -> Iterator[int]:
    with os.scandir(folder) as descriptors:
        for descriptor in descriptors:
            try:
                match = _SOCKET.fullmatch(os.readlink(descriptor.path))
            except FileNotFoundError:
                continue
            if match:
                yield int(match[1])


def _text(path: Path) -> str:
    """Return a file of /proc/PID/net; nothing where the kernel has no such protocol."""
    try:
        return path.read_text(errors="surrogateescape")
    except OSError:
        return ""


async def find_pprof(
    pid: int,
    *,
    probe: bool = True,
    proc: Path = PROC,
    known: MutableMapping[Listener, Probe] | None = None,
) -> Address:
    """Return the address of the /debug/pprof/ that a process serves.

    Each port is asked once, one after the other, until one has it; ``known`` keeps what they
    said, so that a port that said no is left alone the next time, as is one that said nothing
    some times; :class:`Answers` are shared with others who ask. Raises SourceFailed: what was seen
    in one line, and what to do.
    """
    known = Answers() if known is None else known
    async with known.turn if isinstance(known, Answers) else nullcontext():
        return await _find_pprof(pid, probe, proc, known)


async def _find_pprof(
    pid: int, probe: bool, proc: Path, known: MutableMapping[Listener, Probe]
) -> Address:
    found = await asyncio.to_thread(listeners, pid, proc)
    if not found:
        advice = advice_for(pid, proc)
        hint = f"{advice}, {_OR_URL}" if advice else _IMPORT
        raise SourceFailed("no pprof endpoint: the process listens on no socket", hint)
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
    probes: list[Probe] = []
    for listener in wanted[:_MOST_PROBES]:
        if (before := known.get(listener)) is None or before.is_open:
            known[listener] = await _probed(listener, pid, proc, before)
        probes.append(known[listener])
        if (address := known[listener].address) is not None:
            return address
    start_ticks(pid, proc)  # it may have ended meanwhile: that says more than a port that refuses
    raise _not_found(probes, len(wanted) - len(probes), advice_for(pid, proc))


async def _probed(listener: Listener, pid: int, proc: Path, before: Probe | None) -> Probe:
    """Ask a listener, give it more time than the last time, and count how often it said nothing."""
    silences = before.silences if before else 0
    deadline_s = _LONG_DEADLINE_S if silences else _DEADLINE_S
    probe = await probe_listener(listener, pid, proc, deadline_s)
    return replace(probe, silences=silences + (probe.verdict is Verdict.MUTE))


def _not_found(probes: list[Probe], not_probed: int, advice: str | None) -> SourceFailed:
    """Return what was seen; a port that has not answered yet is no reason to advise anything."""
    late = [probe for probe in probes if probe.verdict is Verdict.MUTE and probe.is_open]
    if late:
        reason = f"no answer yet: {_named(late)} (host busy?)"
        return SourceFailed(reason, f"they are asked again with more time; {_OR_URL[3:]}")
    left = f", {not_probed} not probed" if not_probed else ""
    reason = f"no pprof endpoint: {_named(probes)}{left}"
    if any(probe.verdict is Verdict.LOCKED for probe in probes):
        return SourceFailed(reason, "--pprof URL with --auth-env or --auth-file")
    return SourceFailed(reason, f"{advice}, {_OR_URL}" if advice else _IMPORT)


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


def shares_network(pid: int, proc: Path) -> bool:
    """Tell whether an address of the process is the same place for us."""
    try:
        return os.readlink(proc / str(pid) / "ns/net") == os.readlink(proc / "self/ns/net")
    except OSError:
        return True


def _is_file(listener: Listener) -> bool:
    """Tell whether the socket is reached through a file, whatever the network namespace."""
    return not isinstance(listener, TcpListener) and not listener.is_abstract


async def probe_listener(
    listener: Listener, pid: int, proc: Path = PROC, deadline_s: float = _DEADLINE_S
) -> Probe:
    """Ask one listener for /debug/pprof/; a TLS port is asked again over TLS, without secrets."""
    if not isinstance(listener, TcpListener) and _RPC.search(listener.path):
        return Probe(listener, Verdict.NOT_ASKED)
    verdict = Verdict.REFUSED
    for address in _addresses(listener, pid, proc):
        for asked in (address, _over_tls(address)):
            try:
                response = await ask(asked, deadline_s=deadline_s, limit_bytes=_LIMIT_BYTES)
            except HttpFailed as failed:
                verdict = _VERDICTS[failed.cause]
                break
            except SpeaksFirstError:
                verdict = Verdict.SPEAKS_FIRST
                break
            if wants_tls(response) and asked is address:
                continue
            verdict = _verdict(response)
            return Probe(listener, verdict, asked if verdict is Verdict.PPROF else None, asked)
        if verdict is not Verdict.REFUSED:
            break
    return Probe(listener, verdict, deadline_s=deadline_s)


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


def _verdict(response: Response) -> Verdict:
    if response.status == 200:
        is_index = b"/debug/pprof/" in response.body and b"heap" in response.body
        return Verdict.PPROF if is_index else Verdict.OTHER
    if response.status in (401, 403):
        return Verdict.LOCKED
    if 300 <= response.status < 400:
        return Verdict.REDIRECT
    return Verdict.ABSENT if response.status == 404 else Verdict.OTHER
