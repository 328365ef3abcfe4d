"""``memtui --plain`` as pipes, logs and screen readers meet it: one line each second."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from patience import PATIENCE_S

pytestmark = pytest.mark.go

MEMTUI = [sys.executable, "-m", "memtui"]
StartGo = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[bytes]"]
SIZE = r"(?:\d+(?:\.\d+)?[BKMG]?|unknown)"
NUMBERS = re.compile(
    rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d RES {SIZE} (?:[+-]{SIZE}|unknown), SHR {SIZE}, "
    rf"live {SIZE}, goal (?:{SIZE}|off), idle {SIZE}, "
    r"GC (?:\d+|unknown) (?:[\d.]+|unknown)/min (?:[\d.]+%|unknown) CPU, "
    r"goroutines (?:\d+|unknown)"
)
"""The line that docs/plain.md describes."""


@pytest.fixture
def start() -> Iterator[Start]:
    """Start memtui --plain with pipes at its outputs; it ends with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str | int, **how: Any) -> subprocess.Popen[bytes]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        run = [*MEMTUI, *map(str, arguments), "--plain"]
        # Without a buffer: a line that was read ahead would not be seen by select.
        options = {"stdin": subprocess.DEVNULL, "bufsize": 0} | pipes | how
        process = cast("subprocess.Popen[bytes]", subprocess.Popen(run, **options))
        running.append(process)
        return process

    yield begin
    for each in running:
        each.terminate()  # not at once by SIGKILL: it has commands of its own to end
        try:
            each.wait(PATIENCE_S)
        finally:
            each.kill()
            each.wait()
        for pipe in (each.stdout, each.stderr, each.stdin):
            if pipe:
                pipe.close()


def until(
    process: subprocess.Popen[bytes], *patterns: str, seconds: float = PATIENCE_S
) -> list[str]:
    """Read lines until each pattern was found in one of them; return all that came."""
    assert process.stdout
    deadline, text = time.monotonic() + PATIENCE_S, b""
    while True:
        lines = text.decode().split("\n")[:-1]
        if all(any(re.search(pattern, line) for line in lines) for pattern in patterns):
            return lines
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            pytest.fail(f"waited in vain for {patterns} in {lines}")
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            pytest.fail(f"ended without {patterns}: {lines}")
        text += data


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Wait for the end; return the exit code, and what came since on both outputs."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out.decode(), err.decode()


def test_a_line_a_second_with_every_number(start: Start, start_go: StartGo) -> None:
    service = start_go("orders", GODEBUG="gctrace=1")
    memtui = start("--pid", service.pid)
    lines = until(memtui, r"live \d", r"idle \d.*GC \d+ [\d.]+/min")
    numbers = [line for line in lines if " RES " in line and "verdict" not in line]
    assert numbers
    assert [line for line in numbers if not NUMBERS.fullmatch(line)] == []
    said = "\n".join(lines)
    assert f"process: orders {service.pid} go1.27" in said
    assert f"source: gctrace: following {service.stderr_path}" in said
    assert "verdict: not-enough-data: RES" in said
    assert said.count("verdict:") == 1, "a verdict is told when it changes"
    assert "\x1b" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(start: Start, start_go: StartGo, number: signal.Signals) -> None:
    memtui = start("--pid", start_go("orders").pid)
    until(memtui, "RES")
    memtui.send_signal(number)
    assert ended(memtui)[::2] == (0, "")


def test_it_ends_with_the_process(start: Start, start_go: StartGo) -> None:
    service = start_go("orders")
    memtui = start("--pid", service.pid)
    until(memtui, "RES")
    service.end()
    code, out, err = ended(memtui)
    assert (code, err) == (3, "")
    assert re.search(rf"ended: process {service.pid} (ended|was killed)", out.splitlines()[-1])


def test_a_reader_that_goes_away_is_no_error(start_go: StartGo) -> None:
    service = start_go("orders")
    command = f"{' '.join(MEMTUI)} --pid {service.pid} --plain | head -2; echo ${{PIPESTATUS[@]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=180, check=True
    )
    assert len(done.stdout.splitlines()) == 3
    assert done.stdout.splitlines()[-1] == "141 0"
    assert done.stderr == ""


def test_a_reader_that_stands_still_does_not_keep_it(start: Start, start_go: StartGo) -> None:
    """A pipe that is full blocks the writer; a signal must end it all the same."""
    memtui = start("--pid", start_go("orders").pid)
    assert memtui.stdout
    until(memtui, "RES")
    os.set_blocking(memtui.stdout.fileno(), False)
    # The pipe is filled by its other end, which memtui holds too.
    with open(f"/proc/{memtui.pid}/fd/1", "wb", buffering=0) as other:
        os.set_blocking(other.fileno(), False)
        while other.write(b"x" * 4096):
            pass
        while other.write(b"x"):
            pass
        os.set_blocking(other.fileno(), True)
    assert _waits_in_write(memtui)
    memtui.send_signal(signal.SIGTERM)
    assert memtui.wait(timeout=PATIENCE_S) == 0


