"""What the commands share that read a recording: opening it, and which part of it is meant."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import click

from memtui.cli.complaint import Complaint

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
        raise Complaint(error.reason, error.hint) from None
    try:
        yield recording
    finally:
        recording.close()


def window(recording: Recording, start: str | None, end: str | None) -> tuple[float, float]:
    """Return the moments that --from and --to name; raise Complaint."""
    span = recording.span
    first = span[0] if start is None else at_moment(recording, start, span)
    last = span[1] if end is None else at_moment(recording, end, span)
    if last < first:
        raise Complaint("--to is before --from")
    return first, last


def at_moment(recording: Recording, text: str, span: tuple[float, float] | None = None) -> float:
    """Return the moment that a text names; raise Complaint."""
    from memtui.recording.moments import NoMoment, moment

    marks = recording.notable() if text.strip().startswith("@") else ()
    try:
        return moment(text, span or recording.span, marks=marks)
    except NoMoment as error:
        raise Complaint(str(error)) from None


@contextlib.contextmanager
def output(path: str | None) -> Iterator[IO[bytes]]:
    """Open a new file that its owner alone can read, or standard output; raise Complaint.

    The file gets its name when it is whole: what is interrupted, or fails, leaves none. A reader
    that has seen enough of standard output ends the command quietly.
    """
    if path is None or path == "-":
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if os.path.lexists(path):
        raise _is_there(path)
    try:
        with _unnamed(path) as file:
            yield file
    except FileExistsError:  # somebody else made it meanwhile
        raise _is_there(path) from None
    except OSError as error:
        raise Complaint(f"cannot write {path}: {error.strerror}") from None


def _is_there(path: str) -> Complaint:
    return Complaint(f"{path} is there already", "give another name to -o")


@contextlib.contextmanager
def _unnamed(path: str) -> Iterator[IO[bytes]]:
    """Write beside ``path``, and give it that name when it is whole; raises OSError."""
    part = f"{path}.{os.getpid()}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
        try:
            yield file
            file.flush()
            try:
                os.link(part, path, follow_symlinks=False)
            except PermissionError:  # a file system without hard links
                os.rename(part, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
