"""memtui without /proc and without what only Linux has, as on macOS: simulated on Linux."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import in_one_try, wait_for

from memtui.model import Absent, ProcessSample
from memtui.sources.process.portable import PortableReader
from memtui.sources.process.reader import PidGuard, ProcessReader, default_reader
from memtui.sources.process.source import ProcessSource, read_identity, read_sample
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.world

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src"
StartGo = Callable[..., Any]
RUN = "import portable; portable.pretend(); from memtui.cli import main; main()"


def command(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    return {
        **os.environ, "MEMTUI_PROCESS_READER": "portable", "PYTHONPATH": str(TESTS), **more,
    }  # fmt: skip


def memtui(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(RUN, *arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL,
        timeout=180, check=False, env=environment(**more),
    )  # fmt: skip


def test_every_module_is_imported_without_what_only_linux_has() -> None:
    names = sorted(
        ".".join(each.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for each in (SOURCE / "memtui").rglob("*.py")
        if each.stem != "__main__"
    )
    assert len(names) > 200
    code = (
        "import portable, importlib, sys; portable.pretend()\n"
        "for name in sys.argv[1:]: importlib.import_module(name)"
    )
    done = subprocess.run(
        command(code, *names), capture_output=True, text=True, check=False, env=environment()
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("value", ["windows", "/proc"])
def test_an_unknown_reader_is_refused(value: str) -> None:
    done = memtui("--once", "--pid", os.getpid(), MEMTUI_PROCESS_READER=value)
    assert done.returncode == 1
    assert f"MEMTUI_PROCESS_READER={value}: no such reader" in done.stderr
    assert "use linux or portable" in done.stderr


@pytest.mark.go
def test_once_shows_what_psutil_and_the_service_report(start_go: StartGo) -> None:
    service = start_go("orders")
    assert service.address
    done = memtui("--pid", service.pid, "--once", "--json")
    assert done.returncode in (3, 4), done.stderr
    found = json.loads(done.stdout)
    assert found["process"]["res_bytes"] > 1 << 20
    assert found["process"]["virt_bytes"] > found["process"]["res_bytes"]
    assert found["process"]["threads"] > 1
    assert found["process"]["open_files"] > 3
    assert "anon_bytes" not in found["process"] or not isinstance(
        found["process"]["anon_bytes"], int
    )
    assert found["runtime"]["heap_inuse_bytes"] > 0
    text = memtui("--pid", service.pid, "--once", COLUMNS="100").stdout
    assert re.search(r" RES +[\d.]+M", text)
    assert "main.loadCatalogue" in text
    assert "psutil: RES is not split into RssAnon and RssFile" in " ".join(text.split())
    assert "stderr of another process can be read on Linux only" in " ".join(text.split())


@pytest.mark.go
def test_doctor_lists_what_is_missing(start_go: StartGo) -> None:
    service = start_go("orders")
    assert service.address
    found = {
        each["name"]: each["seen"]
        for each in json.loads(memtui("doctor", "--json", "--pid", service.pid).stdout)["checks"]
    }
    assert found["/proc"] == "partly"
    assert found["smaps_rollup"] == found["cgroup"] == found["gctrace"] == "no"
    assert found["MemStats"] == found["pprof"] == found["Go"] == "yes"


@pytest.mark.go
def test_explain_judges_by_res_and_memstats(start_go: StartGo) -> None:
    service = start_go("orders")
    assert service.address
    done = memtui("explain", "--pid", service.pid, "--for", "6s", "--json")
    assert done.returncode in (0, 3, 4), done.stderr
    found = json.loads(done.stdout)
    assert found["ledger"]["res_bytes"] > 1 << 20, found
    assert found["ledger"]["parts"]["files"]["bytes"] is None, "psutil does not report RssFile"


@pytest.mark.go
def test_a_recording_is_written_and_read(start_go: StartGo, tmp_path: Path) -> None:
    service, file = start_go("orders"), tmp_path / "a.memtui"
    done = memtui("record", "--pid", service.pid, "-o", file, "--for", "3s")
    assert done.returncode == 0, done.stderr
    info = json.loads(memtui("info", "--json", file).stdout)
    assert info["damage"] == []
    assert info["kinds"]["process"] >= 2
    assert info["kinds"]["runtime"] >= 1
    done = memtui("replay", "--once", "--json", file)
    assert json.loads(done.stdout)["process"]["res_bytes"] > 1 << 20, done.stderr


@pytest.mark.go
def test_run_reads_gctrace_of_its_child(go_build: Callable[[str], Path]) -> None:
    done = subprocess.run(
        command(CHILD, go_build("orders"), "-listen", ""), capture_output=True, text=True,
        check=False, timeout=180, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # It is interrupted first; on a busy host it may not end in time.
    assert done.stdout.split()[-1] in ("130", "143"), done.stdout


CHILD = """
import portable; portable.pretend()
import asyncio, os, sys, time
from dashboard import counted, running, until
from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.model import GcCycle, ProcessSample
from memtui.sources.gctrace.child import Child
async def look():
    child = Child(sys.argv[1:], os.environ)
    session = Session(ProfileOptions(None, True, None), GctraceInput(), time.time)
    session.watch_child(child)
    app = session.screen()
    async with running(app):
        await until(lambda: counted(app, GcCycle) > 1 and counted(app, ProcessSample) > 1)
        await child.end()
        await until(lambda: (end := app.view().ended()) and end[1].exit_code is not None)
        print("exit", app.view().ended()[1].exit_code)
