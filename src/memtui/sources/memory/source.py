"""Yields MemStats, GC cycles and profiles that were read from the memory of a Go process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from memtui.model import (
    Absent,
    Attached,
    Event,
    GcPause,
    Origin,
    ProfileKind,
    ProfileRequest,
    RuntimeSample,
)
from memtui.parse.memory.errors import (
    InconsistentError,
    NoAllocationProfileError,
    ProcessGoneError,
    RuntimeMemoryError,
)
from memtui.parse.memory.goroutines import group_goroutines
from memtui.parse.memory.memstats import MemoryReading
from memtui.parse.memory.profiles import encode_goroutines, encode_heap
from memtui.parse.process.proc import ParseError, ProcStatus
from memtui.parse.runtime.memstats import MemStatsPage
from memtui.sources.clock import session_time
from memtui.sources.memory.runtime_memory import RuntimeMemory
from memtui.sources.process.reader import default_reader
from memtui.sources.profile.source import FetchedProfile, ProfileSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.runtime.memstats import GcRing
from memtui.sources.source import Clock, SourceFailed, to_microseconds

EVERY_S = 1.0
CYCLES_EVERY_S = 0.2
_AGAIN_S = 0.005
_MOST_AGAIN = 10
"""Retries: in the middle of a cycle the newest one is not complete."""


@contextmanager
def memory_failures() -> Iterator[None]:
    """Turn the refusals of the memory into failures of a source.

    A reading whose numbers disagree is tried again, because that may pass.
    """
    try:
        yield
    except RuntimeMemoryError as refused:
        raise SourceFailed(
            refused.reason, refused.hint, final=not isinstance(refused, InconsistentError)
        ) from None


def attached_to(pid: int) -> RuntimeMemory:
    """Return the runtime of a process; raise SourceFailed."""
    memory = RuntimeMemory(pid)
    try:
        with memory_failures():
            memory.attach()
    except SourceFailed:
        memory.close()
        raise
    return memory


def description(memory: RuntimeMemory) -> str:
    """Return what is read, in a few words for the header."""
    layout = memory.runtime.layout
    same = memory.runtime.is_same_minor
    return f"runtime memory of Go {layout.go}" if same else f"runtime memory, as of Go {layout.go}"


class MemoryRuntimeSource:
    """Reads MemStats from memory every ``every_s`` seconds, with the cycles in between.

    Raises SourceFailed with ``final`` when the memory of this process cannot be read at all.
    """

    name = "runtime"

    def __init__(self, pid: int, clock: Clock, every_s: float = EVERY_S) -> None:
        self._pid = pid
        self._clock = clock
        self._every_s = every_s
        self._cycles = GcRing()
        self._asked = asyncio.Event()

    def refresh(self) -> None:
        """Read now."""
        self._asked.set()

    def look(self) -> None:
        """Read now: it costs the process nothing."""
        self._asked.set()

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until ``refresh`` is called."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._asked.wait()
        except TimeoutError:
            pass
        self._asked.clear()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield where MemStats come from, then each sample after the pauses up to it."""
        memory = await asyncio.to_thread(attached_to, self._pid)
        try:
            yield Event(self._clock(), self.name, Attached(description(memory)))
            due = time.perf_counter()
            while True:
                for event in self._read(memory):
                    yield event
                due = max(due + self._every_s, time.perf_counter())
                await self.pause(due - time.perf_counter())
        finally:
            memory.close()

    def _read(self, memory: RuntimeMemory) -> list[Event]:
        began = time.perf_counter()
        bytes_before = memory.memory.bytes_read
        with memory_failures():
            reading = memory.read_memstats()
        now, status = self._clock(), self._status()
        took_s = time.perf_counter() - began
        _, cycles, lost = self._cycles.new(MemStatsPage(reading.stats, reading.cycles))
        events = []
        for cycle in cycles:
            goal = reading.stats.next_gc_bytes if cycle.number == reading.stats.num_gc else None
            pause = GcPause(cycle.number, cycle.pause_s, goal if isinstance(goal, int) else None)
            at = min(session_time(self._clock, cycle.ended_at), now)
            events.append(Event(at, self.name, pause))
        size = memory.memory.bytes_read - bytes_before
        sample = self._sample(memory, reading, status, took_s, size, lost)
        return [*events, Event(now, self.name, sample)]

    def _sample(
        self,
        memory: RuntimeMemory,
        reading: MemoryReading,
        status: ProcStatus | None,
        took_s: float,
        size_bytes: int,
        lost: int,
    ) -> RuntimeSample:
        fraction = reading.stats.gc_cpu_fraction
        short = fraction if isinstance(fraction, Absent) else round(fraction, 7)
        missing = Absent.NOT_REPORTED
        return RuntimeSample(
            **asdict(reading.stats) | {"gc_cpu_fraction": short},
            origin=Origin.MEMORY,
            where=description(memory),
            took_s=to_microseconds(took_s),
            size_bytes=size_bytes,
            cycles_lost=lost,
            rss_bytes=status.res_bytes if status else missing,
            rss_anon_bytes=status.anon_bytes if status else missing,
            rss_file_bytes=status.file_bytes if status else missing,
            rss_shmem_bytes=status.shmem_bytes if status else missing,
            swap_bytes=status.swap_bytes if status else missing,
            apart_s=to_microseconds(took_s) if status else missing,
        )

    def _status(self) -> ProcStatus | None:
        try:
            return default_reader().status(self._pid)
        except (OSError, ParseError):
            return None


