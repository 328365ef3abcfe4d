"""cgroup files of both versions, and which folders lead from a process to the root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.model import Absent, CgroupLevel, Environment
from memtui.parse.process.cgroup import (
    CgroupMount,
    CgroupPath,
    levels_of,
    parse_cgroup,
    parse_cgroup_mounts,
    parse_count,
    parse_inactive_file,
    parse_limit,
    parse_memory_stat,
    parse_oom_kills,
    parse_procs,
)

HYBRID = b"""9:name=systemd:/
4:memory:/jobs/62a0
1:cpu,cpuacct:/
0::/user.slice
"""
MOUNTS = rb"""23 1 254:0 / / rw,relatime - ext4 /dev/vda rw
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices
41 31 0:38 / /sys/fs/cgroup/uni\040fied rw,relatime shared:4 - cgroup2 cgroup2 rw
"""
V2 = (CgroupMount(2, "/", "/sys/fs/cgroup"),)


def test_memory_is_counted_by_v1_where_it_names_it() -> None:
    assert parse_cgroup(HYBRID) == (CgroupPath(1, "/jobs/62a0"), CgroupPath(2, "/user.slice"))
    assert parse_cgroup(b"0::/a/b\n") == (CgroupPath(2, "/a/b"),)
    assert parse_cgroup(b"0::/a:b\n") == (CgroupPath(2, "/a:b"),)


def test_mounts_are_found_with_their_spaces() -> None:
    assert parse_cgroup_mounts(MOUNTS) == (
        CgroupMount(1, "/", "/sys/fs/cgroup/memory"),
        CgroupMount(2, "/", "/sys/fs/cgroup/uni fied"),
    )


@pytest.mark.parametrize(
    ("path", "mounts", "expected"),
    [
        (
            "/a/b",
            V2,
            [
                ("/a/b", "/sys/fs/cgroup/a/b"),
                ("/a", "/sys/fs/cgroup/a"),
                ("/", "/sys/fs/cgroup"),
            ],
        ),
        ("/", V2, [("/", "/sys/fs/cgroup")]),
        (
            "/docker/1f/sub",
            (CgroupMount(2, "/docker/1f", "/cg"),),
            [("/docker/1f/sub", "/cg/sub"), ("/docker/1f", "/cg")],
        ),
        ("/docker/1f", (CgroupMount(2, "/docker/2e", "/cg"),), []),
        ("/docker/1fa", (CgroupMount(2, "/docker/1f", "/cg"),), []),
        ("/../other", V2, []),
        ("/a", (CgroupMount(1, "/", "/cg"),), []),
    ],
)
def test_all_levels_up_to_what_is_mounted(
    path: str, mounts: tuple[CgroupMount, ...], expected: list[tuple[str, str]]
) -> None:
    assert levels_of(CgroupPath(2, path), mounts) == expected


def test_limits_and_counts() -> None:
    assert parse_limit(b"max\n") is None
    assert parse_limit(b"9223372036854771712\n") is None
    assert parse_limit(b"536870912\n") == 536870912
    assert parse_limit(b"many\n") is Absent.NOT_REPORTED
    assert parse_count(b"17\n") == 17
    assert parse_count(b"-1\n") is Absent.NOT_REPORTED
    stat = b"cache 9\ninactive_file 5\ntotal_inactive_file 7\n"
    assert parse_inactive_file(stat, 1) == 7
    assert parse_inactive_file(stat, 2) == 5
    assert parse_inactive_file(b"", 2) is Absent.NOT_REPORTED


def level(path: str, limit: int | None, current: int, inactive: int = 0) -> CgroupLevel:
    return CgroupLevel(path, limit, None, current, inactive)


def around(*levels: CgroupLevel) -> Environment:
    return Environment(levels, 2, None, None, None, "never", 511)


def test_the_tightest_level_is_not_always_the_one_with_the_smallest_limit() -> None:
    own = level("/a/b", 1000, 300, 50)
    found = around(own, level("/a", 2000, 1900), level("/", None, 5000))
    assert found.limit_bytes == 1000
    assert own.margin_bytes == 750
    assert found.tightest is not None
    assert (found.tightest.path, found.tightest.margin_bytes) == ("/a", 100)


def test_without_a_limit_there_is_no_margin() -> None:
    found = around(level("/", None, 5000))
    assert found.limit_bytes is None
    assert found.tightest is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_left_out(text: bytes) -> None:
    parse_cgroup(text)
    parse_cgroup_mounts(text)
    parse_limit(text)
    parse_inactive_file(text, 1)


def test_the_parts_of_memory_stat_have_the_same_names_in_both_versions() -> None:
    v2 = parse_memory_stat(
        b"anon 1\nfile 20\nkernel 300\nkernel_stack 4\npagetables 5\nsock 6\nshmem 7\n"
        b"inactive_file 8\nslab_reclaimable 9\nslab_unreclaimable 10\nslab 19\nfile_mapped 99\n",
        2,
    )
    assert v2 == {
        "anon_bytes": 1, "file_bytes": 20, "kernel_bytes": 300, "kernel_stack_bytes": 4,
        "page_tables_bytes": 5, "sock_bytes": 6, "shmem_bytes": 7, "inactive_file_bytes": 8,
        "slab_reclaimable_bytes": 9, "slab_unreclaimable_bytes": 10,
    }  # fmt: skip
    v1 = parse_memory_stat(
        b"cache 1\nrss 1\nshmem 1\ninactive_file 1\n"
        b"total_cache 20\ntotal_rss 30\ntotal_shmem 7\ntotal_inactive_file 8\n",
        1,
    )
    assert set(v1) == set(v2)
    known = {name: value for name, value in v1.items() if isinstance(value, int)}
    assert known == {
        "anon_bytes": 30, "file_bytes": 20, "shmem_bytes": 7, "inactive_file_bytes": 8
    }  # fmt: skip


def test_an_older_v2_has_the_kernel_as_the_sum_of_its_parts() -> None:
    found = parse_memory_stat(b"kernel_stack 1\nslab 20\npercpu 300\nslab_reclaimable 15\n", 2)
    assert found["kernel_bytes"] == 321


@given(st.binary(max_size=400), st.sampled_from([1, 2]))
def test_memory_stat_may_hold_anything(text: bytes, version: int) -> None:
    found = parse_memory_stat(text + b"\nanon x\nanon\nanon -1\nanon 1 2\n", version)
    assert set(found) == set(parse_memory_stat(b"", version))
    assert all(isinstance(each, Absent) or each >= 0 for each in found.values())


def test_killed_processes_are_counted_and_processes_listed() -> None:
    assert parse_oom_kills(b"low 0\noom 3\noom_kill 2\noom_group_kill 1\n") == 2
    assert parse_oom_kills(b"oom_kill_disable 0\nunder_oom 0\noom_kill 4\n") == 4
    assert parse_oom_kills(b"oom_kill_disable 0\n") is Absent.NOT_REPORTED
    assert parse_procs(b"7\n0\n12\n\nx\n") == [7, 0, 12]
