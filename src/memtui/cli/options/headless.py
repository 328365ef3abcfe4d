"""Options of the dashboard's command for ``--plain`` and ``--once``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar, cast

import click

from memtui.cli.options.target import period

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class HeadlessOptions:
    """What is wanted instead of a screen: a line every ``interval_s`` seconds, or one snapshot.

    ``seconds`` is how long to look before the snapshot, None until every source has answered.
    """

    is_plain: bool
    interval_s: float = 1.0
    seconds: float | None = None
    as_json: bool = False

    def reads_input(self, pid: int | None, name: str | None) -> bool:
        """Return whether standard input is a trace, though nobody said so.

        A snapshot of a given process leaves it alone: in a script it belongs to the loop around it.
        """
        return self.is_plain or (pid is None and name is None)


def screenless_options(command: F) -> F:
    """Add --plain and --once; the command gets a ``screenless``, None where a screen is wanted."""

    @wraps(command)
    def with_options(
        *context: click.Context,
        plain: bool,
        once: bool,
        interval: float | None,
        seconds: float | None,
        as_json: bool,
        **others: object,
    ) -> object:
        given = _given(plain, once, interval, seconds, as_json=as_json)
        return command(*context, screenless=given, **others)

    decorated = with_options
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)


_OPTIONS = (
    click.option(
        "--plain",
        is_flag=True,
        help="No screen: a line of text each second, for pipes, logs and screen readers.",
    ),
    click.option(
        "--interval",
        callback=lambda context, option, text: text and period(text),
        metavar="TIME",
        help="With --plain: a line this often.",
    ),
    click.option(
        "--once",
        is_flag=True,
        help="No screen: print all panes once, and end with the exit code of explain.",
    ),
    click.option(
        "--for",
        "seconds",
        callback=lambda context, option, text: text and period(text),
        metavar="TIME",
        help="With --once: look for this long, so that there is more to judge; else until "
        "every source has answered, 10 s at most.",
    ),
    click.option("--json", "as_json", is_flag=True, help="With --once: one JSON object."),
)


def _given(
    plain: bool, once: bool, interval: float | None, seconds: float | None, *, as_json: bool
) -> HeadlessOptions | None:
    """Return what the user asked for; raise UsageError where it does not go together."""
    if plain and once:
        raise click.UsageError("--plain and --once exclude each other")
    if interval is not None and not plain:
        raise click.UsageError("--interval is for --plain")
    if not once and (as_json or seconds is not None):
        raise click.UsageError("--for and --json are for --once")
    if not plain and not once:
        return None
    return HeadlessOptions(plain, interval or 1.0, seconds, as_json)