asyncio.run(look())
"""
DASHBOARD = """
import portable; portable.pretend()
import asyncio, sys
from dashboard import app_on, counted, running, shown, until
from memtui.model import ProcessSample, Profile, RuntimeSample
async def look():
    app = app_on(int(sys.argv[1]))
    async with running(app):
        await until(lambda: counted(app, ProcessSample) > 1 and counted(app, RuntimeSample))
        app.paint()
        print("\\n".join(shown(app, each) for each in ("process", "explain", "sources")
                         if app.query(f"#{each}")))
asyncio.run(look())
"""


@pytest.mark.go
def test_the_dashboard_shows_a_service(start_go: StartGo) -> None:
    service = start_go("orders")
    assert service.address
    done = subprocess.run(
        command(DASHBOARD, service.pid), capture_output=True, text=True, check=False,
        timeout=180, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"RES +[\d.]+M", done.stdout), done.stdout


def test_a_recording_is_replayed_and_listed_by_offline_commands(tmp_path: Path) -> None:
    demo = SOURCE / "memtui/demo/orders.memtui"
    for arguments in (
        ("replay", "--once", demo), ("info", demo), ("explain", demo), ("top", demo),
        ("export", "--format", "csv", demo), ("report", demo, "-o", tmp_path / "page.html"),
    ):  # fmt: skip
        done = memtui(*arguments)
        assert done.returncode in (0, 1, 2, 3, 4), (arguments, done.stderr)
        assert "Traceback" not in done.stderr
        assert "defect" not in done.stderr, (arguments, done.stderr)


@pytest.mark.go
def test_both_readers_report_the_same_process(start_go: StartGo) -> None:
    service = start_go("orders", "-listen", "", "-orders", "0", "-report-every", "0")
    wait_for(lambda: "pid" in service.stdout_path.read_text())
    portable: ProcessReader = PortableReader()
    linux = default_reader()
    mine, theirs = read_identity(service.pid, portable), read_identity(service.pid, linux)
    assert replace(mine, started_at=0.0) == replace(theirs, started_at=0.0)
    assert mine.started_at == pytest.approx(theirs.started_at, abs=0.011)

    def same_numbers() -> None:
        one, two = read_sample(service.pid, portable)[1], read_sample(service.pid, linux)[1]
        for name in (
            "virt_bytes", "res_bytes", "shr_bytes", "code_bytes", "data_bytes", "threads",
            "open_files", "tty",
        ):  # fmt: skip
            assert getattr(one, name) == pytest.approx(getattr(two, name), rel=0.02), name
        assert one.cpu_s == pytest.approx(two.cpu_s, abs=0.1)
        assert one.anon_bytes is Absent.NOT_REPORTED

    in_one_try(same_numbers)
    assert portable.variables(service.pid, ["GOGC"]) == linux.variables(service.pid, ["GOGC"])


async def test_a_process_that_ends_is_reported_without_its_status() -> None:
    process = psutil.Popen(["sleep", "60"])
    source = ProcessSource(process.pid, time.time, 0.02, PortableReader())
    reasons = []
    async for event in source.events():
        if isinstance(event.sample, ProcessSample):
            process.kill()
            process.wait()
        reasons.append(getattr(event.sample, "reason", ""))
    assert reasons[-1] == f"process {process.pid} ended"


def test_a_reused_pid_is_another_process() -> None:
    reader = PortableReader()
    with subprocess.Popen(["sleep", "60"]) as process:
        guard = PidGuard(process.pid, reader)
        guard.check()
        guard.check()
        known, ticks = reader._known[process.pid]
        # As if an earlier process had had this pid.
        was = getattr(known, "_ident")  # noqa: B009
        setattr(known, "_ident", (process.pid, was[1] - 0.01))  # noqa: B010
        with pytest.raises(SourceFailed) as failed:
            guard.check()
        assert failed.value.reason == (
            f"process {process.pid} has ended; its pid is another process now"
        )
        assert reader.stat(process.pid).start_ticks != ticks
        process.kill()
    with pytest.raises(SourceFailed) as failed:
        guard.check()
    assert failed.value.reason == f"process {process.pid} has ended"


@pytest.mark.go
def test_the_listeners_of_a_service_are_those_of_proc(start_go: StartGo) -> None:
    service = start_go("orders")
    assert service.address
    found = [str(each) for each in PortableReader().listeners(service.pid)]
    assert found == [str(each) for each in default_reader().listeners(service.pid)]
    assert found == [service.address]
