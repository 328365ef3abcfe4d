"""Where a process runs, from a tree of files that a host could have, and on this machine."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_S

from memtui.model import Absent, Attached, CgroupMemory, Environment
from memtui.sources.process.environment import EnvironmentSource
from memtui.sources.process.linux import LinuxReader
from memtui.sources.source import SourceFailed

MIB = 1 << 20
STAT = Path("/proc/self/stat").read_text()
COUNTS_MEMORY = any(
    Path(place).exists()
    for place in ("/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory/memory.stat")
)
V2 = "23 1 0:20 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"


@pytest.fixture
def host(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Write files below a root, and those of process 7 below its /proc; returns both folders."""

    def make(files: dict[str, str]) -> tuple[Path, Path]:
        for name, text in files.items():
            path = tmp_path / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "proc", tmp_path

    return make


def test_all_levels_of_v2_are_read(host: Callable[..., tuple[Path, Path]]) -> None:
    pod = "/sys/fs/cgroup/kubepods/pod7"
    proc, root = host(
        {
            "/proc/self/mountinfo": V2,
            "/proc/7/cgroup": "0::/kubepods/pod7/web\n",
            "/proc/7/environ": "HOME=/root\0GOGC=50\0TOKEN=s3cret\0GODEBUG=madvdontneed=0\0",
            f"{pod}/web/memory.max": "max\n",
            f"{pod}/web/memory.high": f"{300 * MIB}\n",
            f"{pod}/web/memory.current": f"{200 * MIB}\n",
            f"{pod}/web/memory.stat": f"anon 7\ninactive_file {50 * MIB}\n",
            f"{pod}/memory.max": f"{256 * MIB}\n",
            f"{pod}/memory.current": f"{250 * MIB}\n",
            f"{pod}/memory.stat": f"inactive_file {60 * MIB}\n",
            "/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n",
            "/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none": "511\n",
        }
    )
    found = LinuxReader(proc, root).environment(7)[0]
    assert isinstance(found.levels, tuple)
    assert [level.path for level in found.levels] == ["/kubepods/pod7/web", "/kubepods/pod7"]
    own = found.levels[0]
    assert (own.limit_bytes, own.high_bytes, own.margin_bytes) == (None, 300 * MIB, None)
    assert (own.current_bytes, own.inactive_file_bytes) == (200 * MIB, 50 * MIB)
    assert found.cgroup_version == 2
    assert found.limit_bytes == 256 * MIB
    assert found.tightest is not None
    assert found.tightest.margin_bytes == (256 - 250 + 60) * MIB
    assert (found.gogc, found.gomemlimit, found.godebug) == ("50", None, "madvdontneed=0")
    assert (found.thp, found.max_ptes_none) == ("always", 511)
    assert "s3cret" not in repr(found)


def test_on_a_hybrid_host_v1_counts_the_memory(host: Callable[..., tuple[Path, Path]]) -> None:
    proc, root = host(
        {
            "/proc/self/mountinfo": V1 + V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
            "/proc/7/cgroup": "4:memory:/jobs/7\n0::/\n",
            "/sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes": f"{512 * MIB}\n",
            "/sys/fs/cgroup/memory/jobs/7/memory.usage_in_bytes": f"{500 * MIB}\n",
            "/sys/fs/cgroup/memory/jobs/7/memory.stat": f"total_inactive_file {MIB}\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes": f"{900 * MIB}\n",
        }
    )
    found = LinuxReader(proc, root).environment(7)[0]
    assert isinstance(found.levels, tuple)
    assert [level.path for level in found.levels] == ["/jobs/7", "/"]
    assert found.cgroup_version == 1
    assert found.limit_bytes == 512 * MIB
    assert found.tightest is not None
    assert found.tightest.margin_bytes == 13 * MIB
    assert found.levels[1].limit_bytes is None
    assert found.levels[1].inactive_file_bytes is Absent.NOT_REPORTED


def test_where_nothing_is_known_nothing_is_claimed(
    host: Callable[..., tuple[Path, Path]],
) -> None:
    proc, root = host({"/proc/self/mountinfo": "", "/proc/7/stat": ""})
    missing = Absent.NOT_REPORTED
    found = LinuxReader(proc, root).environment(7)[0]
    assert found == Environment(
        levels=missing, cgroup_version=missing, gogc=missing, gomemlimit=missing,
        godebug=missing, thp=missing, max_ptes_none=missing,
    )  # fmt: skip
    assert found.limit_bytes is missing
    assert found.tightest is None


async def test_surroundings_come_when_they_have_changed_and_memory_at_each_beat(
    host: Callable[..., tuple[Path, Path]],
) -> None:
    current = "/sys/fs/cgroup/a/memory.current"
    files = {"/proc/self/mountinfo": V2, "/proc/7/cgroup": "0::/a\n", "/proc/7/stat": STAT}
    proc, root = host(files | {current: "1\n"})
    source = EnvironmentSource(7, time.time, LinuxReader(proc, root), 0.01)
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        assert (await anext(events)).sample == Attached("cgroup")
        first = (await anext(events)).sample
        beats = [(await anext(events)).sample for _ in range(5)]
        assert {type(each) for each in beats} == {CgroupMemory}
        host({current: "2\n"})
        second = (await anext(events)).sample
        while isinstance(second, CgroupMemory):
            second = (await anext(events)).sample
    for sample, expected in ((first, 1), (second, 2)):
        assert isinstance(sample, Environment)
        assert isinstance(sample.levels, tuple)
        assert sample.levels[0].current_bytes == expected


@pytest.mark.go
async def test_a_real_process_has_its_settings_and_its_cgroup(
    start_go: Callable[..., Any],
) -> None:
    service = start_go("stats", "page=127.0.0.1:0", GOGC="70", GOMEMLIMIT="1GiB", PASSWORD="s3cret")
    source = EnvironmentSource(service.pid, time.time, every_s=0.01)
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        await anext(events)
        found = (await anext(events)).sample
        assert isinstance(found, Environment)
        assert (found.gogc, found.gomemlimit) == ("70", "1GiB")
        assert "s3cret" not in repr(found)
        if COUNTS_MEMORY:
            assert isinstance(found.levels, tuple)
            for level in found.levels:
                assert isinstance(level.current_bytes, int)
                assert level.current_bytes > 0
        service.end()
        with pytest.raises(SourceFailed) as failed:
            async for _ in events:
                pass
    assert failed.value.final


@pytest.mark.world
def test_a_process_that_is_no_more_has_ended() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(SourceFailed) as failed:
        asyncio.run(anext(EnvironmentSource(process.pid, time.time).events()))
    assert failed.value.final
