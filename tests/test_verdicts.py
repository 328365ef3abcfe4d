"""The verdict on live Go programs, by every source there is; and how verdicts are counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import GoService
from patience import PATIENCE_S, in_one_try_of, wait_for
from verdict_tables import RIGHT, UNSAID, WRONG, calm, cell, marks_of, unexplained
from watched import FULL, PROC, TRACE, Look, Watched, check_sums, load, save

from memtui.cli.headless.watch import run_sources
from memtui.cli.live.sources import GctraceInput
from memtui.cli.live.target import session_of
from memtui.cli.options.profile import ProfileOptions
from memtui.diagnosis import DEFAULT, Cause, build_window, diagnose
from memtui.timeline import View

StartGo = Callable[..., Any]

HASTY = replace(DEFAULT, shortest_s=9.0)
"""Programs that move five times as much need a fifth of the time."""
SICK = {
    Cause.HEAP_LEAK: ("cache", "-rate", "5", "-traffic", "20"),
    Cause.OFF_HEAP: ("mmap", "-rate", "5", "-traffic", "20"),
}
PARTS: dict[str, int | None] = {"freed_not_returned": 0}
HEALTHY = ("documents", "-rate", "16")
MIB = 1 << 20


async def verdicts_until(service: GoService, cause: Cause) -> set[Cause]:
    """Watch a program until its verdict is the cause, or for PATIENCE_S; return all verdicts."""
    options = ProfileOptions(None, probe=True, every_s=60.0, memstats_every_s=1.0)
    session = session_of(service.pid, None, options, GctraceInput(), time.time)
    said: set[Cause] = set()
    found = asyncio.Event()

    def judge(view: View, past_s: float) -> None:
        diagnosis = diagnose(build_window(view, thresholds=HASTY))
        check_sums(diagnosis)
        said.add(diagnosis.first.cause)
        if cause in said:
            found.set()

    watching = asyncio.create_task(run_sources(session, PATIENCE_S, time.time, judge))
    waiting = asyncio.create_task(found.wait())
    await asyncio.wait((watching, waiting), return_when=asyncio.FIRST_COMPLETED)
    for task in (watching, waiting):
        task.cancel()
    ended = await asyncio.gather(watching, waiting, return_exceptions=True)
    assert not [each for each in ended if isinstance(each, AssertionError)]
    return said


@pytest.mark.go
async def test_live_programs_are_judged_right_and_a_healthy_one_is_not_blamed(
    start_go: StartGo,
) -> None:
    """One that stood still for a third of nine seconds was steady: they are started anew then."""
    causes = (*SICK, Cause.STEADY)

    async def are_judged_right() -> None:
        services = [
            start_go("shapes", *command, "-after", "0s", GODEBUG="gctrace=1")
            for command in (*SICK.values(), HEALTHY)
        ]
        wait_for(lambda: all("begins" in each.stdout_path.read_text() for each in services))
        said = await asyncio.gather(*map(verdicts_until, services, causes))
        for service in services:
            service.end()
        for verdicts, cause in zip(said, causes, strict=True):
            assert verdicts - {Cause.NOT_ENOUGH_DATA} == {cause}

    await in_one_try_of(are_judged_right, 3)


def seen(name: str, *causes: str, level: str = FULL, rest: int = 0) -> Watched:
    """Return looks of one level, one each 20 s."""
    return Watched(name, "1.27", 80, tuple(
        Look(20.0 * number, level, (cause,), f"{cause}.", 100 * MIB, rest, PARTS)
        for number, cause in enumerate(causes, 1)
    ))  # fmt: skip


UNSURE = "not-enough-data"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (seen("cache", UNSURE, "heap-leak", "heap-leak"), "✓ 40 s"),
        (seen("cache", UNSURE, UNSURE, UNSURE, "heap-leak"), "– 80 s"),
        (seen("cache", UNSURE, "heap-leak", UNSURE, "heap-leak"), "– 40 s, then 1 not"),
        (seen("cache", UNSURE, "steady", "off-heap", "heap-leak"), "✗ 80 s, **2 ✗**"),
        (seen("idle", UNSURE, "steady", "heap-leak"), "✗ 40 s, then 1 not, **1 ✗**"),
        (seen("holders", UNSURE, "heap-leak", "goroutine-leak"), "✓ 40 s"),
        (seen("hugepages", "steady", "steady", "steady", "huge-pages"), "– 80 s"),
        (seen("hugepages", "steady", "steady", "steady", "steady"), "–"),
    ],
)
def test_a_verdict_counts_as_it_was_after_a_minute(found: Watched, said: str) -> None:
    assert cell(found, FULL) == said


def test_steady_is_wrong_once_the_kernel_has_begun() -> None:
    assert marks_of(seen("hugepages", "steady", "huge-pages", "steady"), FULL) == [
        UNSAID, RIGHT, WRONG,
    ]  # fmt: skip
    assert marks_of(seen("cache", UNSURE, level=PROC), PROC) == [UNSAID]


def test_false_alarms_and_what_nobody_explains_are_told(tmp_path: Path) -> None:
    looks = seen("idle", "steady", "steady", UNSURE, "off-heap", rest=-8 * MIB).looks
    traced = seen("idle", "steady", level=TRACE).looks
    save(Watched("idle", "1.27", 80, (*looks, *traced)), tmp_path)
    kept = load(tmp_path)
    assert kept[0].looks == (*looks, *traced)
    assert "| idle | 1.27 | 5 | **1**: off-heap, 80–80 s | 0 |" in calm(kept)
    assert "1 false alarms in 5 diagnoses." in calm(kept)
    assert "| idle | -8.0 [-8.0, -8.0] Δ +0.0, **2 of 2 beyond** |" in unexplained(kept)
