"""``--plain`` and ``--once``: the dashboard's command without the dashboard.

``memtui --plain``: a line each second, until the process ends or nobody wants more.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio import FIRST_COMPLETED, Task
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from memtui.cli.errors import CliError
from memtui.cli.headless.line import PlainLines
from memtui.cli.live.session import Session
from memtui.cli.options.profile import ProfileOptions
from memtui.cli.options.target import period
from memtui.model import Ended, Event
from memtui.sources.clock import ClockSource
from memtui.sources.daemon_executor import DaemonExecutor
from memtui.sources.process.source import next_beat
from memtui.sources.source import Clock, drive
from memtui.timeline import Cursor

if TYPE_CHECKING:
    from memtui.cli.live.sources import TraceInput


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


F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class HeadlessOptions:
    """What is wanted instead of a screen: a line every ``interval_s`` seconds, or one snapshot.

    ``seconds`` is how long to look before the snapshot, None until every source has answered.
    """

    is_plain: bool
    interval_s: float = 1.0
    seconds: float | None = None
    as_json: bool = False

    def reads_input(self, pid: int | None, name: str | None) -> bool:
        """Tell whether standard input is a trace, though nobody said so.

        A snapshot of a given process leaves it alone: in a script it belongs to the loop around it.
        """
        return self.is_plain or (pid is None and name is None)

    def run(
        self,
        pid: int | None,
        name: str | None,
        trace: TraceInput,
        options: ProfileOptions,
        record: Path | None,
    ) -> int:
        """Print what is wanted; return the exit code. Raises UsageError and Complaint."""
        if record is not None:
            raise click.UsageError("--record needs the screen; without one: memtui record")
        from memtui.cli.live.watch import session_without_screen

        session = session_without_screen(pid, name, options, trace, self.interval_s)
        if self.is_plain:
            return print_lines(session, self.interval_s)
        from memtui.cli.headless.once import print_snapshot

        return print_snapshot(session, self.seconds, as_json=self.as_json)


def screenless_options(command: F) -> F:
    """Add --plain and --once; the command gets a ``screenless``, None where a screen is wanted."""

    @wraps(command)
    def with_options(
        *context: click.Context,
        plain: bool,
        once: bool,
        interval: float | None,
        seconds: float | None,
        as_json: bool,
        **others: object,
    ) -> object:
        given = _given(plain, once, interval, seconds, as_json=as_json)
        return command(*context, screenless=given, **others)

    decorated = with_options
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)


_OPTIONS = (
    click.option(
        "--plain",
        is_flag=True,
        help="No screen: a line of text each second, for pipes, logs and screen readers.",
    ),
    click.option(
        "--interval",
        callback=lambda context, option, text: text and period(text),
        metavar="TIME",
        help="With --plain: a line this often.",
    ),
    click.option(
        "--once",
        is_flag=True,
        help="No screen: print all panes once, and end with the exit code of explain.",
    ),
    click.option(
        "--for",
        "seconds",
        callback=lambda context, option, text: text and period(text),
        metavar="TIME",
        help="With --once: look for this long, so that there is more to judge; else until "
        "every source has answered, 10 s at most.",
    ),
    click.option("--json", "as_json", is_flag=True, help="With --once: one JSON object."),
)


def _given(
    plain: bool, once: bool, interval: float | None, seconds: float | None, *, as_json: bool
) -> HeadlessOptions | None:
    """Return what the user asked for; raise UsageError where it does not go together."""
    if plain and once:
        raise click.UsageError("--plain and --once exclude each other")
    if interval is not None and not plain:
        raise click.UsageError("--interval is for --plain")
    if not once and (as_json or seconds is not None):
        raise click.UsageError("--for and --json are for --once")
    if not plain and not once:
        return None
    return HeadlessOptions(plain, interval or 1.0, seconds, as_json)
