"""``memtui record``: records a process to a file for days, without a screen."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from memtui.cli.errors import CliError
from memtui.cli.options.common import period, size, target_options
from memtui.cli.options.profile import ProfileOptions, profile_options
from memtui.cli.progress import Progress

STOPPED, PROCESS_ENDED, NOT_WRITTEN = 0, 3, 1


@click.command()
@target_options
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    metavar="FILE|-",
    help="The recording; an existing one is continued. -: standard output.",
)
@click.option(
    "--for",
    "seconds",
    type=period,
    default="off",
    show_default="off: until stopped",
    metavar="TIME",
    help="Stop after this time: 72h.",
)
@click.option(
    "--interval",
    type=period,
    default="1s",
    show_default=True,
    metavar="TIME",
    help="The time between two reads of /proc.",
)
@click.option(
    "--max-size",
    type=size,
    default="256M",
    show_default=True,
    metavar="SIZE",
    help="Remove the oldest files of the recording above this total size.",
)
@click.option(
    "--max-age",
    type=period,
    default="7d",
    show_default=True,
    metavar="TIME",
    help="Remove files of the recording older than this; off: keep all.",
)
@click.option("--keep-args", is_flag=True, help="Also record the arguments of the process.")
@click.option("--keep-log", is_flag=True, help="Also record the other lines of its log.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option(
    "--follow-name",
    is_flag=True,
    help="After the process ends, wait for the next one of that name.",
)
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
    """Record a process until it ends, the time is over, or SIGTERM or SIGINT arrives.

    The file is flushed each second, so at most one second is lost. Survives a hangup.
    Arguments, environment and log lines of the process are not recorded.
    Exit code 0: stopped, or the time is over; 3: the process ended; 1: the file is incomplete.
    An event that cannot be written is skipped; the last line and memtui info print how many.
    """
    if interval is None:
        raise click.UsageError("--interval takes a duration: 1s, 10s, 1m")
    if pid is not None and name is not None:
        raise click.UsageError("--pid and --name exclude each other")
    from memtui.cli.headless.recorder import HeadlessRecorder, RecordTarget, record_in_thread
    from memtui.cli.live.sources import GctraceInput
    from memtui.recording import CannotRecord, Recorder, Redaction
    from memtui.recording.writer import Clocks

    target = RecordTarget(
        pid, name, options, GctraceInput(command=gctrace_command), interval, follow_name
    )
    session = target.first()
    if output == "-" and sys.stdout.isatty():
        raise CliError("a recording is not text for a terminal", "write it to a file or a pipe")
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
    headless = HeadlessRecorder(recorder, target, session, seconds, Progress())
    has_ended = record_in_thread(headless, seconds)
    click.echo(headless.summary(), err=True)
    if not headless.is_whole:
        context.exit(NOT_WRITTEN)
    context.exit(PROCESS_ENDED if has_ended else STOPPED)
