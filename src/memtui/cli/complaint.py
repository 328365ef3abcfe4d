"""Errors as the user sees them: one line, and a hint."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, Any

import click

from memtui.plain import plain


def exists(path: Path) -> bool:
    """Return whether a path leads to something; raise Complaint when that may not be asked."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Complaint(f"cannot read {path}: {error.strerror}") from None
    return True


class Complaint(click.ClickException):
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
