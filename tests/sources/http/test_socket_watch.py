"""The socket and the state of a process, looked at from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from memtui.sources.http.client import Address
from memtui.sources.http.server_health import SocketState, SocketWatch, listener_at
from memtui.sources.process.proc import read_stat


@pytest.fixture
def sleeper() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "600"])
    yield process.pid
    process.kill()
    process.wait()


def listening() -> tuple[socket.socket, Address]:
    server = socket.create_server(("127.0.0.1", 0))
    return server, Address(f"http://127.0.0.1:{server.getsockname()[1]}/debug/pprof/")


def stop(pid: int) -> None:
    """Stop a child of ours, and wait until it is."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


async def nobody_wakes(seconds: float) -> bool:
    await asyncio.sleep(min(seconds, 0.01))
    return False


async def test_a_socket_that_is_closed_is_seen_once_and_without_a_question() -> None:
    server, address = listening()
    door = SocketWatch.of(os.getpid(), address)
    assert door.look() is SocketState.NOTHING
    waiting = asyncio.ensure_future(door.watched(600, nobody_wakes))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    server.settimeout(0)
    with pytest.raises(BlockingIOError):  # nobody has connected
        server.accept()
    server.close()
    assert await asyncio.wait_for(waiting, 30) is SocketState.CLOSED
    assert door.look() is SocketState.NOTHING


async def test_another_socket_in_its_place_is_no_open_door() -> None:
    server, address = listening()
    door = SocketWatch.of(os.getpid(), address)
    other, _ = listening()
    os.dup2(other.fileno(), server.fileno())
    assert door.look() is SocketState.CLOSED
    server.close()
    other.close()


async def test_a_stopped_process_is_seen_until_it_goes_on(sleeper: int) -> None:
    door = SocketWatch.of(sleeper, None)
    assert await door.watched(0, nobody_wakes) is SocketState.NOTHING
    stop(sleeper)
    assert await door.watched(600, nobody_wakes) is SocketState.STOPPED
    going_on = asyncio.ensure_future(door.opened(nobody_wakes))
    await asyncio.sleep(0.05)
    assert not going_on.done()
    os.kill(sleeper, signal.SIGCONT)
    await asyncio.wait_for(going_on, 30)
    assert read_stat(sleeper).state not in "Tt"


async def test_who_is_woken_waits_no_longer(sleeper: int) -> None:
    async def woken(seconds: float) -> bool:
        return True

    door = SocketWatch.of(sleeper, None)
    assert await door.watched(600, woken) is SocketState.NOTHING
    stop(sleeper)
    await asyncio.wait_for(door.opened(woken), 30)


@pytest.mark.world
def test_a_process_that_listens_elsewhere_or_is_not_known_has_no_door(sleeper: int) -> None:
    server, address = listening()
    assert listener_at(os.getpid(), address) is not None
    assert listener_at(sleeper, address) is None
    assert listener_at(os.getpid(), Address(address.url.replace("127.0.0.1", "192.0.2.1"))) is None
    assert SocketWatch.of(sleeper, address).look() is SocketState.NOTHING
    assert SocketWatch.of(None, address).look() is SocketState.NOTHING
    server.close()
