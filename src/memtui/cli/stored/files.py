"""Opens the recordings that a command reads, and the file that it writes."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import click

from memtui.cli.errors import CliError

if TYPE_CHECKING:
    from memtui.recording import Recording


F = TypeVar("F", bound=Callable[..., object])
WHEN = "14:03, '2026-11-22 14:03', +5m, -30s, 50% or @mark"


def window_options(command: F) -> F:
    """Add --from and --to, which the command gets as ``start`` and ``end``."""
    for option in (
        click.option("--to", "end", metavar="WHEN", help="The end: a moment."),
        click.option("--from", "start", metavar="WHEN", help=f"The start: {WHEN}."),
    ):
        command = option(command)
    return command


@contextlib.contextmanager
def opened(paths: tuple[str, ...]) -> Iterator[Recording]:
    """Open a recording; raise CliError if the files are not one."""
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
    """Return all files of a recording, also those that the user did not name."""
    return [part.path for part in recording.segments]


def window(recording: Recording, start: str | None, end: str | None) -> tuple[float, float]:
    """Return the moments of --from and --to; raise CliError."""
    span = recording.span
    first = span[0] if start is None else at_moment(recording, start, span)
    last = span[1] if end is None else at_moment(recording, end, span)
    if last < first:
        raise CliError("--to is before --from")
    return first, last


def at_moment(recording: Recording, text: str, span: tuple[float, float] | None = None) -> float:
    """Return the moment that a text describes; raise CliError."""
    from memtui.recording.time_expressions import NotAMoment, parse_moment

    marks = recording.notable_events() if text.strip().startswith("@") else ()
    try:
        return parse_moment(text, span or recording.span, marks=marks)
    except NotAMoment as error:
        raise CliError(str(error)) from None


def output_options(*, required: bool = False) -> Callable[[F], F]:
    """Add -o and --force, which the command gets as ``out`` and ``force``."""

    def decorated(command: F) -> F:
        text = f"The output file. {'-' if required else 'Default'}: standard output."
        for option in (
            click.option("--force", is_flag=True, help="Replace an existing file."),
            click.option("-o", "--output", "out", metavar="OUT", required=required, help=text),
        ):
            command = option(command)
        return command

    return decorated


@contextlib.contextmanager
def output(
    path: str | None, *, force: bool | None = None, sources: Sequence[Path] = ()
) -> Iterator[IO[bytes]]:
    """Open a new file that only its owner can read, or standard output; raise CliError.

    The file gets its name when it is complete, so an interrupted command leaves no file. ``force``
    replaces an existing file, but not a link or one of ``sources``, which are being read; None: the
    command has no --force. If the reader of standard output is gone, the command ends quietly.
    """
    if path is None or path == "-":
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    hint = "use another name" if force is None else "--force replaces it"
    if force:
        _check_replaceable(Path(path), sources)
    elif os.path.lexists(path):
        raise _exists_error(path, hint)
    try:
        with _temporary(path, replaces=bool(force)) as file:
            yield file
    except FileExistsError:  # another process has made it in the meantime
        raise _exists_error(path, hint) from None
    except OSError as error:
        raise CliError(f"cannot write {path}: {error.strerror}") from None


def _exists_error(path: str, hint: str) -> CliError:
    return CliError(f"{path} exists", hint)


def _check_replaceable(path: Path, sources: Sequence[Path]) -> None:
    """Raise CliError unless the path is free, or a regular file that is not being read."""
    try:
        there = path.lstat()
    except OSError:  # nothing to replace, or opening the new file raises the error
        return
    if not stat.S_ISREG(there.st_mode):
        what = "a link" if stat.S_ISLNK(there.st_mode) else "not a regular file"
        raise CliError(f"cannot replace {path}: it is {what}", "use another name")
    if any(os.path.samestat(there, each.stat()) for each in sources):
        raise CliError(f"cannot replace {path}: it is the recording being read", "use another name")


@contextlib.contextmanager
def _temporary(path: str, *, replaces: bool) -> Iterator[IO[bytes]]:
    """Write a temporary file next to ``path`` and rename it when it is complete; raise OSError."""
    part = f"{path}.{os.getpid()}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
        try:
            yield file
            file.flush()
            if replaces:
                os.replace(part, path)
                return
            try:
                os.link(part, path, follow_symlinks=False)
            except PermissionError:  # a file system without hard links
                os.rename(part, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
