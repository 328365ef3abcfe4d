"""Every response that was begun is read to its end, by whichever way memtui leaves it."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from answering import Request, answering
from patience import PATIENCE_S, in_one_try, until, wait_for

import memtui
from memtui.cli.errors import CliError
from memtui.cli.stored.profile_report import stacks_from
from memtui.model import Act, Origin, ProfileRequest
from memtui.parse.process.sockets import TcpListener
from memtui.sources.actions import ProcessActions
from memtui.sources.http import drain, listener_probe, pprof_pages
from memtui.sources.http.client import Address, get, is_draining
from memtui.sources.http.drain_process import DrainProcess
from memtui.sources.http.listener_probe import probe_listener
from memtui.sources.http.pprof_pages import kinds_in
from memtui.sources.http.request_cost import cpu_s
from memtui.sources.process.proc import read_status
from memtui.sources.profile.http_profile import UrlProfileSource
from memtui.sources.runtime import memstats
from memtui.sources.runtime.memstats import MemStatsAddress, ask
from memtui.sources.runtime.poll_schedule import heap_shape
from memtui.sources.runtime.source import RuntimeSource
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.world

SOURCE = Path(memtui.__file__).parent
REST_BYTES = 8 << 20
"""More than sockets buffer: it is sent whole only to somebody who reads it."""
Asks = Callable[[str], Awaitable[object]]


class Server:
    """Sends the start of each response, and the rest when it is told that the asker has left."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.left = asyncio.Event()
        self.whole = asyncio.Event()

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Answer."""
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + b"#" * 1000)
        await writer.drain()
        self.begun.set()
        await self.left.wait()
        for _ in range(REST_BYTES >> 16):
            writer.write(b"#" * (1 << 16))
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.whole.set()


async def events_of(source: UrlProfileSource | RuntimeSource) -> None:
    async with aclosing(source.events()) as events:
        async for _ in events:
            pass


async def cancelled_profile(url: str) -> None:
    source = UrlProfileSource(url, time.time, every_s=None)
    source._is_too_expensive = True  # nothing comes unasked
    source.request(ProfileRequest("goroutine"))
    async with aclosing(source.events()) as events:
        await anext(events)
        telling = asyncio.ensure_future(anext(events))
        try:
            await asyncio.sleep(PATIENCE_S)
        finally:
            source.cancel()
            await telling


def origin(kind: Origin) -> Asks:
    return lambda url: ask(MemStatsAddress(kind, Address(f"{url}/page"), is_own=False))


PLACES: dict[str, Asks] = {
    "http": lambda url: get(Address(url), deadline_s=PATIENCE_S, limit_bytes=1 << 30),
    "sources/http/pprof_pages": lambda url: kinds_in(Address(f"{url}/debug/pprof/")),
    "sources/http/listener_probe": lambda url: probe_listener(
        TcpListener("127.0.0.1", int(url.rpartition(":")[2]), 0), os.getpid()
    ),
    "sources/runtime/memstats": origin(Origin.EXPVAR),
    "sources/runtime/memstats metrics": origin(Origin.METRICS),
    "sources/runtime/memstats heap": origin(Origin.HEAP_TEXT),
    "sources/runtime/poll_schedule": lambda url: heap_shape(
        Address(f"{url}/debug/pprof/heap?debug=1")
    ),
    "sources/profile/http_profile": lambda url: events_of(UrlProfileSource(url, time.time)),
    "sources/profile/http_profile cancel": cancelled_profile,
    "sources/runtime/source": lambda url: events_of(
        RuntimeSource(None, time.time, url=Address(f"{url}/debug/pprof/heap"))
    ),
    "sources/actions": lambda url: ProcessActions(f"{url}/free").act(Act.FREE_MEMORY, os.getpid()),
    "cli/stored/profile_report": lambda url: asyncio.to_thread(
        stacks_from, url, deadline_s=0.5, limit_bytes=1 << 30
    ),
}
"""All who ask over HTTP, by their module."""
THREADS = ("cli/stored/profile_report",)
"""Those that cannot be cancelled, and leave by their deadline."""


def test_the_table_has_all_who_ask() -> None:
    askers = {
        str(path.relative_to(SOURCE).with_suffix(""))
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "memtui.sources.http.client"
        and any(name.name == "get" for name in node.names)
    }
    assert askers == {name.partition(" ")[0] for name in PLACES} - {
        "http",
        "sources/runtime/source",
    }


def test_one_module_speaks_http_and_none_opens_a_connection_besides() -> None:
    """The gops agent answers in a few hundred bytes, and desks are sockets of our own."""
    opens = re.compile(
        r"\b(httpx\.\w*Client|open_connection|open_unix_connection|create_connection|urlopen"
        r"|(?<!sources\.)http\.client|\.connect\()"
    )
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if opens.search(path.read_text())
    }
    assert found == {
        "sources/http/client.py",
        "sources/runtime/gops.py",
        "sources/http/listener_probe.py",
    }


@pytest.mark.parametrize("place", PLACES)
async def test_a_response_is_read_to_its_end_when_whoever_asked_leaves(place: str) -> None:
    server = Server()
    async with answering(server) as port, asyncio.timeout(2 * PATIENCE_S):
        asking = asyncio.ensure_future(PLACES[place](f"http://127.0.0.1:{port}"))
        await server.begun.wait()
        if place not in THREADS:
            asking.cancel()
        with contextlib.suppress(asyncio.CancelledError, CliError, SourceFailed):
            await asking
        server.left.set()
        await server.whole.wait()


@pytest.mark.hurried
@pytest.mark.parametrize(
    "place", ["sources/http/pprof_pages", "sources/http/listener_probe", "sources/runtime/memstats"]
)
async def test_so_it_is_at_a_deadline(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_probe, "DEADLINES_S", (0.3, 0.3, 0.3))
    monkeypatch.setattr(pprof_pages, "_INDEX_DEADLINE_S", 0.3)
    monkeypatch.setattr(memstats, "_DEADLINES_S", dict.fromkeys(Origin, 0.3))
    server = Server()
    async with answering(server) as port, asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(SourceFailed):
            await PLACES[place](f"http://127.0.0.1:{port}")
        server.left.set()
        await server.whole.wait()


@pytest.mark.parametrize("announced", [True, False])
async def test_so_it_is_at_the_size_limit(announced: bool) -> None:
    whole = asyncio.Event()
    size = 8 << 20

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        length = b"Content-Length: %d\r\n" % size if announced else b""
        writer.write(b"HTTP/1.0 200 OK\r\n" + length + b"\r\n")
        for _ in range(size >> 16):
            writer.write(b"#" * (1 << 16))
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        whole.set()

    async with answering(answer) as port, asyncio.timeout(PATIENCE_S):
        address = Address(f"http://127.0.0.1:{port}/page")
        with pytest.raises(SourceFailed):
            await get(address, deadline_s=PATIENCE_S, limit_bytes=1 << 20)
        await whole.wait()
        await until(lambda: not is_draining(address))


async def test_a_request_that_never_went_out_leaves_nothing_to_read() -> None:
    address = Address("http://127.0.0.1:9/")
    with pytest.raises(SourceFailed):
        await get(address, deadline_s=PATIENCE_S, limit_bytes=1)
    assert not is_draining(address)


def pour(server: socket.socket) -> None:
    while True:
        server.sendall(b"#" * (1 << 16))


@pytest.mark.parametrize("limit", ["MOST_BYTES", "LONGEST_S", "SILENT_S"])
def test_what_never_ends_is_left_at_a_limit(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, limit, 1 << 20 if limit == "MOST_BYTES" else 0.2)
    monkeypatch.setattr(drain, "LOOK_S", 0.05)
    ours, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server, asker = socket.socketpair()
    with ours, control, server:
        with asker:
            socket.send_fds(ours, [b"12345678"], [asker.fileno()])
        running = threading.Thread(target=drain.Drain(control).run, daemon=True)
        running.start()
        server.settimeout(PATIENCE_S)
        if limit == "SILENT_S":
            assert server.recv(1) == b""
        else:
            with pytest.raises(ConnectionError):
                pour(server)
        ours.settimeout(PATIENCE_S)
        assert ours.recv(8) == b"12345678"
        ours.shutdown(socket.SHUT_RDWR)
        running.join(PATIENCE_S)
        assert not running.is_alive()


async def test_the_process_that_reads_ends_and_another_one_takes_its_place() -> None:
    drains = DrainProcess()
    for number in range(2):
        server, asker = socket.socketpair()
        with server, asker:
            server.sendall(b"#")
            drains.take(asker.fileno(), f"page {number}")
            assert drains.is_draining(f"page {number}")
            process = drains._process
            assert process is not None
            if number == 0:
                process.kill()
                process.wait()
                assert not drains.is_draining("page 0")
        await until(lambda: not drains.is_draining("page 1"))
    drains._forget()
    assert process is not None
    await asyncio.to_thread(process.wait, PATIENCE_S)


# A real program, whose pages are long.

STACKS = 20_000
TEXT_BYTES = 40 << 20
"""The heap profile of so many stacks is longer than that as text."""


def connections(port: int) -> list[int]:
    """Return how many bytes are queued to be sent on each connection of a local port."""
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    gone = ("06", "0A")  # TIME_WAIT, LISTEN
    rows = [line.split() for line in table]
    ours = (row for row in rows if row[1].endswith(f":{port:04X}") and row[3] not in gone)
    return [int(row[4].partition(":")[0], 16) for row in ours]


def is_idle(pid: int) -> bool:
    """Tell whether a process has nothing to do: one that writes for no reader has."""
    before = cpu_s(pid)
    time.sleep(0.3)
    return cpu_s(pid) == before


def res(pid: int) -> int:
    found = read_status(pid).res_bytes
    assert isinstance(found, int)
    return found


@pytest.mark.go
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_quitting_within_a_long_page_costs_the_target_what_reading_it_costs(
    start_go: Callable[..., Any], number: signal.Signals
) -> None:
    """memtui is stopped until the sockets are full: so the page is not over when it quits."""
    services = [start_go("heavy", "-stacks", str(STACKS), "pprof=127.0.0.1:0") for _ in "ab"]
    read, left = services
    url = f"http://{read.address}/debug/pprof/heap?debug=1"
    answer = asyncio.run(
        get(Address(url), deadline_s=PATIENCE_S, limit_bytes=1 << 30, tail_bytes=100)
    )
    assert answer.size_bytes > TEXT_BYTES
    in_one_try(lambda: left_early(left, url.replace(read.address, left.address), number))
    assert res(left.pid) < res(read.pid) + (8 << 20)


def left_early(service: Any, url: str, number: signal.Signals) -> None:
    """Ask for a page, and quit while the rest of it waits to be sent."""
    port = int(service.address.rpartition(":")[2])
    asking = subprocess.Popen(
        [sys.executable, "-m", "memtui", "top", url],
        stderr=subprocess.PIPE,
    )
    with asking:
        wait_for(lambda: any(connections(port)))
        asking.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        assert any(connections(port)), "it had read all of the page"
        asking.send_signal(number)
        asking.send_signal(signal.SIGCONT)
        asking.wait(PATIENCE_S)
    assert asking.returncode in (130, -number)
    wait_for(lambda: not connections(port))
    wait_for(lambda: is_idle(service.pid))
