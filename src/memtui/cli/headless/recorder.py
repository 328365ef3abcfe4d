"""Records the sources of a process without a screen, until stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from dataclasses import dataclass, field
from typing import Protocol

from memtui import units
from memtui.cli.errors import CliError
from memtui.cli.headless.watch import CLOSE_S, LoopThread, cancel_tasks
from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.live.target import find_pid
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
"""How long a disk may take to write the last bytes."""
SEARCH_S = 2.0
"""The time between two searches for the next process of a name."""


class RecordProgress(Protocol):
    """Shows the progress of a recording."""

    def show(self, text: str) -> None:
        """Replace the line of progress."""
        ...

    def say(self, text: str, *, is_stamped: bool = False) -> None:
        """Print a line that stays, with date and time in a log if ``is_stamped``."""
        ...


def millisecond_clock() -> SessionClock:
    """Return a clock in whole milliseconds: more digits would make a recording larger."""
    return SessionClock(lambda: round(time.time(), 3))


@dataclass(frozen=True, slots=True)
class RecordTarget:
    """The process to record; with ``follows``, the next process of its name after it."""

    pid: int | None
    name: str | None
    options: ProfileOptions
    trace: GctraceInput
    interval_s: float
    follows: bool
    clock: SessionClock = field(default_factory=millisecond_clock)

    def first(self) -> Session:
        """Return the session of the running process; raise CliError."""
        return self._session(self.pid if self.pid is not None else find_pid(self.name))

    def next(self, known: ProcessIdentity | None) -> Session | None:
        """Return the session of another process of that name; None if there is none yet."""
        from memtui.sources.process.discovery import ProcessFinder, matching

        census = ProcessFinder()
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


class HeadlessRecorder:
    """Writes the events of the sources to a recording once a second, until stopped."""

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
        """Whether the disk or a source was too slow for the file to be closed in time."""

    def stop(self) -> None:
        """Stop the recording. Call it in the event loop that runs the recording."""
        self._stopped.set()

    async def run(self) -> bool:
        """Record; return whether the recording ended because the process did.

        The time is a deadline on the monotonic clock; a slow disk or source does not delay it.
        """
        loop = asyncio.get_running_loop()
        if self._seconds is not None:
            loop.call_later(self._seconds, self.stop)
        flushing = asyncio.create_task(self._flush())
        try:
            return await self._watch_all()
        finally:
            await cancel_tasks([flushing], FLUSH_S)
            await cancel_tasks(self._tasks, CLOSE_S)

    async def _watch_all(self) -> bool:
        """Watch the processes in turn; return whether the last one ended the recording."""
        while True:
            await self._watch()
            has_ended = not self._stopped.is_set()
            if not has_ended or not self._target.follows or not await self._next():
                await self._close()
                return has_ended and not self._target.follows
            await cancel_tasks(self._tasks, CLOSE_S)

    async def _watch(self) -> None:
        """Run the sources of a process until it ends or the recording is stopped."""
        self._gone.clear()
        self._tasks = [
            asyncio.create_task(drive(each, self._append, self._target.clock))
            for each in self._session.sources
        ]
        waiting = [asyncio.create_task(each.wait()) for each in (self._gone, self._stopped)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*waiting, *self._tasks):
                task.cancel()

    async def _close(self) -> None:
        """Close the file before the sources, so that it is complete at the deadline."""
        closing = asyncio.ensure_future(asyncio.to_thread(self._write, last=True))
        done, _ = await asyncio.wait({closing}, timeout=LONGEST_CLOSE_S)
        if not done:
            self.is_cut = True
        self._show_state()

    def _append(self, event: Event) -> None:
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
        """Wait for the next process of that name; return False if stopped first."""
        self._progress.say(
            f"{self._name}: {plain(self._ended)}; waiting for the next one", is_stamped=True
        )
        self._ended = ""
        self._res = "-"
        while not self._stopped.is_set():
            found = await asyncio.to_thread(self._target.next, self._identity)
            if found is not None:
                self._session = found
                self._recorder.append(Event(self._target.clock(), "process", Restart()))
                return True
            try:
                await asyncio.wait_for(self._stopped.wait(), SEARCH_S)
            except TimeoutError:
                continue
        return False

    async def _flush(self) -> None:
        """Write once a second, until the reader of a pipe is gone or the recorder has failed."""
        writing: asyncio.Future[None] | None = None
        while not self._recorder.finished and self._recorder.defect is None:
            await asyncio.sleep(FLUSH_S - (time.monotonic() - self._began_s) % FLUSH_S)
            if writing is None or writing.done():
                writing = asyncio.ensure_future(asyncio.to_thread(self._write))
                await asyncio.wait({writing}, timeout=FLUSH_S)
            self._show_state()
        self.stop()

    def _write(self, *, last: bool = False) -> None:
        """Flush, or close. The recorder keeps a defect; raised here, it would end the loop."""
        with contextlib.suppress(BaseException):
            if last:
                self._recorder.close()
            else:
                self._recorder.flush()

    @property
    def _name(self) -> str:
        identity = self._identity
        return plain(f"{identity.name} {identity.pid}") if identity else "the process"

    def _show_state(self) -> None:
        lacks = recorder_problem(self._recorder)
        kind = lacks.partition(":")[0]  # without the seconds of a stall, which always change
        if kind != self._lacked:
            state = f"recording {lacks}" if lacks else "recording continues"
            self._progress.say(state, is_stamped=True)
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
        """Whether the file is complete, except for events that could not be encoded."""
        recorder = self._recorder
        return not (self.is_cut or recorder.defect or recorder.suspended)

    def summary(self) -> str:
        """Return the last line: how long, which process, which file, and what is missing."""
        place, defect = self._recorder.path, self._recorder.defect
        where = plain(str(place)) if place else "standard output"
        lacks = recorder_problem(self._recorder)
        if self.is_cut and not defect:
            lacks = f"the disk did not respond for {LONGEST_CLOSE_S:.0f} s: the end may be missing"
        text = f"memtui: recorded {self._past} of {self._name} in {where} ({self._size})"
        text = "; ".join(filter(None, (text, plain(self._ended), lacks)))
        error = defect or self._recorder.lost.error
        return f"{text}; {report_hint(error)}" if error else text


def record_in_thread(recorder: HeadlessRecorder, seconds: float | None) -> bool:
    """Record in a thread; return whether the recording ended because the process did.

    SIGTERM and SIGINT stop it, SIGHUP does not. This returns within CLOSE_S of the deadline or the
    signal, even if the thread is blocked.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    thread = LoopThread(recorder.run())
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _raise_stop_signal)
        thread.wait(None if seconds is None else seconds + LONGEST_CLOSE_S)
    except _StopSignal:
        pass
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    thread.call(recorder.stop)
    if not thread.wait(CLOSE_S):
        recorder.is_cut = True
    return bool(thread.result())


class _StopSignal(Exception):  # noqa: N818 - a signal, not an error
    """SIGTERM or SIGINT arrived."""


def _raise_stop_signal(*_: object) -> None:
    raise _StopSignal
