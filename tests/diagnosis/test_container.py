"""Memory of the container that is in no RES: what is named, and what a healthy one never gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from diagnosis.made import MIB, NOON, window

from memtui.cli.errors import exit_code_of
from memtui.diagnosis import Access, Cause, Diagnosis, Window, diagnose, one_line
from memtui.model import Absent, CgroupMemory

LIMIT = 512


def container(**sizes: float) -> CgroupMemory:
    """Return a cgroup v2 with sizes in MiB; a process of 32 MiB lies in it."""
    of = {"anon": 24.0, "file": 2.0, "shmem": 0.0, "slab_reclaimable": 1.0,
          "slab_unreclaimable": 1.0, "sock": 0.0} | sizes  # fmt: skip
    kernel = of["slab_reclaimable"] + of["slab_unreclaimable"] + 1
    usage = of["anon"] + of["file"] + kernel + of["sock"]
    return CgroupMemory(
        path="/service", limit_bytes=LIMIT * MIB, usage_bytes=int(usage * MIB),
        inactive_file_bytes=0, kernel_bytes=int(kernel * MIB), kernel_stack_bytes=0,
        page_tables_bytes=MIB, oom_kills=0, processes=1, processes_res_bytes=24 * MIB,
        processes_anon_bytes=24 * MIB,
        **{f"{name}_bytes": int(size * MIB) for name, size in of.items()},
    )  # fmt: skip


def watched(
    of: Callable[[float], CgroupMemory], access: Access = Access.FULL, seconds: float = 120.0
) -> Window:
    """Return a window of a process at rest whose container is read every ten seconds."""
    found = tuple((NOON + at, of(at)) for at in range(0, int(seconds) + 1, 10))
    return window(seconds, access=access, fields={"containers": found})


def text(found: Diagnosis) -> str:
    return " ".join((one_line(found), *(each.text for each in found.first.evidence),
                     *found.first.advice.lines()))  # fmt: skip


GROWING: dict[str, tuple[Callable[[float], CgroupMemory], str]] = {
    "tmpfs": (lambda at: container(file=2 + at, shmem=at), "tmpfs"),
    "sockets": (lambda at: container(sock=at), "socket"),
    "slab in use": (lambda at: container(slab_unreclaimable=1 + at), "slab in use"),
    "dentries": (lambda at: container(slab_reclaimable=1 + at), "dentries"),
}


@pytest.mark.parametrize("access", Access)
@pytest.mark.parametrize("name", GROWING)
def test_what_grows_outside_of_res_is_named_by_its_part(name: str, access: Access) -> None:
    of, part = GROWING[name]
    found = diagnose(watched(of, access))
    assert found.first.cause is Cause.CONTAINER_MEMORY
    assert part in one_line(found)
    assert "512M in" in one_line(found)
    assert exit_code_of(found) == 3
    assert "Nothing to do" not in text(found)


@pytest.mark.parametrize("access", Access)
def test_page_cache_is_told_and_raises_no_alarm(access: Access) -> None:
    found = diagnose(watched(lambda at: container(file=2 + 4 * at), access))
    assert Cause.CONTAINER_MEMORY not in [each.cause for each in found.findings]
    assert "page cache +480M" in text(found)
    assert exit_code_of(found) != 3


HEALTHY: dict[str, Callable[[float], CgroupMemory]] = {
    "at rest": lambda at: container(),
    "a file in tmpfs that was there before": lambda at: container(file=100, shmem=98),
    "a file in tmpfs that was written at once": lambda at: container(
        file=2 + 60 * (at > 60), shmem=60 * (at > 60)
    ),
    "sockets that fill and drain": lambda at: container(sock=40 * (at % 20 == 0)),
    "a little slab": lambda at: container(slab_reclaimable=1 + at / 30),
    "another process": lambda at: replace(
        container(anon=24 + at), processes=2, processes_res_bytes=int((24 + at) * MIB)
    ),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_container_gets_no_alarm(name: str) -> None:
    found = diagnose(watched(HEALTHY[name]))
    assert [each.cause for each in found.findings] == [Cause.STEADY]


def test_a_limit_that_is_near_is_named_though_nothing_grows() -> None:
    found = diagnose(watched(lambda at: container(file=452, shmem=450)))
    assert found.first.cause is Cause.CONTAINER_MEMORY
    assert "left of the limit of 512M" in one_line(found)


def test_what_the_processes_hold_near_the_limit_is_none_of_the_container() -> None:
    full = replace(container(anon=480), processes_res_bytes=480 * MIB)
    found = diagnose(watched(lambda at: full))
    assert Cause.CONTAINER_MEMORY not in [each.cause for each in found.findings]


def test_a_leak_in_res_stays_first_when_it_is_larger() -> None:
    readings = tuple(
        (NOON + at, container(file=2 + at / 4, shmem=at / 4)) for at in range(0, 301, 10)
    )
    made = window(
        live=lambda at: 8 + at / 2, alloc=lambda at: 12 + at / 2, inuse=lambda at: 13 + at / 2,
        goal=lambda at: 17 + at, fields={"containers": readings},
    )  # fmt: skip
    causes = [each.cause for each in diagnose(made).findings]
    assert causes[0] is Cause.HEAP_LEAK
    assert Cause.CONTAINER_MEMORY in causes


def test_nothing_is_concluded_where_the_processes_could_not_be_read() -> None:
    def of(at: float) -> CgroupMemory:
        return replace(container(sock=at), processes_res_bytes=Absent.NO_ACCESS)

    assert diagnose(watched(of)).first.cause is Cause.STEADY


def test_its_share_is_one_of_the_container() -> None:
    first = diagnose(watched(GROWING["tmpfs"][0])).first
    assert first.share_of == "container"
    assert "of the container" in first.weight
