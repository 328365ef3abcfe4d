"""``memtui``: watches a running process, or the gctrace lines piped into memtui."""

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
from memtui.cli.options.common import record_option
from memtui.cli.options.display import (
    HeadlessOptions,
    ScreenOptions,
    headless_options,
    screen_options,
)
from memtui.cli.options.profile import ProfileOptions, profile_options

if TYPE_CHECKING:  # a session imports the sources, which --help does not need
    from memtui.cli.live.sources import GctraceInput


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings=Commands.SETTINGS,
    epilog="In a pipe: ./service 2>&1 | memtui. Started by memtui: memtui run -- ./service.",
)
@click.option("--pid", type=click.IntRange(min=1), metavar="PID", help="Watch this process.")
@click.option(
    "--name", metavar="PATTERN", help="Watch the process whose name matches (regular expression)."
)
@click.option(
    "--gctrace",
    metavar="FILE|-",
    help="Read GODEBUG=gctrace=1 lines from a file, or from standard input (-).",
)
@click.option(
    "--gctrace-command",
    metavar="COMMAND",
    help="Read them from the output of a command: 'docker logs -f web'.",
)
@headless_options
@record_option
@profile_options
@screen_options
@click.version_option(__version__, prog_name="memtui", message="%(prog)s %(version)s")
@click.pass_context
def memtui(
    context: click.Context,
    pid: int | None,
    name: str | None,
    gctrace: str | None,
    gctrace_command: str | None,
    record: Path | None,
    headless: HeadlessOptions | None,
    options: ProfileOptions,
    screen: ScreenOptions,
) -> None:
    """Why does the RES of this Go process grow?

    Shows the memory of a running Go process as the kernel, the garbage collector and the profiler
    report it, side by side. The process needs no changes. Without --pid and --name, memtui shows a
    list of processes to choose from.
    """
    if context.invoked_subcommand is not None:
        return
    if pid is not None and name is not None:
        raise click.UsageError("--pid and --name exclude each other")
    if gctrace is not None and gctrace_command is not None:
        raise click.UsageError("--gctrace and --gctrace-command exclude each other")
    if headless is not None and options.base is not None:
        raise CliError(
            "--base and --diff-base need the screen", "memtui top A --base B prints a comparison"
        )
    if headless is not None:
        piped = headless.reads_input(pid, name)
        trace = _trace(gctrace, gctrace_command, reads_input=piped)
        if record is not None:
            raise click.UsageError("--record needs the screen; use memtui record without one")
        context.exit(_without_screen(pid, name, trace, options, headless))
    context.exit(watch(pid, name, _trace(gctrace, gctrace_command), options, record, screen))


def _trace(gctrace: str | None, command: str | None, *, reads_input: bool = True) -> GctraceInput:
    """Return where gctrace lines are read: from the given input, else from standard input."""
    from memtui.cli.live.sources import GctraceInput
    from memtui.cli.live.terminal import piped_input

    if command is not None:
        return GctraceInput(command=_checked(command))
    piped = piped_input() if gctrace == "-" or (gctrace is None and reads_input) else None
    if gctrace == "-" and piped is None:
        raise CliError("standard input is not a pipe", "./service 2>&1 | memtui --gctrace -")
    file = Path(gctrace) if gctrace not in (None, "-") else None
    if file is not None and not exists(file):
        raise CliError(f"no such file: {file}", "--gctrace takes a file, or - for a pipe")
    return GctraceInput(file, piped)


def _checked(command: str) -> str:
    """Return the command; raise CliError or UsageError if it cannot be started."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise click.UsageError(f"--gctrace-command: {error}: {command}") from None
    if not words or shutil.which(words[0]) is None:
        raise CliError(
            f"no such command: {words[0]}" if words else "--gctrace-command is empty",
            "it takes one command, as 'docker logs -f web'; for a pipeline: sh -c '…'",
        )
    return command


def _without_screen(
    pid: int | None,
    name: str | None,
    trace: GctraceInput,
    options: ProfileOptions,
    output: HeadlessOptions,
) -> int:
    """Print lines or a snapshot; return the exit code."""
    from memtui.cli.live.target import headless_session

    session = headless_session(pid, name, options, trace, output.interval_s)
    if output.is_plain:
        from memtui.cli.headless.plain import print_lines

        return print_lines(session, output.interval_s)
    from memtui.cli.headless.once import print_snapshot

    return print_snapshot(session, output.seconds, as_json=output.as_json)


def watch(
    pid: int | None,
    name: str | None,
    trace: GctraceInput,
    options: ProfileOptions,
    record: Path | None,
    screen: ScreenOptions,
) -> int:
    """Show the dashboard; return the exit code."""
    from memtui.cli.live.session import Session
    from memtui.cli.live.target import watch_in_dashboard

    session = Session(options, trace, time.time)
    if record is not None:
        session.record(record)
    watch_in_dashboard(session, pid, name, options, trace)
    return session.run(screen)
