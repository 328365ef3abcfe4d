"""Long work in a terminal: how far it is, and that ctrl+c stops with nothing left behind."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from largeprofile import large_profile
from longsession import NOON, Session
from patience import PATIENCE_S

from memtui.cli.errors import INTERRUPTED_EXIT, CliError
from memtui.cli.stored.files import output
from memtui.recording import Recorder
from memtui.recording.writer import Clocks

pytestmark = pytest.mark.world

MEMTUI = [sys.executable, "-m", "memtui"]
HOURS = 3


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of some hours, made from captures."""
    path = tmp_path_factory.mktemp("long") / "long.memtui"
    now = [NOON]
    file = Recorder(path, clocks=Clocks.from_one(lambda: now[0]), host="web-17")
    for now[0], events in Session().seconds(HOURS * 3600):
        for event in events:
            file.append(event)
        file.flush()
    file.close()
    return path


def in_terminal(
    command: list[str], until: str, number: signal.Signals | None = signal.SIGINT
) -> tuple[int, str, float]:
    """Run a command with standard error on a terminal of its own, and signal it at a text.

    Return the exit code, what the terminal got, and the seconds from the signal to the end.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*MEMTUI, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    text, deadline = "", time.monotonic() + 2 * PATIENCE_S
    signalled_s = 0.0
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                text += os.read(ours, 4096).decode()
            except OSError:  # EIO: the other end is closed
                break
            if number is not None and not signalled_s and re.search(until, text):
                signalled_s = time.monotonic()
                process.send_signal(number)
        code = process.wait(timeout=PATIENCE_S)
        return code, text, time.monotonic() - signalled_s
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.parametrize("form", ["csv", "jsonl", "openmetrics"])
def test_an_export_says_how_far_it_is_and_leaves_nothing(
    recording: Path, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "out"
    code, text, took_s = in_terminal(
        ["export", str(recording), "--format", form, "-o", str(out)], r"writing \d+%; ctrl"
    )
    assert code == 130
    assert took_s < 30  # 0.2 s on a machine that is not busy
    assert text.endswith("\r\x1b[K"), "the line is gone"
    assert "Traceback" not in text
    assert list(tmp_path.iterdir()) == []


def test_a_quiet_machine_is_told_nothing(recording: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*MEMTUI, "export", recording, "--format", "csv", "--every", "10m", "-o", tmp_path / "out"],
        capture_output=True, text=True, check=False, timeout=1200,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert os.stat(tmp_path / "out").st_mode & 0o777 == 0o600


def test_a_log_that_is_read_says_how_far_it_is(tmp_path: Path, data: Path) -> None:
    log = tmp_path / "big.log"
    log.write_bytes((data / "gctrace/restart-1.27.3.log").read_bytes() * 20_000)
    code, text, _ = in_terminal(["gctrace", str(log)], r"reading \d+%")
    assert code == 130
    assert "Traceback" not in text


def test_a_large_profile_is_said_to_be_read_and_can_be_given_up(tmp_path: Path) -> None:
    big = tmp_path / "big.pb.gz"
    big.write_bytes(large_profile(60_000))
    code, text, _ = in_terminal(["top", str(big)], r"reading the profile, \d+s; ctrl")
    assert code == 130
    assert text.endswith("\r\x1b[K")
    assert "Traceback" not in text


def test_a_profile_that_never_comes_can_be_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/debug/pprof/profile?seconds=30"
        code, text, _ = in_terminal(["top", address], r"reading the profile, 1s")
    assert code == 130
    assert "Traceback" not in text


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """Also one that somebody else made while ours was written."""
    path = tmp_path / "out"

    def written() -> None:
        with output(str(path)) as file:
            file.write(b"ours")
            path.write_text("theirs")

    for _ in range(2):
        with pytest.raises(CliError, match="exists"):
            written()
        assert path.read_text() == "theirs"
        assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    def interrupted() -> None:
        with output(str(tmp_path / "out")) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "code"), [("watch", -signal.SIGINT), ("gctrace", INTERRUPTED_EXIT)]
)
def test_ctrl_c_while_it_is_loaded_leaves_no_traceback(module: str, code: int) -> None:
    program = (
        "import os, signal, sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == 'memtui.cli.commands.{module}': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Stop())\n"
        "sys.argv = ['memtui', 'gctrace', '/dev/null']\n"
        "from memtui.__main__ import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
