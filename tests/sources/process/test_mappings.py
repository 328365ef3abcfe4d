"""smaps of real processes: the sum at a beat that costs little, the kinds only when asked for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S

from memtui.model import Attached, MappingGroups, MappingKind, MappingSample
from memtui.sources.process.linux import LinuxReader
from memtui.sources.process.mappings import MappingSource, interval_after
from memtui.sources.process.proc import read_status
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.world

clock = time.time
STAT = Path("/proc/self/stat").read_bytes()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that does nothing."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("took_s", "expected"), [(0.0, 5.0), (0.005, 5.0), (0.07, 7.0), (1.5, 150.0), (60.0, 300.0)]
)
def test_a_reading_takes_at_most_a_hundredth_of_its_interval(
    took_s: float, expected: float
) -> None:
    assert interval_after(took_s) == pytest.approx(expected)


@pytest.mark.go
async def test_the_sum_and_the_kinds_of_a_go_process_are_its_res(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("stats", "-keep", "40", "page=127.0.0.1:0")
    _ = service.address
    source = MappingSource(service.pid, clock)
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        attached, first, groups = [(await anext(events)).sample for _ in range(3)]
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        source.read_groups()
        assert isinstance((await waiting).sample, MappingGroups)
    assert attached == Attached("smaps_rollup")
    assert isinstance(first, MappingSample)
    assert isinstance(groups, MappingGroups)
    res = read_status(service.pid).res_bytes
    assert isinstance(res, int)
    assert first.resident.rss_bytes == pytest.approx(res, abs=4 << 20)
    assert 0 < first.took_s < PATIENCE_S
    of_kind = {group.kind: group.resident.rss_bytes for group in groups.groups}
    sizes = [size for size in of_kind.values() if isinstance(size, int)]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == pytest.approx(res, abs=4 << 20)
    assert next(iter(of_kind)) is MappingKind.GO_HEAP
    assert sizes[0] > 40 << 20


async def test_who_asks_before_the_first_reading_gets_the_kinds_right_after_it(
    sleeper: subprocess.Popen[bytes],
) -> None:
    source = MappingSource(sleeper.pid, clock)
    source.read_groups()
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        kinds = [type((await anext(events)).sample) for _ in range(3)]
    assert kinds == [Attached, MappingSample, MappingGroups]


async def test_a_process_that_ends_is_given_up_for_good(
    sleeper: subprocess.Popen[bytes],
) -> None:
    source = MappingSource(sleeper.pid, clock)
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        for _ in range(3):
            await anext(events)
        sleeper.kill()
        sleeper.wait()
        source.read_groups()
        with pytest.raises(SourceFailed) as failed:
            await anext(events)
    assert failed.value.reason == f"process {sleeper.pid} has ended"
    assert failed.value.final


async def test_a_kernel_without_the_sum_is_given_up(tmp_path: Path) -> None:
    (tmp_path / str(os.getpid())).mkdir()
    (tmp_path / str(os.getpid()) / "stat").write_bytes(STAT)
    with pytest.raises(SourceFailed) as failed:
        await anext(MappingSource(os.getpid(), clock, LinuxReader(tmp_path)).events())
    assert failed.value.reason.startswith("this kernel has no smaps_rollup")
    assert failed.value.final


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_what_another_user_may_not_read_is_absent_and_said_once(
    sleeper: subprocess.Popen[bytes],
) -> None:
    code = (
        "import asyncio, os, sys\n"
        "from memtui.sources.process.mappings import MappingSource\n"
        "asyncio.run(asyncio.to_thread(int))\n"  # imports what could not be read afterwards
        "os.setgid(65534); os.setuid(65534)\n"
        "source = MappingSource(int(sys.argv[1]), lambda: 0.0)\n"
        "async def told():\n"
        "    for _ in range(2):\n"
        "        try:\n"
        "            async for event in source.events():\n"
        "                print(event.sample.resident.rss_bytes)\n"
        "        except Exception as error:\n"
        "            print(error.reason, '|', error.hint)\n"
        "asyncio.run(told())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(sleeper.pid)], capture_output=True, text=True, check=True
    )
    first, *refused = run.stdout.splitlines()
    assert first == "Absent.NO_ACCESS"
    assert len(refused) == 2
    for line in refused:
        assert line.startswith(f"no access to smaps_rollup of process {sleeper.pid} | run memtui")
