"""Each way to start memtui, and each way that it, its child or its terminal comes to an end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from patience import PATIENCE_S
from shellwindow import RESTORED

pytestmark = [pytest.mark.terminal, pytest.mark.go]

OpenTerminal = Callable[..., Any]
WaitFor = Callable[..., None]

TITLES = ("1 process", "2 RES", "3 gctrace", "4 inuse_space")


@pytest.fixture
def shop(go_build: Callable[[str], Path], tmp_path: Path) -> Iterator[Path]:
    """The orders service under a name that no other program has; its processes end with it."""
    binary = tmp_path / f"shop{uuid4().hex[:10]}"
    os.link(go_build("orders"), binary)
    yield binary
    for process in processes_of(binary):
        process.kill()


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start programs that say nothing; they end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str | Path) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        started.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()


def processes_of(binary: Path) -> list[psutil.Process]:
    """Return the processes that run a binary; a zombie runs nothing."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{process.pid}/exe") == str(binary):
                found.append(process)
    return found


def settled(window: Any, wait_until: WaitFor) -> list[str]:
    """Return the lines of a frozen view, once they have stayed the same for a while."""
    seen: list[str] = []
    since = time.monotonic()

    def is_settled() -> bool:
        nonlocal seen, since
        if (now := frozen_lines(window)) != seen:
            seen, since = now, time.monotonic()
        return bool(seen) and time.monotonic() - since > 1.5

    wait_until(is_settled)
    return seen


def processes_listed(window: Any, count: int) -> list[int]:
    """Wait until the list shows so many Go programs; return their ids in its order."""
    found: list[int] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) != count and time.monotonic() < deadline:
        found = [int(pid) for pid in re.findall(r"^ *(\d+) +go1\.", window.screen(), re.M)]
    assert len(found) == count, window.screen()
    return found


def frozen_lines(window: Any) -> list[str]:
    """Return all lines but the clock and the line of time, which go on."""
    rows: list[str] = window.screen().splitlines()[1:]
    return [row for row in rows if not row.startswith(" 6 ")]


# Which process


def test_a_name_of_one_process_is_watched_and_of_two_the_user_is_asked(
    terminal: OpenTerminal, shop: Path, spawn: Callable[..., Any]
) -> None:
    first = spawn(shop)
    window = terminal(120, 30)
    window.type(f"memtui --name '^{shop.name}$'; echo code=$?")
    window.wait_for("LIVE", f"{shop.name} {first.pid}")
    window.press("q")
    window.wait_for("code=0")
    second = spawn(shop)
    window.type(f"clear; memtui --name {shop.name}; echo code=$?")
    window.wait_for(f"2 processes match '{shop.name}': select one", "2 of 2 processes")
    listed = processes_listed(window, 2)
    assert sorted(listed) == sorted([first.pid, second.pid])
    window.press("Down", "Enter")
    window.wait_for("LIVE", f"{shop.name} {listed[1]}", "RssAnon")
    window.press("q")
    window.wait_for("code=0")
    assert window.modes() == RESTORED


def test_without_arguments_a_process_is_found_by_typing_and_esc_quits(
    terminal: OpenTerminal, shop: Path, spawn: Callable[..., Any], wait_until: WaitFor
) -> None:
    service = spawn(shop)
    window = terminal(80, 24)
    window.type("memtui; echo code=$?")
    window.wait_for("select a process", "esc quit", " processes ")
    # Go programs stand first.
    wait_until(lambda: re.search(r"command *\n *\d+ +go1\.", window.screen()))
    everything = re.search(r"(\d+) of \1 processes", window.screen())
    assert everything
    window.press(*shop.name[2:])
    window.wait_for(f" 1 of {everything[1]} processes")
    assert processes_listed(window, 1) == [service.pid]
    window.press("Enter")
    window.wait_for("LIVE", f"{shop.name} {service.pid}", "RssAnon")
    window.press("q")
    window.wait_for("code=0")
    window.type("clear; memtui; echo code=$?")
    window.wait_for("select a process", " processes ")
    window.press("Escape")
    window.wait_for("code=0")
    assert window.modes() == RESTORED


