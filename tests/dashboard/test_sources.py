"""The whole dashboard where its sources come from elsewhere, fail, come back, or change places."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dashboard import app_on, counted, running, shown, until
from heldport import HeldPort
from patience import PATIENCE_S

from memtui import units
from memtui.cli.live.sources import GctraceInput
from memtui.dashboard.app import MemtuiApp
from memtui.model import (
    Ended,
    Event,
    GcCycle,
    OutputLine,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Sample,
)
from memtui.timeline import Timeline

pytestmark = pytest.mark.go

StartGo = Callable[..., Any]
WIDE = (200, 50)


def said(app: MemtuiApp, name: str) -> str:
    """Return the words in a pane, without its frame and its line ends."""
    return " ".join(shown(app, name).replace("│", " ").split())


async def others_go_on(app: MemtuiApp) -> None:
    """Wait until more samples and cycles came, and look at the panes that show them."""
    samples, cycles = counted(app, ProcessSample), counted(app, GcCycle)
    await until(lambda: counted(app, ProcessSample) > samples and counted(app, GcCycle) > cycles)
    await until(lambda: "RssAnon" in shown(app, "process"))
    await until(lambda: "RES" in shown(app, "trend"))
    await until(lambda: f" {counted(app, GcCycle)} cycles" in shown(app, "gctrace"))


@pytest.fixture
def busy(start_go: StartGo) -> Any:
    """A service that collects its garbage several times a second."""
    return start_go("orders", "-report-every", "200ms", GODEBUG="gctrace=1")


@pytest.fixture
def doors(start_go: StartGo, wait_until: Callable[..., None]) -> Callable[..., Any]:
    """Start the Go program that answers as told; returns its pid and the address of each kind."""

    def start(*kinds: str) -> tuple[int, dict[str, str]]:
        service = start_go("doors", *(f"{kind}=127.0.0.1:0" for kind in kinds))
        wait_until(lambda: "ready" in service.stdout_path.read_text())
        pairs = re.findall(r"(\w+) listening on (\S+)", service.stdout_path.read_text())
        return service.pid, dict(pairs)

    return start


# Profiles from elsewhere


async def test_a_profile_comes_from_a_file(busy: Any, data: Path) -> None:
    folder = data / "profile" / "heapleak"
    top = (folder / "heap.inuse_space.bytes.top.txt").read_text()
    rows = re.findall(r"^ *(\d+)B +\S+ +\S+ +(\d+)B +\S+  (\S+)", top, re.M)
    assert len(rows) > 3
    app = app_on(busy.pid, str(folder / "heap.pb.gz"))
    async with running(app, WIDE):
        await until(lambda: counted(app, Profile))
        await until(lambda: "main.remember" in shown(app, "pprof"))
        found = [row.split() for row in shown(app, "pprof").splitlines()[2:]]
        for (flat, cum, name), row in zip(rows, found, strict=False):
            assert (row[1], row[4]) == (units.size(int(flat)), units.size(int(cum)))
            assert row[6] == name.rpartition("/")[2]
        assert "heap.pb.gz" in shown(app, "pprof")


async def test_a_profile_comes_from_an_address_and_nobody_else_is_asked(
    busy: Any, start_go: StartGo
) -> None:
    elsewhere = start_go("orders", "-items", "1000", "-item-bytes", "8192").address
    app = app_on(busy.pid, elsewhere)
    async with running(app, WIDE):
        await until(lambda: "main.loadCatalogue" in shown(app, "pprof"))
        assert f"{elsewhere}/debug/pprof/heap" in shown(app, "pprof")
        assert busy.address not in shown(app, "pprof")


async def test_without_leave_to_probe_the_pane_says_so(busy: Any) -> None:
    where = busy.address
    app = app_on(busy.pid, no_probe=True)
    async with running(app, WIDE):
        await until(lambda: f"not probed (--no-probe): listens on {where}" in said(app, "pprof"))
        await until(lambda: counted(app, GcCycle) and "RssAnon" in shown(app, "process"))
        assert not counted(app, Profile)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "answers 404: no such page"),
        ("garbage", "does not speak HTTP"),
        ("tls", "wants TLS use https:// in --pprof"),
    ],
)
async def test_an_address_that_has_no_profile_says_why(
    busy: Any, doors: Callable[..., Any], kind: str, reason: str
) -> None:
    where = doors(kind)[1][kind]
    app = app_on(busy.pid, f"http://{where}")
    async with running(app, WIDE):
        await until(lambda: f"{where}/debug/pprof/heap {reason}" in said(app, "pprof"))
        assert "next try at" in said(app, "pprof")
        await until(lambda: "✗pprof" in shown(app, "verdict"))


async def test_the_others_go_on_while_no_profile_comes(
    busy: Any, doors: Callable[..., Any]
) -> None:
    app = app_on(busy.pid, doors("missing")[1]["missing"])
    async with running(app, WIDE):
        await until(lambda: "answers 404" in said(app, "pprof"))
        await others_go_on(app)
        assert "answers 404" in said(app, "pprof")


async def test_listeners_without_pprof_are_named_with_what_each_one_did(
    doors: Callable[..., Any],
) -> None:
    pid, at = doors("missing", "garbage", "mtls", "mute")
    app = app_on(pid)
    async with running(app, WIDE):
        await until(lambda: "no pprof endpoint" in said(app, "pprof"))
        words = said(app, "pprof")
        assert f"{at['missing']} answers 404" in words
        assert f"{at['garbage']} is not HTTP" in words
        assert f"{at['mtls']} wants a client certificate" in words
        assert f"{at['mute']} did not answer within" in words
        await until(lambda: "RssAnon" in shown(app, "process"))


async def test_trouble_stands_beside_the_last_profile_until_the_service_is_back(
    busy: Any, start_go: StartGo, held_port: HeldPort
) -> None:
    where = held_port.address
    other = start_go("orders", "-items", "8192", "-listen", where)
    assert other.address == where
    app = app_on(busy.pid, where)
    async with running(app, WIDE) as pilot:
        await until(lambda: "main.loadCatalogue" in shown(app, "pprof"))
        table = shown(app, "pprof").splitlines()[1:-1]
        other.end()
        await pilot.press("4", "r")
        await until(lambda: "refused the connection" in shown(app, "pprof").splitlines()[-1])
        assert shown(app, "pprof").splitlines()[1:-1] == table
        await until(lambda: "✗pprof" in shown(app, "verdict"))
        await others_go_on(app)
        assert "LIVE" in shown(app, "heading")
        _ = start_go("orders", "-listen", where).address
        await pilot.press("4", "r")
        await until(lambda: counted(app, Profile) > 1)
        await until(lambda: "refused" not in shown(app, "pprof"))


# Processes that cannot be read, or are no more


AS_NOBODY = """
import asyncio, json, os, sys, time
import httpx, psutil, memtui.dashboard.app  # all that is needed later: nobody may not read it
from memtui.cli.options.profile import ProfileOptions
from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.model import ProcessSample, Trouble
from memtui.render.cells import text_of
from memtui.sources.process.discovery import ProcessFinder

