"""Errors that the command line prints as one line and a hint, and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias

import click

from memtui.sanitize import plain

if TYPE_CHECKING:
    from memtui.diagnosis import Diagnosis


def exists(path: Path) -> bool:
    """Return whether a path exists; raise CliError if memtui may not read its folder."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror}") from None
    return True


class CliError(click.ClickException):
    """An error that is printed as one line and a hint; the exit code is 1."""

    exit_code = 1

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(plain(reason))
        self.hint = plain(hint)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line and the hint."""
        print(f"memtui: {self.message}", file=file or sys.stderr)
        if self.hint:
            print(f"  hint: {self.hint}", file=file or sys.stderr)


class AmbiguousTargetError(CliError):
    """An error for several matches, which are printed one a line; the exit code is 2."""

    exit_code = 2

    def __init__(self, reason: str, hint: str, choices: Sequence[str]) -> None:
        super().__init__(reason, hint)
        self._choices = [plain(each) for each in choices]

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line, the choices and the hint."""
        print(f"memtui: {self.message}", file=file or sys.stderr)
        for each in self._choices:
            print(f"  {each}", file=file or sys.stderr)
        print(f"  hint: {self.hint}", file=file or sys.stderr)


HARMLESS, NEEDS_ACTION, NOT_ENOUGH = 0, 3, 4

INTERRUPTED_EXIT = 130
"""The exit code in a shell of a program that SIGINT has ended."""

FailOn: TypeAlias = Literal["growth", "cause", "never"]
"""When a verdict sets exit code 3: if RES grows, for a cause that needs action, or never."""


def exit_code_of(diagnosis: Diagnosis, fail_on: FailOn = "cause") -> int:
    """Return the exit code for a verdict.

    0: steady or harmless; 3: a cause that needs action, with "growth" also any growth of RES;
    4: not enough data. With "never" always 0.
    """
    from memtui.diagnosis import Cause

    if fail_on == "never":
        return HARMLESS
    if diagnosis.needs_action or (fail_on == "growth" and diagnosis.grows):
        return NEEDS_ACTION
    causes = [found.cause for found in diagnosis.findings]
    return NOT_ENOUGH if Cause.NOT_ENOUGH_DATA in causes else HARMLESS
