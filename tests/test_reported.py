"""The programs with the shape of a report have that shape, live and as they were recorded."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import NEWEST_GO, OLD_GO, GoService
from diagnosis.reports import Report, ends_of, reports
from patience import PATIENCE_S, wait_for
from reported_causes import REPORTED, Reported

Row = dict[str, float]
Seen = list[Row]
Holds = Callable[[Seen], bool]
MIB = 1024
METADATA = ("MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys")


def grown(seen: Seen, *names: str) -> float:
    """Return by how much the sum of some columns grew, in their unit."""
    return sum(seen[-1][name] - seen[0][name] for name in names)


def foreign(row: Row) -> float:
    return row["RssAnon"] - row["LazyFree"] - row["AnonHuge"] - row["Sys"] + row["HeapReleased"]


def grows(*names: str, by: float) -> Holds:
    return lambda seen: grown(seen, *names) >= by


def collects(per_second: float) -> Holds:
    return lambda seen: (
        seen[-1]["t"] - seen[0]["t"] > 2
        and grown(seen, "NumGC") >= per_second * (seen[-1]["t"] - seen[0]["t"])
    )


def most(seen: Seen, name: str) -> float:
    return max(row[name] for row in seen)


def least(seen: Seen, name: str) -> float:
    return min(row[name] for row in seen)


# What must hold from the phase on in which the cause is at work; sizes in KiB.
HOLDS: dict[str, Holds] = {
    "idle-burst": lambda seen: (
        seen[0]["HeapAlloc"] > 100 * MIB and grown(seen[:3], "NumGC") == 0 and len(seen) > 2
    ),
    "idle-garbage": lambda seen: (
        seen[0]["HeapAlloc"] - seen[0]["HeapLive"] > 20 * MIB and seen[0]["HeapLive"] > 50 * MIB
    ),
    "gc-thrash": collects(8),
    "gc-thrash-gogc": collects(5),
    "buckets-limit": grows("BuckHashSys", by=4 * MIB),
    "ballast": lambda seen: (
        seen[-1]["Sys"] - seen[-1]["HeapReleased"] - seen[-1]["RssAnon"] > 900 * MIB
        and grown(seen, "RssAnon") > 8 * MIB
    ),
    "untouched": lambda seen: 8 * MIB < grown(seen, "HeapAlloc") > 1.5 * grown(seen, "RssAnon"),
    "untouched-flat": lambda seen: grown(seen, "HeapAlloc") > 8 * MIB > 2 * grown(seen, "RssAnon"),
    "finalized": lambda seen: foreign(seen[-1]) - foreign(seen[0]) > 16 * MIB,
    "arenas": lambda seen: foreign(seen[-1]) > 64 * MIB and grown(seen, "RssAnon") < 8 * MIB,
    "blocked-finalizer": grows("HeapLive", by=4 * MIB),
    "slow-leak": grows("HeapLive", by=1 * MIB),
    "bodies": lambda seen: grown(seen, "Goroutines") > 100 and grown(seen, "HeapLive") > 0,
    "metadata-trace": grows(*METADATA, by=4 * MIB),
    "time-after": grows("HeapLive", by=4 * MIB),
    "largest-buffers": grows("HeapLive", by=4 * MIB),
    "emptied-map": lambda seen: (
        least(seen, "HeapLive") > 64 * MIB and grown(seen, "RssAnon") > 16 * MIB
    ),
    "few-cycles": lambda seen: grown(seen, "HeapAlloc") > 16 * MIB and grown(seen, "NumGC") <= 4,
    "fast-leak": grows("HeapAlloc", by=32 * MIB),
    "young": grows("HeapAlloc", by=4 * MIB),
    "limit-in-code": lambda seen: seen[-1]["NextGC"] < 1.3 * seen[-1]["HeapLive"],
    "stacks": lambda seen: grown(seen, "Threads") >= 4 and foreign(seen[-1]) > 6 * MIB,
    "died": lambda seen: (
        most(seen, "Goroutines") > 10_000 > 100 > seen[-1]["Goroutines"]
        and seen[-1]["HeapLive"] > most(seen, "Goroutines") * 400 / 1024
    ),
    "two-causes": lambda seen: (
        grown(seen, "StackSys") > 2 * MIB and grown(seen, "HeapLive") > 2 * MIB
    ),
    "ttl": grows("HeapLive", by=4 * MIB),
    "tide": grows("Goroutines", by=100),
    "tide-short": lambda seen: most(seen, "Goroutines") > 100 + least(seen, "Goroutines"),
    "pieces": grows("RssFile", by=6 * MIB),
    "rings": grows("RssFile", by=6 * MIB),
    "batch": lambda seen: most(seen, "VmRSS") > 4 * least(seen, "VmRSS"),
    "blocked-syscalls": lambda seen: grown(seen, "Threads") > 30 and grown(seen, "Goroutines") > 30,
    "idle-threads": lambda seen: grown(seen, "Threads") > 30 > abs(grown(seen, "Goroutines")),
    "old-peak": lambda seen: (
        seen[0]["VmHWM"] > 6 * seen[0]["VmRSS"]
        and sum(seen[0][name] for name in METADATA) > 2 * seen[0]["HeapLive"]
    ),
    "many-stacks": grows("BuckHashSys", by=4 * MIB),
    "substrings": grows("HeapLive", by=4 * MIB),
    "untouched-large": lambda seen: seen[0]["HeapAlloc"] > 80 * MIB > 2 * seen[0]["RssAnon"],
    "touched-large": lambda seen: min(seen[0]["HeapAlloc"], seen[0]["RssAnon"]) > 80 * MIB,
}
# Flags that bring the shape about in seconds instead of minutes; of flags given twice the last
# one counts.
HASTE = {
    "blocked-finalizer": "-rate 16 -traffic 32", "slow-leak": "-rate 4", "bodies": "-rate 8",
    "buckets-limit": "-rate 8", "metadata-trace": "-rate 16", "time-after": "-rate 8",
    "largest-buffers": "-rate 16", "emptied-map": "-rate 100", "few-cycles": "-rate 16",
    "fast-leak": "-rate 8", "stacks": "-rate 16", "untouched": "-rate 8", "died": "-size 40",
    "untouched-flat": "-rate 8",
    "two-causes": "-rate 4 -traffic 40", "ttl": "-rate 8", "tide": "-period 20s",
    "tide-short": "-period 20s", "pieces": "-rate 8", "rings": "-rate 8", "batch": "-period 1s",
    "ballast": "-rate 96",
    "finalized": "-rate 16", "many-stacks": "-rate 8", "substrings": "-rate 16 -traffic 32",
    "idle-threads": "-rate 60",
}  # fmt: skip
AT_ONCE = 6
IN_CGROUP = [run for run in REPORTED if run.limit_mib]


def can_run(run: Reported) -> bool:
    """Return whether a program can be built and started here."""
    if run.name == "rings":
        try:
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
        except PermissionError:
            return False
    has_compiler = shutil.which("gcc") or "outside" not in run.command
    return bool(has_compiler) and run.versions[-1] in (NEWEST_GO, OLD_GO)


LIVE = [run for run in REPORTED if run not in IN_CGROUP and can_run(run)]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[[GoService], Row]:
    """Look at a program once, as the recorder does."""
    from record_targets import COLUMNS, sample

    def at(service: GoService) -> Row:
        row = sample(service.pid, service.address)
        return dict(zip(COLUMNS, [time.monotonic(), *row], strict=True))

    return at


def test_each_program_has_what_must_hold_of_it() -> None:
    assert HOLDS.keys() == {run.name for run in REPORTED if run not in IN_CGROUP}
    assert len({run.name for run in REPORTED}) == len(REPORTED)


def start(run: Reported, start_go: Callable[..., GoService]) -> GoService:
    """Start a program with the newest Go that it is recorded with."""
    program, shape, *flags = run.command.split()
    version = run.versions[-1]
    name = program if version == NEWEST_GO else f"{program}@{version}"
    hasty = ["-after", "0s", *HASTE.get(run.name, "").split()]
    return start_go(name, shape, *flags, *hasty, **run.environment)


def batches() -> Iterator[list[Reported]]:
    for first in range(0, len(LIVE), AT_ONCE):
        yield LIVE[first : first + AT_ONCE]


@pytest.mark.go
@pytest.mark.parametrize("batch", batches(), ids=lambda batch: batch[0].name)
def test_a_live_program_has_the_shape(
    batch: list[Reported],
    start_go: Callable[..., GoService],
    look: Callable[[GoService], Row],
) -> None:
    left = {run.name: start(run, start_go) for run in batch}
    since = {run.name: run.since for run in batch}
    seen: dict[str, Seen] = {name: [] for name in left}
    deadline = time.monotonic() + 2 * PATIENCE_S
    while left and time.monotonic() < deadline:
        for name, service in tuple(left.items()):
            if f" {since[name]}\n" not in service.stdout_path.read_text():
                continue
            seen[name].append(look(service))
            if HOLDS[name](seen[name]):
                left.pop(name).end()
        time.sleep(0.1)
    assert not {name: (seen[name][:1], seen[name][-1:]) for name in left}


@pytest.mark.go
@pytest.mark.parametrize("run", IN_CGROUP, ids=lambda run: run.name)
def test_a_live_container_grows_and_its_process_does_not(
    run: Reported, go_build: Callable[[str], Path], tmp_path: Path
) -> None:
    from record_targets import CGROUPS, cgroup, kernel_kib, started

    if not os.access(CGROUPS, os.W_OK):
        pytest.skip("no memory cgroup (v1) can be made here")
    binary = go_build(run.command.split()[0])
    hasty = replace(run, command=f"{run.command} -after 0s -rate 40")
    with cgroup(run.limit_mib) as group, started(hasty, binary, tmp_path, group) as (pid, out, _):
        assert group is not None
        usage = group / "memory.usage_in_bytes"
        wait_for(lambda: " begins\n" in out.read_text())
        before, res = int(usage.read_text()), kernel_kib(pid)[0][0]
        wait_for(lambda: int(usage.read_text()) > before + (48 << 20))
        assert kernel_kib(pid)[0][0] < res + 24 * MIB


RECORDED = pytest.mark.parametrize("report", reports(), ids=lambda report: report.stem)


@RECORDED
def test_a_recording_is_whole(report: Report) -> None:
    rows = report.rows()
    assert len(rows) > 40
    assert max(late["t"] - early["t"] for early, late in itertools.pairwise(rows)) < 5
    assert all("VmRSS" in row and "PrivDirty" in row for row in rows)
    known = [row["t"] for row in rows if "HeapAlloc" in row]
    steps = [late - early for early, late in itertools.pairwise(known)]
    assert max(steps) < report.run.poll_s + 4
    ends = ends_of(report.stem)
    assert len(ends["ends"]) == (1 if report.run.name == "fast-leak" else 2)
    assert all({"smaps", *report.run.profiles} <= each.keys() for each in ends["ends"])
    assert bool(ends["cgroup"]) == bool(report.run.limit_mib)


@RECORDED
def test_a_recorded_program_has_the_shape(report: Report) -> None:
    seen = [row for row in report.rows() if "HeapAlloc" in row]
    assert report.run in IN_CGROUP or HOLDS[report.run.name](seen)


@pytest.mark.parametrize("name", HOLDS)
def test_a_calm_program_has_none_of_the_shapes(name: str) -> None:
    calm = next(each for each in reports() if each.run.name == "written")
    assert not HOLDS[name](calm.rows())


@pytest.mark.parametrize(
    "report", [each for each in reports() if each.run in IN_CGROUP], ids=lambda report: report.stem
)
def test_a_recorded_container_grew_and_its_process_did_not(report: Report) -> None:
    groups = ends_of(report.stem)["cgroup"]
    usage = [int(each["memory.usage_in_bytes"]) for each in groups]
    rows = report.rows()
    assert usage[-1] - usage[0] > 64 << 20
    assert grown([rows[0], rows[-1]], "VmRSS") < 24 * MIB
