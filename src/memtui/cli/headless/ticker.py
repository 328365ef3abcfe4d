"""Prints a line each second for ``--plain``, until the process ends or a signal arrives."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio import FIRST_COMPLETED, Task
from collections.abc import Sequence
from typing import Any

from memtui.cli.errors import CliError
from memtui.cli.headless.line import PlainLines
from memtui.cli.live.session import Session
from memtui.model import Ended, Event
from memtui.sources.clock import ClockSource
from memtui.sources.daemon_executor import DaemonExecutor
from memtui.sources.process.source import next_beat
from memtui.sources.source import Clock, drive
from memtui.timeline import Cursor

TOLD, ENDED, BROKEN_PIPE = 0, 3, 141
"""Told to end; the process or the input has ended; whoever read this has gone."""

LAST_WORDS_S = 0.5
"""So long an ended process's trace may still take to come through."""

STDOUT = 1


def print_lines(session: Session, interval_s: float) -> int:
    """Print lines at each beat; return the exit code, or raise Complaint."""
    try:
        return asyncio.run(Ticker(session, interval_s, session.clock).run())
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError as error:
        raise CliError(f"cannot write: {error.strerror}") from None
    finally:
        session.let_go()


class Ticker:
    """Drives the sources of a session, and prints what its timeline holds at each beat."""

    def __init__(self, session: Session, interval_s: float, clock: Clock) -> None:
        self._session = session
        self._interval_s = interval_s
        self._clock = clock
        self._teller = PlainLines()
        self._stopped = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self) -> int:
        """Print until the process or the input ends, or a signal comes; return the exit code."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonExecutor())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopped.set)
        driving = {
            asyncio.create_task(drive(each, self._tell, self._clock)): each
            for each in self._session.sources
        }
        ending = [task for task, each in driving.items() if not isinstance(each, ClockSource)]
        told, ended = (asyncio.create_task(each.wait()) for each in (self._stopped, self._ended))
        inputs = asyncio.create_task(asyncio.wait(ending))
        try:
            return await self._print(told, {ended, inputs}, ending)
        finally:
            for task in (*driving, told, ended, inputs):
                task.cancel()
            await asyncio.gather(*driving, told, ended, inputs, return_exceptions=True)

    def _tell(self, event: Event) -> None:
        self._session.timeline.append(event)
        if isinstance(event.sample, Ended):
            self._ended.set()

    async def _print(
        self, told: Task[Any], over: set[Task[Any]], driving: Sequence[Task[None]]
    ) -> int:
        """Print at each beat, on beats that do not drift, and once more at the end."""
        now = asyncio.get_running_loop().time
        began_s, beat = now(), 0
        while True:
            beat = next_beat(beat, now() - began_s, self._interval_s)
            left_s = began_s + beat * self._interval_s - now()
            done, _ = await asyncio.wait({told, *over}, timeout=left_s, return_when=FIRST_COMPLETED)
            if done & over and told not in done:
                await asyncio.wait(driving, timeout=LAST_WORDS_S)
            if told not in done:
                await self._write(told)
            if told.done():
                return TOLD
            if done:
                return ENDED

    async def _write(self, told: Task[Any]) -> None:
        """Write in a thread: whoever reads this may stand still, and a signal must be heeded."""
        view = Cursor().view(self._session.timeline, self._clock())
        text = "".join(f"{each}\n" for each in self._teller.lines(view))
        writing = asyncio.ensure_future(asyncio.to_thread(_write, text.encode("utf-8", "replace")))
        await asyncio.wait({writing, told}, return_when=FIRST_COMPLETED)
        if writing.done():
            writing.result()
        writing.cancel()


def _write(data: bytes) -> None:
    """Write all of it into standard output, past every buffer; raises OSError."""
    while data:
        data = data[os.write(STDOUT, data) :]
