"""memtui's command line, run in this process."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from memtui.cli.commands.watch import memtui


@dataclass(frozen=True, slots=True)
class Result:
    """What a command printed, and its exit code."""

    exit_code: object
    printed: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        """What it printed, as text."""
        return self.printed.decode()


def ran(*arguments: str | Path) -> Result:
    """Run memtui; its output is a pipe and no terminal."""
    out, error = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error), pytest.raises(SystemExit) as end:
        memtui([str(each) for each in arguments], prog_name="memtui")
    out.flush()
    printed = out.buffer
    assert isinstance(printed, io.BytesIO)
    return Result(end.value.code, printed.getvalue(), error.getvalue())
