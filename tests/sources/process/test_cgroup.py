"""The memory of a cgroup, from a tree of files that a host could have, and in a real cgroup."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE_S

from memtui.model import Absent, CgroupMemory
from memtui.sources.process import cgroup
from memtui.sources.process.cgroup import read_environment

MIB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
V2 = "23 1 0:20 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
POD = "/sys/fs/cgroup/pod"
STAT = (
    f"anon {30 * MIB}\nfile {90 * MIB}\nshmem {40 * MIB}\nkernel {60 * MIB}\n"
    f"slab_reclaimable {50 * MIB}\nslab_unreclaimable {4 * MIB}\nsock 0\n"
)
POD_FILES = {
    "/proc/self/mountinfo": V2,
    "/proc/7/cgroup": "0::/pod/web\n",
    f"{POD}/web/memory.max": "max\n",
    f"{POD}/web/memory.current": f"{MIB}\n",
    f"{POD}/web/cgroup.procs": "7\n",
    f"{POD}/memory.max": f"{200 * MIB}\n",
    f"{POD}/memory.current": f"{180 * MIB}\n",
    f"{POD}/memory.stat": STAT,
    f"{POD}/memory.events": "oom 1\noom_kill 1\n",
    f"{POD}/cgroup.procs": "",
    f"{POD}/sidecar/cgroup.procs": "8\n9\n",
    "/proc/7/statm": "9000 3000 1000 1 0 1 0\n",
    "/proc/8/statm": "9000 500 100 1 0 1 0\n",  # 9 has ended since
}


def memory_of(root: Path, files: dict[str, str]) -> CgroupMemory:
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = read_environment(7, root / "proc", root)[1]
    assert found is not None
    return found


def test_the_innermost_group_with_a_limit_is_read_with_all_below_it(tmp_path: Path) -> None:
    found = memory_of(tmp_path, POD_FILES)
    assert (found.path, found.limit_bytes, found.oom_kills) == ("/pod", 200 * MIB, 1)
    assert (found.processes, found.processes_res_bytes) == (3, 3500 * PAGE)
    assert found.processes_anon_bytes == 2400 * PAGE
    assert found.outside_processes_bytes == 180 * MIB - 3500 * PAGE
    assert found.reclaimable_bytes == (90 - 40 + 50) * MIB
    assert found.unreclaimable_bytes == 80 * MIB
    assert found.margin_bytes == 120 * MIB
    assert found.page_tables_bytes is Absent.NOT_REPORTED


def test_without_a_limit_it_is_the_own_group(tmp_path: Path) -> None:
    found = memory_of(tmp_path, POD_FILES | {f"{POD}/memory.max": "max\n"})
    assert (found.path, found.limit_bytes, found.margin_bytes) == ("/pod/web", None, None)
    assert (found.usage_bytes, found.processes) == (MIB, 1)
    assert found.anon_bytes is Absent.NOT_REPORTED
    assert found.reclaimable_bytes is None


def test_v1_has_its_kernel_memory_in_a_file_of_its_own(tmp_path: Path) -> None:
    own = "/sys/fs/cgroup/memory/jobs"
    found = memory_of(
        tmp_path,
        {
            "/proc/self/mountinfo": V1,
            "/proc/7/cgroup": "4:memory:/jobs\n0::/\n",
            f"{own}/memory.limit_in_bytes": f"{64 * MIB}\n",
            f"{own}/memory.usage_in_bytes": f"{60 * MIB}\n",
            f"{own}/memory.kmem.usage_in_bytes": f"{5 * MIB}\n",
            f"{own}/memory.stat": f"rss 1\ntotal_rss {9 * MIB}\ntotal_cache {46 * MIB}\n"
            f"total_shmem {6 * MIB}\n",
            f"{own}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            f"{own}/cgroup.procs": "7\n",
            "/proc/7/statm": "9000 3000 1000 1 0 1 0\n",
        },
    )
    assert (found.path, found.usage_bytes, found.limit_bytes) == ("/jobs", 60 * MIB, 64 * MIB)
    assert (found.anon_bytes, found.kernel_bytes, found.oom_kills) == (9 * MIB, 5 * MIB, 2)
    assert (found.reclaimable_bytes, found.unreclaimable_bytes) == (40 * MIB, 20 * MIB)
    assert found.slab_reclaimable_bytes is Absent.NOT_REPORTED


def test_a_sum_that_lacks_a_process_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = memory_of(tmp_path, POD_FILES | {f"{POD}/sidecar/cgroup.procs": "8\n0\n"})
    assert (hidden.processes, hidden.processes_res_bytes) == (3, Absent.NO_ACCESS)
    assert hidden.outside_processes_bytes is None
    monkeypatch.setattr(cgroup, "MOST_PROCESSES", 2)
    crowded = memory_of(tmp_path, POD_FILES)
    assert crowded.processes is Absent.NOT_REPORTED
    assert crowded.processes_res_bytes is Absent.NOT_REPORTED


def test_files_of_others_in_res_make_nothing_negative(tmp_path: Path) -> None:
    found = memory_of(tmp_path, POD_FILES | {f"{POD}/memory.current": "4096\n"})
    assert found.outside_processes_bytes == 0
    assert found.unreclaimable_bytes == 0


@pytest.fixture
def group() -> Iterator[Path]:
    """Make a memory cgroup of 128 MiB; skip where this user cannot."""
    name = f"memtui-test-{os.getpid()}"
    v1 = Path("/sys/fs/cgroup/memory/memory.stat").exists()
    folder = Path("/sys/fs/cgroup/memory" if v1 else "/sys/fs/cgroup") / name
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    try:
        limit = folder / ("memory.limit_in_bytes" if v1 else "memory.max")
        if not limit.exists():
            pytest.skip("memory is not counted in a new cgroup here")
        limit.write_text(str(128 * MIB))
        yield folder
    finally:
        deadline = time.monotonic() + PATIENCE_S
        while folder.exists() and time.monotonic() < deadline:
            with contextlib.suppress(OSError):  # busy until the kernel has let go of its process
                folder.rmdir()
            time.sleep(0.01)


CHILD = """
import sys
sys.stdin.readline()
held = bytearray(b"x") * (32 << 20)
with open(sys.argv[1], "wb") as file:
    file.write(held[: 24 << 20])
print("filled", flush=True)
sys.stdin.readline()
"""


@pytest.mark.world
def test_a_real_cgroup_holds_more_than_its_process(group: Path) -> None:
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("no tmpfs at /dev/shm")
    shared = Path("/dev/shm") / group.name
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(shared)], stdin=pipe, stdout=pipe, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            (group / "cgroup.procs").write_text(str(child.pid))
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.stdout.readline() == "filled\n"
            found = read_environment(child.pid)[1]
        finally:
            child.stdin.close()
            child.wait()
            shared.unlink(missing_ok=True)
    assert found is not None
    assert found.path.endswith(group.name)
    assert (found.limit_bytes, found.processes, found.oom_kills) == (128 * MIB, 1, 0)
    assert isinstance(found.usage_bytes, int)
    assert isinstance(found.shmem_bytes, int)
    assert isinstance(found.processes_anon_bytes, int)
    assert found.processes_anon_bytes >= 32 * MIB
    assert found.shmem_bytes >= 24 * MIB
    assert found.usage_bytes >= 56 * MIB
    assert found.unreclaimable_bytes is not None
    assert found.unreclaimable_bytes >= found.shmem_bytes
