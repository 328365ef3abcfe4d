"""Pane 4 on real services: profiles are fetched, compared, entered and saved."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dashboard import app_on, counted, running, shown, until
from largeprofile import large_profile
from textual.pilot import Pilot

from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.dashboard.app import MemtuiApp
from memtui.dialogs.profile_picker import ConfirmScreen, ProfilePickerScreen
from memtui.model import GcCycle, Mark

pytestmark = pytest.mark.go

StartGo = Callable[..., Any]
WIDE = (160, 50)


async def take(app: MemtuiApp, pilot: Pilot[None], kind: str) -> None:
    """Choose a profile in the dialog, and confirm."""
    await pilot.press("t")
    await until(lambda: isinstance(app.screen, ProfilePickerScreen))
    screen = app.screen
    assert isinstance(screen, ProfilePickerScreen)
    names = [str(request) for request, _ in screen._offers]
    at = next(number for number, name in enumerate(names) if name.startswith(kind))
    await pilot.press(*["down"] * at, "enter")
    if isinstance(app.screen, ConfirmScreen):
        await pilot.press("enter")
    await until(lambda: len(app.screen_stack) == 1)


def marks(app: MemtuiApp) -> list[str]:
    """Return the marks of actions on the target."""
    return [mark.text for _, mark in app.timeline.track(Mark).tail(99, 1e12)]


def saved_in(folder: Path) -> list[Path]:
    """Return the heap profiles of orders in a folder."""
    return list(folder.glob("orders-*-heap-*.pb.gz"))


def top_of(path: Path, *options: str) -> str:
    """Return what go tool pprof -top prints of a file."""
    go = Path(sysconfig.get_path("scripts")) / "go"
    done = subprocess.run(
        [go, "tool", "pprof", "-top", *options, path], capture_output=True, text=True, check=True
    )
    return done.stdout


async def test_goroutines_are_counted_by_state_and_by_stack(start_go: StartGo) -> None:
    service = start_go("orders")
    app = app_on(service.pid)
    async with running(app, WIDE) as pilot:
        await until(lambda: "inuse_space" in shown(app, "pprof"))
        await pilot.press("4")
        await take(app, pilot, "goroutine")
        await until(lambda: "IO wait" in shown(app, "pprof"))
        await until(lambda: "main.main" in shown(app, "pprof"))
        await until(lambda: re.search(r"4 goroutine \d+ ", shown(app, "pprof")))
        await pilot.press("right_curly_bracket")
        await until(lambda: "inuse_space" in shown(app, "pprof"))
        assert not marks(app)


@pytest.mark.quiet  # a second of CPU profile must hold samples of the service
async def test_a_cpu_profile_is_confirmed_shown_while_it_runs_and_cancelled(
    start_go: StartGo,
) -> None:
    service = start_go("orders", "-orders", "20000")
    app = app_on(service.pid)
    async with running(app, WIDE) as pilot:
        await until(lambda: "inuse_space" in shown(app, "pprof"))
        await pilot.press("4", "p")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("escape")
        assert not marks(app)
        await pilot.press("p", "6", "0", "enter")
        await until(lambda: "of 60 s ░" in shown(app, "pprof"))
        await pilot.press("c")
        await until(lambda: "cancelled after" in shown(app, "pprof"))
        assert marks(app)[-1].startswith("CPU profile of 60 s: cancelled after")
        await pilot.press("p", "1", "enter")
        await until(lambda: "main.takeOrder" in shown(app, "pprof"))
        await until(lambda: marks(app)[-1] == "CPU profile of 1 s: sampled its CPU for 1 s")
        await until(lambda: "░" not in shown(app, "pprof"))


async def test_a_heap_after_a_gc_is_confirmed(start_go: StartGo) -> None:
    service = start_go("orders", "-report-every", "0", GODEBUG="gctrace=1", GOGC="off")
    app = app_on(service.pid)
    async with running(app, WIDE) as pilot:
        await until(lambda: "inuse_space" in shown(app, "pprof"))
        await pilot.press("4", "ctrl+g")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        assert not counted(app, GcCycle)
        await pilot.press("enter")
        await until(lambda: "gc=1" in shown(app, "pprof"))
        assert marks(app) == ["heap?gc=1: forced a GC"]
        await until(lambda: counted(app, GcCycle))


async def test_growth_since_a_base_and_into_a_function(data: Path, tmp_path: Path) -> None:
    folder, path = data / "profile", tmp_path / "heap.pb.gz"
    shutil.copy(folder / "goroleak/heap.pb.gz", path)
    app = app_on(os.getpid(), str(path))
    async with running(app, WIDE) as pilot:
        await until(lambda: "inuse_space" in shown(app, "pprof"))
        await pilot.press("4", "b")
        os.replace(shutil.copy(folder / "heapleak/heap.pb.gz", tmp_path / "new"), path)
        await until(lambda: " since " in shown(app, "pprof") and "new " in shown(app, "pprof"))
        then, now = (top_of(folder / f"{name}/heap.pb.gz") for name in ("goroleak", "heapleak"))
        assert "main.remember" not in then
        (grown,) = re.findall(r"([\d.]+)MB .*main\.remember", now)
        (row,) = (row for row in shown(app, "pprof").splitlines() if "main.remember" in row)
        assert f"+{float(grown):.1f}M" in row.replace("+0", "+")
        await pilot.press("/", *"remember", "enter")
        await until(lambda: "focus=remember" in shown(app, "pprof"))
        await pilot.press("b", "enter")
        await until(lambda: "callers" in shown(app, "pprof"))
        await pilot.press("escape", "v")
        await until(lambda: "runtime.main" in shown(app, "pprof"))
        await pilot.press("v")
        await until(lambda: "all  " in shown(app, "pprof"))


async def test_go_tool_pprof_opens_a_saved_profile(
    start_go: StartGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start_go("orders")
    monkeypatch.chdir(tmp_path)
    app = app_on(service.pid)
    async with running(app, WIDE) as pilot:
        await until(lambda: "inuse_space" in shown(app, "pprof"))
        await pilot.press("4", "e")
        await until(lambda: "saved" in shown(app, "hint"))
        (path,) = saved_in(tmp_path)
        assert re.fullmatch(rf"orders-{service.pid}-heap-\d{{8}}-\d{{6}}\.pb\.gz", path.name)
        assert str(path) in shown(app, "hint")
    assert "Type: inuse_space" in top_of(path)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("heapleak/heap", "inuse_space"),
        ("goroleak/goroutine", "goroutine"),
        ("heapleak/cpu", "cpu"),
    ],
)
async def test_a_file_of_any_kind_shows_its_own_type_first(
    data: Path, name: str, type_: str
) -> None:
    app = app_on(os.getpid(), str(data / "profile" / f"{name}.pb.gz"))
    async with running(app, WIDE) as pilot:
        await until(lambda: f"4 {type_} " in shown(app, "pprof"))
        await pilot.press("4", "t")
        await until(lambda: "a file holds one profile" in shown(app, "hint"))


async def test_a_profile_beyond_the_size_limit_is_an_error(data: Path) -> None:
    file = str(data / "profile/heapleak/heap.pb.gz")
    options = ProfileOptions.given(file, no_probe=False, every_s=None, limit_bytes=2 << 10)
    session = Session(options, GctraceInput(), time.time)
    session.watch_process(os.getpid())
    app = session.screen()
    async with running(app, WIDE):
        await until(lambda: "larger than 2K" in shown(app, "pprof"))


async def test_a_large_profile_is_decoded_in_a_process_that_ends_with_memtui(
    tmp_path: Path,
) -> None:
    path = tmp_path / "heap.pb.gz"
    path.write_bytes(large_profile(2000))
    app = app_on(os.getpid(), str(path))
    async with running(app, WIDE) as pilot:
        await until(lambda: "step" in shown(app, "pprof"))
        await pilot.press("4", "v")
        await until(lambda: "├" in shown(app, "pprof"))
        await until(lambda: len(children()) == 1)
    await until(lambda: not children())


def children() -> list[str]:
    """Return the worker processes that this process started."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            command = command_of(pid)
            found += [pid] if "memtui.sources.profile.worker.main" in command else []
    return found


def command_of(pid: str) -> str:
    """Return the command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
