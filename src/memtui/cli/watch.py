"""``memtui``: watch a process that runs already, or the trace that another one pipes in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtui import __version__
from memtui.cli.complaint import Complaint, exists
from memtui.cli.options import ProfileOptions, profile_options

if TYPE_CHECKING:  # a session brings in the sources, which --help has no use for
    from memtui.cli.session import Session

HINT_FOR_PICKING = "without --pid and --name memtui shows a list to choose from"


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
    epilog="In a pipe: ./service |& memtui. Started by memtui: memtui run -- ./service.",
)
@click.option("--pid", type=click.IntRange(min=1), metavar="PID", help="Watch this process.")
@click.option(
    "--name", metavar="PATTERN", help="Watch the process whose name matches (regular expression)."
)
@click.option(
    "--gctrace",
    metavar="FILE|-",
    help="Read the lines of GODEBUG=gctrace=1 from a file or, with -, from standard input.",
)
@profile_options
@click.version_option(__version__, prog_name="memtui", message="%(prog)s %(version)s")
@click.pass_context
def memtui(
    context: click.Context,
    pid: int | None,
    name: str | None,
    gctrace: str | None,
    pprof: str | None,
    no_probe: bool,
    profile_every: float | None,
    max_profile_size: int,
) -> None:
    """Why does the RES of this Go process grow?

    Shows side by side what the kernel, the garbage collector and the profiler say about a running
    Go process. Nothing has to be installed in it. With neither --pid nor --name: a list to choose
    from.
    """
    if context.invoked_subcommand is not None:
        return
    if pid is not None and name is not None:
        raise click.UsageError("--pid and --name exclude each other")
    options = ProfileOptions.given(
        pprof, no_probe=no_probe, every_s=profile_every, limit_bytes=max_profile_size
    )
    context.exit(watch(pid, name, gctrace, options))


def watch(pid: int | None, name: str | None, gctrace: str | None, options: ProfileOptions) -> int:
    """Show the dashboard; return the exit code."""
    from memtui.cli.session import Session, Trace
    from memtui.cli.terminal import piped_input

    piped = piped_input() if gctrace in (None, "-") else None
    if gctrace == "-" and piped is None:
        raise Complaint(
            "nothing is piped into memtui", "memtui --gctrace - reads what another program writes"
        )
    file = Path(gctrace) if gctrace not in (None, "-") else None
    if file is not None and not exists(file):
        raise Complaint(f"no such file: {file}", "--gctrace takes a file, or - for a pipe")
    session = Session(options, Trace(file, piped), time.time)
    if pid is not None:
        session.watch_process(pid)
    elif name is not None:
        _watch_name(session, name)
    elif piped is not None:
        _watch_writer(session, piped)
    elif file is not None or options.is_file:
        session.watch_files()
    else:
        _watch_chosen(session)
    return session.run()


def _watch_chosen(session: Session) -> None:
    from memtui.sources.discovery import Census

    session.choose(Census().processes, "which process?")


def _watch_name(session: Session, name: str) -> None:
    """Watch the one process that matches; let the user choose when there are several."""
    from memtui.sources.discovery import Census, matching

    census = Census()
    try:
        found = matching(census.processes(), name)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if not found:
        raise Complaint(f"no process matches {name!r}", HINT_FOR_PICKING)
    if len(found) == 1:
        session.watch_process(found[0].pid)
        return
    pids = [each.pid for each in found]
    session.choose(
        lambda: (each for pid in pids if (each := census.candidate(pid))),
        f"{len(found)} processes match {name!r}: which one?",
    )


def _watch_writer(session: Session, fd: int) -> None:
    """Watch the program that writes into the pipe, so that all panes have something to show."""
    from memtui.model import Absent
    from memtui.sources.discovery import pipe_origin

    found = pipe_origin(fd)
    go = [each for each in found if isinstance(each.go_version, str)] or [
        each for each in found if isinstance(each.go_version, Absent)
    ]
    if len(go) == 1:
        session.watch_process(go[0].pid)
    elif go:
        session.choose(lambda: iter(go), "several programs write into this pipe: which one?")
    else:
        session.watch_files()
