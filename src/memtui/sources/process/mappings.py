"""Reads smaps_rollup and smaps of a process, at intervals that limit the CPU time to 1 %."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import fields
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
from memtui.sources.process.proc import access_hint
from memtui.sources.process.reader import PidGuard, ProcessReader, default_reader
from memtui.sources.source import Clock, SourceFailed, to_microseconds

T = TypeVar("T")

LEAST_INTERVAL_S = 5.0
MOST_INTERVAL_S = 300.0
GROUPS_INTERVAL_S = 20.0
_COSTS = 100
"""An interval is at least this many times the CPU time of the last read: 1 %."""


class MappingSource:
    """Reads smaps_rollup until the process ends, and smaps less often.

    smaps is read at the start and then at most every 20 s, to split growth by kinds of mappings;
    ``read_groups`` requests it now. A read takes about 20 ms per GiB of resident pages and delays
    mmap in the process meanwhile. Therefore it runs in a thread, at intervals of a hundred times
    its cost (5 s to 5 min). The cost is the CPU time of that thread, because the kernel walks the
    page tables in its context; on a busy host the wall time is mostly waiting for a CPU.
    """

    name = "mapping"

    def __init__(self, pid: int, clock: Clock, reader: ProcessReader | None = None) -> None:
        self._pid = pid
        self._clock = clock
        self._reader = reader or default_reader()
        self._guard = PidGuard(pid, self._reader)
        self._groups_wanted = asyncio.Event()
        self._reported_refusal = False
        self._cost_s = 0.0

    def read_groups(self) -> None:
        """Read the mappings by kind once, now."""
        self._groups_wanted.set()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield a MappingSample at each interval, and MappingGroups when asked for.

        If the kernel refuses, the first sample is all Absent. Raises :class:`SourceFailed`.
        """
        attached = False
        due = time.monotonic()
        groups_due: float | None = None
        while True:
            if time.monotonic() >= due:
                try:
                    at, resident, took_s = await self._timed(self._reader.rollup)
                except PermissionError:
                    for event in self._refused():
                        yield event
                    raise self._no_access("smaps_rollup") from None
                if not attached:
                    attached = True
                    yield Event(at, self.name, Attached("smaps_rollup"))
                every_s = interval_after(self._cost_s)
                sample = MappingSample(
                    resident, took_s, slow_interval_reason(every_s, self._cost_s)
                )
                yield Event(at, self.name, sample)
                due = time.monotonic() + every_s
                if groups_due is None:  # an expensive read waits at the start
                    is_cheap = every_s <= LEAST_INTERVAL_S
                    groups_due = time.monotonic() + (0.0 if is_cheap else GROUPS_INTERVAL_S)
            if self._groups_wanted.is_set() or (groups_due and time.monotonic() >= groups_due):
                self._groups_wanted.clear()
                groups = await self._groups()
                yield Event(groups[0], self.name, groups[1])
                groups_due = time.monotonic() + max(GROUPS_INTERVAL_S, interval_after(self._cost_s))
            await self._wait(min(due, groups_due or due) - time.monotonic())

    async def _groups(self) -> tuple[float, MappingGroups]:
        try:
            at, mappings, took_s = await self._timed(self._reader.mappings)
        except PermissionError:
            raise self._no_access("smaps") from None
        return at, MappingGroups(grouped(mappings), is_named(mappings), took_s)

    async def _timed(self, read: Callable[[int], T]) -> tuple[float, T, float]:
        """Read in a thread; return the time, the result and the seconds it took."""
        self._guard.check()

        def timed() -> tuple[T, float]:
            began, cpu_s = time.perf_counter(), time.thread_time()
            found = read(self._pid)
            self._cost_s = time.thread_time() - cpu_s
            return found, to_microseconds(time.perf_counter() - began)

        at = self._clock()
        try:
            found, took_s = await asyncio.to_thread(timed)
        except PermissionError:
            raise
        except (OSError, ParseError) as error:
            self._guard.check()
            if isinstance(error, FileNotFoundError):
                reason = "this kernel has no smaps_rollup (Linux 4.14 has)"
                raise SourceFailed(reason, final=True) from None
            raise SourceFailed(f"cannot read smaps of process {self._pid}: {error}") from None
        return at, found, took_s

    def _refused(self) -> list[Event]:
        if self._reported_refusal:
            return []
        self._reported_refusal = True
        nothing = Resident(**{each.name: Absent.NO_ACCESS for each in fields(Resident)})
        return [Event(self._clock(), self.name, MappingSample(nothing, 0.0))]

    def _no_access(self, file: str) -> SourceFailed:
        return SourceFailed(f"no access to {file} of process {self._pid}", access_hint("its user"))

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._groups_wanted.wait()
        except TimeoutError:
            pass


def interval_after(cost_s: float) -> float:
    """Return the seconds to wait after a read that took ``cost_s`` seconds of CPU."""
    return min(MOST_INTERVAL_S, max(LEAST_INTERVAL_S, _COSTS * cost_s))


def slow_interval_reason(every_s: float, cost_s: float) -> str:
    """Return why it is read less often than wanted, in one sentence, else ""."""
    if every_s <= LEAST_INTERVAL_S:
        return ""
    took = units.milliseconds(cost_s * 1000)
    return f"read every {every_s:.0f} s because each read takes {took} of CPU"
