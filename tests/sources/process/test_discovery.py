"""Finding processes: all of them, by name, and at the other end of a pipe."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import in_one_try, wait_for

from memtui.model import Absent, ProcessIdentity
from memtui.sources.process.discovery import (
    Candidate,
    ProcessFinder,
    matching,
    own_ancestry,
    pipe_sources,
    pipe_writers,
    ranked,
)
from memtui.sources.process.source import read_identity

Spawn = Callable[..., "subprocess.Popen[bytes]"]

QUIET = ("-listen", "", "-orders", "0", "-report-every", "0", "-log-every", "0")
PLAIN = Candidate(1, "x", ("/bin/x",), "root", 0.0, 100, None)


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start any command; all that were started are ended, by their id, with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        started.append(subprocess.Popen(command, **options))
        return started[-1]

    yield start
    for process in started:
        # A wrapper passes SIGTERM on to what it started itself.
        process.terminate()
        process.wait()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of this process: its read end and its write end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def found(pid: int) -> Candidate | None:
    return next((each for each in ProcessFinder().processes() if each.pid == pid), None)


@pytest.mark.go
def test_a_running_go_program_is_listed_as_it_is(start_go: Callable[..., Any]) -> None:
    service = start_go("orders", *QUIET)
    wait_for(lambda: "pid" in service.stdout_path.read_text())
    identity = read_identity(service.pid)
    in_one_try(lambda: is_as_it_is(service.pid, identity))  # its memory grows while it is read


def is_as_it_is(pid: int, identity: ProcessIdentity) -> None:
    """See that a process is listed with what it is."""
    candidate = found(pid)
    assert candidate
    assert (candidate.name, candidate.command) == ("orders", identity.command)
    assert (candidate.user, candidate.started_at) == (identity.user, identity.started_at)
    assert candidate.go_version == identity.go_version
    assert isinstance(candidate.go_version, str)
    assert candidate.res_bytes == pytest.approx(psutil.Process(pid).memory_info().rss, abs=1 << 20)


@pytest.mark.world
def test_a_program_that_is_not_go_is_listed_without_a_version(spawn: Spawn) -> None:
    process = spawn("sleep", "60")
    wait_for(lambda: (one := found(process.pid)) and one.name == "sleep")
    candidate = found(process.pid)
    assert candidate
    assert candidate.go_version is None


def test_all_processes_are_listed_but_this_one_and_those_of_the_kernel() -> None:
    def watchable() -> set[int]:
        return {
            process.pid
            for process in psutil.process_iter(["status", "cmdline", "ppid"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and (process.info["cmdline"] or 2 not in (process.pid, process.info["ppid"]))
        }

    def all_are_listed() -> None:
        before = watchable()
        listed = {candidate.pid for candidate in ProcessFinder().processes()}
        after = watchable()
        assert (before & after) - {os.getpid()} <= listed <= (before | after) - {os.getpid()}
        assert os.getppid() in listed

    in_one_try(all_are_listed, 50)  # others start and end processes meanwhile


@pytest.mark.world
def test_a_zombie_is_not_listed(spawn: Spawn) -> None:
    process = spawn("true")
    wait_for(lambda: ") Z " in Path(f"/proc/{process.pid}/stat").read_text())
    assert found(process.pid) is None


@pytest.mark.go
def test_a_census_reads_each_binary_once_but_a_new_file_anew(
    go_build: Callable[[str], Path], tmp_path: Path, spawn: Spawn
) -> None:
    program = Path(shutil.copy(go_build("orders"), tmp_path / "program"))
    census = ProcessFinder()
    first = spawn(program, *QUIET)
    before = census.candidate(first.pid)
    # Written over in place, with its old time: the same file, so it is not looked into again.
    first.kill()
    first.wait()
    at = program.stat().st_mtime_ns
    program.write_bytes(Path(shutil.which("sleep") or "").read_bytes())
    os.utime(program, ns=(at, at))
    second = spawn(program, "60")
    wait_for(lambda: read_identity(second.pid).name == "program")
    same = census.candidate(second.pid)
    # Put in its place, as an installer does: another file.
    os.replace(shutil.copy2(program, tmp_path / "new"), program)
    third = spawn(program, "60")
    wait_for(lambda: read_identity(third.pid).name == "program")
    other = census.candidate(third.pid)
    assert before
    assert same
    assert other
    assert isinstance(before.go_version, str)
    assert (same.go_version, other.go_version) == (before.go_version, None)


def test_go_programs_lead_then_those_that_may_be_then_large_ones() -> None:
    go = replace(PLAIN, go_version="go1.27.3")
    unseen = replace(PLAIN, go_version=Absent.NO_ACCESS)
    expected = [
        replace(go, pid=7, res_bytes=9),
        replace(go, pid=3, res_bytes=5),
        replace(go, pid=4, res_bytes=5),
        replace(go, pid=2, res_bytes=Absent.NOT_REPORTED),
        replace(unseen, pid=6, res_bytes=70),
        replace(PLAIN, pid=5, res_bytes=900),
        replace(PLAIN, pid=8, res_bytes=100),
    ]
    assert ranked(sorted(expected, key=lambda candidate: candidate.pid)) == expected


@pytest.mark.go
def test_a_name_finds_the_process_by_its_name_and_by_its_path(
    start_go: Callable[..., Any], go_build: Callable[[str], Path]
) -> None:
    services = [start_go("orders", *QUIET, "-items", str(items)) for items in (1, 100000)]
    large, small = services[1].pid, services[0].pid
    wait_for(lambda: psutil.Process(large).memory_info().rss > 20 << 20)
    listed = list(ProcessFinder().processes())
    pids = [candidate.pid for candidate in matching(listed, "^ord.rs$")]
    assert [pid for pid in pids if pid in (large, small)] == [large, small]
    by_path = {candidate.pid for candidate in matching(listed, f"^{go_build('orders')}$")}
    assert by_path == {large, small}
    assert not matching(listed, "100000$")


def test_a_name_never_finds_memtui_or_who_started_it() -> None:
    listed = list(ProcessFinder().processes())
    family = own_ancestry()
    assert {os.getpid(), os.getppid()} <= family
    assert os.getppid() in {candidate.pid for candidate in listed}
    assert not family & {candidate.pid for candidate in matching(listed, "")}


@pytest.mark.world
def test_another_process_of_the_same_program_is_found(spawn: Spawn) -> None:
    process = spawn(sys.executable, "-c", "import time; time.sleep(60)")
    wait_for(lambda: found(process.pid))
    assert process.pid in {
        candidate.pid for candidate in matching(ProcessFinder().processes(), "python")
    }


@pytest.mark.parametrize("pattern", ["(", "a{9999}", "*\n(", "(?P<"])
def test_a_bad_pattern_is_told_in_one_line(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^bad pattern [^\n]+$"):
        matching([PLAIN], pattern)


@pytest.mark.go
def test_who_writes_into_a_pipe_is_found_and_who_reads_it_is_not(
    go_build: Callable[[str], Path], spawn: Spawn, pipe: tuple[int, int]
) -> None:
    read, write = pipe
    service = spawn(go_build("orders"), *QUIET, stderr=write)
    spawn("sleep", "60", stdin=read)
    assert pipe_writers(read) == [service.pid]
    origin = pipe_sources(read)
    assert [candidate.pid for candidate in origin] == [service.pid]
    assert isinstance(origin[0].go_version, str)


@pytest.mark.world
def test_a_named_pipe_has_writers_too(spawn: Spawn, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    both = os.open(tmp_path / "fifo", os.O_RDWR)
    try:
        with (tmp_path / "fifo").open("wb") as write:
            writer = spawn("sleep", "60", stdout=write)
        read_and_write = spawn("sleep", "60", stdin=both)
        with (tmp_path / "fifo").open("rb") as read:
            spawn("sleep", "60", stdin=read)
        assert pipe_writers(both) == sorted([writer.pid, read_and_write.pid])
    finally:
        os.close(both)


def test_what_is_no_pipe_has_no_writers(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert pipe_writers(file.fileno()) == []
        closed = os.dup(file.fileno())
    os.close(closed)
    assert pipe_writers(closed) == []
    assert pipe_sources(closed) == []


@pytest.mark.go
@pytest.mark.parametrize(
    "wrapper",
    [
        ("timeout", "60"),
        ("sh", "-c", """"$@" & trap "kill $!" TERM; wait""", "sh"),
    ],
    ids=["timeout", "shell"],
)
def test_the_go_program_leads_its_wrapper(
    go_build: Callable[[str], Path], spawn: Spawn, pipe: tuple[int, int], wrapper: tuple[str, ...]
) -> None:
    read, write = pipe
    process = spawn(*wrapper, go_build("orders"), *QUIET, stderr=write)
    wait_for(lambda: [each.name for each in pipe_sources(read)] == ["orders", wrapper[0]])
    first, second = pipe_sources(read)
    assert isinstance(first.go_version, str)
    assert second.pid == process.pid
    assert psutil.Process(first.pid).ppid() == process.pid


@pytest.mark.go
def test_the_origin_is_found_through_tee(
    go_build: Callable[[str], Path], spawn: Spawn, pipe: tuple[int, int]
) -> None:
    read, write = pipe
    middle_read, middle_write = os.pipe()
    service = spawn(go_build("orders"), *QUIET, stderr=middle_write)
    tee = spawn("tee", stdin=middle_read, stdout=write)
    os.close(middle_read)
    os.close(middle_write)
    wait_for(lambda: (one := found(tee.pid)) and one.name == "tee")
    assert pipe_writers(read) == [tee.pid]
    assert [candidate.pid for candidate in pipe_sources(read)] == [service.pid, tee.pid]


@pytest.mark.go
def test_a_client_that_brings_the_output_of_a_container_is_no_origin(
    go_build: Callable[[str], Path], spawn: Spawn, pipe: tuple[int, int], tmp_path: Path
) -> None:
    read, write = pipe
    client = spawn(shutil.copy(go_build("orders"), tmp_path / "docker"), *QUIET, stderr=write)
    assert pipe_writers(read) == [client.pid]
    assert pipe_sources(read) == []
