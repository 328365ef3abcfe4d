"""Options that say which process is watched, and into which file it is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def record_option(command: F) -> F:
    """Add ``--record[=FILE]``: the command gets the file as ``record``, None without it."""

    def file(context: click.Context, option: click.Parameter, text: str | None) -> Path | None:
        if text is None:
            return None
        return Path(text or time.strftime("memtui-%Y%m%d-%H%M%S.memtui"))

    return click.option(
        "--record",
        is_flag=False,
        flag_value="",
        callback=file,
        metavar="FILE",
        help="Record from the start (--record=FILE); without a name into one made of the time.",
    )(command)


def target_options(command: F) -> F:
    """Add the options that say which process is meant, for a command without a screen."""
    for option in (
        click.option(
            "--gctrace-command",
            metavar="COMMAND",
            help="Read gctrace from what a command writes: 'docker logs -f web'.",
        ),
        click.option("--name", metavar="PATTERN", help="The one whose name matches."),
        click.option("--pid", type=click.IntRange(min=1), metavar="PID", help="The process."),
    ):
        command = option(command)
    return command
