"""Options that several commands share: the process, the recording file, times and sizes."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

F = TypeVar("F", bound=Callable[..., object])
AddOption = Callable[[Callable[..., object]], Callable[..., object]]
"""What ``click.option(…)`` returns."""


def add_options(command: F, options: Sequence[AddOption]) -> F:
    """Return a command with options, which ``--help`` lists in this order."""
    decorated: Callable[..., object] = command
    for option in reversed(options):
        decorated = option(decorated)
    return cast("F", decorated)


def combine_options(
    name: str, make: Callable[..., object], options: Sequence[AddOption]
) -> Callable[[F], F]:
    """Return a decorator that adds options to a command and combines their values.

    ``make`` is called with the values that its parameters name. The command gets the result as the
    keyword argument ``name``, in their place.
    """
    parameters = tuple(inspect.signature(make).parameters)

    def decorate(command: F) -> F:
        @wraps(command)
        def with_combined(*context: click.Context, **values: Any) -> object:
            combined = make(**{each: values.pop(each) for each in parameters})
            return command(*context, **{name: combined}, **values)

        return add_options(cast("F", with_combined), options)

    return decorate


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
        help="Record from the start; without =FILE, to a file named after the time.",
    )(command)


def target_options(command: F) -> F:
    """Add the options that select a process, for a command without a screen."""
    return add_options(command, _TARGET_OPTIONS)


_TARGET_OPTIONS = (
    click.option("--pid", type=click.IntRange(min=1), metavar="PID", help="Select this process."),
    click.option(
        "--name",
        metavar="PATTERN",
        help="Select the process whose name matches (regular expression).",
    ),
    click.option(
        "--gctrace-command",
        metavar="COMMAND",
        help="Read gctrace from the output of a command: 'docker logs -f web'.",
    ),
)

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
        raise click.BadParameter(f"{text!r} is not a duration: write 60s, 5m, 1h, 7d or off")
    return seconds


def size(text: str) -> int:
    """Return the bytes of "256M", "1G", "512K" or "1000000"; raise BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)(?:i?b)?", text.strip().lower())
    count = int(float(found[1]) * _BYTES[found[2]]) if found else 0
    if count < 1:
        raise click.BadParameter(f"{text!r} is not a size: write 256M, 1G or 512K")
    return count
