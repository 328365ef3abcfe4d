"""What a request may cost a real program: how often, which not at all, and what is marked."""

from __future__ import annotations

import asyncio
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import pytest
from patience import PATIENCE_S, in_one_try, in_one_try_of

from memtui.model import Attached, Event, Mark, MemStats, Origin, Profile, RuntimeSample
from memtui.parse.profile.wire import ProfileShape
from memtui.parse.runtime.memstats import MemStatsPage
from memtui.sources.http import request_cost
from memtui.sources.http.client import Address, get
from memtui.sources.http.request_cost import (
    Costs,
    CpuCost,
    Garbage,
    Watching,
    allocated_by,
    allocated_by_profile,
    garbage_interval_s,
)
from memtui.sources.process.mappings import interval_after, slow_interval_reason
from memtui.sources.process.proc import read_rollup
from memtui.sources.profile.http_profile import ProcessProfileSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.runtime.memstats import MemStatsAddress, MemStatsAnswer, ask
from memtui.sources.runtime.poll_schedule import PollInterval
from memtui.sources.runtime.source import RuntimeSource
from memtui.sources.source import SourceFailed

pytestmark = pytest.mark.world

MIB = 1 << 20


@pytest.fixture
def worker() -> Iterator[ProfileWorker]:
    """Return who reads profiles, large ones in a process that ends with the test."""
    found = ProfileWorker()
    yield found
    found.close()


# Arithmetic


def test_the_cost_of_an_answer_is_the_least_of_the_bounds_seen() -> None:
    cost = CpuCost()
    cost.note(1.0, 0.3)
    assert cost.seconds == 0.3
    cost.note(0.8, None)
    assert cost.seconds == 0.3
    cost.note(0.002, 0.9)
    assert cost.seconds == 0.002
    for _ in range(5):
        cost.note(0.1, 0.05)
    assert cost.seconds == 0.05, "a page that became more expensive shows after five answers"


