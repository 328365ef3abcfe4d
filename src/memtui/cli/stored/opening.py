"""A recording that a command reads: opening it, and which part of it is meant."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from memtui.cli.errors import CliError

if TYPE_CHECKING:
    from memtui.recording import Recording

F = TypeVar("F", bound=Callable[..., object])
WHEN = "14:03, '2026-11-22 14:03', +5m, -30s, 50% or @mark"


def window_options(command: F) -> F:
    """Add --from and --to, which the command gets as ``start`` and ``end``."""
    for option in (
        click.option("--to", "end", metavar="WHEN", help="Up to this moment."),
        click.option("--from", "start", metavar="WHEN", help=f"From this moment on: {WHEN}."),
    ):
        command = option(command)
    return command


@contextlib.contextmanager
def opened(paths: tuple[str, ...]) -> Iterator[Recording]:
    """Open a recording; raise Complaint when it is none."""
    from memtui.recording import NotARecording, Recording

    try:
        recording = Recording.open([Path(each) for each in paths])
    except NotARecording as error:
        raise CliError(error.reason, error.hint) from None
    try:
        yield recording
    finally:
        recording.close()


def paths_of(recording: Recording) -> list[Path]:
    """Return the files of a recording, also those that were not named."""
    return [part.path for part in recording.segments]


def window(recording: Recording, start: str | None, end: str | None) -> tuple[float, float]:
    """Return the moments that --from and --to name; raise Complaint."""
    span = recording.span
    first = span[0] if start is None else at_moment(recording, start, span)
    last = span[1] if end is None else at_moment(recording, end, span)
    if last < first:
        raise CliError("--to is before --from")
    return first, last


def at_moment(recording: Recording, text: str, span: tuple[float, float] | None = None) -> float:
    """Return the moment that a text names; raise Complaint."""
    from memtui.recording.time_expressions import NotAMoment, parse_moment

    marks = recording.notable_events() if text.strip().startswith("@") else ()
    try:
        return parse_moment(text, span or recording.span, marks=marks)
    except NotAMoment as error:
        raise CliError(str(error)) from None