class MemoryCycleSource:
    """Reads each GC cycle from memory, as its gctrace line would show it.

    NumGC is read every ``every_s`` seconds. Of several cycles in that time only the newest is
    whole; the others are in the pauses of MemoryRuntimeSource.
    """

    name = "gctrace"

    def __init__(
        self, pid: int, started_at: float | None, clock: Clock, every_s: float = CYCLES_EVERY_S
    ) -> None:
        self._pid = pid
        self._started_at = started_at
        self._clock = clock
        self._every_s = every_s

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield where cycles come from, and each GcCycle."""
        memory = await asyncio.to_thread(attached_to, self._pid)
        try:
            yield Event(self._clock(), self.name, Attached(description(memory)))
            newest = 0
            while True:
                with memory_failures():
                    number = memory.read_num_gc() if newest else -1
                    is_new = number != newest
                    if not is_new:
                        memory.check_alive()
                if is_new:
                    event = await self._newest(memory, newest)
                    if event is not None:
                        newest, found = event
                        yield found
                await asyncio.sleep(self._every_s)
        finally:
            memory.close()

    async def _newest(self, memory: RuntimeMemory, since: int) -> tuple[int, Event] | None:
        """Return the newest cycle when it is new and whole."""
        for _ in range(_MOST_AGAIN):
            with memory_failures():
                reading = memory.read_cycles_since(since)
            if reading.newest is not None and reading.ring:
                now = self._clock()
                at = min(session_time(self._clock, reading.ring[-1].ended_at), now)
                return reading.num_gc, Event(at, self.name, reading.newest)
            if reading.num_gc == since:
                return None
            await asyncio.sleep(_AGAIN_S)
        return None


class MemoryProfileSource(ProfileSource):
    """Makes heap and goroutine profiles from memory, in the format of net/http/pprof.

    A program without an allocation profile has goroutines only.
    """

    def __init__(
        self,
        pid: int,
        clock: Clock,
        every_s: float | None,
        worker: ProfileWorker | None = None,
        gc_number: Callable[[], int | None] = lambda: None,
    ) -> None:
        super().__init__(ProfileRequest("heap"), clock, every_s, worker, gc_number)
        self._pid = pid
        self._memory: RuntimeMemory | None = None
        self._last_cycle = -1

    async def kinds(self) -> frozenset[ProfileKind]:
        """Return the kinds that can be asked for."""
        return frozenset({"heap", "goroutine"})

    @property
    def _where(self) -> str:
        return "runtime memory"

    async def _attach(self) -> None:
        if self._memory is not None:
            self._memory.close()
        self._memory = await asyncio.to_thread(attached_to, self._pid)

    async def _fetch(self, request: ProfileRequest) -> FetchedProfile:
        return await asyncio.to_thread(self._make, request)

    def _make(self, request: ProfileRequest) -> FetchedProfile:
        began = time.perf_counter()
        memory = self._memory
        if memory is None:
            raise SourceFailed("the memory of the process is not open")
        functions = memory.runtime.functions
        try:
            if request.kind == "goroutine":
                groups = group_goroutines(memory.read_goroutines(), functions, time.monotonic_ns())
                data = encode_goroutines(groups, time.time_ns())
            elif request.kind == "heap" and not request.gc:
                self._last_cycle = memory.read_num_gc()
                data = encode_heap(memory.read_heap_profile(), functions, time.time_ns())
            else:
                raise SourceFailed(f"{request} cannot be read from memory", "ask the endpoint")
        except RuntimeMemoryError as refused:
            is_final = isinstance(refused, NoAllocationProfileError | ProcessGoneError)
            raise SourceFailed(refused.reason, refused.hint, final=is_final) from None
        where = f"runtime memory of process {self._pid}: {request.kind}"
        return FetchedProfile(where, data, time.perf_counter() - began)

    def _is_new(self) -> bool:
        """Return whether a cycle has ended since the last profile."""
        try:
            return self._memory is None or self._memory.read_num_gc() != self._last_cycle
        except RuntimeMemoryError:
            return True
