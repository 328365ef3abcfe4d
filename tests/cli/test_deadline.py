"""--for is a deadline: nothing holds it up, and what is known by then is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S, in_one_try

from memtui.diagnosis import Diagnosis

pytestmark = pytest.mark.world

StartGo = Callable[..., Any]
FOR_S = 4
SOON_S = 8.0
"""By then one try of several has ended, loading included; a watch that counts beats never does."""

RUN = """
import sys, time
{patch}
sys.argv[0] = "memtui"
began = time.monotonic()
from memtui.cli import main
try:
    main()
finally:
    print(f"took {{time.monotonic() - began:.2f}}", file=sys.stderr)
"""
FROZEN = """
from memtui.sources.process.environment import EnvironmentSource
async def frozen(self):
    time.sleep(3600)  # in the loop of all sources
    yield
EnvironmentSource.events = frozen
import memtui.cli.headless.watch as headless
headless.CLOSE_S = 0.1
"""
STUBBORN = """
import asyncio
from memtui.sources.process.environment import EnvironmentSource
async def stubborn(self):
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
    yield
EnvironmentSource.events = stubborn
import memtui.cli.headless.watch as headless
headless.CLOSE_S = 0.1
"""
LATE_SLEEPS = """
import asyncio
sleep = asyncio.sleep
async def late(seconds, result=None):
    return await sleep(seconds + 0.7, result)  # as on a host with a load of 40
asyncio.sleep = late
"""


def run(patch: str, *arguments: str) -> tuple[int, str, float]:
    """Run memtui with something that is slow; return its exit code, output and seconds."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(patch=patch), *arguments],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    took_s = float(done.stderr.rsplit("took ", 1)[1])
    return done.returncode, done.stdout, took_s


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process to be explained."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


@pytest.mark.parametrize("command", [("explain",), ("--once",)])
@pytest.mark.parametrize(
    "patch", [FROZEN, STUBBORN, LATE_SLEEPS], ids=["frozen", "stubborn", "late"]
)
def test_no_source_holds_up_the_deadline(
    patch: str, command: tuple[str, ...], sleeper: int
) -> None:
    def attempt() -> None:
        code, said, took_s = run(
            patch, *command, "--pid", str(sleeper), "--for", f"{FOR_S}s", "--no-probe", "--json"
        )
        assert code == 4
        assert json.loads(said)
        assert FOR_S <= took_s < FOR_S + SOON_S

    in_one_try(attempt)


def test_a_stopped_target_is_explained_in_time(sleeper: int) -> None:
    os.kill(sleeper, signal.SIGSTOP)
    code, said, _ = run("", "explain", "--pid", str(sleeper), "--for", "3s", "--json")
    assert code == 4
    assert json.loads(said)["ledger"]["res_bytes"] > 0
    os.kill(sleeper, signal.SIGCONT)


@pytest.fixture
def hanging() -> Iterator[str]:
    """An address that accepts connections, and begins an answer that never ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                held.append(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nheap")

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/debug/pprof/"
        server.close()
        for each in held:
            each.close()


def test_an_endpoint_that_hangs_is_not_waited_for(hanging: str, sleeper: int) -> None:
    began = subprocess.Popen(
        [sys.executable, "-m", "memtui", "explain", "--pid", str(sleeper), "--pprof", hanging,
         "--for", "3s", "--json"],
        stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert began.stdout
    assert json.loads(began.stdout.readline())["ledger"]["res_bytes"] > 0
    began.communicate(timeout=PATIENCE_S)
    assert began.returncode == 4


def test_on_a_busy_host_sixty_beats_are_no_minute(sleeper: int) -> None:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(24)]
    try:
        code, said, took_s = run(
            "", "explain", "--pid", str(sleeper), "--for", "10s", "--json", "--no-probe"
        )
    finally:
        for each in busy:
            each.kill()
            each.wait()
    assert code == 4
    window = json.loads(said)["window"]
    assert window["to"] - window["from"] < 12
    assert took_s < PATIENCE_S


# Exit codes


def diagnosis_of(*causes: str, grows: bool) -> Diagnosis:
    """Return a diagnosis with these causes."""
    from types import SimpleNamespace
    from typing import cast

    from memtui.diagnosis import Cause, Confidence, Finding
    from memtui.diagnosis.finding import Advice

    findings = tuple(
        Finding(Cause(cause), "", "", "", grows, Confidence.HIGH, (), Advice()) for cause in causes
    )
    needs_action = any(each.needs_action for each in findings)
    return cast(
        "Diagnosis", SimpleNamespace(findings=findings, grows=grows, needs_action=needs_action)
    )


@pytest.mark.parametrize(
    ("cause", "grows", "codes"),
    [
        ("steady", False, (0, 0, 0)),
        ("lazily-freed", False, (0, 0, 0)),
        ("lazily-freed", True, (3, 0, 0)),
        ("heap-leak", True, (3, 3, 0)),
        ("goroutine-leak", True, (3, 3, 0)),
        ("not-enough-data", False, (4, 4, 0)),
        ("not-enough-data", True, (3, 4, 0)),
    ],
)
def test_the_exit_code_is_what_it_is_asked_to_fail_on(
    cause: str, grows: bool, codes: tuple[int, int, int]
) -> None:
    from memtui.cli.errors import exit_code_of

    found = diagnosis_of(cause, grows=grows)
    assert (
        exit_code_of(found, "growth"), exit_code_of(found), exit_code_of(found, "never"),
    ) == codes  # fmt: skip


def test_fail_on_is_an_option_for_recordings_too() -> None:
    demo = Path(__file__).parents[2] / "src/memtui/demo/orders.memtui"
    codes = [
        subprocess.run(
            [sys.executable, "-m", "memtui", "explain", str(demo), "--fail-on", what],
            capture_output=True, check=False,
        ).returncode
        for what in ("growth", "cause", "never")
    ]  # fmt: skip
    assert codes[0] == 3
    assert codes[2] == 0
