"""Reads the environment of a process: limits, settings, and the memory of its host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from memtui.model import Attached, Environment, Event
from memtui.sources.process.reader import PidGuard, ProcessReader, default_reader
from memtui.sources.source import Clock, SourceFailed

EVERY_S = 10.0
HOST_EVERY_S = 5.0


class EnvironmentSource:
    """Reads the limits and settings of a process every ``every_s`` seconds, until it ends."""

    name = "surroundings"

    def __init__(
        self,
        pid: int,
        clock: Clock,
        reader: ProcessReader | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        self._pid = pid
        self._clock = clock
        self._reader = reader or default_reader()
        self._every_s = every_s
        self._guard = PidGuard(pid, self._reader)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield a changed Environment, and a CgroupMemory after each read.

        Raises SourceFailed when the process has ended; what cannot be read is Absent.
        """
        last: Environment | None = None
        while True:
            self._guard.check()
            at = self._clock()
            found, memory = self._reader.environment(self._pid)
            if last is None:
                yield Event(at, self.name, Attached("cgroup"))
            if found != last:
                yield Event(at, self.name, found)
            if memory is not None:
                yield Event(at, self.name, memory)
            last = found
            await asyncio.sleep(self._every_s)


class HostMemorySource:
    """Reads memory and swap of the host every ``every_s`` seconds, until the process ends.

    A read takes 0.1 ms. It runs in a thread, because the first one imports psutil.
    """

    name = "host"

    def __init__(
        self,
        pid: int,
        clock: Clock,
        reader: ProcessReader | None = None,
        every_s: float = HOST_EVERY_S,
    ) -> None:
        self._clock = clock
        self._reader = reader or default_reader()
        self._every_s = every_s
        self._guard = PidGuard(pid, self._reader)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield a HostMemory after each read; nothing more once the process has ended."""
        yield Event(self._clock(), self.name, Attached("psutil"))
        while True:
            try:
                self._guard.check()
            except SourceFailed:  # the source of the process reports its end
                return
            at = self._clock()
            yield Event(at, self.name, await asyncio.to_thread(self._reader.host_memory))
            await asyncio.sleep(self._every_s)
