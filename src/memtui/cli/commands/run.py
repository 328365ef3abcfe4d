"""``memtui run``: starts a command with gctrace enabled, and watches it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import click

from memtui.cli.errors import CliError
from memtui.cli.options.common import record_option
from memtui.cli.options.display import ScreenOptions, screen_options
from memtui.cli.options.profile import ProfileOptions, profile_options


@click.command(
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
)
@record_option
@profile_options
@screen_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
@click.pass_context
def run(
    context: click.Context,
    record: Path | None,
    options: ProfileOptions,
    screen: ScreenOptions,
    command: tuple[str, ...],
) -> None:
    """Start COMMAND with GODEBUG=gctrace=1 and watch it.

    Other settings in GODEBUG are kept. Press o for the output of COMMAND. Signals to memtui are
    passed on to it. The exit code is that of COMMAND (128+n if signal n killed it).
    """
    if os.path.basename(command[0]) == "go" and command[1:2] == ("run",):
        raise click.UsageError(
            "go run would show the memory of the go command, not of your program; use: "
            "go build -o app . && memtui run -- ./app"
        )
    context.exit(watch_command(command, options, screen, record))


def watch_command(
    command: tuple[str, ...],
    options: ProfileOptions,
    screen: ScreenOptions,
    record: Path | None = None,
) -> int:
    """Start the command, show the dashboard, and return the exit code."""
    from memtui.cli.live.session import Session
    from memtui.cli.live.sources import GctraceInput
    from memtui.cli.live.terminal import take_terminal
    from memtui.sources.gctrace.child import Child

    if shutil.which(command[0]) is None:
        raise CliError(f"no such command: {command[0]}", "for a file in this folder: ./NAME")
    take_terminal()
    session = Session(options, GctraceInput(), time.time)
    session.listen()
    if record is not None:
        session.record(record)
    try:
        child = Child(command, os.environ)
    except OSError as error:
        raise CliError(f"cannot start {command[0]}: {error.strerror}") from None
    session.watch_child(child)
    return session.run(screen)
