"""The sources that read memory, on a real program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import pytest
from insideprogram import Build, InsideProgram, started

from memtui.model import Attached, Event, GcCycle, GcPause, Origin, Profile, RuntimeSample, Sample
from memtui.sources.memory.source import (
    MemoryCycleSource,
    MemoryProfileSource,
    MemoryRuntimeSource,
)
from memtui.sources.profile.profile_files import FileProfileSource
from memtui.sources.source import SourceFailed

pytestmark = [pytest.mark.go, pytest.mark.world]

S = TypeVar("S")


async def first(
    events: AsyncGenerator[Event, None], kind: type[S], count: int
) -> tuple[list[Sample], list[S]]:
    """Return all samples until there are ``count`` of a kind, and those."""
    seen: list[Sample] = []
    wanted: list[S] = []
    async with asyncio.timeout(60), aclosing(events):
        async for event in events:
            seen.append(event.sample)
            if isinstance(event.sample, kind):
                wanted.append(event.sample)
                if len(wanted) == count:
                    break
    return seen, wanted


async def test_memstats_and_pauses(inside: Build, tmp_path: Path) -> None:
    with started(inside("1.27 stripped"), tmp_path, "-busy") as running:
        source = MemoryRuntimeSource(running.pid, time.time, 0.1)
        seen, samples = await first(source.events(), RuntimeSample, 5)
    assert isinstance(seen[0], Attached)
    assert seen[0].where.startswith("runtime memory of Go 1.27")
    assert all(sample.origin is Origin.MEMORY for sample in samples)
    assert isinstance(samples[-1].rss_bytes, int)
    pauses = [each.number for each in seen if isinstance(each, GcPause)]
    assert pauses == sorted(set(pauses))
    assert isinstance(samples[-1].num_gc, int)
    assert pauses[-1] == samples[-1].num_gc


@pytest.mark.parametrize("label", ["1.19 stripped", "1.27 stripped"])
async def test_cycles(inside: Build, tmp_path: Path, label: str) -> None:
    stacks = ("-busy", "-goroutines", "2000")  # of some MB, which the line shows
    with started(inside(label), tmp_path, *stacks, GODEBUG="gctrace=1") as running:
        source = MemoryCycleSource(running.pid, None, time.time, 0.05)
        _, cycles = await first(source.events(), GcCycle, 10)
        await asyncio.sleep(0.2)
        lines = running.trace_lines()
    assert len({cycle.number for cycle in cycles}) == 10
    assert not {cycle.line for cycle in cycles} - set(lines)


async def test_profiles(program: InsideProgram) -> None:
    program.next_round()
    source = MemoryProfileSource(program.pid, time.time, None)
    _, (profile,) = await first(source.events(), Profile, 1)
    by_type = {values.type: values for values in profile.values}
    assert set(by_type) == {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"}
    assert "main.allocate" in {each.name for each in by_type["alloc_space"].functions}
    assert profile.kind == "heap"


@pytest.mark.parametrize("program", ["1.21 stripped", "1.27 stripped"], indirect=True)
async def test_the_profile_is_that_of_the_program(program: InsideProgram) -> None:
    program.next_round()
    program.next_round()
    source = MemoryProfileSource(program.pid, time.time, None)
    _, (profile,) = await first(source.events(), Profile, 1)
    own = FileProfileSource(program.folder / "heap.pb", time.time)
    _, (known,) = await first(own.events(), Profile, 1)
    assert profile.values == known.values
    assert profile.default_type == known.default_type


async def test_a_process_that_ends_ends_the_sources(inside: Build, tmp_path: Path) -> None:
    with started(inside("1.27 stripped"), tmp_path, "-busy") as running:
        memstats = MemoryRuntimeSource(running.pid, time.time, 0.05).events()
        cycles = MemoryCycleSource(running.pid, None, time.time, 0.05).events()
        for events in (memstats, cycles):
            assert isinstance((await anext(events)).sample, Attached)
        running.process.kill()
        running.process.wait()
        for events in (memstats, cycles):
            with pytest.raises(SourceFailed, match="has ended") as failed:
                async for _ in events:
                    pass
            assert failed.value.final
