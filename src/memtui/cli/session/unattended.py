"""A recording that runs by itself: the sources of a process, driven until somebody ends it."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass, field
from typing import Protocol

from memtui import units
from memtui.cli.complaint import Complaint
from memtui.cli.options.profile import ProfileOptions
from memtui.cli.session.headless import pid_of
from memtui.cli.session.session import Session
from memtui.cli.session.trace import Trace
from memtui.model import Ended, Event, GcCycle, ProcessIdentity, ProcessSample, Restart
from memtui.plain import plain
from memtui.recording import Recorder
from memtui.sources.analyst import Unread
from memtui.sources.clock import OnwardClock
from memtui.sources.source import drive
from memtui.sources.threads import ThreadsLeftBehind

FLUSH_S = 1.0
LOOK_S = 2.0
"""How often the next process of a name is looked for."""


class Progress(Protocol):
    """Where it is told how the recording goes on."""

    def show(self, text: str) -> None:
        """Show what changes each second."""
        ...

    def say(self, text: str) -> None:
        """Say what happened."""
        ...


def to_the_millisecond() -> OnwardClock:
    """Return a clock whose digits all say something: those behind take room in a recording."""
    return OnwardClock(lambda: round(time.time(), 3))


@dataclass(frozen=True, slots=True)
class Target:
    """The process to record: the one, or each one of a name after the other."""

    pid: int | None
    name: str | None
    options: ProfileOptions
    trace: Trace
    interval_s: float
    follows: bool
    clock: OnwardClock = field(default_factory=to_the_millisecond)

    def first(self) -> Session:
        """Return the session of the process that is there; raise Complaint."""
        return self._session(self.pid if self.pid is not None else pid_of(self.name))

    def next(self, known: ProcessIdentity | None) -> Session | None:
        """Return the session of another process of that name; None while there is none."""
        from memtui.sources.discovery import Census, matching

        census = Census()
        if self.name is not None:
            found = matching(census.processes(), self.name)
        else:
            name = known.name if known else ""
            found = [each for each in census.processes() if each.name == name]
        for each in found:
            if known is None or each.pid != known.pid:
                try:
                    return self._session(each.pid)
                except Complaint:
                    continue
        return None

    def _session(self, pid: int) -> Session:
        session = Session(
            self.options, self.trace, self.clock, self.interval_s, Unread(self.options.limit_bytes)
        )
        session.watch_process(pid)
        return session


class Unattended:
    """Writes what the sources tell once a second, and heeds signals."""

    def __init__(
        self,
        recorder: Recorder,
        target: Target,
        session: Session,
        seconds: float | None,
        progress: Progress,
    ) -> None:
        self._recorder = recorder
        self._target = target
        self._session = session
        self._seconds = seconds
        self._progress = progress
        self._began_s = time.monotonic()
        self._stopped = asyncio.Event()
        self._gone = asyncio.Event()
        self._identity: ProcessIdentity | None = None
        self._res = ""
        self._suspended = ""

    async def run(self) -> bool:
        """Record; return whether it ended because the process did."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadsLeftBehind())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        flushing = asyncio.create_task(self._flush())
        try:
            while True:
                await self._watch()
                if self._stopped.is_set() or not self._target.follows:
                    return not self._stopped.is_set()
                if not await self._next():
                    return False
        finally:
            flushing.cancel()
            await asyncio.gather(flushing, return_exceptions=True)
            await asyncio.to_thread(self._recorder.close)
            self._tell_state()

    async def _watch(self) -> None:
        """Drive the sources of a process until it ends, or somebody ends the recording."""
        self._gone.clear()
        tasks = [
            asyncio.create_task(drive(each, self._tell, self._target.clock))
            for each in self._session.sources
        ]
        waiting = [asyncio.create_task(each.wait()) for each in (self._gone, self._stopped)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, *waiting):
                task.cancel()
            await asyncio.gather(*tasks, *waiting, return_exceptions=True)

    def _tell(self, event: Event) -> None:
        sample = event.sample
        self._recorder.append(event)
        if isinstance(sample, GcCycle):
            self._session.newest_gc = sample.number
        elif isinstance(sample, ProcessSample):
            self._res = units.size(sample.res_bytes) if isinstance(sample.res_bytes, int) else "?"
        elif isinstance(sample, ProcessIdentity):
            self._identity = sample
        elif isinstance(sample, Ended):
            self._gone.set()

    async def _next(self) -> bool:
        """Wait for the next process of that name; False when the recording is ended first."""
        self._progress.say(f"{self._name} ended; waiting for the next one")
        self._res = "-"
        while not self._stopped.is_set():
            found = await asyncio.to_thread(self._target.next, self._identity)
            if found is not None:
                self._session = found
                self._recorder.append(Event(self._target.clock(), "process", Restart()))
                return True
            try:
                await asyncio.wait_for(self._stopped.wait(), LOOK_S)
            except TimeoutError:
                continue
        return False

    async def _flush(self) -> None:
        """Write once a second, until the time is over or nobody reads any more."""
        while not self._recorder.finished:
            await asyncio.sleep(FLUSH_S - (time.monotonic() - self._began_s) % FLUSH_S)
            await asyncio.to_thread(self._recorder.flush)
            self._tell_state()
            past_s = time.monotonic() - self._began_s
            if self._seconds is not None and past_s >= self._seconds:
                break
        self._stopped.set()

    @property
    def _name(self) -> str:
        identity = self._identity
        return plain(f"{identity.name} {identity.pid}") if identity else "the process"

    def _tell_state(self) -> None:
        suspended = self._recorder.suspended
        if suspended != self._suspended:
            said = f"recording suspended: {suspended}" if suspended else "recording goes on"
            self._progress.say(said)
        self._suspended = suspended
        state = f"SUSPENDED: {suspended}" if suspended else self._size
        self._progress.show(f"recording {self._name}  {self._past}  {state}  RES {self._res}")

    @property
    def _past(self) -> str:
        return units.duration(time.monotonic() - self._began_s)

    @property
    def _size(self) -> str:
        return units.size(self._recorder.size_bytes)

    def last_word(self) -> str:
        """Return what there is to say at the end."""
        place = self._recorder.path
        where = plain(str(place)) if place else "standard output"
        return f"memtui: recorded {self._past} of {self._name} in {where} ({self._size})"
