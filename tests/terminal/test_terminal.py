"""memtui in a real terminal, on real Go processes, as a user drives it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import PATIENCE_S
from shellwindow import RESTORED

pytestmark = [pytest.mark.terminal, pytest.mark.go]

OpenTerminal = Callable[..., Any]
StartGo = Callable[..., Any]
WaitFor = Callable[..., None]


def test_a_pid_is_watched_through_resizes_and_quitting_restores_the_terminal(
    terminal: OpenTerminal, start_go: StartGo
) -> None:
    service = start_go("orders", "-report-every", "1s", GODEBUG="gctrace=1")
    window = terminal(160, 50)
    before = window.screen()
    window.type(f"memtui --pid {service.pid}; echo code=$?")
    window.wait_for(
        f"orders {service.pid}", "LIVE", "RssAnon", "SHR", "main.loadCatalogue", "cycles", "●",
        str(service.address),
    )  # fmt: skip
    window.wait_for("╵")
    window.resize(80, 24)
    small = window.wait_for("1 process", "2 RES", "3 gctrace", "4 inuse_space", "q quit")
    assert max(len(row) for row in small.splitlines()) <= 80
    window.resize(160, 50)
    window.wait_for("file-backed memory and shmem")
    window.press("4", "s")
    window.wait_for("inuse_objects")
    window.press("z")
    window.wait_gone("1 process")
    window.press("z", "Space")
    window.wait_for("FROZEN", "1 process")
    window.press("?")
    window.wait_for("go to a pane")
    window.press("Escape")
    window.wait_gone("go to a pane")
    window.press("q")
    after = window.wait_for("code=0")
    assert window.modes() == RESTORED
    assert before.split()[0] in after


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_restore_the_terminal(
    terminal: OpenTerminal, start_go: StartGo, number: signal.Signals, code: int
) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    window = terminal(80, 24)
    window.type(f"memtui --pid {service.pid}; echo code=$?")
    window.wait_for("LIVE", "4 inuse_space")
    window.memtui().send_signal(number)
    window.wait_for(f"code={code}")
    assert window.modes() == RESTORED
    window.type("stty -a")
    window.wait_for(" icanon", " echo ")


def test_a_command_is_run_watched_and_its_exit_code_is_returned(
    terminal: OpenTerminal, go_build: Callable[[str], Path]
) -> None:
    window = terminal(120, 40)
    window.type(f"GODEBUG=madvdontneed=0 memtui run -- {go_build('orders')}; echo code=$?")
    window.wait_for("orders", "LIVE", "4 inuse_space", "cycles")
    child = window.memtui().children()[0]
    assert "GODEBUG" in child.environ()
    assert child.environ()["GODEBUG"] == "madvdontneed=0,gctrace=1"
    window.press("3", "o")
    window.wait_for("listening on 127.0.0.1", "path=/api/v1/orders")
    os.kill(child.pid, signal.SIGKILL)
    window.wait_for("orders was killed by SIGKILL", "ENDED")
    window.press("q")
    window.wait_for("code=137")
    assert window.modes() == RESTORED


def test_on_quit_a_running_child_is_ended_or_left_alone(
    terminal: OpenTerminal, go_build: Callable[[str], Path], wait_until: WaitFor
) -> None:
    window = terminal(80, 24)
    window.type(f"memtui run -- {go_build('orders')} -log-every 50ms; echo code=$?")
    window.wait_for("LIVE", "4 inuse_space")
    first = window.memtui().children()[0]
    window.press("q")
    window.wait_for("still running", "leave it running")
    window.press("e")
    window.wait_for("code=130")
    wait_until(lambda: not first.is_running())

    window.type(f"clear; memtui run -- {go_build('orders')} -log-every 50ms; echo code=$?")
    window.wait_for("LIVE", "4 inuse_space")
    second = window.memtui().children()[0]
    try:
        window.press("q")
        window.wait_for("leave it running")
        window.press("l")
        window.wait_for("code=0", "its output is discarded")
        written = second.io_counters().write_count
        wait_until(lambda: second.io_counters().write_count > written + 10)
        assert second.status() != psutil.STATUS_ZOMBIE
    finally:
        second.kill()


def test_a_pipe_is_read_while_the_keyboard_is_the_terminal(
    terminal: OpenTerminal, go_build: Callable[[str], Path]
) -> None:
    window = terminal(120, 40)
    window.type(f"GODEBUG=gctrace=1 {go_build('orders')} -report-every 1s |& memtui; echo code=$?")
    screen = window.wait_for("LIVE", "RssAnon", "main.loadCatalogue", "cycles", "╵")
    found = re.search(r"orders (\d+)", screen)
    assert found
    service = psutil.Process(int(found[1]))
    try:
        window.press("3", "o")
        window.wait_for("orders=")
        window.press("q")
        window.wait_for("its output is discarded")
        assert window.modes() == RESTORED
        assert service.is_running()
    finally:
        service.kill()
    window.wait_for("code=")


def test_a_terminal_that_stalls_and_then_goes_leaves_no_process(
    start_go: StartGo, wait_until: WaitFor
) -> None:
    service = start_go(
        "orders", "-report-every", "100ms", "-log-every", "20ms", GODEBUG="gctrace=1"
    )
    keyboard, screen = os.openpty()
    memtui = subprocess.Popen(
        [f"{scripts()}/memtui", "--pid", str(service.pid)],
        stdin=screen,
        stdout=screen,
        stderr=screen,
        env=os.environ | {"TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(screen)
    try:
        os.write(keyboard, b"3oz")
        # Nobody reads the screen: the terminal's buffer is full, then Textual's queue, and then
        # the event loop stands still.
        wait_until(lambda: stalls(keyboard, memtui.pid), 3 * PATIENCE_S)
        os.close(keyboard)
        assert memtui.wait(timeout=PATIENCE_S) == 129
    finally:
        memtui.kill()
        memtui.wait()


def test_while_it_is_asked_which_writer_is_meant_the_pipe_is_drained(
    terminal: OpenTerminal, go_build: Callable[[str], Path], wait_until: WaitFor
) -> None:
    window = terminal(100, 30)
    noisy = "GODEBUG=gctrace=1,schedtrace=1,scheddetail=1 GOMAXPROCS=64"
    orders = go_build("orders")
    window.type(f"({noisy} {orders} & {noisy} {orders} & wait) |& memtui")
    window.wait_for("2 programs write to this pipe", "2 of 2")
    writers = [
        each
        for each in psutil.Process(window.pane_pid()).children(recursive=True)
        if each.name() == "orders"
    ]
    try:
        before = [each.io_counters().write_chars for each in writers]
        wait_until(
            lambda: all(
                each.io_counters().write_chars > start + (3 << 20)
                for each, start in zip(writers, before, strict=True)
            )
        )
        window.press("Enter")
        window.wait_for("LIVE", "cycles", "RssAnon")
    finally:
        for each in writers:
            each.kill()


def test_a_screen_that_takes_nothing_does_not_stall_the_service(
    go_build: Callable[[str], Path], wait_until: WaitFor
) -> None:
    keyboard, screen = os.openpty()
    noisy = {"GODEBUG": "gctrace=1,schedtrace=1,scheddetail=1", "GOMAXPROCS": "200"}
    service = subprocess.Popen(
        [go_build("orders")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | noisy,
    )
    memtui = subprocess.Popen(
        [f"{scripts()}/memtui"],
        stdin=service.stderr,
        stdout=screen,
        stderr=screen,
        env=os.environ | {"TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0),  # what a shell does
    )
    os.close(screen)
    try:
        os.write(keyboard, b"3oz")
        wait_until(lambda: stalls(keyboard, memtui.pid), 3 * PATIENCE_S)
        before = psutil.Process(service.pid).io_counters().write_chars
        pipes_full = 8 << 20
        wait_until(
            lambda: psutil.Process(service.pid).io_counters().write_chars > before + pipes_full
        )
        assert memtui.poll() is None
    finally:
        for process in (memtui, service):
            process.kill()
            process.wait()
        os.close(keyboard)
        assert service.stderr is not None
        service.stderr.close()


@pytest.mark.parametrize(
    ("command", "words", "code"),
    [
        ("memtui --pid 4194300", "no process 4194300", 1),
        ("TERM=dumb memtui --pid $$", "TERM is dumb", 1),
        ("memtui --name '('", "memtui --help", 2),
        ("memtui --name no-such-process-anywhere", "no process matches", 1),
        ("memtui --gctrace /no/such/file", "no such file", 1),
        ("memtui run -- /no/such/command", "no such command", 1),
        ("memtui run -- go run .", "go build", 2),
        ("memtui run", "Missing argument", 2),
    ],
)
def test_errors_are_a_line_and_a_hint(command: str, words: str, code: int) -> None:
    done = subprocess.run(
        ["bash", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": f"{scripts()}:{os.environ['PATH']}", "TERM": "xterm"},
        timeout=120,
        check=False,
    )
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert len(done.stderr.splitlines()) <= 2


def test_without_any_terminal_it_says_so() -> None:
    done = subprocess.run(
        ["setsid", f"{scripts()}/memtui", "--pid", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | {"TERM": "xterm"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("memtui: no terminal\n  hint: ")


def stalls(keyboard: int, pid: int) -> bool:
    """Zoom back and forth, which paints everything; tell whether that came to a standstill."""
    os.set_blocking(keyboard, False)
    with contextlib.suppress(BlockingIOError):  # it reads no keys any more
        for _ in range(30):  # one at a time: what comes together is painted together
            os.write(keyboard, b"z")
            time.sleep(0.03)
    return stands_still(pid)


def stands_still(pid: int) -> bool:
    """Return whether the main thread of a process used no CPU at all for two seconds."""
    before = main_thread_cpu(pid)
    time.sleep(2)
    return main_thread_cpu(pid) == before


def main_thread_cpu(pid: int) -> int:
    """Return nanoseconds."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])


def scripts() -> str:
    """Return the folder of the memtui command under test."""
    import sysconfig

    return sysconfig.get_path("scripts")
