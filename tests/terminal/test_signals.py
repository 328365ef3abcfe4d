"""Every way to be told to stop: terminal restored, recording whole, nobody left behind."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import in_one_try
from shellwindow import RESTORED

from memtui.model import ProcessSample
from memtui.recording import Recording

pytestmark = [pytest.mark.terminal, pytest.mark.go]

OpenTerminal = Callable[..., Any]
StartGo = Callable[..., Any]
WaitFor = Callable[..., None]


def assert_whole(file: Path) -> None:
    """The file is closed: its last second is there, and nothing in it is damaged or open."""
    recording = Recording.open(file)
    assert any(isinstance(each.sample, ProcessSample) for each in recording.events(0, 1e12))
    assert list(recording.check())
    assert recording.damage == []


def assert_restored(window: Any) -> None:
    """The screen is the shell's again, and so is the keyboard."""
    assert window.modes() == RESTORED
    window.type("clear; stty -a")
    window.wait_for("isig icanon", " echo ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_restores_the_terminal_and_closes_the_file(
    terminal: OpenTerminal, start_go: StartGo, tmp_path: Path, number: signal.Signals
) -> None:
    service, file = start_go("orders", GODEBUG="gctrace=1"), tmp_path / "s.memtui"
    window = terminal(80, 24)
    window.type(f"memtui --pid {service.pid} --record {file}; echo code=$?")
    window.wait_for("LIVE", "4 inuse_space", "REC")
    window.memtui().send_signal(number)
    window.wait_for(f"code={128 + number}")
    assert_restored(window)
    assert_whole(file)


def test_signals_while_it_stops_change_nothing(
    terminal: OpenTerminal, start_go: StartGo, tmp_path: Path
) -> None:
    service, file = start_go("orders", GODEBUG="gctrace=1"), tmp_path / "s.memtui"
    window = terminal(80, 24)
    window.type(f"memtui --pid {service.pid} --record {file}; echo code=$?")
    window.wait_for("LIVE", "4 inuse_space", "REC")
    memtui = window.memtui()
    for _ in range(20):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            try:
                memtui.send_signal(number)
            except psutil.NoSuchProcess:
                break
    screen = window.wait_for("code=1")
    assert re.search(r"code=(129|130|143)\b", screen)
    assert "Traceback" not in screen
    assert "Warning" not in screen
    assert_restored(window)
    assert_whole(file)


def test_a_second_signal_does_not_leave_a_stubborn_child_behind(
    terminal: OpenTerminal, wait_until: WaitFor
) -> None:
    def is_ended() -> None:
        window = terminal(80, 24)
        window.type(
            "memtui run -- sh -c 'trap : INT TERM HUP; while :; do sleep 0.1; done'; echo code=$?"
        )
        window.wait_for("LIVE", "RssAnon")
        memtui = window.memtui()
        (child,) = memtui.children()
        memtui.send_signal(signal.SIGTERM)
        wait_until(lambda: "ending sh" in window.screen() or not memtui.is_running())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            assert memtui.is_running(), "it was too fast for us"
            memtui.send_signal(number)
        window.wait_for("code=137")
        wait_until(lambda: not child.is_running())
        assert_restored(window)

    in_one_try(is_ended)


def test_sigtstp_gives_the_terminal_back_until_sigcont(
    terminal: OpenTerminal, start_go: StartGo
) -> None:
    service = start_go("orders", "-report-every", "1s", GODEBUG="gctrace=1")
    window = terminal(100, 30)
    window.type(f"memtui --pid {service.pid}; echo code=$?")
    window.wait_for("LIVE", "loadCatalogue", "cycles")
    for _ in range(2):
        window.memtui().send_signal(signal.SIGTSTP)
        window.wait_for("Stopped")
        assert_restored(window)
        window.type("clear; fg")
        window.wait_for("LIVE", "1 process", "loadCatalogue", "q quit")
    window.press("q")
    window.wait_for("ready>")
    assert_restored(window)


def test_while_a_pipe_is_drained_it_does_not_let_itself_be_stopped(
    terminal: OpenTerminal, go_build: Callable[[str], Path], wait_until: WaitFor
) -> None:
    """A full pipe stands in the way of the service: kill -TSTP, or a shell that stops all jobs."""
    noisy = "GODEBUG=gctrace=1,schedtrace=1,scheddetail=1 GOMAXPROCS=64"
    window = terminal(100, 30)
    window.type(f"{noisy} {go_build('orders')} |& memtui; echo code=$?")
    found = re.search(r"orders (\d+)", window.wait_for("LIVE", "cycles", "RssAnon"))
    assert found
    service, memtui = psutil.Process(int(found[1])), window.memtui()
    try:
        memtui.send_signal(signal.SIGTSTP)
        window.press("C-z", "C-s")
        before = service.io_counters().write_chars
        wait_until(lambda: service.io_counters().write_chars > before + (8 << 20))
        assert memtui.status() != psutil.STATUS_STOPPED
        window.press("C-q", "q")
        window.wait_for("its output is discarded")
        assert window.modes() == RESTORED
    finally:
        service.kill()
    window.wait_for("code=")


