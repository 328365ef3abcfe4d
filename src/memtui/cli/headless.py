"""A process watched without a screen, for some time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from memtui.cli.complaint import Complaint
from memtui.cli.options import ProfileOptions
from memtui.cli.session import Session, Trace
from memtui.sources.mapping import MappingSource
from memtui.sources.source import Clock, Refreshable, Source, drive
from memtui.sources.threads import ThreadsLeftBehind
from memtui.timeline import Cursor, View

BEAT_S = 1.0
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
    if len(found) == 1:
        return found[0].pid
    if not found:
        raise Complaint(f"no process matches {name!r}", "memtui shows a list to choose from")
    pids = ", ".join(str(each.pid) for each in found[:8])
    raise Complaint(f"{len(found)} processes match {name!r}: {pids}", "give one of them to --pid")


async def watched(session: Session, seconds: float, clock: Clock, progress: Progress) -> View:
    """Drive all sources of a session for some time, or until the process ends; return the view."""
    asyncio.get_running_loop().set_default_executor(ThreadsLeftBehind())
    timeline = session.timeline
    tasks = [asyncio.create_task(drive(each, timeline.append, clock)) for each in session.sources]
    try:
        _look_closely(session.sources, is_last=False)
        for beat in range(round(seconds / BEAT_S)):
            view = Cursor().view(timeline, clock())
            progress(view, beat * BEAT_S)
            if view.ended():
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
            source.refresh()
