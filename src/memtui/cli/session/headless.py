"""A process watched without a screen, for some time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

import click

from memtui import units
from memtui.cli.complaint import Complaint, Several
from memtui.cli.options.profile import ProfileOptions
from memtui.cli.session.session import Session
from memtui.cli.session.trace import Trace
from memtui.plain import plain
from memtui.sources.discovery import Candidate
from memtui.sources.mapping import MappingSource
from memtui.sources.source import Clock, Refreshable, Source, drive
from memtui.sources.threads import ThreadsLeftBehind
from memtui.timeline import Cursor, View

BEAT_S = 1.0
MOST_LISTED = 20
LONGEST_COMMAND = 80
LAST_LOOK_S = 3.0
"""So long before the end what is read rarely is read once more: profiles, mappings by kind."""

Progress = Callable[[View, float], None]
"""Is told each second what there is, and how many seconds are over."""


def session_of(
    pid: int | None, name: str | None, options: ProfileOptions, trace: Trace, clock: Clock
) -> Session:
    """Return the session of one process, by its pid or its name; raise Complaint."""
    session = Session(options, trace, clock)
    session.watch_process(pid_of(name) if pid is None else pid)
    return session


def pid_of(name: str | None) -> int:
    """Return the pid of the one process whose name matches; raise Complaint."""
    from memtui.sources.discovery import Census, matching

    if name is None:
        raise Complaint("which process?", "give --pid PID or --name PATTERN")
    try:
        found = matching(Census().processes(), name)
    except ValueError as error:
        raise Complaint(str(error)) from None
    if not found:
        raise Complaint(f"no process matches {name!r}", "memtui shows a list to choose from")
    return _only(found, f"processes match {name!r}").pid


def _only(found: Sequence[Candidate], what: str) -> Candidate:
    """Return the one process that was found; raise Several with a list when there are more."""
    if len(found) == 1:
        return found[0]
    rows = [_row(each) for each in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        rows.append(f"and {len(found) - MOST_LISTED} more")
    raise Several(f"{len(found)} {what}", "give the number of one to --pid", rows)


def _row(found: Candidate) -> str:
    res = units.size(found.res_bytes) if isinstance(found.res_bytes, int) else "?"
    version = found.go_version if isinstance(found.go_version, str) else "-"
    command = " ".join(found.command)[:LONGEST_COMMAND] or found.name
    return f"{found.pid:>7} {res:>6}  {plain(version):<10} {plain(command)}"


def session_without_screen(
    pid: int | None, name: str | None, options: ProfileOptions, trace: Trace, interval_s: float
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
    from memtui.sources.discovery import origins

    found = origins(fd)
    if found:
        pid = _only(found, "programs write into this pipe").pid
        with contextlib.suppress(Complaint):  # it has ended meanwhile: what it wrote is there
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
) -> View:
    """Drive all sources of a session for some time, or until the process ends; return the view.

    It ends before that when a view holds ``enough``.
    """
    asyncio.get_running_loop().set_default_executor(ThreadsLeftBehind())
    timeline = session.timeline
    tasks = [asyncio.create_task(drive(each, timeline.append, clock)) for each in session.sources]
    try:
        _look_closely(session.sources, is_last=False)
        for beat in range(round(seconds / BEAT_S)):
            view = Cursor().view(timeline, clock())
            progress(view, beat * BEAT_S)
            if view.ended() or enough(view):
                break
            if beat == round((seconds - LAST_LOOK_S) / BEAT_S):
                _look_closely(session.sources, is_last=True)
            await asyncio.sleep(BEAT_S)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Cursor().view(timeline, clock())


def _look_closely(sources: list[Source], *, is_last: bool) -> None:
    """Read the mappings by kind, and at the end a profile: what grew between two of them."""
    for source in sources:
        if isinstance(source, MappingSource):
            source.read_groups()
        elif is_last and isinstance(source, Refreshable):
            source.look()
