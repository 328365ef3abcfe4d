"""Finds the process to watch: by pid, by name, by the pipe it writes to, or from a list."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

import click

from memtui import units
from memtui.cli.errors import AmbiguousTargetError, CliError
from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.sanitize import plain
from memtui.sources.process.discovery import Candidate
from memtui.sources.source import Clock

MOST_LISTED = 20
LONGEST_COMMAND = 80
_PICK_HINT = "run memtui without --pid and --name to choose from a list"


def find_pid(name: str | None) -> int:
    """Return the pid of the only process whose name matches; raise CliError."""
    if name is None:
        raise CliError("no process given", "add --pid PID or --name PATTERN")
    try:
        found = _find_by_name(name)
    except ValueError as error:
        raise CliError(str(error)) from None
    if len(found) > 1:
        _raise_ambiguous(found, f"processes match {name!r}")
    return found[0].pid


def _find_by_name(name: str) -> list[Candidate]:
    """Return the processes whose name matches, at least one.

    Raises CliError if there is none, ValueError if ``name`` is not a regular expression.
    """
    from memtui.sources.process.discovery import ProcessFinder, matching

    found = matching(ProcessFinder().processes(), name)
    if not found:
        raise CliError(f"no process matches {name!r}", _PICK_HINT)
    return found


def _raise_ambiguous(found: Sequence[Candidate], what: str) -> NoReturn:
    rows = [_candidate_row(each) for each in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        rows.append(f"and {len(found) - MOST_LISTED} more")
    raise AmbiguousTargetError(f"{len(found)} {what}", "select one with --pid", rows)


def _candidate_row(found: Candidate) -> str:
    res = units.size(found.res_bytes) if isinstance(found.res_bytes, int) else "?"
    version = found.go_version if isinstance(found.go_version, str) else "-"
    command = " ".join(found.command)[:LONGEST_COMMAND] or found.name
    return f"{found.pid:>7} {res:>6}  {plain(version):<10} {plain(command)}"


def session_of(
    pid: int | None, name: str | None, options: ProfileOptions, trace: GctraceInput, clock: Clock
) -> Session:
    """Return the session of one process, given by pid or name; raise CliError."""
    session = Session(options, trace, clock)
    session.watch_process(find_pid(name) if pid is None else pid)
    return session


def headless_session(
    pid: int | None,
    name: str | None,
    options: ProfileOptions,
    trace: GctraceInput,
    interval_s: float,
) -> Session:
    """Return the session that the dashboard would show, without asking the user.

    Raises UsageError if no target is given, AmbiguousTargetError if several processes match.
    """
    session = Session(options, trace, time.time, interval_s)
    if pid is None and name is not None:
        pid = find_pid(name)
    if not watch_target(session, pid, None, options, trace, choose=_raise_ambiguous):
        raise click.UsageError("no process given: add --pid PID or --name PATTERN")
    return session


def watch_in_dashboard(
    session: Session,
    pid: int | None,
    name: str | None,
    options: ProfileOptions,
    trace: GctraceInput,
) -> None:
    """Watch the target; show a list if several processes match, or if no target is given."""
    from memtui.sources.process.discovery import ProcessFinder

    census = ProcessFinder()

    def choose(found: Sequence[Candidate], what: str) -> None:
        pids = [each.pid for each in found]
        session.choose(
            lambda: (each for pid in pids if (each := census.candidate(pid))),
            f"{len(found)} {what}: select one",
        )

    try:
        if not watch_target(session, pid, name, options, trace, choose=choose):
            session.choose(census.processes, "select a process")
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def watch_target(
    session: Session,
    pid: int | None,
    name: str | None,
    options: ProfileOptions,
    trace: GctraceInput,
    *,
    choose: Callable[[Sequence[Candidate], str], None],
) -> bool:
    """Watch the process or the files that the options name; return False if they name none.

    ``choose`` is called with the processes if there are several, and with what they have in common.
    Raises ValueError if ``name`` is not a regular expression.
    """
    if pid is not None:
        session.watch_process(pid)
    elif name is not None:
        found = _find_by_name(name)
        if len(found) == 1:
            session.watch_process(found[0].pid)
        else:
            choose(found, f"processes match {name!r}")
    elif trace.fd is not None:
        _watch_writer(session, trace.fd, choose)
    elif trace.given or options.is_file:
        session.watch_files()
    else:
        return False
    return True


def _watch_writer(
    session: Session, fd: int, choose: Callable[[Sequence[Candidate], str], None]
) -> None:
    """Watch the program that writes to a pipe; only its gctrace if that program is unknown."""
    from memtui.sources.process.discovery import go_writers

    found = go_writers(fd)
    if len(found) > 1:
        choose(found, "programs write to this pipe")
        return
    with contextlib.suppress(CliError):  # it has ended in the meantime; its output is still there
        if found:
            session.watch_process(found[0].pid)
            return
    session.watch_files()
