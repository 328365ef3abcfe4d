"""``memtui gctrace``: read a trace without a screen, as a table or as JSON."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from memtui.cli.errors import CliError
from memtui.cli.exitcodes import INTERRUPTED
from memtui.cli.progress import Progress

if TYPE_CHECKING:
    from memtui.cli.stored.gctrace_report import GctraceReport

READ_BYTES = 64 << 10
"""What a pipe holds, and what the processor's cache has room for beside what is made of it."""

BROKEN_PIPE = 141
"""What a shell makes of a program that SIGPIPE has ended."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.argument("file", metavar="FILE|-")
@click.pass_context
def gctrace(context: click.Context, file: str, as_json: bool) -> None:
    """Print the collections in FILE, or in what is piped in (-), and a summary of them.

    Lines of every Go version are read, also behind the prefixes of docker, docker compose,
    kubectl, CRI and the journal; what a log line has torn apart is put together again where there
    is one way to do it, else counted. Each cycle is printed as soon as it is read:
    kubectl logs -f POD | memtui gctrace - ends with its input, or with ctrl+c and a summary.

    "CPU now" is the collector's share of all processors since the cycle before, "CPU all" since
    the start of the process, as the runtime prints it.

    With --json each object has a "kind": gc, scav, restart, and at last summary. "time" is RFC
    3339 in UTC, from the prefix of the line; null where it has none.
    """
    from memtui.cli.stored.gctrace_report import JsonReport, TextReport

    context.exit(_print(file, JsonReport() if as_json else TextReport()))


def _print(file: str, report: GctraceReport) -> int:
    """Print a report while it grows; return the exit code."""
    from memtui.parse.gctrace.decoder import TraceDecoder
    from memtui.sources.local_time import local_time

    decoder = TraceDecoder(keep_output=False, local_time=local_time(time.time))
    exit_code = 0
    fd = _opened(file)
    is_file = stat.S_ISREG(os.fstat(fd).st_mode)
    try:
        _write(report.head())
        try:
            with Progress("reading", beside_output=True) as progress:
                done, size = 0, max(1, os.fstat(fd).st_size)
                for data in _chunks(fd, file):
                    _write(report.lines(decoder.feed(data)))
                    done += len(data)
                    if is_file:
                        progress.at(done / size)
        except KeyboardInterrupt:
            exit_code = INTERRUPTED
        _write(report.lines(decoder.flush()))
        _write(report.summary(decoder))
    except BrokenPipeError:
        # Whoever read this has gone. What is still in the buffer must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return exit_code


def _write(lines: list[str]) -> None:
    if lines:
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def _opened(file: str) -> int:
    if file != "-":
        try:
            return os.open(file, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise CliError(f"cannot read {file}: {error.strerror}") from None
    if sys.stdin is None or sys.stdin.isatty():
        raise CliError("nothing is piped into memtui", "memtui gctrace FILE reads a file")
    return sys.stdin.fileno()


def _chunks(fd: int, file: str) -> Iterator[bytes]:
    try:
        while data := os.read(fd, READ_BYTES):
            yield data
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}") from None
