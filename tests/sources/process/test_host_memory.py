"""Memory and swap of the host: read, recorded, shown."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from contextlib import aclosing
from pathlib import Path

import pytest
from commandline import ran
from patience import PATIENCE_S

from memtui.model import Attached, HostMemory
from memtui.sources.process.environment import HostMemorySource
from memtui.sources.process.reader import default_reader

pytestmark = pytest.mark.world


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


def of_meminfo() -> dict[str, int]:
    """Return /proc/meminfo in bytes."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}


def test_it_is_what_the_kernel_reports() -> None:
    found, kernel = default_reader().host_memory(), of_meminfo()
    assert found.total_bytes == kernel["MemTotal"]
    assert found.swap_total_bytes == kernel["SwapTotal"]
    assert found.available_bytes == pytest.approx(kernel["MemAvailable"], rel=0.2)
    assert 0 <= found.swap_used_bytes <= found.swap_total_bytes


async def test_it_is_read_until_the_process_ends() -> None:
    with sleeper() as process:
        source = HostMemorySource(process.pid, time.time, every_s=0.01)
        async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
            assert (await anext(events)).sample == Attached("psutil")
            for _ in range(3):
                assert isinstance((await anext(events)).sample, HostMemory)
            process.kill()
            process.wait()
            assert all([isinstance(each.sample, HostMemory) async for each in events])


def test_it_is_recorded_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "a.memtui"
    assert ran("record", "--pid", str(os.getpid()), "-o", file, "--for", "2s").exit_code == 0
    assert json.loads(ran("info", "--json", file).stdout)["kinds"]["host"] >= 1
    once = json.loads(ran("replay", "--once", "--json", file).stdout)
    assert once["host"]["total_bytes"] == of_meminfo()["MemTotal"]
    text = " ".join(ran("replay", "--once", file).stdout.split())
    assert "host memory" in text
    assert "available" in text
