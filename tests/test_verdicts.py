"""The verdict on live Go programs, by every source that the dashboard has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from conftest import GoService, wait_for

from memtui.cli.headless import session_of, watched
from memtui.cli.options import ProfileOptions
from memtui.cli.session import Trace
from memtui.diagnosis import DEFAULT, Cause, diagnose, window_of
from memtui.timeline import View

StartGo = Callable[..., Any]

HASTY = replace(DEFAULT, shortest_s=9.0)
"""Programs that move four times as much need a quarter of the time."""
PATIENCE_S = 40
SICK = {
    Cause.HEAP_LEAK: ("cache", "-rate", "5", "-traffic", "20"),
    Cause.OFF_HEAP: ("mmap", "-rate", "5", "-traffic", "20"),
}
HEALTHY = ("documents", "-rate", "16")


async def verdicts_until(service: GoService, cause: Cause) -> set[Cause]:
    """Watch a program until its verdict is the cause, or for PATIENCE_S; return all verdicts."""
    options = ProfileOptions(None, probe=True, every_s=60.0, memstats_every_s=1.0)
    session = session_of(service.pid, None, options, Trace(), time.time)
    said: set[Cause] = set()
    found = asyncio.Event()

    def judge(view: View, past_s: float) -> None:
        diagnosis = diagnose(window_of(view, thresholds=HASTY))
        ledger = diagnosis.ledger
        if ledger is not None:
            assert sum(part.size or 0 for part in ledger.parts) == ledger.res
            assert sum(part.growth or 0 for part in ledger.parts) == ledger.growth
        said.add(diagnosis.first.cause)
        if cause in said:
            found.set()

    watching = asyncio.create_task(watched(session, PATIENCE_S, time.time, judge))
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
    causes = (*SICK, Cause.STEADY)
    services = [
        start_go("shapes", *command, "-after", "0s", GODEBUG="gctrace=1")
        for command in (*SICK.values(), HEALTHY)
    ]
    wait_for(lambda: all("begins" in each.stdout_path.read_text() for each in services))
    said = await asyncio.gather(*map(verdicts_until, services, causes))
    for verdicts, cause in zip(said, causes, strict=True):
        assert verdicts - {Cause.NOT_ENOUGH_DATA} == {cause}