def candidates():
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    yield ProcessFinder().candidate(int(sys.argv[1]))

def has_all(app):
    troubles = [app.view().state(name) for name in ("gctrace", "profile")]
    return app.timeline.track(ProcessSample).count and all(
        each and isinstance(each[1], Trouble) for each in troubles)

async def look():
    session = Session(ProfileOptions(None, True, None), GctraceInput(), time.time)
    session.choose(candidates, "which process?")
    app = session.screen()
    async with app.run_test(size=(200, 50)) as pilot:
        async with asyncio.timeout(60):
            while not any(table.row_count for table in app.screen.query("DataTable")):
                await asyncio.sleep(0.02)
            await pilot.press("enter")
            while not has_all(app):
                await asyncio.sleep(0.02)
        app.paint()
        return {pane.id: [text_of(row) for row in pane.painted_lines] for pane in app.panes}

print(json.dumps(asyncio.run(look())))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_process_of_another_user_says_no_access_where_there_is_none(busy: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(busy.pid)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    panes = json.loads(done.stdout)
    values = {}
    for row in panes["process"]:
        if found := re.match(r"│ (\S+(?: \w+)?) {2,}(no access|\S+)", row):
            values[found[1]] = found[2]
    assert {name for name, value in values.items() if value == "no access"} == {"files", "Go"}
    assert values["RES"] != "0"
    assert f"no access to the sockets of process {busy.pid}" in " ".join(panes["pprof"])
    assert f"no access to the stderr of process {busy.pid}" in " ".join(panes["gctrace"])


class Script:
    """A source that tells what it was given."""

    def __init__(self, name: str, samples: Sequence[Sample]) -> None:
        self.name = name
        self._samples = samples

    async def events(self) -> AsyncGenerator[Event, None]:
        """Tell one after the other."""
        for sample in self._samples:
            yield Event(time.time(), self.name, sample)


async def test_a_pid_that_is_used_again_is_told_and_not_watched_on(
    process: Callable[..., ProcessSample],
) -> None:
    identity = ProcessIdentity(77, 1, time.time() - 60, "orders", ("orders",), "shop", "go1.27.3")
    reused = Ended("pid 77 was reused by another process (sshd)")
    story: list[Sample] = [identity, process(res=40 << 20, shr=8 << 20), reused]
    app = MemtuiApp(Timeline(time.time()), [Script("process", story)])
    async with running(app, WIDE):
        await until(lambda: reused.reason in shown(app, "verdict"))
        assert "ENDED" in shown(app, "heading")
        assert "orders 77" in shown(app, "heading")
        assert "40.0M" in shown(app, "process")


# Quitting


def test_quitting_does_not_wait_for_a_name_server(
    busy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not when the loop closes, which waits for the threads of its default executor."""
    asked, answer = threading.Event(), threading.Event()

    def hang(*args: object, **options: object) -> None:
        asked.set()
        answer.wait(3 * PATIENCE_S)
        raise OSError("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    quit_at = 0.0

    async def scenario() -> None:
        nonlocal quit_at
        app = app_on(busy.pid, "http://localhost:1")
        async with running(app, WIDE):
            await until(asked.is_set)
            quit_at = time.monotonic()
            app.exit()

    asyncio.run(scenario())
    took = time.monotonic() - quit_at
    answer.set()
    assert took < PATIENCE_S


# Keys


async def test_arrows_change_the_time_shown_and_come_back(busy: Any) -> None:
    app = app_on(busy.pid, no_probe=True)
    async with running(app, WIDE) as pilot:
        await until(lambda: " 1 min " in shown(app, "trend"))
        await pilot.press("2")
        seen = []
        for key in ("left", "left", "h", "right", "l", "right", "right"):
            await pilot.press(key)
            seen.append(" ".join(shown(app, "trend").splitlines()[0].split()[-3:-1]))
        assert seen == ["2 min", "5 min", "10 min", "5 min", "2 min", "1 min", "1 min"]
        await pilot.press(*["left"] * 9)
        assert " 3 d " in shown(app, "trend").splitlines()[0]


async def test_names_of_functions_are_moved_sideways_and_come_back(busy: Any, data: Path) -> None:
    app = app_on(busy.pid, str(data / "profile" / "heapleak" / "heap.pb.gz"))
    full = "encoding/json/v2.makeStructArshaler.func2"
    async with running(app, WIDE) as pilot:
        await until(lambda: "main.remember" in shown(app, "pprof"))
        await pilot.press("4")
        await until(lambda: "╭" in shown(app, "pprof"))
        first = shown(app, "pprof")
        assert " v2.makeStructArshaler.func2 " in first
        assert full not in first
        await pilot.press("l")
        assert full in shown(app, "pprof")
        await pilot.press("l")
        moved = shown(app, "pprof")
        assert full not in moved
        assert f" {full[8:]} " in moved
        await pilot.press("h")
        assert full in shown(app, "pprof")
        await pilot.press("left")
        assert shown(app, "pprof") == first


# The frozen view


@pytest.fixture
def pipe() -> Iterator[tuple[int, Any]]:
    """A pipe: the descriptor to read, and a file to write."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", buffering=1) as file:
        yield reading, file
    os.close(reading)


def has_lines(app: MemtuiApp, count: int) -> bool:
    return counted(app, OutputLine) >= count


async def test_a_frozen_view_stays_the_same_whatever_comes(
    busy: Any, pipe: tuple[int, Any], data: Path
) -> None:
    reading, writing = pipe
    trace = (data / "gctrace" / "goroutineleak-1.27.3.log").read_text()
    panes = ("process", "trend", "gctrace", "pprof", "verdict", "hint")
    app = app_on(busy.pid, trace=GctraceInput(fd=reading))
    async with running(app, WIDE) as pilot:
        writing.write(trace)
        await until(lambda: counted(app, GcCycle) == 21 and counted(app, Profile))
        await until(lambda: counted(app, ProcessSample))
        await pilot.press("3", "o")
        await until(lambda: "request handled id=7" in shown(app, "gctrace"))
        await until(lambda: "main." in shown(app, "pprof"))
        await pilot.press("space", "3")
        frozen = {name: shown(app, name) for name in panes}
        assert "request handled id=7" in frozen["gctrace"]
        samples, lines = counted(app, ProcessSample), counted(app, OutputLine)
        for start in range(0, 5000, 500):
            text = "".join(f"line {number}\n" for number in range(start, start + 500))
            await asyncio.to_thread(writing.write, text)
            # What came faster than it is taken might be dropped.
            await until(partial(has_lines, app, lines + start + 500))
        await pilot.press("4", "r", "3")
        await until(lambda: counted(app, Profile) > 1)
        await until(lambda: counted(app, ProcessSample) > samples)
        assert {name: shown(app, name) for name in panes} == frozen
        await pilot.press("g")
        assert "gc 1 " in shown(app, "hint")
        await pilot.press("G", "1", "3")
        await until(lambda: {name: shown(app, name) for name in panes} == frozen)
        await pilot.press("space")
        await until(lambda: "line 4999" in shown(app, "gctrace"))
