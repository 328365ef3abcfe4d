"""Profiles that are taken unasked: of what grew, at both ends of a window, if they are cheap."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S, in_one_try_of

from memtui.cli.headless.watch import run_sources
from memtui.cli.live.automatic_profiles import (
    EVERY_S,
    MOST_GOROUTINES,
    GoroutineGrowth,
    ScheduledReads,
)
from memtui.cli.live.sources import GctraceInput
from memtui.cli.live.target import session_of
from memtui.cli.options.profile import ProfileOptions
from memtui.diagnosis.function_growth import grown_functions
from memtui.model import Event, Profile
from memtui.sources.http.endpoint import find_pprof
from memtui.sources.http.pprof_pages import goroutines_in
from memtui.sources.source import drive
from memtui.timeline import View

StartGo = Callable[..., Any]


async def watch(pid: int, seconds: float) -> tuple[View, list[str]]:
    options = ProfileOptions(None, probe=True, every_s=60.0, memstats_every_s=1.0)
    session = session_of(pid, None, options, GctraceInput(), time.time)
    said: list[str] = []
    closer = ScheduledReads(session.sources, seconds, said.append)
    return await run_sources(session, seconds, time.time, lambda view, _: None, reads=closer), said


def taken(view: View) -> list[tuple[float, Profile]]:
    return view.timeline.track(Profile).between(0.0, 1e12)


@pytest.mark.go
@pytest.mark.parametrize(
    ("shape", "kind", "sample_type", "name"),
    [
        ("abandoned", "goroutine", "goroutine", "main.ask.func1"),
        ("cache", "heap", "inuse_space", "main.newSession"),
    ],
)
async def test_what_grew_is_profiled_at_both_ends_and_named(
    start_go: StartGo, shape: str, kind: str, sample_type: str, name: str
) -> None:
    async def attempt() -> None:
        service = start_go("shapes", shape, "-rate", "0.5", "-after", "0s")
        assert service.address
        view, said = await watch(service.pid, 10.0)
        service.end()
        found = [(at, each) for at, each in taken(view) if each.kind == kind]
        assert len(found) >= 2
        by_cum = kind == "goroutine"
        functions = grown_functions(taken(view), sample_type, by_cum=by_cum)
        assert name in [each for each, _ in functions]
        assert f"fetching a {kind} profile" in said

    await in_one_try_of(attempt)


@pytest.mark.go
async def test_too_many_goroutines_are_not_profiled(start_go: StartGo) -> None:
    service = start_go("shapes", "abandoned", "-rate", "32", "-after", "0s")
    assert service.address
    folder = await find_pprof(service.pid)
    async with asyncio.timeout(PATIENCE_S):
        while (await goroutines_in(folder) or 0) <= MOST_GOROUTINES:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
    view, said = await watch(service.pid, 6.0)
    assert "fetching a goroutine profile" not in said
    assert {each.kind for _, each in taken(view)} == {"heap"}


@pytest.mark.go
async def test_the_screen_takes_goroutine_profiles_when_they_become_more(
    start_go: StartGo,
) -> None:
    service = start_go("shapes", "abandoned", "-rate", "0.5", "-after", "0s")
    assert service.address
    options = ProfileOptions(None, probe=True, every_s=60.0, memstats_every_s=0.5)
    session = session_of(service.pid, None, options, GctraceInput(), time.time)
    found = asyncio.Event()

    def tell(event: Event) -> None:
        if isinstance(event.sample, Profile) and event.sample.kind == "goroutine":
            found.set()

    tasks = [asyncio.create_task(drive(each, tell, time.time)) for each in session.sources]
    async with asyncio.timeout(PATIENCE_S):
        await found.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.go
def test_off_is_off(start_go: StartGo) -> None:
    service = start_go("shapes", "cache", "-rate", "4", "-after", "0s")
    assert service.address
    done = subprocess.run(
        [sys.executable, "-m", "memtui", "explain", "--pid", str(service.pid), "--for", "5s",
         "--json", "--profile-every", "off"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout)["sources"]["profile"] is None
    assert "taking" not in done.stderr


@given(st.lists(st.integers(0, 20_000), max_size=300), st.sampled_from([1.0, 5.0, 30.0]))
def test_no_more_is_taken_than_it_may_cost(counts: list[int], every_s: float) -> None:
    """The second may come early, all others are EVERY_S apart; none is of too many."""
    growth = GoroutineGrowth()
    times = [
        (at * every_s, count)
        for at, count in enumerate(counts)
        if growth.wants(at * every_s, count)
    ]
    assert all(count <= MOST_GOROUTINES for _, count in times)
    moments = [at for at, _ in times]
    early = [b - a for a, b in pairwise(moments) if b - a < EVERY_S]
    assert len(early) <= 1
    sizes = [count for _, count in times]
    assert sizes == sorted(sizes)


def test_a_load_that_comes_and_goes_is_profiled_once() -> None:
    growth = GoroutineGrowth()
    counts = [100 if at % 20 < 10 else 1000 for at in range(1000)]
    assert sum(growth.wants(at * 5.0, count) for at, count in enumerate(counts)) == 1
