"""Options that say which process is watched, and into which file it is recorded.

Times and sizes as they are written on a command line.
"""

from __future__ import annotations

import re
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


_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def period(text: str) -> float | None:
    """Return the seconds of "60", "60s", "5m", "1h", "7d", None for "off"; raise BadParameter."""
    text = text.strip().lower()
    if text == "off":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if seconds < 1:
        raise click.BadParameter(f"{text!r} is no time: write 60s, 5m, 1h, 7d or off")
    return seconds


def size(text: str) -> int:
    """Return the bytes of "256M", "1G", "512K" or "1000000"; raise BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)(?:i?b)?", text.strip().lower())
    count = int(float(found[1]) * _BYTES[found[2]]) if found else 0
    if count < 1:
        raise click.BadParameter(f"{text!r} is no size: write 256M, 1G or 512K")
    return count
