"""Explaining a real Go program: on the screen, by keys that act on it, and without a screen."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from dashboard import app_on, counted, running, shown, until
from patience import in_one_try_of

from memtui.model import Mark, RuntimeSample

pytestmark = pytest.mark.world

StartGo = Callable[..., Any]
DEMO = Path(str(files("memtui") / "demo" / "orders.memtui"))

# A burst that is freed and kept: its program falls idle, and no cycle comes to return it.
IDLE = ("burst", "-size", "64", "-after", "500ms", "-traffic", "24")


def memtui(*arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "memtui", *arguments]
    return subprocess.run(
        run, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout, check=False
    )


@pytest.mark.go
async def test_pane_5_shows_the_ledger_and_leads_to_what_it_rests_on(start_go: StartGo) -> None:
    service = start_go("shapes", "documents")
    assert service.address
    app = app_on(service.pid)
    async with running(app, (100, 40)) as pilot:
        await until(lambda: counted(app, RuntimeSample))
        await until(lambda: "RES" in shown(app, "verdict"))
        assert all(pane.display for pane in app.panes[:4])
        await pilot.press("5")
        await until(lambda: "freed, not returned" in shown(app, "explain"))
        assert [pane.id for pane in app.panes if pane.display] == ["explain"]
        assert "MemStats and /proc" in shown(app, "explain").splitlines()[-1]
        await pilot.press("m")
        await until(lambda: "Mappings at" in shown(app, "explain"))
        await pilot.press("escape")
        await until(lambda: all(pane.display for pane in app.panes[:4]))
        assert app.focused is not None
        assert app.focused.id == "process"


@pytest.mark.go
async def test_memory_that_is_freed_by_a_key_comes_back_as_it_was_said(start_go: StartGo) -> None:
    await in_one_try_of(lambda: freed(start_go))


async def freed(start_go: StartGo) -> None:
    """Free the memory of a service: what comes back within a second was freed memory."""
    service = start_go("shapes", *IDLE)
    url = f"http://{service.address}/debug/free"
    app = app_on(service.pid, free_url=url)
    async with running(app, (110, 60)) as pilot:
        await until(lambda: "done" in service.stdout_path.read_text())
        await until(lambda: counted(app, RuntimeSample))
        await pilot.press("5", "f")
        await until(lambda: "within 1 s" in _screen(app))
        assert counted(app, Mark) == 0
        await pilot.press("enter")
        await until(lambda: counted(app, Mark) == 1)
        await until(lambda: "Result: RES" in shown(app, "explain"))
        await pilot.press("G")
        said = " ".join(shown(app, "explain").replace("│", " ").split())
        assert "this memory was garbage or free, not a leak" in said


@pytest.mark.go
async def test_nothing_is_done_before_the_question_is_answered(start_go: StartGo) -> None:
    service = start_go("shapes", "documents", GODEBUG="gctrace=1")
    assert service.address
    app = app_on(service.pid)
    async with running(app, (110, 60)) as pilot:
        await until(lambda: counted(app, RuntimeSample))
        await pilot.press("5", "c")
        await until(lambda: "runs a garbage collection now" in _screen(app))
        await pilot.press("escape")
        await pilot.press("f")
        await until(lambda: "debug.FreeOSMemory()" in _screen(app))
        await pilot.press("escape")
        assert counted(app, Mark) == 0
        assert "(forced)" not in service.stderr_path.read_text()
        await pilot.press("c", "enter")
        await until(lambda: counted(app, Mark) == 1)
        assert "(forced)" in service.stderr_path.read_text()


@pytest.mark.go
def test_explain_says_it_without_a_screen(start_go: StartGo) -> None:
    service = start_go("shapes", "cache", "-rate", "4", "-after", "0s")
    assert service.address
    done = memtui("explain", "--pid", str(service.pid), "--for", "8s", "--json")
    assert done.returncode == 4, done.stderr
    found = json.loads(done.stdout)
    assert [each["cause"] for each in found["verdicts"]] == ["not-enough-data"]
    ledger = found["ledger"]
    assert sum(part["bytes"] or 0 for part in ledger["parts"].values()) == ledger["res_bytes"]
    growths = [part["growth_bytes"] or 0 for part in ledger["parts"].values()]
    assert sum(growths) == ledger["growth_bytes"]
    assert found["sources"]["runtime"].startswith("expvar")
    assert found["window"]["to"] > found["window"]["from"]


@pytest.mark.go
@pytest.mark.parametrize("as_json", [True, False])
def test_a_process_that_ends_keeps_its_last_verdict_with_how_it_ended(
    start_go: StartGo, as_json: bool
) -> None:
    service = start_go("shapes", "cache", "-rate", "4", "-after", "0s")
    assert service.address
    run = [sys.executable, "-m", "memtui", "explain", "--pid", str(service.pid), "--for", "10m"]
    command = [*run, "--json"] if as_json else run
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stderr
        try:
            assert "fetching" in watching.stderr.readline()  # so it has seen the process
            service.end()
            said, _ = watching.communicate(timeout=180)
        finally:
            watching.kill()  # a failed test must not wait for the ten minutes
    assert watching.returncode == 4
    if as_json:
        found = json.loads(said)
        assert found["ledger"]["res_bytes"] > 0
        assert found["ended"]["reason"].startswith(f"process {service.pid} ")
        assert found["ended"]["exit_code"] in (None, 137)
    else:
        assert said.startswith(" RES ")
        assert f"process {service.pid} " in said.splitlines()[2]


@pytest.mark.go
def test_doctor_says_what_is_missing_and_how_to_get_it(start_go: StartGo) -> None:
    service = start_go("shapes", "documents")
    assert service.address
    done = memtui("doctor", "--pid", str(service.pid), "--no-probe")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith(" ✓ Go") and "go1." in line for line in lines)
    assert any(line.startswith(" ✗ MemStats") for line in lines)
    assert any(line.startswith(" ~ gctrace") and "no gctrace=1" in line for line in lines)
    assert sum("adds:" in line for line in lines) == sum("how:" in line for line in lines) >= 3


@pytest.mark.parametrize("command", ["explain", "doctor"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no process given"),
        (("--pid", "4194304"), "no process"),
        (("--name", "no-such-program-anywhere"), "no process matches"),
        (("--name", "["), "bad pattern"),
    ],
)
def test_a_process_that_is_not_there_is_a_line(
    command: str, arguments: tuple[str, ...], said: str
) -> None:
    done = memtui(command, *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def _screen(app: Any) -> str:
    """Return the text of the box that covers the panes."""
    from textual.widgets import Static

    boxes = app.screen.query(Static)
    return " ".join(str(box.render()) for box in boxes).replace("\n", " ")


@pytest.mark.parametrize("at", ["35%", "50%", "70%", "90%", "100%"])
def test_the_recorded_service_got_larger_by_what_the_kernel_may_take(at: str) -> None:
    """RES climbs in two steps: by then LazyFree holds most of what it climbed by."""
    done = memtui("replay", str(DEMO), "--once", "--json", "--at", at)
    verdict = json.loads(done.stdout)["explain"]["verdicts"][0]
    assert verdict["cause"] == "lazily-freed"
    assert verdict["share_of"] == "growth"
    assert verdict["share"] > 0.4
