"""``memtui record``: a session into a file, without a screen, for days."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from memtui.cli.errors import CliError
from memtui.cli.options.profile import ProfileOptions, profile_options
from memtui.cli.options.target import period, size, target_options

TOLD, PROCESS_ENDED, NOT_WRITTEN = 0, 3, 1


@click.command()
@target_options
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    metavar="FILE|-",
    help="The recording; one that is there is appended to. -: standard output.",
)
@click.option(
    "--for",
    "seconds",
    type=period,
    default="off",
    show_default="until it is told to end",
    metavar="TIME",
    help="End after this time: 72h.",
)
@click.option(
    "--interval",
    type=period,
    default="1s",
    show_default=True,
    metavar="TIME",
    help="Read /proc this often.",
)
@click.option(
    "--max-size",
    type=size,
    default="256M",
    show_default=True,
    metavar="SIZE",
    help="Remove the oldest parts when all take more than this.",
)
@click.option(
    "--max-age",
    type=period,
    default="7d",
    show_default=True,
    metavar="TIME",
    help="Remove parts that are older than this; off: keep all.",
)
@click.option("--keep-args", is_flag=True, help="Record the arguments of the process too.")
@click.option("--keep-log", is_flag=True, help="Record the other lines that it writes too.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--follow-name", is_flag=True, help="When it ends, wait for the next of that name.")
@click.pass_context
@profile_options
def record(
    context: click.Context,
    pid: int | None,
    name: str | None,
    gctrace_command: str | None,
    output: str,
    seconds: float | None,
    interval: float | None,
    max_size: int,
    max_age: float | None,
    keep_args: bool,
    keep_log: bool,
    force: bool,
    follow_name: bool,
    options: ProfileOptions,
) -> None:
    """Record a process until it ends, the time is over, or SIGTERM or SIGINT says so.

    Flushed each second: whatever happens, at most that second is lost. It survives to be hung up.
    Arguments, environment and log lines of the process are not recorded.
    Exit code 0: told to end, or the time is over; 3: the process ended; 1: the file is not whole.
    An event that cannot be written is left out; the last line and memtui info have the number.
    """
    if interval is None:
        raise click.UsageError("--interval takes a time: 1s, 10s, 1m")
    if pid is not None and name is not None:
        raise click.UsageError("--pid and --name exclude each other")
    from memtui.cli.live.sources import TraceInput
    from memtui.cli.live.unattended import RecordTarget, Unattended, run_apart
    from memtui.recording import CannotRecord, Recorder, Redaction
    from memtui.recording.writer import Clocks

    target = RecordTarget(
        pid, name, options, TraceInput(command=gctrace_command), interval, follow_name
    )
    session = target.first()
    if output == "-" and sys.stdout.isatty():
        raise CliError("a recording is nothing to look at", "give a file, or a pipe behind it")
    try:
        recorder = Recorder(
            None if output == "-" else Path(output),
            clocks=Clocks(wall=target.clock),
            interval_s=interval,
            keeping=Redaction(args=keep_args, log=keep_log),
            max_bytes=max_size,
            max_age_s=max_age,
            force=force,
        )
    except CannotRecord as error:
        raise CliError(error.reason, error.hint) from None
    unattended = Unattended(recorder, target, session, seconds, _progress())
    has_ended = run_apart(unattended, seconds)
    click.echo(unattended.last_word(), err=True)
    if not unattended.is_whole:
        context.exit(NOT_WRITTEN)
    context.exit(PROCESS_ENDED if has_ended else TOLD)


class _Line:
    """The progress on standard error: a line that changes, or none where that is no terminal."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Show the line."""
        if self._is_terminal:
            click.echo(f"\r\x1b[K {text}", nl=False, err=True)

    def say(self, text: str) -> None:
        """Say something that is to be kept: also into a log."""
        clear = "\r\x1b[K" if self._is_terminal else ""
        stamp = "" if self._is_terminal else time.strftime("%Y-%m-%d %H:%M:%S ")
        click.echo(f"{clear}{stamp}memtui: {text}", err=True)


def _progress() -> _Line:
    return _Line()
