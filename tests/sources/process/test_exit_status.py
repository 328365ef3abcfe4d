"""How a process that is not ours ended: exit codes, signals and the OOM killer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from pathlib import Path
from uuid import uuid4

import pytest
from patience import PATIENCE_S, wait_for

from memtui.model import Ended
from memtui.sources.process.exit_status import LinuxExitWatch, OomKills, ending_words
from memtui.sources.process.source import ProcessSource

CGROUPS = Path("/sys/fs/cgroup/memory")
V2 = "23 1 0:20 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
KEEPS_STATUS = tuple(map(int, os.uname().release.split("-")[0].split(".")[:2])) >= (6, 15)


async def ended_of(pid: int, then: Callable[[], None]) -> Ended:
    """Watch a process, end it, and return what the source says of it."""
    async with (
        asyncio.timeout(PATIENCE_S),
        aclosing(ProcessSource(pid, time.time, 0.1).events()) as events,
    ):
        count = 0
        async for event in events:
            count += 1
            if count == 2:
                then()
            if isinstance(event.sample, Ended):
                return event.sample
    raise AssertionError("no end")


def started(*command: str) -> subprocess.Popen[bytes]:
    """Start a program that waits for a line."""
    return subprocess.Popen(command, stdin=subprocess.PIPE)


@pytest.mark.parametrize(
    ("script", "number", "said", "code"),
    [
        ("read x; exit 0", None, "ended with exit code 0", 0),
        ("read x; exit 3", None, "ended with exit code 3", 3),
        ("read x", signal.SIGTERM, "was killed by SIGTERM", 143),
        ("read x", signal.SIGKILL, "was killed by SIGKILL", 137),
    ],
)
@pytest.mark.parametrize("is_reaped", [True, False], ids=["reaped", "zombie"])
async def test_how_it_ended_is_what_its_parent_sees(
    script: str, number: int | None, said: str, code: int, is_reaped: bool
) -> None:
    if (is_reaped or code == 0) and not KEEPS_STATUS:
        pytest.skip("this kernel forgets the status of a reaped process")
    with started("sh", "-c", script) as process:

        def end() -> None:
            assert process.stdin
            if number is None:
                process.stdin.write(b"\n")
                process.stdin.flush()
            else:
                process.send_signal(number)
            if is_reaped or code == 0:
                process.wait()
            else:
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        ended = await ended_of(process.pid, end)
    assert ended.exit_code == code
    assert ended.reason.startswith(f"process {process.pid} {said}")


NONE = OomKills(None, None)


@pytest.mark.parametrize(
    ("code", "before", "after", "said"),
    [
        (None, NONE, NONE, "ended"),
        (None, OomKills(1, 5), OomKills(1, 6), "ended"),  # of another container, perhaps
        (-9, OomKills(0, 5), OomKills(1, 6),
         "was killed by the OOM killer: oom_kill of its cgroup rose from 0 to 1"),
        (None, OomKills(0, 5), OomKills(1, 6),
         "was killed by the OOM killer: oom_kill of its cgroup rose from 0 to 1"),
        (-9, OomKills(3, 5), OomKills(3, 6), "was killed by SIGKILL, probably by the OOM killer: "
         "oom_kill in /proc/vmstat rose from 5 to 6"),
        (-9, OomKills(3, 5), OomKills(3, 5), "was killed by SIGKILL"),
        (-15, OomKills(0, 0), OomKills(1, 1), "was killed by SIGTERM"),
        (2, OomKills(0, 0), OomKills(1, 1), "ended with exit code 2"),
    ],
)  # fmt: skip
def test_the_oom_killer_is_named_where_its_count_rose(
    code: int | None, before: OomKills, after: OomKills, said: str
) -> None:
    assert ending_words(code, before, after) == said


@pytest.mark.parametrize(
    ("mounts", "cgroup", "file", "text"),
    [
        (V2, "0::/web\n", "sys/fs/cgroup/web/memory.events", "low 0\noom 1\noom_kill {}\n"),
        (V1, "4:memory:/web\n", "sys/fs/cgroup/memory/web/memory.oom_control",
         "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"),
    ],
)  # fmt: skip
def test_counts_are_read_of_both_versions(
    mounts: str, cgroup: str, file: str, text: str, tmp_path: Path
) -> None:
    proc = tmp_path / "proc"
    for name, said in {"self/mountinfo": mounts, "7/cgroup": cgroup}.items():
        (proc / name).parent.mkdir(parents=True, exist_ok=True)
        (proc / name).write_text(said)
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text.format(2))
    ending = LinuxExitWatch(7, proc, tmp_path)
    (tmp_path / file).write_text(text.format(3))
    assert ending.ended().reason.endswith("OOM killer: oom_kill of its cgroup rose from 2 to 3")


@pytest.fixture
def small_cgroup() -> Iterator[Path]:
    """A memory cgroup with a limit of 40 MiB."""
    place = CGROUPS / f"memtui-{uuid4().hex}"
    try:
        place.mkdir()
        (place / "memory.limit_in_bytes").write_text(str(40 << 20))
    except OSError:
        pytest.skip("no memory cgroup (v1) can be made here")
    yield place
    for _ in range(100):
        with suppress(OSError):  # it is busy until its last process is reaped
            place.rmdir()
            return
        time.sleep(0.05)


async def test_a_process_that_the_kernel_kills_for_its_memory_is_said_to_be(
    small_cgroup: Path,
) -> None:
    eats = "import sys; sys.stdin.readline(); held = [bytearray(1 << 20) for _ in range(4096)]"
    with started(sys.executable, "-c", eats) as process:
        (small_cgroup / "cgroup.procs").write_text(str(process.pid))

        def eat() -> None:
            assert process.stdin
            process.stdin.write(b"\n")
            process.stdin.flush()
            wait_for(lambda: process.poll() is not None)

        ended = await ended_of(process.pid, eat)
    assert "was killed by the OOM killer" in ended.reason
    assert ended.exit_code in (None, 137)