def _waits_in_write(process: subprocess.Popen[bytes]) -> bool:
    """Wait until a thread of a process sleeps in write (2)."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
                if (task / "wchan").read_text() in ("pipe_write", "anon_pipe_write"):
                    return True
                if (task / "syscall").read_text().split()[:2] == ["1", "0x1"]:
                    return True
        time.sleep(0.05)
    return False


def test_a_name_that_several_have_is_a_list_and_a_usage_error(
    start: Start, start_go: StartGo, go_build: Callable[[str], Path], tmp_path: Path
) -> None:
    name = f"shop{uuid4().hex[:10]}"
    shutil.copy(go_build("orders"), tmp_path / name)
    quiet = subprocess.DEVNULL
    shops = [
        subprocess.Popen([tmp_path / name, "-report-every", "0"], stdout=quiet, stderr=quiet)
        for _ in range(2)
    ]
    try:
        code, out, err = ended(start("--name", name))
        assert (code, out) == (2, "")
        head, *rows, hint = err.splitlines()
        assert head == f"memtui: 2 processes match {name!r}"
        assert sorted(int(row.split()[0]) for row in rows) == sorted(shop.pid for shop in shops)
        assert "--pid" in hint
        shops[0].kill()
        shops[0].wait()
        memtui = start("--name", name)
        until(memtui, f"process: {name} {shops[1].pid}", "RES")
    finally:
        for shop in shops:
            shop.kill()
            shop.wait()


def test_with_nothing_to_watch_it_asks_nobody(start: Start) -> None:
    code, out, err = ended(start())
    assert (code, out) == (2, "")
    assert "no process given: add --pid PID or --name PATTERN" in err


def test_a_trace_in_a_pipe_is_read_with_its_process(
    start: Start, go_build: Callable[[str], Path]
) -> None:
    service = subprocess.Popen(
        [go_build("orders")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=os.environ | {"GODEBUG": "gctrace=1"},
    )  # fmt: skip
    assert service.stderr
    try:
        memtui = start(stdin=service.stderr)
        service.stderr.close()
        until(memtui, f"process: orders {service.pid}", r"GC \d", "source: gctrace: standard input")
        service.kill()
        assert ended(memtui)[0] == 3
    finally:
        service.kill()
        service.wait()


def test_a_log_in_a_pipe_is_read_to_its_end(start: Start, data: Path) -> None:
    with (data / "gctrace/restart-1.27.3.log").open("rb") as log:
        cat = subprocess.Popen(["cat"], stdin=log, stdout=subprocess.PIPE)
    assert cat.stdout
    code, out, err = ended(start(stdin=cat.stdout))
    cat.stdout.close()
    cat.wait()
    assert (code, err) == (3, "")
    assert "restart: the process restarted" in out
    assert re.search(r"RES unknown unknown, .*GC \d+ ", out)


def test_a_trace_of_a_command_and_a_longer_interval(start: Start, data: Path) -> None:
    log = data / "gctrace/restart-1.27.3.log"
    memtui = start("--gctrace-command", f"sh -c 'cat {log}; sleep 600'", "--interval", "2s")
    lines = until(memtui, r"GC \d+ .*", r"live \d")
    while len([line for line in lines if " RES " in line]) < 3:
        lines += until(memtui, "RES")
    seconds = [
        int(line[11:13]) * 3600 + int(line[14:16]) * 60 + int(line[17:19])
        for line in lines
        if " RES " in line
    ]
    assert (seconds[2] - seconds[0]) % 86400 >= 3


def test_it_never_loads_the_screen(start_go: StartGo) -> None:
    code = (
        "import sys\n"
        "sys.argv = ['memtui', '--pid', sys.argv[1], '--plain']\n"
        "from memtui.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('textual', 'plotext') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(start_go("orders").pid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        until(process, " RES ")
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert said.endswith(b"[]\n")


def test_a_hostile_name_acts_on_no_terminal(
    start: Start, go_build: Callable[[str], Path], tmp_path: Path
) -> None:
    binary = tmp_path / "a\x1b[31m\nb"
    shutil.copy(go_build("orders"), binary)
    service = subprocess.Popen([binary], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lines = until(start("--pid", service.pid), "process:", " RES ")
        assert re.search(r"process: a␛\[31m␊b \d+", "\n".join(lines))
        assert "\x1b" not in "\n".join(lines)
    finally:
        service.kill()
        service.wait()


def test_a_pipe_that_ends_ends_it(start: Start) -> None:
    process = start("--gctrace", "-", stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.close()
    until(process, "the input has ended")
    assert process.wait(30) == 3
