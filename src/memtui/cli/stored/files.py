"""A recording that a command reads: opening it, and which part of it is meant.

The file that a command writes: there when it is whole, and in no other's place.
"""

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
    return [part.path for part in recording.parts]


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
    from memtui.recording.moments import NoMoment, moment

    marks = recording.notable() if text.strip().startswith("@") else ()
    try:
        return moment(text, span or recording.span, marks=marks)
    except NoMoment as error:
        raise CliError(str(error)) from None


def output_options(*, required: bool = False) -> Callable[[F], F]:
    """Add -o and --force, which the command gets as ``out`` and ``force``."""

    def decorated(command: F) -> F:
        said = f"A new file; {'-: ' if required else 'else '}standard output."
        for option in (
            click.option("--force", is_flag=True, help="Replace a file that is there."),
            click.option("-o", "--output", "out", metavar="OUT", required=required, help=said),
        ):
            command = option(command)
        return command

    return decorated


@contextlib.contextmanager
def output(
    path: str | None, *, force: bool | None = None, sources: Sequence[Path] = ()
) -> Iterator[IO[bytes]]:
    """Open a new file that its owner alone can read, or standard output; raise Complaint.

    The file gets its name when it is whole: what is interrupted, or fails, leaves none. With
    ``force`` it takes the place of one that is there, but of no link, and of none of ``sources``,
    which are being read; None: the command has no --force. A reader that has seen enough of
    standard output ends the command quietly.
    """
    if path is None or path == "-":
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    hint = "give another name to -o" if force is None else "--force replaces it"
    if force:
        _may_go(Path(path), sources)
    elif os.path.lexists(path):
        raise _is_there(path, hint)
    try:
        with _unnamed(path, replaces=bool(force)) as file:
            yield file
    except FileExistsError:  # somebody else made it meanwhile
        raise _is_there(path, hint) from None
    except OSError as error:
        raise CliError(f"cannot write {path}: {error.strerror}") from None


def _is_there(path: str, hint: str) -> CliError:
    return CliError(f"{path} is there already", hint)


def _may_go(path: Path, sources: Sequence[Path]) -> None:
    """Raise Complaint unless what is there is a file, and none that is being read."""
    try:
        there = path.lstat()
    except OSError:  # nothing is there; or writing beside it will say why not
        return
    if not stat.S_ISREG(there.st_mode):
        what = "a link" if stat.S_ISLNK(there.st_mode) else "no file"
        raise CliError(f"cannot replace {path}: it is {what}", "give another name to -o")
    if any(os.path.samestat(there, each.stat()) for each in sources):
        raise CliError(f"cannot replace {path}: it is the recording", "give another name to -o")


@contextlib.contextmanager
def _unnamed(path: str, *, replaces: bool) -> Iterator[IO[bytes]]:
    """Write beside ``path``, and give it that name when it is whole; raises OSError."""
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