def test_what_is_left_between_two_forced_cycles_is_within_half_the_budget() -> None:
    for allocated in (MIB // 8, MIB, 4 * MIB):
        every_s = garbage_interval_s(allocated, 8 * MIB)
        assert (
            allocated * request_cost.FORCED_GC_S / every_s == pytest.approx(4 * MIB)
            if every_s
            else True
        )


@pytest.mark.hurried
def test_garbage_is_counted_until_a_cycle_has_run() -> None:
    garbage = Garbage()
    assert garbage.allows(8 * MIB, 1)
    garbage.note(3 * MIB, 1)
    assert garbage.allows(8 * MIB, 1)
    garbage.note(3 * MIB, 1)
    assert not garbage.allows(8 * MIB, 1)
    assert garbage.allows(8 * MIB, 2)
    garbage.note(3 * MIB, None)
    garbage.note(3 * MIB, None)
    assert not garbage.allows(8 * MIB, None), "no one knows of a cycle"


@pytest.mark.parametrize(
    ("cost_s", "expected"),
    [(0.001, ""), (0.07, "read every 7 s because each read takes 70ms of CPU")],
)
def test_the_reason_why_mappings_are_read_rarely(cost_s: float, expected: str) -> None:
    assert slow_interval_reason(interval_after(cost_s), cost_s) == expected


# The measured costs are those of real programs


async def allocated(address: str) -> int:
    answer = await get(
        Address(f"http://{address}/allocated"), deadline_s=PATIENCE_S, limit_bytes=1 << 20
    )
    return int(answer.body)


ALL = "pprof+expvar+metrics=127.0.0.1:0"
PATHS = {
    Origin.EXPVAR: "/debug/vars",
    Origin.METRICS: "/metrics",
    Origin.HEAP_TEXT: "/debug/pprof/heap?debug=1",
}


@pytest.mark.go
@pytest.mark.parametrize("program", ["heavy", "heavy@1.21"])
async def test_a_page_allocates_no_more_than_is_assumed(
    start_go: Callable[..., Any], program: str
) -> None:
    for stacks in (0, 5000):
        service = start_go(program, "-stacks", str(stacks), ALL)
        for origin, path in PATHS.items():
            page = MemStatsAddress(origin, Address(f"http://{service.address}{path}"), is_own=True)
            before = await allocated(service.address)
            answer = await ask(page)
            made = await allocated(service.address) - before
            assert made < 2 * allocated_by(origin, answer.size_bytes) + MIB // 8
        before = await allocated(service.address)
        heap = Address(f"http://{service.address}/debug/pprof/heap")
        size = (await get(heap, deadline_s=PATIENCE_S, limit_bytes=1 << 30)).size_bytes
        made = await allocated(service.address) - before
        assert made < allocated_by_profile(size, ProfileShape(stacks, 0)) + MIB // 2
        assert made < allocated_by_profile(size) + MIB // 2


# What is not asked for


async def first(source: RuntimeSource) -> tuple[list[Event], AsyncGenerator[Event, None]]:
    """Return the events up to the first sample, and those that follow."""
    events = source.events()
    found: list[Event] = []
    while not found or not isinstance(found[-1].sample, RuntimeSample):
        found.append(await anext(events))
    return found, events


@pytest.mark.go
async def test_a_text_of_many_stacks_is_not_asked_for_unless_the_user_wants_it(
    start_go: Callable[..., Any],
) -> None:
    """Of the 20,000 stacks a text of 47 MB would be made, to a program that holds 15 MB."""
    service = start_go("heavy", "-stacks", "20000", "pprof=127.0.0.1:0")
    address = service.address
    source = RuntimeSource(service.pid, time.time)
    before = await allocated(address)
    for _ in range(3):
        with pytest.raises(SourceFailed) as failed:
            await first(source)
        assert "is not asked: 20" in failed.value.reason
        assert "of text" in failed.value.reason
        assert "expvar" in failed.value.hint
    assert await allocated(address) - before < 16 * MIB, "one binary profile, and no text"
    source.refresh()
    told, events = await first(source)
    sample = told[-1].sample
    assert isinstance(sample, RuntimeSample)
    assert sample.origin is Origin.HEAP_TEXT
    assert sample.size_bytes > 40 * MIB
    assert sample.rarely.startswith("asked once, because ")
    async with aclosing(events):
        again = asyncio.ensure_future(anext(events))
        source.look()
        await asyncio.sleep(0.5)
        assert not again.done()
        source.refresh()
        while not isinstance((await asyncio.wait_for(again, PATIENCE_S)).sample, RuntimeSample):
            again = asyncio.ensure_future(anext(events))


@pytest.mark.go
@pytest.mark.parametrize("kinds", ["pprof+expvar", "pprof+metrics"])
async def test_a_cheaper_page_is_preferred_and_no_profile_is_read_for_it(
    start_go: Callable[..., Any], kinds: str
) -> None:
    service = start_go("heavy", "-stacks", "20000", f"{kinds}=127.0.0.1:0")
    before = await allocated(service.address)
    told, events = await first(RuntimeSource(service.pid, time.time))
    await events.aclose()
    sample = told[-1].sample
    assert isinstance(sample, RuntimeSample)
    assert sample.origin.value == kinds.partition("+")[2]
    assert await allocated(service.address) - before < MIB


@pytest.mark.go
@pytest.mark.parametrize("first_of_both", ["profile", "runtime"])
async def test_the_heap_profile_is_read_once_for_both_sources(
    start_go: Callable[..., Any], first_of_both: str
) -> None:
    service = start_go("heavy", "-stacks", "5000", "pprof=127.0.0.1:0")
    address, shared = service.address, Costs()
    before = await allocated(address)
    profile = ProcessProfileSource(service.pid, time.time, costs=shared)
    runtime = RuntimeSource(service.pid, time.time, costs=shared)
    async with aclosing(profile.events()) as events:
        if first_of_both == "profile":
            await anext(events)
        with pytest.raises(SourceFailed, match="is not asked"):
            await first(runtime)
        if first_of_both == "runtime":
            await anext(events)
    assert shared.heap(Address(f"http://{address}/")) is not None
    one = allocated_by_profile(0, ProfileShape(5000, 0))
    assert await allocated(address) - before < one + MIB


@pytest.mark.go
@pytest.mark.parametrize("program", ["heavy", "heavy@1.21"])
async def test_a_profile_of_very_many_stacks_is_not_read_unless_the_user_wants_it(
    start_go: Callable[..., Any], worker: ProfileWorker, program: str
) -> None:
    """The index says how many there are; RES would double for the records of all of them."""
    service = start_go(program, "-stacks", "60000", "pprof=127.0.0.1:0")
    address = service.address
    before = await allocated(address)
    source = ProcessProfileSource(service.pid, time.time, worker=worker)
    async with asyncio.timeout(PATIENCE_S):
        async with aclosing(source.events()) as events:
            with pytest.raises(SourceFailed) as failed:
                await anext(events)
        assert re.search("is fetched only on request: it has 600\\d\\d stacks", failed.value.reason)
        async with aclosing(source.events()) as events:
            waiting = asyncio.ensure_future(anext(events))
            source.look()
            await asyncio.sleep(0.3)
            assert not waiting.done()
            with pytest.raises(SourceFailed, match="is not asked"):
                await first(RuntimeSource(service.pid, time.time))
            assert await allocated(address) - before < MIB
            source.refresh()
            await waiting
            while not isinstance((await anext(events)).sample, Profile):
                pass


# What is marked


@pytest.mark.go
async def test_a_profile_that_shows_in_res_is_marked_and_not_read_again_unasked(
    start_go: Callable[..., Any], worker: ProfileWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Go 1.21 the records of 60,000 stacks take 30 MB at once, of a program that has 30."""
    monkeypatch.setattr(request_cost, "LEAST_BUDGET_BYTES", 1 << 40)  # so that it is read at all
    service = start_go("heavy@1.21", "-stacks", "60000", "pprof=127.0.0.1:0")
    _ = service.address
    source = ProcessProfileSource(service.pid, time.time, every_s=0.05, worker=worker)
    began = time.time()
    async with asyncio.timeout(PATIENCE_S), aclosing(source.events()) as events:
        samples = [(await anext(events)).sample for _ in range(3)]
        assert [type(each) for each in samples] == [Attached, Profile, Mark]
        mark = samples[-1]
        assert isinstance(mark, Mark)
        assert mark.fetch is not None
        assert "while memtui read the heap profile" in mark.text
        assert began <= mark.fetch.start < mark.fetch.end <= time.time()
        assert mark.fetch.rise_bytes > 4 * MIB
        assert mark.fetch.size_bytes
        waiting = asyncio.ensure_future(anext(events))
        source.look()
        await asyncio.sleep(0.5)
        assert not waiting.done()
        source.refresh()
        await waiting
        while not isinstance((await anext(events)).sample, Profile):
            pass


@pytest.mark.parametrize(
    ("most", "is_marked"), [(None, True), (64 * MIB, True), (MIB, False)], ids=str
)
def test_a_page_is_not_blamed_for_what_it_cannot_have_allocated(
    most: int | None, is_marked: bool
) -> None:
    """The process grows meanwhile, as programs do; who is asked is this very one."""
    watching = Watching(os.getpid(), time.time)
    held = bytearray(os.urandom(1 << 20) * 48)
    mark = watching.mark("a page", None if most is None else 1000, most)
    assert (mark is not None) == is_marked
    if mark is not None:
        assert ("abandoned" in mark.text) == (most is None)
    assert held


# How often, where the host is busy


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep the CPUs busy with so many processes."""
    code = "while True: pass"
    running = [subprocess.Popen([sys.executable, "-S", "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


@pytest.mark.go
@pytest.mark.hurried
async def test_waiting_for_a_cpu_does_not_stretch_the_interval(
    start_go: Callable[..., Any],
) -> None:
    """An answer costs a millisecond, and takes a hundred where eight others want the CPU."""
    service = start_go("stats", "-keep", "20", "expvar=127.0.0.1:0")
    page = MemStatsAddress(
        Origin.EXPVAR, Address(f"http://{service.address}/debug/vars"), is_own=True
    )

    waits: list[float] = []

    async def asked() -> None:
        rhythm, walls = PollInterval(5.0, service.pid), []
        for _ in range(6):
            watching = Watching(service.pid, time.time)
            answer = await ask(page)
            rhythm.note(page.origin, answer, watching.cpu_s(), time.perf_counter())
            walls.append(answer.took_s)
            assert (rhythm.next_s, rhythm.reason) == (5.0, "")
        waits.append(max(walls))

    with busy(8 * (os.cpu_count() or 1)):
        await in_one_try_of(asked)
    if 50 * max(waits) <= 5.0:
        pytest.skip("this host answers at once, however many programs want the CPU")


@pytest.mark.go
def test_waiting_for_a_cpu_is_no_cost_of_reading_mappings(start_go: Callable[..., Any]) -> None:
    service = start_go("stats", "-keep", "100", "expvar=127.0.0.1:0")

    def read() -> None:
        walls, cpus = [], []
        for _ in range(20):
            began, cpu_s = time.perf_counter(), time.thread_time()
            read_rollup(service.pid)
            cpus.append(time.thread_time() - cpu_s)
            walls.append(time.perf_counter() - began)
        assert interval_after(sorted(cpus)[10]) == 5.0
        assert max(walls) > 4 * sorted(cpus)[10]

    with busy(8 * (os.cpu_count() or 1)):
        in_one_try(read)


def answer(*, took_s: float, size: int, cycles: int = 0) -> MemStatsAnswer:
    """Return an answer that says how many cycles there were, and nothing else."""
    return MemStatsAnswer(MemStatsPage(MemStats(num_gc=cycles), ()), took_s, took_s, size)


@pytest.mark.hurried
def test_an_answer_that_costs_much_is_asked_for_rarely_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rhythm = PollInterval(5.0, None)
    rhythm.note(Origin.EXPVAR, answer(took_s=1.0, size=4000), None, 0.0)
    assert rhythm.next_s == pytest.approx(50.0)
    assert rhythm.reason == "asked every 50 s because each answer takes 1.00s of CPU"
    monkeypatch.setattr(request_cost, "UNSEEN_BUDGET_BYTES", 8 * MIB)
    rhythm = PollInterval(5.0, None)
    rhythm.note(Origin.HEAP_TEXT, answer(took_s=0.01, size=MIB), None, 0.0)
    assert rhythm.next_s == pytest.approx(120 * (MIB + 65536) / (4 * MIB))
    assert (
        rhythm.reason == "asked every 32 s because each answer allocates about 1.06M in the process"
    )
    rhythm.note(Origin.HEAP_TEXT, answer(took_s=0.01, size=MIB, cycles=60), None, 60.0)
    assert (rhythm.next_s, rhythm.reason) == (5.0, ""), "what it allocates is collected each second"
    rhythm.note(Origin.HEAP_TEXT, answer(took_s=0.01, size=50 * MIB), None, 70.0)
    assert rhythm.is_dear
    assert math.isinf(rhythm.next_s)
