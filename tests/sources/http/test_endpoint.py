"""The endpoint of a real Go process is found behind its own sockets, and each other door named."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S, in_one_try_of, wait_for

from memtui.parse.process.sockets import Listener, TcpListener, UnixListener
from memtui.sources.http.client import get
from memtui.sources.http.endpoint import EndpointAnswers, find_pprof, listeners
from memtui.sources.http.listener_probe import Probe, ProbeResult, probe_listener
from memtui.sources.process.reader import default_reader, start_ticks
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.go


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")

Doors = Callable[..., tuple[int, dict[str, str]]]


@pytest.fixture
def doors(start_go: Callable[..., Any]) -> Doors:
    """Start the Go program that answers as told; returns its pid and the address of each kind."""

    def start(*arguments: str) -> tuple[int, dict[str, str]]:
        service = start_go("doors", *arguments)
        wait_for(lambda: "ready" in service.stdout_path.read_text() or service.process.poll())
        said = service.stdout_path.read_text()
        assert "ready" in said, service.stderr_path.read_text()
        return service.pid, dict(re.findall(r"(\w+) listening on (\S+)", said))

    return start


@pytest.fixture
def sleeper() -> Iterator[int]:
    """Start a process without sockets; returns its pid."""
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


def port(address: str) -> int:
    return int(address.rpartition(":")[2])


def is_free(number: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", number)):
            return True
    except OSError:
        return False


async def reason_of(pid: int, **options: Any) -> SourceFailed:
    with pytest.raises(SourceFailed) as failed:
        await find_pprof(pid, **options)
    assert "\n" not in failed.value.reason
    return failed.value


async def test_the_endpoint_of_a_real_service_is_found_and_serves_a_heap_profile(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("orders")
    where = service.address
    address = await find_pprof(service.pid)
    assert str(address) == f"{where}/debug/pprof/"
    answer = await get(address.join("heap"), deadline_s=PATIENCE_S, limit_bytes=1 << 20)
    assert answer.body.startswith(b"\x1f\x8b")


def test_only_sockets_of_that_process_that_listen_are_its_listeners(doors: Doors) -> None:
    ours = socket.create_server(("127.0.0.1", 0))
    pid, at = doors("missing=127.0.0.1:0", "page=127.0.0.2:0", "mute=:0")
    with ours, socket.create_connection(("127.0.0.1", port(at["missing"]))):
        found = {(one.host, one.port) for one in listeners(pid) if isinstance(one, TcpListener)}
    places = [address.rpartition(":") for address in at.values()]
    assert found == {(host.strip("[]"), int(number)) for host, _, number in places}


KINDS = {
    "pprof": ProbeResult.PPROF,
    "tls": ProbeResult.PPROF,
    "mtls": ProbeResult.TLS,
    "missing": ProbeResult.ABSENT,
    "page": ProbeResult.OTHER,
    "empty": ProbeResult.OTHER,
    "broken": ProbeResult.OTHER,
    "endless": ProbeResult.OTHER,
    "locked": ProbeResult.LOCKED,
    "redirect": ProbeResult.REDIRECT,
    "mute": ProbeResult.LATE,
    "drip": ProbeResult.LATE,
    "garbage": ProbeResult.NOT_HTTP,
    "banner": ProbeResult.NOT_HTTP,
    "greeter": ProbeResult.GREETS,
    "hangup": ProbeResult.CUT,
}


@pytest.mark.hurried
async def test_each_kind_of_door_is_told_apart_within_its_second(doors: Doors) -> None:
    pid, at = doors(*(f"{kind}=127.0.0.1:0" for kind in KINDS))
    kind_of = {port(address): kind for kind, address in at.items()}
    by_kind = {kind_of[one.port]: one for one in listeners(pid) if isinstance(one, TcpListener)}
    assert set(by_kind) == set(KINDS)

    async def in_time() -> None:
        began = time.monotonic()
        probes = await asyncio.gather(*(probe_listener(by_kind[kind], pid) for kind in KINDS))
        assert time.monotonic() - began < 3
        assert {kind: probe.verdict for kind, probe in zip(KINDS, probes, strict=True)} == KINDS
        addresses = {probe.listener: probe.address for probe in probes if probe.address}
        assert set(addresses) == {by_kind["pprof"], by_kind["tls"]}
        assert str(addresses[by_kind["tls"]]) == f"https://{at['tls']}/debug/pprof/"

    await in_one_try_of(in_time)


async def test_a_port_that_nobody_listens_on_any_more_refuses() -> None:
    with socket.socket() as held:  # by us, so that nobody else listens there
        held.bind(("127.0.0.1", 0))
        listener = TcpListener("127.0.0.1", held.getsockname()[1], 1)
        assert (await probe_listener(listener, os.getpid())).verdict is ProbeResult.REFUSED


@pytest.mark.parametrize("bound", [":0", "127.0.0.2:0", pytest.param("[::1]:0", marks=needs_ipv6)])
async def test_wildcard_and_ipv6_addresses_are_reached(doors: Doors, bound: str) -> None:
    pid, at = doors(f"pprof={bound}")
    address = await find_pprof(pid)
    host = bound.rpartition(":")[0] or "127.0.0.1"
    assert str(address) == f"{host}:{port(at['pprof'])}/debug/pprof/"


@needs_ipv6
@pytest.mark.hurried
async def test_a_wildcard_that_takes_only_ipv6_is_asked_there() -> None:
    with socket.socket(socket.AF_INET6) as six:
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        six.bind(("::", 0))
        six.listen()
        (listener,) = [
            one for one in listeners(os.getpid()) if one.inode == os.fstat(six.fileno()).st_ino
        ]
        assert isinstance(listener, TcpListener)
        assert (await probe_listener(listener, os.getpid())).verdict is ProbeResult.LATE


@pytest.mark.parametrize("abstract", [False, True])
async def test_unix_sockets_are_reached_by_path_and_by_abstract_name(
    doors: Doors, tmp_path: Path, abstract: bool
) -> None:
    place = f"@memtui-test-{os.getpid()}" if abstract else f"{tmp_path}/p.sock"
    pid, _ = doors(f"pprof={place}")
    assert [str(one) for one in listeners(pid)] == [f"unix:{place}"]
    address = await find_pprof(pid)
    assert str(address) == f"unix:{place}/debug/pprof/"
    answer = await get(address.join("heap"), deadline_s=PATIENCE_S, limit_bytes=1 << 20)
    assert answer.body.startswith(b"\x1f\x8b")


def lower_port() -> int:
    """Return a port below 6060 that nobody has just now; somebody else may take it."""
    lower = next((number for number in range(5900, 6060) if is_free(number)), None)
    if lower is None:
        pytest.skip("somebody else has these ports")
    return lower


async def test_port_6060_is_asked_first_and_then_nobody_else(doors: Doors) -> None:
    async def first() -> None:
        if not is_free(6060):
            pytest.skip("somebody else has this port")
        kinds = (f"mute=127.0.0.1:{lower_port()}", "mute=127.0.0.1:0", "pprof=127.0.0.1:6060")
        pid, _ = doors(*kinds)
        known: dict[Listener, Probe] = {}
        assert str(await find_pprof(pid, known=known)) == "127.0.0.1:6060/debug/pprof/"
        assert len(known) == 1

    await in_one_try_of(first)


async def test_ports_that_only_this_machine_reaches_are_asked_before_others(doors: Doors) -> None:
    async def first() -> None:
        pid, at = doors(f"mute=:{lower_port()}", "pprof=127.0.0.1:0")
        known: dict[Listener, Probe] = {}
        assert str(await find_pprof(pid, known=known)) == f"{at['pprof']}/debug/pprof/"
        assert len(known) == 1

    await in_one_try_of(first)


async def test_what_was_seen_is_listed_in_one_line(doors: Doors) -> None:
    pid, at = doors("missing=127.0.0.1:0", "garbage=0.0.0.0:0", "mtls=127.0.0.1:0")
    failed = await reason_of(pid)
    assert failed.reason.startswith("no pprof endpoint: ")
    assert f"{at['missing']} answers 404" in failed.reason
    assert f":{port(at['garbage'])} is not HTTP" in failed.reason
    assert f"{at['mtls']} wants a client certificate" in failed.reason
    assert 'import _ "net/http/pprof"' in failed.hint
    assert not failed.final


async def test_a_locked_door_says_how_to_give_the_password(doors: Doors) -> None:
    pid, _ = doors("locked=127.0.0.1:0")
    assert "--auth-env" in (await reason_of(pid)).hint


@pytest.mark.hurried
async def test_a_door_that_said_no_is_not_asked_again(doors: Doors) -> None:
    pid, _ = doors("missing=127.0.0.1:0")
    known: dict[Listener, Probe] = {}
    first = await reason_of(pid, known=known)
    (told,) = known.values()
    second = await reason_of(pid, known=known)
    assert first.reason == second.reason
    assert next(iter(known.values())) is told


async def test_a_door_that_said_nothing_is_asked_some_times(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process may have stood still just then; a port that never speaks is left alone."""
    monkeypatch.setattr("memtui.sources.http.listener_probe.DEADLINES_S", (0.1, 0.2, 0.3))
    pid, at = doors("mute=127.0.0.1:0")
    known = EndpointAnswers()
    seen = []
    for _ in range(4):
        failed = await reason_of(pid, known=known)
        assert "net/http/pprof" not in failed.hint
        seen += [(probe.silences, probe.deadline_s) for probe in known.values()]
        known.clear()
    assert seen == [(2, 0.2), (2, 0.2), (2, 0.2), (2, 0.2)], "clear lets a late one be asked again"
    for _ in range(3):
        failed = await reason_of(pid, known=known)
    assert f"{at['mute']} did not answer within 0.3 s (host busy?)" in failed.reason
    assert [probe.silences for probe in known.values()] == [3]
    known.clear()
    assert [probe.silences for probe in known.values()] == [3], "left alone for the session"