def test_what_was_typed_before_enter_counts_however_fast(
    terminal: OpenTerminal, shop: Path, spawn: Callable[..., Any]
) -> None:
    """A paste, and keys that a slow line brings all at once."""
    spawn(shop), spawn(shop)
    window = terminal(120, 24)
    window.type(f"memtui --name {shop.name}; echo code=$?")
    window.wait_for("2 of 2 processes")
    lower = processes_listed(window, 2)[1]
    window.press(f"{lower} {shop.name}\r")
    window.wait_for("LIVE")
    window.wait_for(f"{shop.name} {lower}")


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("memtui --gctrace {file}", "● gctrace gc 21"),
        ("cat {file} | memtui --gctrace -", "● gctrace the input has ended"),
    ],
)
def test_a_trace_alone_shows_its_cycles(
    terminal: OpenTerminal,
    data: Path,
    tmp_path: Path,
    wait_until: WaitFor,
    command: str,
    state: str,
) -> None:
    file = tmp_path / "trace.log"
    file.write_bytes((data / "gctrace" / "goroutineleak-1.27.3.log").read_bytes())
    cycles = re.findall(r"^gc (\d+) .* (\d+->\d+->\d+) MB, (\d+) MB goal", file.read_text(), re.M)
    window = terminal(100, 40)
    window.type(f"{command.format(file=file)}; echo code=$?")
    window.wait_for("21 cycles", "no process is watched", state)
    window.press("3", "z")
    window.wait_gone("4 pprof")
    window.wait_for("live 8.00M", "20→21→8")
    window.press("p", "p", "p", "p")  # to the table alone
    rows = [(number, heap.replace("->", "→"), goal) for number, heap, goal in cycles]
    shown = re.compile(r"│ +(\d+) +\S+ +(\S+) +(\d+) ")
    wait_until(lambda: shown.findall(window.screen()) == rows)  # it may be half painted
    window.press("3", "o")
    window.wait_for("request handled id=7")
    window.press("q")
    window.wait_for("code=0")
    assert window.modes() == RESTORED


@pytest.mark.parametrize(("name", "type_"), [("heap", "inuse_space"), ("cpu", "cpu")])
def test_a_profile_in_a_file_needs_no_process(
    terminal: OpenTerminal, data: Path, name: str, type_: str
) -> None:
    window = terminal(100, 40)
    window.type(f"memtui --pprof {data}/profile/heapleak/{name}.pb.gz; echo code=$?")
    window.wait_for(f"4 {type_} ", "no process is watched")
    window.press("q")
    window.wait_for("code=0")


# Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_child_and_all_that_it_started(
    terminal: OpenTerminal, shop: Path, wait_until: WaitFor, number: signal.Signals
) -> None:
    window = terminal(100, 30)
    window.type(f"memtui run -- sh -c '{shop} & {shop} & wait'; echo code=$?")
    window.wait_for("LIVE", "cycles")
    wait_until(lambda: len(processes_of(shop)) == 2)
    window.memtui().send_signal(number)
    window.wait_for(f"code={128 + number}")
    assert processes_of(shop) == []
    assert window.modes() == RESTORED
    window.type("stty -a")
    window.wait_for(" icanon", " echo ")


def test_sigterm_at_any_moment_of_the_start_leaves_no_child_and_no_screen(
    terminal: OpenTerminal, shop: Path
) -> None:
    """From memtui's own start, and from that of its child: there it has a child and no loop."""
    since_memtui = [
        f"timeout --foreground --preserve-status {delay} memtui run -- {shop}"
        for delay in (0.05, 0.15, 0.3, 0.5)
    ]
    since_child = [
        f"memtui run -- sh -c '{pause}kill $PPID; exec {shop}'"
        for pause in ("", "", "sleep 0.1;", "sleep 0.2;", "sleep 0.4;")
    ]
    window = terminal(100, 30)
    for number, command in enumerate(since_memtui + since_child):
        window.type(f"clear; {command}; echo round {number} code=$?")
        window.wait_for(f"round {number} code=143")
        assert processes_of(shop) == []
        assert window.modes() == RESTORED


@pytest.fixture
def listener(tmp_path: Path) -> Path:
    """A script that writes to "heard" when it gets SIGUSR1; "ready" is there when it listens."""
    script = tmp_path / "listener.sh"
    script.write_text(
        f"trap 'echo usr1 >> {tmp_path}/heard' USR1\n"
        f": > {tmp_path}/ready\n"
        "while :; do sleep 0.1; done\n"
    )
    return script


def test_sigusr1_is_passed_on_to_the_child(
    terminal: OpenTerminal, listener: Path, wait_until: WaitFor
) -> None:
    heard = listener.parent / "heard"
    window = terminal(80, 24)
    window.type(f"memtui run -- sh {listener}; echo code=$?")
    window.wait_for("LIVE")
    wait_until((listener.parent / "ready").exists)
    window.memtui().send_signal(signal.SIGUSR1)
    wait_until(heard.exists)
    window.wait_for("LIVE")
    window.press("q")
    window.wait_for("still running")
    window.press("e")
    window.wait_for("code=130")
    assert heard.read_text() == "usr1\n"


