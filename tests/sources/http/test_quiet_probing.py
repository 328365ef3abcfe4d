"""Probing is quiet: nothing is sent where no HTTP is, and nobody is asked twice."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from patience import wait_for

from memtui.parse.process.sockets import TcpListener
from memtui.sources.http import endpoint, listener_probe
from memtui.sources.http.endpoint import EndpointAnswers, find_pprof
from memtui.sources.http.known_services import SERVICES, KnownService, service_of
from memtui.sources.http.listener_probe import ProbeResult
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.go


def started(start_go: Callable[..., Any], *doors: str) -> Any:
    service = start_go("doors", *doors)
    wait_for(lambda: "ready" in service.stdout_path.read_text())
    return service


async def searched(pid: int, known: EndpointAnswers) -> SourceFailed:
    with pytest.raises(SourceFailed) as failed:
        await find_pprof(pid, known=known)
    return failed.value


async def test_a_server_that_speaks_first_is_sent_nothing_and_left_alone(
    start_go: Callable[..., Any],
) -> None:
    service, known = started(start_go, "greeter=127.0.0.1:0"), EndpointAnswers()
    for _ in range(3):
        assert "speaks first: not HTTP" in (await searched(service.pid, known)).reason
        known.clear()  # as when the user asks for a new search
    wait_for(lambda: "was sent" in service.stdout_path.read_text())
    said = service.stdout_path.read_text()
    assert said.count("greeter was sent 0 bytes") == said.count("was sent") == 1


async def test_a_server_that_hangs_up_or_answers_garbage_is_asked_once(
    start_go: Callable[..., Any],
) -> None:
    service, known = (
        started(start_go, "hangup=127.0.0.1:0", "garbage=127.0.0.1:0"),
        EndpointAnswers(),
    )
    for _ in range(3):
        reason = (await searched(service.pid, known)).reason
        assert "closed the connection" in reason
        assert "is not HTTP" in reason
        before = dict(known)
        known.clear()
        assert known == before
    assert service.stdout_path.read_text().count("hangup was sent") == 1


async def test_a_socket_of_ttrpc_is_never_connected_to(
    start_go: Callable[..., Any], tmp_path: Path
) -> None:
    service, known = started(start_go, f"hangup={tmp_path}/c.sock.ttrpc"), EndpointAnswers()
    assert "has another protocol (not asked)" in (await searched(service.pid, known)).reason
    assert "was sent" not in service.stdout_path.read_text()


async def test_a_known_service_is_not_asked_on_its_ports_of_other_protocols(
    start_go: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, known = started(start_go, "hangup=127.0.0.1:0"), EndpointAnswers()
    (port,) = [each.port for each in endpoint.listeners(service.pid) if hasattr(each, "port")]
    theirs = KnownService("doors", ("doors",), "", "", frozenset({port}))
    monkeypatch.setattr(endpoint, "service_of", lambda pid, proc: theirs)
    assert "has another protocol (not asked)" in (await searched(service.pid, known)).reason
    assert "was sent" not in service.stdout_path.read_text()


async def test_tcp_is_asked_before_unix_and_nobody_after_the_one_that_has_pprof(
    start_go: Callable[..., Any], tmp_path: Path
) -> None:
    doors = (f"hangup={tmp_path}/a.sock", "pprof=127.0.0.1:0")
    service, known = started(start_go, *doors), EndpointAnswers()
    for _ in range(3):
        await find_pprof(service.pid, known=known)
        known.clear()
    assert [probe.verdict for probe in known.values()] == [ProbeResult.PPROF]
    assert "was sent" not in service.stdout_path.read_text()


@pytest.mark.parametrize("port", [443, 6443, 8443, 10250])
def test_ports_of_tls_are_known(port: int) -> None:
    listener = TcpListener("127.0.0.1", port, 1)
    assert listener_probe._is_usual_for_tls(listener)
    assert not listener_probe._is_usual_for_tls(TcpListener("127.0.0.1", 6060, 1))


@pytest.mark.parametrize("kind", ["tls", "missing", "pprof"])
async def test_over_tls_first_finds_the_same_and_makes_net_http_log_nothing(
    start_go: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(listener_probe, "_is_usual_for_tls", lambda listener: True)
    service, known = started(start_go, f"{kind}=127.0.0.1:0"), EndpointAnswers()
    if kind == "missing":
        assert "answers 404" in (await searched(service.pid, known)).reason
    else:
        address = await find_pprof(service.pid, known=known)
        assert address.url.startswith("https:") == (kind == "tls")
    await asyncio.sleep(0.1)
    assert service.stderr_path.read_text() == ""


def test_switches_name_each_service_once() -> None:
    names = [name for service in SERVICES for name in service.names]
    assert len(names) == len(set(names))
    assert all(service.switch and service.source for service in SERVICES)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.title)
def test_a_service_is_known_by_its_name(service: KnownService, tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    (name,) = [each for each in service.names if "/" not in each][:1]
    program = tmp_path / name
    shutil.copy(sleep, program)
    with subprocess.Popen([program, "60"]) as process:
        try:
            wait_for(lambda: service_of(process.pid) is service)
        finally:
            process.kill()


async def test_the_switch_of_a_known_service_comes_before_the_import(
    start_go: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    etcd = next(service for service in SERVICES if service.title == "etcd")
    service = started(start_go, "missing=127.0.0.1:0")
    monkeypatch.setattr(endpoint, "service_of", lambda pid, proc: etcd)
    hint = (await searched(service.pid, EndpointAnswers())).hint
    assert hint.startswith("etcd: start it with --enable-pprof")
    assert "net/http/pprof" not in hint


def test_a_program_of_another_package_is_no_service_of_its_name(
    go_build: Callable[[str], Path], tmp_path: Path
) -> None:
    program = tmp_path / "etcd"
    shutil.copy(go_build("doors"), program)
    with subprocess.Popen([program], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert service_of(process.pid) is None
        finally:
            process.kill()


def test_a_greeting_is_waited_for_on_a_socket_that_is_slow_to_accept() -> None:
    """A connection waits in the backlog until its server accepts it: that is no greeting."""
    from memtui.sources.http.client import Address
    from memtui.sources.http.listener_probe import Silence, knock

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address(f"http://127.0.0.1:{server.getsockname()[1]}/debug/pprof/")
        heard = asyncio.run(knock(address, deadline_s=0.2, limit_bytes=1 << 16))
    assert heard is Silence.TIMED_OUT
