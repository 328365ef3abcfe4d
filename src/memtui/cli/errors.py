"""Errors as the user sees them: one line, and a hint."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from memtui.sanitize import plain


def exists(path: Path) -> bool:
    """Return whether a path leads to something; raise Complaint when that may not be asked."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror}") from None
    return True


class CliError(click.ClickException):
    """Something that memtui cannot do: one line, a hint, and exit code 1."""

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
    """More than one thing is meant: what there is to choose from, a line each, and exit code 2."""

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