def test_sigusr1_changes_nothing_for_a_process_that_memtui_did_not_start(
    terminal: OpenTerminal, listener: Path, spawn: Callable[..., Any], wait_until: WaitFor
) -> None:
    watched = spawn("sh", listener)
    wait_until((listener.parent / "ready").exists)
    window = terminal(80, 24)
    window.type(f"memtui --pid {watched.pid}; echo code=$?")
    window.wait_for("LIVE", "RssAnon")
    window.memtui().send_signal(signal.SIGUSR1)
    clock = re.compile(r"LIVE +\d\d:\d\d:\d\d")
    seen: set[str] = set()

    def goes_on() -> bool:
        seen.update(clock.findall(window.screen()))
        return len(seen) > 1

    wait_until(goes_on)
    assert not (listener.parent / "heard").exists()
    assert watched.poll() is None
    window.wait_for("LIVE", "RssAnon")
    window.press("q")
    window.wait_for("code=0")


# The terminal


def test_after_ctrl_z_and_fg_the_screen_is_whole_again(
    terminal: OpenTerminal, start_go: Callable[..., Any], wait_until: WaitFor
) -> None:
    """A frozen view does not change by itself: what fg does not paint stays away."""
    service = start_go("orders", "-report-every", "1s", GODEBUG="gctrace=1")
    window = terminal(120, 40)
    window.type(f"memtui --pid {service.pid}")
    window.wait_for("LIVE", "RssAnon", "main.loadCatalogue", "╵", *TITLES)
    window.press("Space")
    window.wait_for("FROZEN")
    before = settled(window, wait_until)
    window.press("C-z")
    window.wait_for("Stopped")
    assert window.modes() == RESTORED
    window.type("clear; fg; echo code=$?")
    window.wait_for("FROZEN")
    wait_until(lambda: frozen_lines(window) == before)
    assert window.modes()[0] == "1"
    window.press("Space")
    window.wait_for("LIVE", "RssAnon", *TITLES)
    window.press("q")
    window.wait_for("code=0")
    assert window.modes() == RESTORED


# The child


def test_a_quit_dialog_closes_when_the_child_ends_by_itself(
    terminal: OpenTerminal, tmp_path: Path
) -> None:
    may_end = tmp_path / "may-end"
    window = terminal(80, 24)
    window.type(
        f"memtui run -- sh -c 'until [ -e {may_end} ]; do sleep 0.1; done; exit 3'; echo code=$?"
    )
    window.wait_for("LIVE", "RssAnon")
    window.press("q")
    window.wait_for("sh is still running", "leave it running")
    may_end.touch()
    window.wait_gone("leave it running")
    window.wait_for("ENDED", "sh ended with exit code 3")
    window.press("q")
    window.wait_for("code=3")
    assert window.modes() == RESTORED


def test_a_child_that_fails_at_once_shows_what_it_said(terminal: OpenTerminal) -> None:
    window = terminal(80, 24)
    window.type("memtui run -- sh -c 'echo boom $((6 * 7)) >&2; exit 1'; echo code=$?")
    window.wait_for("ENDED", "sh ended with exit code 1")
    window.press("3", "o")
    window.wait_for("boom 42")
    window.press("q")
    window.wait_for("code=1")
    assert window.modes() == RESTORED


# The network


def test_quitting_does_not_wait_for_a_name_server(
    terminal: OpenTerminal,
    shop: Path,
    spawn: Callable[..., Any],
    tmp_path: Path,
    wait_until: WaitFor,
) -> None:
    program = tmp_path / "hang.py"
    program.write_text(
        "import socket, time\n"
        "from memtui.cli import main\n"
        "def hang(*args, **options):\n"
        f"    open('{tmp_path}/asked', 'w').close()\n"
        f"    time.sleep({3 * PATIENCE_S})\n"
        "socket.getaddrinfo = hang\n"
        "main()\n"
    )
    window = terminal(80, 24)
    url = "http://localhost:1"
    window.type(f"{sys.executable} {program} --pid {spawn(shop).pid} --pprof {url}; echo code=$?")
    window.wait_for("LIVE", "RssAnon")
    wait_until((tmp_path / "asked").exists)
    window.press("q")
    window.wait_for("code=0")  # long before the name server answers
    assert window.modes() == RESTORED
