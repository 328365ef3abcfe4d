"""A program that memtui starts: its environment, its signals, its end, its life after memtui."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from patience import PATIENCE_S

from memtui.model import Ended
from memtui.sources.gctrace.child import Child, ChildExit, drain_after_exit, with_gctrace

pytestmark = pytest.mark.world

WaitFor = Callable[..., None]

PR_SET_CHILD_SUBREAPER = 36

STUBBORN = (
    "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)];"
    "print('ready', flush=True); time.sleep(600)"
)


@contextmanager
def child(*command: str) -> Iterator[Child]:
    """Start a command, and kill it when the test is over."""
    started = Child(command, os.environ)
    try:
        yield started
    finally:
        started.forward(signal.SIGKILL)
        while started.exit_code is None:
            time.sleep(0.01)
        started.close()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "gctrace=1"),
        ("", "gctrace=1"),
        ("madvdontneed=0", "madvdontneed=0,gctrace=1"),
        ("gctrace=0,madvdontneed=0", "madvdontneed=0,gctrace=1"),
        ("gctrace=2", "gctrace=2"),
        ("gctrace=1,scavtrace=1", "gctrace=1,scavtrace=1"),
    ],
)
def test_the_trace_is_switched_on_and_all_else_is_kept(before: str | None, after: str) -> None:
    environment = {"PATH": "/bin"} | ({} if before is None else {"GODEBUG": before})
    assert with_gctrace(environment) == {"PATH": "/bin", "GODEBUG": after}


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("exit 0", 0, "sh ended with exit code 0"),
        ("exit 3", 3, "sh ended with exit code 3"),
        ("kill -9 $$", 137, "sh was killed by SIGKILL"),
    ],
)
async def test_how_it_ended_is_told(script: str, code: int, words: str) -> None:
    with child("sh", "-c", script) as started:
        events = [event async for event in ChildExit(started, lambda: 7.0).events()]
    assert [event.sample for event in events] == [Ended(words, code)]


async def test_a_polite_program_ends_at_the_first_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtui.sources.gctrace.child.END_TIMEOUT_S", 2 * PATIENCE_S)
    with child("sleep", "600") as started:
        began = time.monotonic()
        await started.end(signal.SIGINT)
        assert started.exit_code == 130
        assert time.monotonic() - began < PATIENCE_S


async def test_a_stubborn_program_is_killed_in_the_end() -> None:
    with child(sys.executable, "-c", STUBBORN) as started:
        assert await asyncio.to_thread(os.read, started.stdout_fd, 1) == b"r"
        await started.end(signal.SIGINT)
        assert started.exit_code == 137


async def test_what_it_started_itself_gets_the_signal_too(wait_until: WaitFor) -> None:
    with child("sh", "-c", "sleep 60 & wait") as started:
        wait_until(lambda: psutil.Process(started.pid).children())
        grandchild = psutil.Process(started.pid).children()[0]
        await started.end(signal.SIGTERM)
        wait_until(
            lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
        )


@pytest.fixture
def reaps_nobody() -> Iterator[None]:
    """Make this process the parent of orphans, which it does not reap: as pid 1 in a container."""
    prctl = ctypes.CDLL(None).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    assert prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) == 0


@pytest.mark.usefixtures("reaps_nobody")
async def test_an_orphan_that_nobody_reaps_is_not_waited_for(
    wait_until: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtui.sources.gctrace.child.END_TIMEOUT_S", 2 * PATIENCE_S)
    with child("sh", "-c", "sleep 0.1 & exec sleep 600") as started:
        wait_until(lambda: psutil.Process(started.pid).children())
        orphan = psutil.Process(started.pid).children()[0]
        wait_until(lambda: orphan.status() == psutil.STATUS_ZOMBIE)
        began = time.monotonic()
        await started.end(signal.SIGINT)
        assert time.monotonic() - began < PATIENCE_S
        assert started.exit_code == 130
        assert os.waitpid(orphan.pid, os.WNOHANG)[0] == orphan.pid  # noqa: ASYNC222 - at once


@pytest.mark.go
def test_a_go_program_that_is_left_alone_goes_on_writing(
    go_build: Callable[[str], object], wait_until: WaitFor
) -> None:
    with child(str(go_build("orders")), "-log-every", "20ms") as started:
        drains = [drain_after_exit(fd) for fd in (started.stdout_fd, started.stderr_fd)]
        started.close()
        process = psutil.Process(started.pid)
        written = process.io_counters().write_count
        wait_until(lambda: process.io_counters().write_count > written + 20)
        assert started.exit_code is None
    for drain in drains:
        assert drain.wait(timeout=PATIENCE_S) == 0  # it ends with the program


def test_without_a_reader_it_would_have_been_killed(
    go_build: Callable[[str], object], wait_until: WaitFor
) -> None:
    with child(str(go_build("orders")), "-log-every", "20ms") as started:
        started.close()
        wait_until(lambda: started.exit_code is not None)
        assert started.exit_code == 128 + signal.SIGPIPE
