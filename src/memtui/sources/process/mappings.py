"""smaps_rollup of a process, no more often than it may cost; and smaps by kind, when asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from memtui import units
from memtui.model import (
    Absent,
    Attached,
    Event,
    MappingGroups,
    MappingSample,
    Resident,
)
from memtui.parse.process.proc import ParseError
from memtui.parse.process.smaps import grouped, is_named
from memtui.sources.process.identity import PidGuard
from memtui.sources.process.proc import PROC, read_rollup, read_smaps, who_may
from memtui.sources.source import Clock, SourceFailed, to_microseconds

T = TypeVar("T")

LEAST_INTERVAL_S = 5.0
MOST_INTERVAL_S = 300.0
GROUPS_INTERVAL_S = 20.0
_COSTS = 100
"""An interval is at least this many times as long as the last reading cost: 1 %."""


class MappingSource:
    """Reads smaps_rollup for as long as the process lives, and smaps more rarely.

    smaps is read at the start and then at most every 20 s, so that growth can be split by kinds of
    mappings; ``read_groups`` asks for it at once. Reading takes about 20 ms a GiB of resident
    pages, in which mmap waits in the process: so it is done in a thread, and at intervals of a
    hundred times what it cost (5 s to 5 min). The cost is the CPU time of that thread, in whose
    context the kernel walks the page tables: the wall time is mostly waiting for a CPU where the
    host is busy.
    """

    name = "mapping"

    def __init__(self, pid: int, clock: Clock, proc: Path = PROC) -> None:
        self._pid = pid
        self._clock = clock
        self._proc = proc
        self._lifetime = PidGuard(pid, proc)
        self._groups_wanted = asyncio.Event()
        self._refusal_told = False
        self._cost_s = 0.0

    def read_groups(self) -> None:
        """Ask for the mappings by kind, once, now."""
        self._groups_wanted.set()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield a MappingSample at each interval, and MappingGroups when asked for.

        Where the kernel refuses, the first sample has nothing but Absent. Raises
        :class:`SourceFailed`.
        """
        attached = False
        due = time.monotonic()
        groups_due: float | None = None
        while True:
            if time.monotonic() >= due:
                try:
                    at, resident, took_s = await self._timed(read_rollup)
                except PermissionError:
                    for event in self._refused():
                        yield event
                    raise self._no_access("smaps_rollup") from None
                if not attached:
                    attached = True
                    yield Event(at, self.name, Attached("smaps_rollup"))
                every_s = interval(self._cost_s)
                sample = MappingSample(resident, took_s, rarely(every_s, self._cost_s))
                yield Event(at, self.name, sample)
                due = time.monotonic() + every_s
                if groups_due is None:  # what costs much is not read unasked at the start
                    is_cheap = every_s <= LEAST_INTERVAL_S
                    groups_due = time.monotonic() + (0.0 if is_cheap else GROUPS_INTERVAL_S)
            if self._groups_wanted.is_set() or (groups_due and time.monotonic() >= groups_due):
                self._groups_wanted.clear()
                groups = await self._groups()
                yield Event(groups[0], self.name, groups[1])
                groups_due = time.monotonic() + max(GROUPS_INTERVAL_S, interval(self._cost_s))
            await self._wait(min(due, groups_due or due) - time.monotonic())

    async def _groups(self) -> tuple[float, MappingGroups]:
        try:
            at, mappings, took_s = await self._timed(read_smaps)
        except PermissionError:
            raise self._no_access("smaps") from None
        return at, MappingGroups(grouped(mappings), is_named(mappings), took_s)

    async def _timed(self, read: Callable[[int, Path], T]) -> tuple[float, T, float]:
        """Read in a thread; return when, what, and the seconds it took. Raises SourceFailed."""
        self._lifetime.check()

        def timed() -> tuple[T, float]:
            began, cpu_s = time.perf_counter(), time.thread_time()
            found = read(self._pid, self._proc)
            self._cost_s = time.thread_time() - cpu_s
            return found, to_microseconds(time.perf_counter() - began)

        at = self._clock()
        try:
            found, took_s = await asyncio.to_thread(timed)
        except PermissionError:
            raise
        except (OSError, ParseError) as error:
            self._lifetime.check()
            if isinstance(error, FileNotFoundError):
                reason = "this kernel has no smaps_rollup (Linux 4.14 has)"
                raise SourceFailed(reason, final=True) from None
            raise SourceFailed(f"cannot read smaps of process {self._pid}: {error}") from None
        return at, found, took_s

    def _refused(self) -> list[Event]:
        if self._refusal_told:
            return []
        self._refusal_told = True
        nothing = Resident(**{each.name: Absent.NO_ACCESS for each in fields(Resident)})
        return [Event(self._clock(), self.name, MappingSample(nothing, 0.0))]

    def _no_access(self, file: str) -> SourceFailed:
        return SourceFailed(f"no access to {file} of process {self._pid}", who_may("its user"))

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._groups_wanted.wait()
        except TimeoutError:
            pass


def interval(cost_s: float) -> float:
    """Return how long to wait after a reading that cost so many seconds of CPU, in seconds."""
    return min(MOST_INTERVAL_S, max(LEAST_INTERVAL_S, _COSTS * cost_s))


def rarely(every_s: float, cost_s: float) -> str:
    """Return why it is read less often than wanted, in one sentence; "" when it is not."""
    if every_s <= LEAST_INTERVAL_S:
        return ""
    took = units.milliseconds(cost_s * 1000)
    return f"read every {every_s:.0f} s because each reading takes {took} of CPU"
