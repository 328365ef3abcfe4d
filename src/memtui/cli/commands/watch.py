"""``memtui``: watch a process that runs already, or the trace that another one pipes in."""

from __future__ import annotations

import shlex
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtui import __version__
from memtui.cli.errors import CliError, exists
from memtui.cli.group import Commands
from memtui.cli.options.headless import HeadlessOptions, screenless_options
from memtui.cli.options.profile import ProfileOptions, profile_options
from memtui.cli.options.screen import ScreenOptions, look_options
from memtui.cli.options.target import record_option

if TYPE_CHECKING:  # a session brings in the sources, which --help has no use for
    from memtui.cli.live.session import Session
    from memtui.cli.live.sources import TraceInput

HINT_FOR_PICKING = "without --pid and --name memtui shows a list to choose from"


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings=Commands.SETTINGS,
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
@click.option(
    "--gctrace-command",
    metavar="COMMAND",
    help="Read them from what a command writes: 'docker logs -f web'.",
)
@screenless_options
@record_option
@profile_options
@look_options
@click.version_option(__version__, prog_name="memtui", message="%(prog)s %(version)s")
@click.pass_context
def memtui(
    context: click.Context,
    pid: int | None,
    name: str | None,
    gctrace: str | None,
    gctrace_command: str | None,
    record: Path | None,
    screenless: HeadlessOptions | None,
    options: ProfileOptions,
    wishes: ScreenOptions,
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
    if gctrace is not None and gctrace_command is not None:
        raise click.UsageError("--gctrace and --gctrace-command exclude each other")
    if screenless is not None and options.base is not None:
        raise CliError(
            "a comparison of profiles needs the screen", "memtui top A --base B prints one"
        )
    if screenless is not None:
        piped = screenless.reads_input(pid, name)
        trace = _trace(gctrace, gctrace_command, reads_input=piped)
        if record is not None:
            raise click.UsageError("--record needs the screen; without one: memtui record")
        context.exit(_without_screen(pid, name, trace, options, screenless))
    context.exit(watch(pid, name, _trace(gctrace, gctrace_command), options, record, wishes))


def _trace(gctrace: str | None, command: str | None, *, reads_input: bool = True) -> TraceInput:
    """Return where the trace comes from: as the user said, or else from standard input."""
    from memtui.cli.live.sources import TraceInput
    from memtui.cli.live.terminal import piped_input

    if command is not None:
        return TraceInput(command=_checked(command))
    piped = piped_input() if gctrace == "-" or (gctrace is None and reads_input) else None
    if gctrace == "-" and piped is None:
        raise CliError(
            "nothing is piped into memtui", "memtui --gctrace - reads what another program writes"
        )
    file = Path(gctrace) if gctrace not in (None, "-") else None
    if file is not None and not exists(file):
        raise CliError(f"no such file: {file}", "--gctrace takes a file, or - for a pipe")
    return TraceInput(file, piped)


def _checked(command: str) -> str:
    """Return a command that can be split into words, the first of which can be started."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise click.UsageError(f"--gctrace-command: {error}: {command}") from None
    if not words or shutil.which(words[0]) is None:
        raise CliError(
            f"no such command: {words[0] if words else 'an empty one'}",
            "--gctrace-command takes one command: 'docker logs -f web'; a pipeline: sh -c '…'",
        )
    return command


def _without_screen(
    pid: int | None,
    name: str | None,
    trace: TraceInput,
    options: ProfileOptions,
    output: HeadlessOptions,
) -> int:
    """Print lines or a snapshot; return the exit code."""
    from memtui.cli.live.watch import session_without_screen

    session = session_without_screen(pid, name, options, trace, output.interval_s)
    if output.is_plain:
        from memtui.cli.headless.ticker import print_lines

        return print_lines(session, output.interval_s)
    from memtui.cli.headless.once import print_snapshot

    return print_snapshot(session, output.seconds, as_json=output.as_json)


def watch(
    pid: int | None,
    name: str | None,
    trace: TraceInput,
    options: ProfileOptions,
    record: Path | None,
    wishes: ScreenOptions,
) -> int:
    """Show the dashboard; return the exit code."""
    from memtui.cli.live.session import Session

    session = Session(options, trace, time.time)
    if record is not None:
        session.record(record)
    if pid is not None:
        session.watch_process(pid)
    elif name is not None:
        _watch_name(session, name)
    elif trace.fd is not None:
        _watch_writer(session, trace.fd)
    elif trace.given or options.is_file:
        session.watch_files()
    else:
        _watch_chosen(session)
    return session.run(wishes)


def _watch_chosen(session: Session) -> None:
    from memtui.sources.process.discovery import Census

    session.choose(Census().processes, "Select a process")


def _watch_name(session: Session, name: str) -> None:
    """Watch the one process that matches; let the user choose when there are several."""
    from memtui.sources.process.discovery import Census, matching

    census = Census()
    try:
        found = matching(census.processes(), name)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if not found:
        raise CliError(f"no process matches {name!r}", HINT_FOR_PICKING)
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
    from memtui.sources.process.discovery import origins

    go = origins(fd)
    if len(go) == 1:
        session.watch_process(go[0].pid)
    elif go:
        session.choose(lambda: iter(go), "several programs write into this pipe: which one?")
    else:
        session.watch_files()
