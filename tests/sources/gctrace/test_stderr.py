"""What standard error of real processes is, and that what is no file is never opened."""

from __future__ import annotations

import os
import pty
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from memtui.sources.gctrace.stderr import Stderr, cannot_follow, has_gctrace, stderr_of
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.world

Start = Callable[..., int]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process that does nothing, with a standard error of the test's choice."""
    processes: list[subprocess.Popen[bytes]] = []

    def run(stderr: int | IO[bytes], user: int | None = None, **environment: str) -> int:
        process = subprocess.Popen(
            ["sleep", "60"],
            stderr=stderr,
            env={"PATH": os.environ["PATH"]} | environment,
            user=user,
        )
        processes.append(process)
        while has_gctrace(process.pid) is None:  # in the middle of its exec
            time.sleep(0.001)
        return process.pid

    yield run
    for process in processes:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def refusal(pid: int) -> SourceFailed:
    return cannot_follow(stderr_of(pid), pid)


def test_a_file_may_be_followed(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        stderr = stderr_of(start(file))
    assert stderr.is_file
    assert stderr.name == str(path)
    assert stderr.identity == (path.stat().st_dev, path.stat().st_ino)


def test_a_pipe_is_left_to_its_reader(start: Start) -> None:
    pid = start(subprocess.PIPE)
    assert not stderr_of(pid).is_file
    failed = refusal(pid)
    assert failed.final
    assert failed.reason == "stderr is a pipe: reading it would take lines from its reader"
    assert "memtui run -- COMMAND" in failed.hint


def test_a_terminal_is_left_alone(start: Start) -> None:
    leader, follower = pty.openpty()
    try:
        failed = refusal(start(follower))
        assert failed.reason.startswith("stderr is the terminal /dev/pts/")
    finally:
        os.close(leader)
        os.close(follower)


def test_dev_null_says_so(start: Start) -> None:
    assert refusal(start(subprocess.DEVNULL)).reason == "stderr goes to /dev/null"


def test_the_journal_is_known_by_its_stream(start: Start) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = os.fstat(theirs.fileno())
        stream = f"{found.st_dev}:{found.st_ino}"
        pid = start(theirs.fileno(), JOURNAL_STREAM=stream, GODEBUG="gctrace=1")
        assert refusal(pid).reason == "stderr goes to the systemd journal"
        assert refusal(pid).hint == f"add --gctrace-command 'journalctl -f -o cat _PID={pid}'"
        other = start(theirs.fileno(), JOURNAL_STREAM="8:1")
        assert refusal(other).reason.startswith("stderr is a socket")


def test_a_closed_stderr_and_an_ended_process_are_told_apart(start: Start) -> None:
    process = subprocess.Popen(["sh", "-c", "exec 2>&-; echo ready; exec sleep 60"], stdout=-1)
    try:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(SourceFailed, match="closed its stderr"):
            stderr_of(process.pid)
    finally:
        process.kill()
        process.communicate()
    with pytest.raises(SourceFailed, match=f"process {process.pid} has ended"):
        stderr_of(process.pid)


def test_another_users_process_may_not_be_asked(start: Start) -> None:
    if os.getuid() == 0:
        question = (
            "import os, sys\n"
            "from memtui.sources.gctrace.stderr import stderr_of\n"
            "from memtui.sources.source import SourceFailed\n"
            "os.setuid(65534)\n"
            "try: stderr_of(int(sys.argv[1]))\n"
            "except SourceFailed as it: print(it.reason, it.hint, it.final, sep='|')"
        )
        pid = start(subprocess.DEVNULL)
        asked = subprocess.run(
            [sys.executable, "-c", question, str(pid)], capture_output=True, text=True, check=True
        )
        answer = asked.stdout.strip()
        assert answer == (
            f"no access to the stderr of process {pid}, which belongs to root"
            "|run memtui as root or with CAP_SYS_PTRACE|True"
        )
    else:
        with pytest.raises(SourceFailed, match="no access to the stderr of process 1"):
            stderr_of(1)


@pytest.mark.parametrize(
    ("group", "hint"),
    [
        ("/system.slice/docker-{id}.scope", "add --gctrace-command 'docker logs -f 0123456789ab'"),
        ("/docker/{id}", "add --gctrace-command 'docker logs -f 0123456789ab'"),
        (
            "/machine.slice/libpod-{id}.scope/container",
            "add --gctrace-command 'podman logs -f 0123456789ab'",
        ),
        (
            "/kubepods.slice/cri-containerd-{id}.scope",
            "add --gctrace-command 'kubectl logs -f POD'",
        ),
        ("/user.slice/user-1000.slice", "start it with: memtui run -- COMMAND"),
    ],
)
def test_a_container_is_known_by_its_cgroup(tmp_path: Path, group: str, hint: str) -> None:
    home = tmp_path / "7"
    home.mkdir()
    (home / "cgroup").write_text("0::" + group.format(id="0123456789abcdef" * 4) + "\n")
    pipe = Stderr("pipe:[1]", stat.S_IFIFO, (0, 1))
    assert cannot_follow(pipe, 7, tmp_path).hint.startswith(hint)
    (home / "environ").write_bytes(b"GODEBUG=gctrace=0\0")
    assert ("GODEBUG=gctrace=1" in cannot_follow(pipe, 7, tmp_path).hint) is True


@pytest.mark.parametrize(
    ("godebug", "expected"),
    [
        ("gctrace=1", True),
        ("gctrace=2,madvdontneed=0", True),
        ("madvdontneed=0,gctrace=1", True),
        ("gctrace=1,gctrace=0", False),
        ("gctrace=0", False),
        ("gctrace=x", False),
        ("xgctrace=1", False),
        ("", False),
    ],
)
def test_whether_the_trace_is_on_stands_in_the_environment(
    start: Start, godebug: str, expected: bool
) -> None:
    pid = start(subprocess.DEVNULL, GODEBUG=godebug)
    assert has_gctrace(pid) is expected


def test_an_environment_that_may_not_be_read_says_nothing(tmp_path: Path) -> None:
    assert has_gctrace(7, tmp_path) is None
