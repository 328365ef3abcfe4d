"""A recording that runs by itself: the sources of a process, driven until somebody ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from dataclasses import dataclass, field
from typing import Protocol

from memtui import units
from memtui.cli.errors import CliError
from memtui.cli.live.own_loop import OwnLoop, stopped
from memtui.cli.live.session import Session
from memtui.cli.live.sources import TraceInput
from memtui.cli.live.watch import CLOSE_S, pid_of
from memtui.cli.options.profile import ProfileOptions
from memtui.model import Ended, Event, GcCycle, ProcessIdentity, ProcessSample, Restart
from memtui.recording import Recorder
from memtui.sanitize import plain
from memtui.session.session_recorder import recorder_problem
from memtui.sources.clock import SessionClock
from memtui.sources.defect import report_hint
from memtui.sources.profile.worker.client import UndecodedProfiles
from memtui.sources.source import drive

FLUSH_S = 1.0
LONGEST_CLOSE_S = 10.0
"""So long a disk may take for the last bytes."""
LOOK_S = 2.0
"""How often the next process of a name is looked for."""


class RecordProgress(Protocol):
    """Where it is told how the recording goes on."""

    def show(self, text: str) -> None:
        """Show what changes each second."""
        ...

    def say(self, text: str) -> None:
        """Describe what happened."""
        ...


def to_the_millisecond() -> SessionClock:
    """Return a clock whose digits all say something: those behind take room in a recording."""
    return SessionClock(lambda: round(time.time(), 3))


@dataclass(frozen=True, slots=True)
class RecordTarget:
    """The process to record: the one, or each one of a name after the other."""

    pid: int | None
    name: str | None
    options: ProfileOptions
    trace: TraceInput
    interval_s: float
    follows: bool
    clock: SessionClock = field(default_factory=to_the_millisecond)

    def first(self) -> Session:
        """Return the session of the process that is there; raise Complaint."""
        return self._session(self.pid if self.pid is not None else pid_of(self.name))

    def next(self, known: ProcessIdentity | None) -> Session | None:
        """Return the session of another process of that name; None while there is none."""
        from memtui.sources.process.discovery import Census, matching

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
                except CliError:
                    continue
        return None

    def _session(self, pid: int) -> Session:
        session = Session(
            self.options,
            self.trace,
            self.clock,
            self.interval_s,
            UndecodedProfiles(self.options.limit_bytes),
        )
        session.watch_process(pid)
        return session


class Unattended:
    """Writes what the sources tell once a second, and heeds signals."""

    def __init__(
        self,
        recorder: Recorder,
        target: RecordTarget,
        session: Session,
        seconds: float | None,
        progress: RecordProgress,
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
        self._ended = ""
        self._lacked = ""
        self._tasks: list[asyncio.Task[None]] = []
        self.is_cut = False
        """Whether the disk or a source kept the file from being closed in time."""

    def stop(self) -> None:
        """End the recording; to be called in the loop that runs it."""
        self._stopped.set()

    async def run(self) -> bool:
        """Record; return whether it ended because the process did.

        The time is a deadline on the monotonic clock, whatever the disk or a source does.
        """
        loop = asyncio.get_running_loop()
        if self._seconds is not None:
            loop.call_later(self._seconds, self.stop)
        flushing = asyncio.create_task(self._flush())
        try:
            return await self._watch_all()
        finally:
            await stopped([flushing], FLUSH_S)
            await stopped(self._tasks, CLOSE_S)

    async def _watch_all(self) -> bool:
        """Watch one process after the other; return whether it ended because the last one did."""
        while True:
            await self._watch()
            has_ended = not self._stopped.is_set()
            if not has_ended or not self._target.follows or not await self._next():
                await self._close()
                return has_ended and not self._target.follows
            await stopped(self._tasks, CLOSE_S)

    async def _watch(self) -> None:
        """Drive the sources of a process until it ends, or somebody ends the recording."""
        self._gone.clear()
        self._tasks = [
            asyncio.create_task(drive(each, self._tell, self._target.clock))
            for each in self._session.sources
        ]
        waiting = [asyncio.create_task(each.wait()) for each in (self._gone, self._stopped)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*waiting, *self._tasks):
                task.cancel()

    async def _close(self) -> None:
        """Close the file before the sources: it is whole at the deadline."""
        closing = asyncio.ensure_future(asyncio.to_thread(self._write, last=True))
        done, _ = await asyncio.wait({closing}, timeout=LONGEST_CLOSE_S)
        if not done:
            self.is_cut = True
        self._tell_state()

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
            self._ended = sample.reason
            self._gone.set()

    async def _next(self) -> bool:
        """Wait for the next process of that name; False when the recording is ended first."""
        self._progress.say(f"{self._name}: {plain(self._ended)}; waiting for the next one")
        self._ended = ""
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
        """Write once a second, until nobody reads any more or the recorder failed."""
        writing: asyncio.Future[None] | None = None
        while not self._recorder.finished and self._recorder.defect is None:
            await asyncio.sleep(FLUSH_S - (time.monotonic() - self._began_s) % FLUSH_S)
            if writing is None or writing.done():
                writing = asyncio.ensure_future(asyncio.to_thread(self._write))
                await asyncio.wait({writing}, timeout=FLUSH_S)
            self._tell_state()
        self.stop()

    def _write(self, *, last: bool = False) -> None:
        """Flush, or close; the recorder keeps a defect, which would end the loop here."""
        with contextlib.suppress(BaseException):
            if last:
                self._recorder.close()
            else:
                self._recorder.flush()

    @property
    def _name(self) -> str:
        identity = self._identity
        return plain(f"{identity.name} {identity.pid}") if identity else "the process"

    def _tell_state(self) -> None:
        lacks = recorder_problem(self._recorder)
        kind = lacks.partition(":")[0]  # the seconds of a stall change, and are no news
        if kind != self._lacked:
            self._progress.say(f"recording {lacks}" if lacks else "recording goes on")
        self._lacked = kind
        state = lacks.upper() if lacks and self._recorder.suspended else lacks or self._size
        self._progress.show(f"recording {self._name}  {self._past}  {state}  RES {self._res}")

    @property
    def _past(self) -> str:
        return units.duration(time.monotonic() - self._began_s)

    @property
    def _size(self) -> str:
        return units.size(self._recorder.size_bytes)

    @property
    def is_whole(self) -> bool:
        """Whether all is in the file but single events that could not be encoded."""
        recorder = self._recorder
        return not (self.is_cut or recorder.defect or recorder.suspended)

    def last_word(self) -> str:
        """Return what there is to say at the end."""
        place, defect = self._recorder.path, self._recorder.defect
        where = plain(str(place)) if place else "standard output"
        lacks = recorder_problem(self._recorder)
        if self.is_cut and not defect:
            lacks = f"no answer from the disk for {LONGEST_CLOSE_S:.0f} s: the end may be missing"
        said = f"memtui: recorded {self._past} of {self._name} in {where} ({self._size})"
        said = "; ".join(filter(None, (said, plain(self._ended), lacks)))
        error = defect or self._recorder.lost.error
        return f"{said}; {report_hint(error)}" if error else said


def run_apart(unattended: Unattended, seconds: float | None) -> bool:
    """Record on a thread of its own; return whether it ended because the process did.

    SIGTERM and SIGINT end it, SIGHUP does not. Whatever holds up the thread, this returns within
    CLOSE_S of the deadline or the signal.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    apart = OwnLoop(unattended.run())
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _told)
        apart.wait(None if seconds is None else seconds + LONGEST_CLOSE_S)
    except _Told:
        pass
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    apart.call(unattended.stop)
    if not apart.wait(CLOSE_S):
        unattended.is_cut = True
    return bool(apart.result())


class _Told(Exception):  # noqa: N818 - it says what happened
    """A signal asked for the end."""


def _told(*_: object) -> None:
    raise _Told
