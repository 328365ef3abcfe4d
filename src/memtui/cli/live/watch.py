"""A process watched without a screen, for some time."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from memtui import units
from memtui.cli.errors import AmbiguousTargetError, CliError
from memtui.cli.live.own_loop import OwnLoop, stopped
from memtui.cli.live.session import Session
from memtui.cli.live.sources import TraceInput
from memtui.cli.live.window_reads import WindowReads
from memtui.cli.options.profile import ProfileOptions
from memtui.sanitize import plain
from memtui.sources.daemon_executor import DaemonExecutor
from memtui.sources.process.discovery import Candidate
from memtui.sources.process.source import next_beat
from memtui.sources.source import Clock, drive
from memtui.timeline import Cursor, View

BEAT_S = 1.0
MOST_LISTED = 20
LONGEST_COMMAND = 80
LATE_S = 0.5
"""So long after its deadline a loop that is held up is given up."""
LAST_WORDS_S = 0.5
"""So long the trace of an ended process may still take to come through."""
CLOSE_S = 30.0
"""So long sources may take to close: a page that was begun is read to its end."""
_TRIES = 20

Progress = Callable[[View, float], None]
"""Is told each second what there is, and how many seconds are over."""


def session_of(
    pid: int | None, name: str | None, options: ProfileOptions, trace: TraceInput, clock: Clock
) -> Session:
    """Return the session of one process, by its pid or its name; raise Complaint."""
    session = Session(options, trace, clock)
    session.watch_process(pid_of(name) if pid is None else pid)
    return session


def pid_of(name: str | None) -> int:
    """Return the pid of the one process whose name matches; raise Complaint."""
    from memtui.sources.process.discovery import ProcessFinder, matching

    if name is None:
        raise CliError("which process?", "give --pid PID or --name PATTERN")
    try:
        found = matching(ProcessFinder().processes(), name)
    except ValueError as error:
        raise CliError(str(error)) from None
    if not found:
        raise CliError(f"no process matches {name!r}", "memtui shows a list to choose from")
    return _only(found, f"processes match {name!r}").pid


def _only(found: Sequence[Candidate], what: str) -> Candidate:
    """Return the one process that was found; raise Several with a list when there are more."""
    if len(found) == 1:
        return found[0]
    rows = [_row(each) for each in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        rows.append(f"and {len(found) - MOST_LISTED} more")
    raise AmbiguousTargetError(f"{len(found)} {what}", "give the number of one to --pid", rows)


def _row(found: Candidate) -> str:
    res = units.size(found.res_bytes) if isinstance(found.res_bytes, int) else "?"
    version = found.go_version if isinstance(found.go_version, str) else "-"
    command = " ".join(found.command)[:LONGEST_COMMAND] or found.name
    return f"{found.pid:>7} {res:>6}  {plain(version):<10} {plain(command)}"


def session_without_screen(
    pid: int | None, name: str | None, options: ProfileOptions, trace: TraceInput, interval_s: float
) -> Session:
    """Return the session that the dashboard would show, where nobody can be asked.

    Raises UsageError when nothing says what to watch, Several when it is more than one process.
    """
    session = Session(options, trace, time.time, interval_s)
    if pid is not None or name is not None:
        session.watch_process(pid_of(name) if pid is None else pid)
    elif trace.fd is not None:
        _watch_writer(session, trace.fd)
    elif trace.given or options.is_file:
        session.watch_files()
    else:
        raise click.UsageError("which process? give --pid PID or --name PATTERN")
    return session


def _watch_writer(session: Session, fd: int) -> None:
    """Watch the program that writes into the pipe; the trace alone where nobody knows which."""
    from memtui.sources.process.discovery import go_writers

    found = go_writers(fd)
    if found:
        pid = _only(found, "programs write into this pipe").pid
        with contextlib.suppress(CliError):  # it has ended meanwhile: what it wrote is there
            session.watch_process(pid)
            return
    session.watch_files()


async def watched(
    session: Session,
    seconds: float,
    clock: Clock,
    progress: Progress,
    *,
    enough: Callable[[View], bool] = lambda view: False,
    seen: Callable[[View], object] = lambda view: None,
    closer: WindowReads | None = None,
) -> View:
    """Drive all sources of a session for some time, or until the process ends; return the view.

    It ends before that when a view holds ``enough``. ``seconds`` are a deadline on the monotonic
    clock: ``seen`` gets the view then, before the sources are closed, which may take CLOSE_S.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonExecutor())
    timeline = session.timeline
    closer = closer or WindowReads(session.sources, seconds, profiles=False)
    tasks = [asyncio.create_task(drive(each, timeline.append, clock)) for each in session.sources]
    began_s, beat = loop.time(), 0
    try:
        while True:
            view, past_s = Cursor().view(timeline, clock()), loop.time() - began_s
            progress(view, past_s)
            if past_s >= seconds or view.ended() or enough(view):
                break
            closer.look(view, past_s)
            beat = next_beat(beat, past_s, BEAT_S)
            await asyncio.sleep(min(beat * BEAT_S, seconds) - past_s)
        if view.ended():
            await asyncio.wait(tasks, timeout=LAST_WORDS_S)
        view = Cursor().view(timeline, clock())
        seen(view)
    finally:
        await stopped(tasks, CLOSE_S)
    return view


class Watch:
    """Drives the sources of a session on a thread, up to a deadline that nothing holds up.

    ``view`` waits for the deadline; whatever the thread does by then, it returns what is known.
    """

    def __init__(
        self,
        session: Session,
        seconds: float,
        progress: Progress,
        *,
        enough: Callable[[View], bool] = lambda view: False,
        closer: WindowReads | None = None,
    ) -> None:
        self._session = session
        self._found: queue.SimpleQueue[View] = queue.SimpleQueue()
        self._is_over = False
        self._deadline_s = time.monotonic() + seconds + LATE_S

        def show(view: View, past_s: float) -> None:
            if not self._is_over:
                progress(view, past_s)

        def seen(view: View) -> None:  # a copy: sources may still add to it while they close
            self._found.put(replace(view, timeline=view.timeline.copied()))

        watching = watched(
            session, seconds, session.clock, show, enough=enough, seen=seen, closer=closer
        )
        self._apart = OwnLoop(watching)

    def view(self) -> View:
        """Return what was seen by the deadline, or when the process ended; raise as ctrl+c does.

        Raises what ``progress`` raised, too.
        """
        view: View | None = None
        while view is None and not self._apart.has_ended:
            left_s = self._deadline_s - time.monotonic()
            if left_s <= 0:
                break
            with contextlib.suppress(queue.Empty):
                view = self._found.get(timeout=min(BEAT_S, left_s))
        with contextlib.suppress(queue.Empty):
            view = view or self._found.get_nowait()
        if view is None and self._apart.has_ended:
            self._apart.result()
        return view or self.now()

    def now(self) -> View:
        """Return what is known now, while the thread may still add to it; progress ends."""
        self._is_over = True
        for _ in range(_TRIES):
            with contextlib.suppress(RuntimeError):  # it was added to while it was copied
                return Cursor().view(self._session.timeline.copied(), self._session.clock())
        return Cursor().view(self._session.timeline, self._session.clock())

    def close(self) -> None:
        """Wait for CLOSE_S at most until the sources are closed; ctrl+c ends the wait."""
        self._is_over = True
        with contextlib.suppress(KeyboardInterrupt):
            self._apart.wait(CLOSE_S)
