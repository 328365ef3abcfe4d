"""The whole dashboard on real Go processes, driven as a user drives it."""

from __future__ import annotations

import asyncio
import gc
import re
import sysconfig
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from dashboard import app_on, comes_true, counted, running, shown, until
from patience import in_one_try_of
from textual.strip import Strip

from memtui import units
from memtui.dashboard.app import MemtuiApp
from memtui.model import Ended, GcCycle, ProcessSample, Profile, Trouble
from memtui.timeline import Timeline

pytestmark = pytest.mark.go

StartGo = Callable[..., Any]


async def output_of(*command: str) -> str:
    """Run a command and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


def status_kib(pid: int, name: str) -> int:
    """Read a line of /proc/PID/status."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found
    return int(found[1])


async def test_four_panes_show_the_true_numbers_of_a_go_process(start_go: StartGo) -> None:
    service = start_go("orders", "-report-every", "0", "-orders", "0", GODEBUG="gctrace=1")
    address = service.address
    app = app_on(service.pid)
    async with running(app, (160, 50)):
        await until(lambda: counted(app, Profile) and counted(app, ProcessSample) > 1)
        await until(lambda: "main.loadCatalogue" in shown(app, "pprof"))

        def shows_the_process() -> None:
            process = shown(app, "process")
            names = ("VmRSS", "RssAnon", "RssFile", "VmSize", "VmExe", "VmHWM")
            sizes = {units.size(status_kib(service.pid, name) * 1024) for name in names}
            assert sizes <= set(process.split())
            judge = psutil.Process(service.pid)
            judged = [str(judge.memory_info().vms // 1024), judge.terminal() or "?"]
            rows = {row.split()[1]: row.split() for row in process.splitlines()[1:-1]}
            assert [rows[name][2] for name in ("VSZ", "TTY")] == judged
            assert rows["threads"][2] == str(judge.num_threads())
            assert re.fullmatch("[RS]l", rows["STAT"][2])
            assert rows["Go"][2].startswith("go1.")
            assert units.size(status_kib(service.pid, "VmRSS") * 1024) in shown(app, "trend")

        await comes_true(shows_the_process)

        def shows_the_trace() -> None:
            trace = re.findall(
                r"^gc (\d+) .* (\d+)->(\d+)->(\d+) MB", service.stderr_path.read_text(), re.M
            )
            assert trace
            gctrace = shown(app, "gctrace")
            for number, start, end, live in trace[-10:]:
                assert re.search(rf"│ +{number} .* {start}→{end}→{live} ", gctrace)

        await comes_true(shows_the_trace)

        go = Path(sysconfig.get_path("scripts")) / "go"
        url = f"http://{address}/debug/pprof/heap"
        top = await output_of(str(go), "tool", "pprof", "-top", "-unit=bytes", url)
        flat = re.search(r"^ *(\d+)B .* main\.loadCatalogue", top, re.M)
        assert flat
        row = next(row for row in shown(app, "pprof").splitlines() if "loadCatalogue" in row)
        assert row.split()[1] == units.size(int(flat[1]))


async def test_what_a_frozen_screen_looked_at_is_gone_when_it_follows(start_go: StartGo) -> None:
    """Also where a pane that drew it is not on the screen any more."""
    app = app_on(start_go("orders").pid, no_probe=True)
    async with running(app) as pilot:
        await until(lambda: app.timeline.track(ProcessSample).count >= 2)
        await pilot.press("5", "space")
        looked_at = weakref.ref(app.view().timeline)
        assert looked_at() is not app.timeline
        await pilot.press("1", "escape")
        app.player.follow()
        app.paint()

        def is_gone() -> bool:
            gc.collect()
            return looked_at() is None

        await until(is_gone)


async def test_keys_go_to_panes_zoom_freeze_and_switch(start_go: StartGo) -> None:
    service = start_go("orders", "-report-every", "300ms", GODEBUG="gctrace=1")
    app = app_on(service.pid)
    async with running(app) as pilot:
        await until(lambda: counted(app, Profile) and counted(app, GcCycle) > 3)
        for key, name in (
            ("2", "trend"),
            ("tab", "gctrace"),
            ("4", "pprof"),
            ("shift+tab", "gctrace"),
        ):
            await pilot.press(key)
            assert app.focused is not None
            assert app.focused.id == name
        await pilot.press("o")
        await until(lambda: "all output" in shown(app, "gctrace"))
        await pilot.press("4", "s")
        await until(lambda: "inuse_objects" in shown(app, "pprof"))

        await pilot.press("3", "z")
        await pilot.pause()
        assert [pane.id for pane in app.panes if pane.display] == ["gctrace"]
        assert app.panes[2].size.width == 120
        await pilot.press("escape")
        assert all(pane.display for pane in app.panes[:4])

        await pilot.press("space")

        async def stands_still() -> str:
            """A trace line is read a while after its cycle, which may be one before this moment."""
            seen, cycles = counted(app, ProcessSample), counted(app, GcCycle)
            before = shown(app, "trend"), shown(app, "gctrace"), shown(app, "process")
            await until(lambda: counted(app, ProcessSample) > seen + 2)
            await until(lambda: counted(app, GcCycle) > cycles + 2)
            assert (shown(app, "trend"), shown(app, "gctrace"), shown(app, "process")) == before
            return before[1]

        frozen = await in_one_try_of(stands_still)
        assert "FROZEN" in shown(app, "heading")
        await pilot.press("space")
        await until(lambda: "LIVE" in shown(app, "heading"))
        await until(lambda: shown(app, "gctrace") != frozen)


async def test_rows_are_selected_and_explained(start_go: StartGo) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    app = app_on(service.pid)
    async with running(app, (80, 24)) as pilot:
        await until(lambda: counted(app, Profile) and counted(app, ProcessSample))
        await pilot.press("1", "j", "down")
        await until(lambda: "file-backed memory and shmem" in shown(app, "hint"))
        await pilot.press("G")
        await until(lambda: "command" in shown(app, "process"))
        await pilot.press("g", "4")
        await until(lambda: "main." in shown(app, "hint") or "runtime." in shown(app, "hint"))


async def test_r_fetches_the_profile_at_once(start_go: StartGo) -> None:
    service = start_go("orders")
    app = app_on(service.pid)
    async with running(app) as pilot:
        await until(lambda: counted(app, Profile) == 1)
        await pilot.press("4", "r")
        await until(lambda: counted(app, Profile) == 2)


@pytest.mark.parametrize("size", [(60, 20), (40, 12), (20, 5), (10, 3), (200, 60)])
async def test_any_size_is_survived(start_go: StartGo, size: tuple[int, int]) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    app = app_on(service.pid)
    async with running(app, size) as pilot:
        await until(lambda: counted(app, Profile) and counted(app, ProcessSample))
        for key in "1234zz?":
            await pilot.press(key)
        await pilot.press("escape")
        assert len([pane for pane in app.panes if pane.display]) == (1 if size[0] < 70 else 4)


async def test_a_process_that_ends_leaves_the_screen_as_it_was(start_go: StartGo) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    app = app_on(service.pid)
    async with running(app):
        await until(lambda: "main.loadCatalogue" in shown(app, "pprof"))
        await until(lambda: counted(app, ProcessSample) > 1)
        service.end()
        await until(lambda: counted(app, Ended))
        how = rf"process {service.pid} (ended|was killed by SIGKILL) at \S+: RES"
        await until(lambda: re.search(how, shown(app, "verdict")))
        assert "ENDED" in shown(app, "heading")
        assert "main.loadCatalogue" in shown(app, "pprof")
        assert "RssAnon" in shown(app, "process")


async def test_a_service_without_an_endpoint_or_trace_says_what_to_do(start_go: StartGo) -> None:
    service = start_go("orders", "-listen", "")
    app = app_on(service.pid)
    async with running(app):
        await until(lambda: "net/http/pprof" in shown(app, "pprof"))
        await until(lambda: "gctrace=1" in shown(app, "gctrace"))
        await until(lambda: "RssAnon" in shown(app, "process"))
        assert isinstance(app.view().state("profile")[1], Trouble)  # type: ignore[index] # there is one


async def test_a_screen_that_is_closed_is_let_go_of() -> None:
    app = MemtuiApp(Timeline(time.time()))
    async with running(app) as pilot:
        left = []
        for _ in range(6):
            for _ in range(2):
                await pilot.press("question_mark", "escape")
            gc.collect()
            left.append(sum(isinstance(each, Strip) for each in gc.get_objects()))
    assert min(left[3:]) <= max(left[:3])  # what is kept of each adds up; a tick now and then not
