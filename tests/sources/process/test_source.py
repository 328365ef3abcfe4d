"""The process source on real processes, against ps, psutil and /proc read independently."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import PATIENCE_S, in_one_try, in_one_try_of, wait_for

from memtui.model import (
    Absent,
    Ended,
    Event,
    ProcessIdentity,
    ProcessSample,
    Sample,
)
from memtui.sources.process.linux import LinuxReader
from memtui.sources.process.proc import user_name
from memtui.sources.process.source import ProcessSource, next_beat, read_identity, read_sample
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.world

Spawn = Callable[..., "subprocess.Popen[bytes]"]

QUIET = ("-listen", "", "-orders", "0", "-report-every", "0", "-log-every", "0")
AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start any command; all that were started are killed, by their id, with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def status_line(pid: int, key: str) -> int:
    """Read a number of /proc/PID/status with nothing of memtui; sizes in bytes."""
    text = Path(f"/proc/{pid}/status").read_text(errors="replace")
    match = re.search(rf"^{key}:\s*(\d+)( kB)?", text, re.M)
    assert match
    return int(match[1]) * (1024 if match[2] else 1)


def ps(pid: int, *columns: str) -> list[str]:
    """Ask ps; a machine may do without it."""
    if shutil.which("ps") is None:
        pytest.skip("needs ps")
    wanted = ",".join(f"{column}=" for column in columns)
    said = subprocess.run(
        ["ps", "-o", wanted, "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return said.stdout.split()


def has_state(pid: int, state: str) -> bool:
    return ps(pid, "stat") == [state]


async def following(events: AsyncGenerator[Event, None]) -> Sample:
    """Return what comes next, which must not take long."""
    async with asyncio.timeout(PATIENCE_S):
        return (await anext(events)).sample


async def next_identity(events: AsyncGenerator[Event, None]) -> Sample:
    """Return what comes behind the samples of the same program."""
    async with asyncio.timeout(PATIENCE_S):
        while isinstance(sample := (await anext(events)).sample, ProcessSample):
            pass
    return sample


async def rest(events: AsyncGenerator[Event, None]) -> list[Sample]:
    async with asyncio.timeout(PATIENCE_S):
        return [event.sample async for event in events]


@pytest.mark.go
def test_a_sample_holds_the_numbers_of_status(start_go: Callable[..., Any]) -> None:
    service = start_go("orders", *QUIET[2:])
    assert service.address
    expected = {
        "virt_bytes": ("VmSize",),
        "res_bytes": ("VmRSS",),
        "shr_bytes": ("RssFile", "RssShmem"),
        "swap_bytes": ("VmSwap",),
        "code_bytes": ("VmExe",),
        "data_bytes": ("VmData", "VmStk"),
        "anon_bytes": ("RssAnon",),
        "file_bytes": ("RssFile",),
        "shmem_bytes": ("RssShmem",),
        "peak_bytes": ("VmHWM",),
        "threads": ("Threads",),
    }
    for _ in range(500):
        truth = [
            {key: sum(status_line(service.pid, line) for line in lines)
             for key, lines in expected.items()}
            for _ in range(2)
        ]  # fmt: skip
        _, sample = read_sample(service.pid)
        if truth[0] == truth[1] == {key: getattr(sample, key) for key in expected}:
            break
    else:
        pytest.fail(f"{sample} is not {truth}")
    in_one_try(lambda: has_open_files(service.pid))


def has_open_files(pid: int) -> None:
    """See that a sample counts the open files as others do."""
    _, sample = read_sample(pid)
    assert sample.open_files == psutil.Process(pid).num_fds() > 3
    assert sample.open_files == len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.go
def test_a_sample_is_what_ps_says(start_go: Callable[..., Any]) -> None:
    service = start_go("orders", *QUIET)
    wait_for(lambda: "pid" in service.stdout_path.read_text())
    for _ in range(200):
        _, sample = read_sample(service.pid)
        assert isinstance(sample.virt_bytes, int)
        assert isinstance(sample.res_bytes, int)
        mine = [str(sample.virt_bytes // 1024), str(sample.res_bytes // 1024)]
        mine += [str(sample.state), str(sample.tty), str(sample.threads)]
        if ps(service.pid, "vsz", "rss", "stat", "tty", "nlwp") == mine:
            return
    pytest.fail(f"ps never said {mine}")


def test_state_and_terminal_are_spelled_as_ps_does(spawn: Spawn) -> None:
    leader, terminal = os.openpty()
    try:
        foreground = spawn("setsid", "--ctty", "sleep", "60", stdin=terminal)
        pinned = spawn(
            sys.executable, "-c",
            "import ctypes; m = ctypes.create_string_buffer(9000);"
            "ctypes.CDLL(None).mlock(m, 9000); print(flush=True); input()",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert pinned.stdout
        pinned.stdout.readline()
        stopped = spawn("sleep", "60", start_new_session=True)
        stopped.send_signal(signal.SIGSTOP)
        nice = spawn("nice", "-n", "5", "sleep", "60")
        expected = {foreground.pid: "Ss+", pinned.pid: "SL", stopped.pid: "Ts", nice.pid: "SN"}
        for pid, state in expected.items():
            wait_for(partial(has_state, pid, state))
            _, sample = read_sample(pid)
            assert [sample.state, sample.tty] == ps(pid, "stat", "tty")
        _, sample = read_sample(foreground.pid)
        assert f"/dev/{sample.tty}" == os.ttyname(terminal)
    finally:
        os.close(terminal)
        os.close(leader)


@pytest.mark.go
def test_the_identity_is_what_psutil_and_the_go_tool_say(start_go: Callable[..., Any]) -> None:
    service = start_go("orders", *QUIET)
    identity = read_identity(service.pid)
    judge = psutil.Process(service.pid)
    assert (identity.pid, identity.name) == (service.pid, "orders")
    assert list(identity.command) == judge.cmdline()
    assert identity.user == judge.username()
    assert identity.started_at == pytest.approx(judge.create_time(), abs=0.011)
    assert identity.started_at == pytest.approx(time.time(), abs=PATIENCE_S)
    assert isinstance(identity.go_version, str)
    assert re.fullmatch(r"go1\.\d+.*", identity.go_version)
    ticks = Path(f"/proc/{service.pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    assert identity.start_ticks == int(ticks)


@pytest.mark.go
def test_the_version_of_a_binary_that_was_deleted_is_still_read(
    go_build: Callable[[str], Path], tmp_path: Path, spawn: Spawn
) -> None:
    binary = shutil.copy(go_build("orders"), tmp_path / "deleted")
    process = spawn(str(binary), *QUIET, stdout=subprocess.DEVNULL)
    os.unlink(binary)
    assert str(read_identity(process.pid).go_version).startswith("go1.")


def test_a_name_of_any_bytes_is_shown_and_misleads_nobody(spawn: Spawn) -> None:
    rename = "import ctypes; ctypes.CDLL(None).prctl(15, b') Z 1\\nVmRSS: \\xff', 0, 0, 0);"
    process = spawn(
        sys.executable, "-c", rename + "print(flush=True); input()",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    process.stdout.readline()
    assert read_identity(process.pid).name == ") Z 1\nVmRSS: \\xff"
    _, sample = read_sample(process.pid)
    assert sample.virt_bytes == status_line(process.pid, "VmSize")


def test_a_pid_that_is_not_there_is_named() -> None:
    nobody = int(Path("/proc/sys/kernel/pid_max").read_text()) + 1
    with pytest.raises(SourceFailed, match=f"^no process {nobody}$") as failed:
        read_identity(nobody)
    assert failed.value.final


@pytest.mark.go
def test_the_id_of_a_thread_leads_to_its_process(start_go: Callable[..., Any]) -> None:
    service = start_go("orders", *QUIET)
    wait_for(lambda: len(os.listdir(f"/proc/{service.pid}/task")) > 1)
    thread = next(int(t) for t in os.listdir(f"/proc/{service.pid}/task") if int(t) != service.pid)
    expected = f"^{thread} is a thread of process {service.pid}$"
    with pytest.raises(SourceFailed, match=expected) as failed:
        read_identity(thread)
    assert str(service.pid) in failed.value.hint


def test_a_user_without_a_name_is_a_number() -> None:
    assert user_name(os.getuid()) == psutil.Process().username()
    assert user_name(3_999_999_999) == "3999999999"


def test_an_old_kernel_tells_shr_by_statm(tmp_path: Path, data: Path) -> None:
    folder = tmp_path / "5800"
    (folder / "fd").mkdir(parents=True)
    status = (data / "proc/status.txt").read_text()
    (folder / "status").write_text(re.sub(r"Rss\w+:.*\n", "", status))
    shutil.copy(data / "proc/statm.txt", folder / "statm")
    (folder / "stat").write_text("5800 (old) S " + "1 " * 40)
    _, sample = read_sample(5800, LinuxReader(tmp_path))
    assert sample.shr_bytes == 1981 * os.sysconf("SC_PAGE_SIZE")
    assert sample.file_bytes is Absent.NOT_REPORTED
    assert sample.res_bytes == 36612 * 1024


@pytest.mark.go
async def test_the_identity_comes_first_and_then_samples_with_their_moment(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("orders", *QUIET)
    clock = iter(range(1000, 2000))
    source = ProcessSource(service.pid, lambda: float(next(clock)), interval_s=0.01)
    async with aclosing(source.events()) as events:
        got = [await anext(events) for _ in range(4)]
    assert [event.at for event in got] == [1000, 1001, 1002, 1003]
    assert {event.source for event in got} == {"process"}
    assert isinstance(got[0].sample, ProcessIdentity)
    assert all(isinstance(event.sample, ProcessSample) for event in got[1:])


async def test_cpu_time_counts_what_the_process_used(spawn: Spawn) -> None:
    process = spawn(sys.executable, "-c", "while True: pass")
    judge, before = psutil.Process(process.pid), 0.0
    async with aclosing(ProcessSource(process.pid, time.time, interval_s=0.1).events()) as events:
        await following(events)
        used: list[float] = []
        while len(used) < 600 and not (used and used[-1] >= 0.3):
            before = sum(judge.cpu_times()[:2])
            sample = await following(events)
            assert isinstance(sample, ProcessSample)
            assert isinstance(sample.cpu_s, float)
            used.append(sample.cpu_s)
        after = sum(judge.cpu_times()[:2])
    assert used == sorted(used)
    assert used[-1] >= 0.3
    assert before - 0.02 <= used[-1] <= after + 0.02


@pytest.mark.parametrize("reaped", [True, False])
async def test_a_process_that_ended_is_told_once_and_last(spawn: Spawn, reaped: bool) -> None:
    process = spawn("sleep", "60")
    async with aclosing(ProcessSource(process.pid, time.time, 0.02).events()) as events:
        await following(events)
        assert isinstance(await following(events), ProcessSample)
        os.kill(process.pid, signal.SIGKILL)
        if reaped:
            process.wait()
        told = await rest(events)
    assert isinstance(told[-1], Ended)
    assert told[-1].reason.startswith(f"process {process.pid} ")
    assert all(isinstance(sample, ProcessSample) for sample in told[:-1])


def test_a_zombie_is_no_process_to_watch(spawn: Spawn) -> None:
    process = spawn("true")
    wait_for(lambda: ") Z " in Path(f"/proc/{process.pid}/stat").read_text())
    with pytest.raises(SourceFailed, match=f"^no process {process.pid}$"):
        read_identity(process.pid)


async def test_a_stopped_process_is_still_read(spawn: Spawn) -> None:
    process = spawn("sleep", "60")
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: ps(process.pid, "stat")[0].startswith("T"))
    async with aclosing(ProcessSource(process.pid, time.time, 0.02).events()) as events:
        await following(events)
        for _ in range(2):
            sample = await following(events)
            assert isinstance(sample, ProcessSample)
            assert str(sample.state).startswith("T")
            assert sample.res_bytes == status_line(process.pid, "VmRSS")


async def test_a_pid_with_another_start_time_is_another_process(spawn: Spawn) -> None:
    process = spawn("sleep", "60")
    wait_for(lambda: read_identity(process.pid).name == "sleep")
    now = read_identity(process.pid)
    before = replace(now, start_ticks=now.start_ticks - 7, name="orders")
    told = await rest(ProcessSource(before, time.time, 0.02).events())
    assert told == [before, Ended(f"pid {process.pid} was reused by another process (sleep)")]


async def test_a_program_that_executes_another_is_identified_anew(spawn: Spawn) -> None:
    process = spawn("sh", "-c", "read line; exec sleep 60", stdin=subprocess.PIPE)
    wait_for(lambda: read_identity(process.pid).name == "sh")
    async with aclosing(ProcessSource(process.pid, time.time, 0.02).events()) as events:
        first = await following(events)
        assert isinstance(first, ProcessIdentity)
        assert first.name == "sh"
        assert isinstance(await following(events), ProcessSample)
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
        sample = await next_identity(events)
        assert sample == replace(first, name="sleep", command=("sleep", "60"))
        assert isinstance(await following(events), ProcessSample)
        assert isinstance(await following(events), ProcessSample)


async def test_a_program_that_executes_itself_is_identified_anew(spawn: Spawn) -> None:
    again = 'exec sh -c "read line; exit" upgraded'
    process = spawn("sh", "-c", f"read line; {again}", stdin=subprocess.PIPE)
    wait_for(lambda: read_identity(process.pid).name == "sh")
    async with aclosing(ProcessSource(process.pid, time.time, 0.02).events()) as events:
        first = await following(events)
        assert isinstance(await following(events), ProcessSample)
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
        sample = await next_identity(events)
    assert isinstance(first, ProcessIdentity)
    assert sample == replace(first, command=("sh", "-c", "read line; exit", "upgraded"))


@pytest.mark.parametrize(
    ("beat", "elapsed_s", "expected"),
    [(0, 0.001, 1), (1, 1.0, 2), (1, 0.99999, 2), (1, 1.9, 2), (1, 2.1, 3), (4, 9.5, 10)],
)
def test_beats_stay_on_their_grid(beat: int, elapsed_s: float, expected: int) -> None:
    assert next_beat(beat, elapsed_s, 1.0) == expected


@pytest.mark.quiet
async def test_a_slow_reader_does_not_make_the_beat_slower(spawn: Spawn) -> None:
    process = spawn("sleep", "600")
    await in_one_try_of(lambda: keeps_its_beat(process.pid))


async def keeps_its_beat(pid: int) -> None:
    """Read a process each tenth of a second, and take some time for each sample."""
    async with aclosing(ProcessSource(pid, time.time, 0.1).events()) as events:
        await following(events)
        await following(events)
        start = time.monotonic()
        for _ in range(8):
            await asyncio.sleep(0.07)
            await following(events)
    # Eight pauses of 0.1 s behind eight of 0.07 s would be 1.36 s.
    assert 0.75 < time.monotonic() - start < 1.34


DROP = """
import json, os, sys, psutil
from dataclasses import asdict
from memtui.model import Absent
from memtui.sources.source import SourceFailed
from memtui.sources.process.source import read_identity, read_sample
pid = int(sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
spell = lambda value: value.name if isinstance(value, Absent) else value
try:
    found = asdict(read_identity(pid)) | asdict(read_sample(pid)[1])
    print(json.dumps({key: spell(value) for key, value in found.items()}))
except SourceFailed as failed:
    print(json.dumps({"reason": failed.reason, "final": failed.final}))
"""


def read_as_nobody(pid: int, *wrapper: str) -> dict[str, Any]:
    """Let another process import memtui, become nobody, and read the process ``pid``."""
    said = subprocess.run(
        [*wrapper, sys.executable, "-c", DROP, str(pid)], capture_output=True, check=True
    )
    found = json.loads(said.stdout)
    assert isinstance(found, dict)
    return found


@AS_ROOT
@pytest.mark.go
def test_what_another_user_may_not_read_is_no_access_and_never_0(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("orders", *QUIET)
    wait_for(lambda: "pid" in service.stdout_path.read_text())
    found = read_as_nobody(service.pid)
    assert {key for key, value in found.items() if value == "NO_ACCESS"} == {
        "open_files", "go_version",
    }  # fmt: skip
    assert found["res_bytes"] == pytest.approx(status_line(service.pid, "VmRSS"), abs=1 << 20)
    assert found["virt_bytes"] > found["res_bytes"] > found["shr_bytes"] > 0
    assert (found["name"], found["user"]) == ("orders", user_name(0))


@AS_ROOT
def test_a_process_of_another_user_is_read_in_full_by_root(spawn: Spawn) -> None:
    process = spawn("sleep", "60", user=65534, group=65534, extra_groups=[])
    wait_for(lambda: read_identity(process.pid).name == "sleep")
    assert read_identity(process.pid).user == user_name(65534)
    files = Path(f"/proc/{process.pid}/fd")  # sleep opens and closes one while it starts
    wait_for(lambda: read_sample(process.pid)[1].open_files == len(os.listdir(files)) == 3)


@AS_ROOT
@pytest.mark.parametrize(("hidepid", "reason"), [(1, "no access to process"), (2, "no process")])
def test_a_process_that_is_hidden_is_told_in_one_line(
    spawn: Spawn, hidepid: int, reason: str
) -> None:
    hide = ("unshare", "--mount", "sh", "-c",
            f'mount -t proc -o hidepid={hidepid} proc /proc && exec "$@"', "sh")  # fmt: skip
    if not shutil.which("unshare") or subprocess.run([*hide, "true"], check=False).returncode:
        pytest.skip("this machine does not let a test mount a /proc of its own")
    process = spawn("sleep", "60")
    assert read_as_nobody(process.pid, *hide) == {
        "reason": f"{reason} {process.pid}",
        "final": True,
    }
