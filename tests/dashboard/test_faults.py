"""The dashboard while what it reads from fails: it says so, the rest goes on, and it recovers."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from dashboard import counted, running, shown, until
from heldport import HeldPort
from patience import PATIENCE_S
from relay import Relay

from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.dashboard.app import MemtuiApp
from memtui.model import (
    Ended,
    Event,
    GcCycle,
    Mark,
    ProcessSample,
    Profile,
    Restart,
    RuntimeSample,
    Trouble,
)
from memtui.recording import Recording

pytestmark = pytest.mark.go

StartGo = Callable[..., Any]
WIDE = (200, 50)


@pytest.fixture
def busy(start_go: StartGo) -> Any:
    """A service that collects its garbage several times a second."""
    return start_go("orders", "-report-every", "200ms", GODEBUG="gctrace=1")


@pytest.fixture
def relay(busy: Any) -> Iterator[Relay]:
    """A server between the service and who asks it, that fails as it is told to."""
    with Relay(busy.address) as relay:
        yield relay


def session_on(
    pid: int | None,
    pprof: str | None,
    trace: GctraceInput | None = None,
    clock: Callable[[], float] = time.time,
    every_s: float = 1.0,
    memstats_every_s: float | None = None,
) -> Session:
    """Return a session that asks much more often than a user would want it to."""
    pprof = None if pprof is None else f"http://{pprof}"
    asks = ProfileOptions(
        pprof, probe=True, every_s=every_s, memstats_every_s=memstats_every_s or every_s
    )
    session = Session(asks, trace or GctraceInput(), clock)
    if pid is None:
        session.watch_files()
    else:
        session.watch_process(pid)
    return session


@asynccontextmanager
async def recorded(session: Session, file: Path) -> AsyncIterator[MemtuiApp]:
    """Run the dashboard and record all that it sees."""
    session.record(file)
    app = session.screen()
    async with running(app, WIDE):
        yield app


def events_of(file: Path) -> list[Event]:
    """Return all that was recorded."""
    return list(Recording.open(file).events(0, 1e12))


def troubles(file: Path, source: str) -> list[str]:
    """Return the reasons of what a source could not do, from the recording."""
    return [
        event.sample.reason
        for event in events_of(file)
        if event.source == source and isinstance(event.sample, Trouble)
    ]


def said(app: MemtuiApp, source: str) -> str:
    """Return the trouble of a source that stands now; "" when it has none."""
    found = app.view().state(source)
    return found[1].reason if found and isinstance(found[1], Trouble) else ""


def state_of(app: MemtuiApp) -> str:
    """Return the state of the process, as ps spells it."""
    sample = app.view().sample(ProcessSample)
    return str(sample.state) if sample else ""


async def others_go_on(app: MemtuiApp, *kinds: type) -> None:
    """Wait until more samples of other sources came."""
    before = [counted(app, kind) for kind in kinds]
    await until(
        lambda: all(counted(app, kind) > was for kind, was in zip(kinds, before, strict=True))
    )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("refuse", "refused the connection"),
        ("hang", "has not answered for"),
        ("reset", "cut the connection"),
        ("drip", "has not answered for"),
        ("error", "answers 500: oops"),
        ("garbage", "does not speak HTTP"),
        ("tls", "does not speak HTTP"),
    ],
)
async def test_an_endpoint_that_fails_is_told_and_comes_back_by_itself(
    busy: Any, relay: Relay, tmp_path: Path, fault: str, words: str
) -> None:
    file = tmp_path / "s.memtui"
    async with recorded(session_on(busy.pid, relay.address), file) as app:
        await until(lambda: counted(app, Profile) and counted(app, RuntimeSample))
        relay.fault = fault
        await until(lambda: words in said(app, "profile"))
        await until(lambda: words in said(app, "runtime"))
        await until(lambda: words in shown(app, "pprof").splitlines()[-1])
        await until(lambda: "✗pprof ✗memstats" in shown(app, "verdict"))
        await others_go_on(app, ProcessSample, GcCycle)
        samples, profiles = counted(app, RuntimeSample), counted(app, Profile)
        relay.fault = ""
        await until(lambda: counted(app, RuntimeSample) > samples)
        await until(lambda: counted(app, Profile) > profiles)
        await until(lambda: "✗" not in shown(app, "verdict") and words not in shown(app, "pprof"))
    assert any(words in reason for reason in troubles(file, "profile"))
    assert any(words in reason for reason in troubles(file, "runtime"))


async def test_a_process_that_is_stopped_is_shown_so_and_goes_on(busy: Any, tmp_path: Path) -> None:
    file = tmp_path / "s.memtui"
    async with recorded(session_on(busy.pid, busy.address), file) as app:
        await until(lambda: counted(app, Profile) and counted(app, RuntimeSample))
        os.kill(busy.pid, signal.SIGSTOP)
        await until(lambda: "is stopped" in said(app, "runtime"))
        await until(lambda: "✗pprof" in shown(app, "verdict"))
        await until(lambda: state_of(app).startswith("T"))
        await others_go_on(app, ProcessSample)
        samples, profiles = counted(app, RuntimeSample), counted(app, Profile)
        os.kill(busy.pid, signal.SIGCONT)
        await until(lambda: counted(app, RuntimeSample) > samples)
        await until(lambda: counted(app, Profile) > profiles)
        await until(lambda: "✗" not in shown(app, "verdict"))
    assert any("is stopped" in reason for reason in troubles(file, "runtime"))
    assert any("has not answered" in reason for reason in troubles(file, "profile"))


RARELY_S = 600.0
"""No test waits so long for a question: what is told sooner was seen in another way."""


async def test_a_process_that_ends_or_is_stopped_is_told_by_all_before_they_would_ask_again(
    start_go: StartGo, tmp_path: Path
) -> None:
    service = start_go("orders", "-report-every", "200ms", GODEBUG="gctrace=1")
    file = tmp_path / "s.memtui"
    async with recorded(session_on(service.pid, None, every_s=RARELY_S), file) as app:
        await until(lambda: counted(app, Profile) and counted(app, RuntimeSample))
        os.kill(service.pid, signal.SIGSTOP)
        await until(lambda: "is stopped" in said(app, "runtime"))
        samples = counted(app, RuntimeSample)
        os.kill(service.pid, signal.SIGCONT)
        await until(lambda: counted(app, RuntimeSample) > samples)
        assert not said(app, "runtime")
        service.end()
        await until(lambda: "has ended" in said(app, "runtime"))
        await until(lambda: "has ended" in said(app, "profile"))
        await until(lambda: "ENDED" in shown(app, "heading"))
    assert any("is stopped" in reason for reason in troubles(file, "runtime"))
    assert any("has ended" in reason for reason in troubles(file, "runtime"))
    assert any("has ended" in reason for reason in troubles(file, "profile"))
    ended = [each for each in events_of(file) if isinstance(each.sample, Ended)]
    assert len(ended) == 1


async def test_what_one_source_meets_the_other_looks_at_at_once(
    relay: Relay, tmp_path: Path
) -> None:
    """A profile would be fetched once in ten minutes, MemStats each second."""
    file = tmp_path / "s.memtui"
    session = session_on(None, relay.address, every_s=RARELY_S, memstats_every_s=1.0)
    async with recorded(session, file) as app:
        await until(lambda: counted(app, Profile) and counted(app, RuntimeSample))
        relay.fault = "refuse"
        await until(lambda: "refused the connection" in said(app, "runtime"))
        await until(lambda: "refused the connection" in said(app, "profile"))
        profiles = counted(app, Profile)
        relay.fault = ""
        await until(lambda: counted(app, Profile) > profiles)
        await until(lambda: not said(app, "runtime"))
    assert any("refused" in reason for reason in troubles(file, "profile"))


async def test_a_service_that_restarts_behind_its_address_is_told_and_read_on(
    start_go: StartGo, held_port: HeldPort, tmp_path: Path
) -> None:
    where, file = held_port.address, tmp_path / "s.memtui"
    first = start_go("orders", "-report-every", "200ms", "-listen", where)
    assert first.address == where
    async with recorded(session_on(None, where), file) as app:
        await until(lambda: counted(app, Profile) and counted(app, RuntimeSample))
        first.end()
        await until(lambda: "refused the connection" in said(app, "profile"))
        await until(lambda: "refused the connection" in said(app, "runtime"))
        samples, profiles = counted(app, RuntimeSample), counted(app, Profile)
        _ = start_go("orders", "-report-every", "5s", "-listen", where).address
        await until(lambda: counted(app, RuntimeSample) > samples)
        await until(lambda: counted(app, Profile) > profiles)
        await until(lambda: counted(app, Restart))
    assert any("refused" in reason for reason in troubles(file, "runtime"))


@pytest.mark.skipif(
    not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK) or os.geteuid() != 0,
    reason="needs leave to choose the next pid",
)
async def test_a_pid_that_another_process_got_is_told_and_not_read_on(
    start_go: StartGo, spawn_as: Callable[[int], int], tmp_path: Path
) -> None:
    service, file = start_go("orders", GODEBUG="gctrace=1"), tmp_path / "s.memtui"
    async with recorded(session_on(service.pid, None, every_s=RARELY_S), file) as app:
        await until(lambda: counted(app, Profile) and counted(app, RuntimeSample))
        # The loop stands still meanwhile, so that nobody sees the pid without a process.
        service.end()
        assert spawn_as(service.pid) == service.pid
        await until(lambda: "was reused by another process" in shown(app, "verdict"))
        assert "ENDED" in shown(app, "heading")
        samples = [sample for _, sample in app.timeline.track(ProcessSample).between(0, 1e12)]
        # Of the service, whose runtime has threads; the other one has none.
        assert all(isinstance(each.threads, int) and each.threads > 1 for each in samples)
        await until(lambda: "another process now" in said(app, "runtime"))
        await until(lambda: "another process now" in said(app, "profile"))
        await asyncio.sleep(1.5)
        assert counted(app, ProcessSample) == len(samples)
    assert any("another process now" in reason for reason in troubles(file, "runtime"))
    assert any("another process now" in reason for reason in troubles(file, "profile"))
    (ended,) = [each.sample for each in events_of(file) if isinstance(each.sample, Ended)]
    assert "was reused by another process" in ended.reason


async def test_a_log_that_is_gone_or_may_not_be_read_is_told_and_comes_back(
    busy: Any, data: Path, tmp_path: Path
) -> None:
    log, file = tmp_path / "orders.log", tmp_path / "s.memtui"
    trace = (data / "gctrace" / "goroutineleak-1.27.3.log").read_text()
    cycles = [line for line in trace.splitlines(keepends=True) if line.startswith("gc ")]
    async with recorded(session_on(busy.pid, None, trace=GctraceInput(file=log)), file) as app:
        await until(lambda: "no such file" in said(app, "gctrace"))
        await others_go_on(app, ProcessSample, RuntimeSample)
        log.write_text("".join(cycles[:2]))
        await until(lambda: counted(app, GcCycle) == 2 and not said(app, "gctrace"))
        log.unlink()
        await until(lambda: "is gone" in said(app, "gctrace"))
        await others_go_on(app, ProcessSample, RuntimeSample)
        log.write_text(cycles[2])
        await until(lambda: counted(app, GcCycle) == 3 and not said(app, "gctrace"))
        log.write_text(cycles[3])  # O_TRUNC
        await until(lambda: counted(app, GcCycle) == 4 and not said(app, "gctrace"))
        (tmp_path / "new").write_text(cycles[4])
        (tmp_path / "new").rename(log)
        await until(lambda: counted(app, GcCycle) == 5 and not said(app, "gctrace"))
    assert any("was truncated" in reason for reason in troubles(file, "gctrace"))
    assert any("the file was replaced" in reason for reason in troubles(file, "gctrace"))
    assert any("no such file" in reason for reason in troubles(file, "gctrace"))
    assert any("is gone" in reason for reason in troubles(file, "gctrace"))


async def test_a_clock_that_is_set_forward_is_told_and_obeyed(busy: Any, tmp_path: Path) -> None:
    file, offset_s = tmp_path / "s.memtui", 0.0
    session = session_on(busy.pid, None, clock=lambda: time.time() + offset_s)
    async with recorded(session, file) as app:
        await until(lambda: counted(app, ProcessSample) > 1 and counted(app, Profile))
        offset_s = 3600.0
        await until(lambda: counted(app, Trouble))
        await others_go_on(app, ProcessSample, RuntimeSample, GcCycle, Profile)
        last = app.view().last(ProcessSample)
        assert last is not None
        assert abs(last[0] - time.time() - 3600.0) < 60
        await until(lambda: "✗" not in shown(app, "verdict"))
    found = [reason for reason in troubles(file, "process") if "clock went forward" in reason]
    assert len(found) == 1
    assert "3600 s" in found[0]


async def test_a_clock_that_is_set_back_is_told_and_the_trend_goes_on(
    busy: Any, tmp_path: Path
) -> None:
    file, offset_s = tmp_path / "s.memtui", 0.0
    session = session_on(busy.pid, None, clock=lambda: time.time() + offset_s)
    async with recorded(session, file) as app:
        await until(lambda: counted(app, ProcessSample) > 1 and counted(app, Profile))
        offset_s = -3600.0
        await until(lambda: counted(app, Mark))
        seen_to = app.view().until
        await others_go_on(app, ProcessSample, RuntimeSample, GcCycle, Profile)
        last = app.view().last(ProcessSample)
        assert last is not None
        assert seen_to < last[0] <= app.view().until < seen_to + 60
        offset_s = 0.0
        await until(lambda: counted(app, Mark) == 2)
        await until(lambda: "✗" not in shown(app, "verdict"))
    (found,) = [reason for reason in troubles(file, "process") if "clock went" in reason]
    assert "back by 3600 s" in found
    recording = Recording.open(file)
    events = events_of(file)
    moments = [each.at for each in events if isinstance(each.sample, ProcessSample)]
    assert moments == sorted(set(moments))
    assert moments[-1] - moments[0] < 600
    assert [each for each in events if each.at < moments[0] - 60] == []
    assert recording.span[1] - moments[0] < 600
    marks = [each.sample.text for each in events if isinstance(each.sample, Mark)]
    assert [text.partition(":")[0] for text in marks] == [
        "the clock was set back by 3600 s", "the clock was set forward by 3600 s",
    ]  # fmt: skip


@pytest.fixture
def spawn_as() -> Iterator[Callable[[int], int]]:
    """Start a process that gets a pid of our choice, which must be free."""
    import subprocess

    started: list[subprocess.Popen[bytes]] = []

    def spawn(pid: int) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:  # others start processes too, and may get it for a while
            Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
            started.append(subprocess.Popen(["sleep", "600"]))
            if started[-1].pid == pid:
                break
            started[-1].kill()
            started.pop().wait()
        return started[-1].pid if started else 0

    yield spawn
    for each in started:
        each.kill()
        each.wait()