def test_a_storm_of_resizes_ends_in_a_whole_screen_and_a_calm_process(
    terminal: OpenTerminal, start_go: StartGo, wait_until: WaitFor
) -> None:
    service = start_go("orders", "-report-every", "1s", GODEBUG="gctrace=1")
    window = terminal(100, 30)
    window.type(f"memtui --pid {service.pid}; echo code=$?")
    window.wait_for("LIVE", "loadCatalogue", "cycles")
    memtui = window.memtui()
    for number in range(400):
        memtui.send_signal(signal.SIGWINCH)
        if number % 20 == 0:
            window.resize(60 + number % 90, 16 + number % 30)
    window.resize(120, 40)
    wait_until(lambda: max(map(len, window.screen().splitlines()), default=0) == 120)
    window.wait_for("LIVE", "1 process", "2 RES", "3 gctrace", "4 inuse_space", "q quit")

    def is_calm() -> bool:
        before = sum(memtui.cpu_times()[:2])
        time.sleep(1)
        return bool(sum(memtui.cpu_times()[:2]) - before < 0.5)

    wait_until(is_calm)
    window.press("q")
    window.wait_for("code=0")
    assert_restored(window)


@pytest.mark.parametrize("redirection", ["<&-", "</dev/null", "2>&-", "<&- 2>&-"])
def test_closed_standard_streams_are_no_trouble(
    terminal: OpenTerminal, start_go: StartGo, redirection: str
) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    window = terminal(80, 24)
    window.type(f"memtui --pid {service.pid} {redirection}; echo code=$?")
    window.wait_for("LIVE", "4 inuse_space")
    window.press("q")
    window.wait_for("code=0")
    assert_restored(window)


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_terminal_that_is_closed_leaves_no_process_and_a_whole_file(
    terminal: OpenTerminal, start_go: StartGo, wait_until: WaitFor, tmp_path: Path, is_stopped: bool
) -> None:
    service, file = start_go("orders", GODEBUG="gctrace=1"), tmp_path / "s.memtui"
    window = terminal(80, 24)
    window.type(f"memtui --pid {service.pid} --record {file}")
    window.wait_for("LIVE", "4 inuse_space", "REC")
    memtui = window.memtui()
    family = [memtui, *memtui.children(recursive=True)]
    if is_stopped:
        window.press("C-z")
        window.wait_for("Stopped")
    window.close()
    wait_until(lambda: not any(each.is_running() for each in family))
    assert_whole(file)
    assert service.process.poll() is None


DEFECT = """
import sys
from memtui.cli import main
from memtui.panes.process import ProcessPane
from memtui.session.session_recorder import SessionRecorder

def fail(*args):
    raise LookupError("hunter2")

if sys.argv.pop(1) == "pane":
    ProcessPane.action_to_start = fail
else:
    SessionRecorder._flush = fail
main()
"""


@pytest.mark.parametrize(("where", "code"), [("pane", 1), ("thread", 0)])
def test_a_defect_is_a_line_and_a_report_without_secrets(
    terminal: OpenTerminal,
    start_go: StartGo,
    wait_until: WaitFor,
    tmp_path: Path,
    where: str,
    code: int,
) -> None:
    service, program = start_go("orders", GODEBUG="gctrace=1"), tmp_path / "defect.py"
    program.write_text(DEFECT)
    window = terminal(160, 24)
    window.type(f"export XDG_STATE_HOME={tmp_path}; clear")
    window.type(f"{sys.executable} {program} {where} --pid {service.pid}; echo code=$?")
    window.wait_for("LIVE", "4 inuse_space")
    if where == "pane":
        window.press("1", "g")
    else:
        wait_until(lambda: list(tmp_path.glob("memtui/*.txt")))  # a second after the start
        window.press("q")
    screen = window.wait_for(f"code={code}")
    (report,) = (tmp_path / "memtui").iterdir()
    said = screen.replace("\n", "")
    assert "a defect in memtui: LookupError in " in said
    assert str(report) in said
    assert "hunter2" not in said + report.read_text()
    assert "Traceback" not in screen
    assert " in fail\nLookupError\n" in report.read_text()
    assert_restored(window)
    assert os.stat(report).st_mode & 0o077 == 0