async def test_a_service_that_stood_still_is_found_when_it_goes_on(
    start_go: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_go("orders")
    where, known = service.address, EndpointAnswers()
    service.process.send_signal(signal.SIGSTOP)
    with monkeypatch.context() as hurried:
        hurried.setattr("memtui.sources.http.listener_probe.DEADLINES_S", (0.1, 0.1, PATIENCE_S))
        failed = await reason_of(service.pid, known=known)
    assert f"{where} did not answer within 0.1 s (host busy?)" in failed.reason
    service.process.send_signal(signal.SIGCONT)
    assert str(await find_pprof(service.pid, known=known)) == f"{where}/debug/pprof/"


async def test_more_doors_than_one_should_knock_at_are_counted(doors: Doors) -> None:
    pid, _ = doors(*["missing=127.0.0.1:0"] * 19)
    reason = (await reason_of(pid)).reason
    assert reason.endswith("and 11 more, 3 not probed")


async def test_a_process_without_sockets_says_so(sleeper: int) -> None:
    assert "listens on no socket" in (await reason_of(sleeper)).reason


async def test_a_process_that_ends_while_it_is_asked_has_ended(doors: Doors) -> None:
    pid, _ = doors("mute=127.0.0.1:0")
    failing = asyncio.ensure_future(reason_of(pid))
    await asyncio.sleep(0.2)
    assert not failing.done()
    os.kill(pid, signal.SIGKILL)
    failed = await failing
    assert failed.reason == f"process {pid} has ended"
    assert failed.final


async def test_without_leave_to_probe_nobody_is_asked(doors: Doors) -> None:
    pid, at = doors("pprof=127.0.0.1:0")
    failed = await reason_of(pid, probe=False)
    assert failed.reason == f"not probed (--no-probe): listens on {at['pprof']}"
    assert failed.final


def test_a_process_that_ended_is_given_up_for_good() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    zombie = asyncio.run(reason_of(process.pid))
    process.wait()
    gone = asyncio.run(reason_of(process.pid))
    for failed in (zombie, gone):
        assert failed.reason == f"process {process.pid} has ended"
        assert failed.final


def test_the_start_of_a_process_is_field_22_of_its_stat() -> None:
    text = Path("/proc/self/stat").read_text()
    assert start_ticks(os.getpid(), default_reader()) == int(text.rpartition(")")[2].split()[19])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_the_sockets_of_another_user_are_out_of_reach(doors: Doors) -> None:
    pid, _ = doors("pprof=127.0.0.1:0")
    code = (
        "import os, sys\n"
        "from memtui.sources.http.endpoint import listeners\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try:\n    listeners(int(sys.argv[1]))\n"
        "except Exception as error:\n    print(error.reason, '|', error.hint)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(pid)], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith(f"no access to the sockets of process {pid} | run memtui as")


def test_addresses_in_another_network_namespace_are_named_but_never_connected_to(
    go_build: Callable[[str], Path], tmp_path: Path
) -> None:
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-rn", "true"], capture_output=True).returncode:
        pytest.skip("no new network namespaces here")
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        process = subprocess.Popen(
            [unshare, "-rn", go_build("doors"), "pprof=:8080", "page=@hidden"], stdout=stdout
        )
    try:
        while "ready" not in out.read_text():
            assert process.poll() is None
            time.sleep(0.01)
        failed = asyncio.run(reason_of(process.pid))
    finally:
        process.kill()
        process.wait()
    assert failed.reason.startswith("listens on :8080, unix:@hidden in another network namespace")
    assert f"nsenter -t {process.pid} -n" in failed.hint


def test_a_unix_listener_is_one_of_its_process(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "with space.sock"))
        server.listen()
        inode = os.fstat(server.fileno()).st_ino
        assert UnixListener(f"{tmp_path}/with space.sock", inode) in listeners(os.getpid())
