"""Options for the screen, and for the output without a screen (``--plain``, ``--once``)."""

from __future__ import annotations

from dataclasses import dataclass

import click

from memtui.cli.options.common import combine_options, period

THEMES = ("dark", "light", "ansi", "auto")


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """Options for the screen; None: not given, the settings file decides."""

    theme: str | None = None
    mouse: bool | None = None


@dataclass(frozen=True, slots=True)
class HeadlessOptions:
    """Output without a screen: a line every ``interval_s`` seconds, or one snapshot.

    ``seconds`` is how long to watch before the snapshot; None: until every source has answered.
    """

    is_plain: bool
    interval_s: float = 1.0
    seconds: float | None = None
    as_json: bool = False

    def reads_input(self, pid: int | None, name: str | None) -> bool:
        """Return whether gctrace is read from standard input without ``--gctrace -``.

        A snapshot of a given process does not read it: in a script, standard input belongs to the
        loop around memtui.
        """
        return self.is_plain or (pid is None and name is None)


def _make_screen_options(theme: str | None, no_mouse: bool) -> ScreenOptions:
    return ScreenOptions(theme, False if no_mouse else None)


screen_options = combine_options(
    "screen",
    _make_screen_options,
    (
        click.option(
            "--theme",
            type=click.Choice(THEMES),
            help="Colours. ansi: those of the terminal; auto: chosen to fit the terminal.",
        ),
        click.option(
            "--no-mouse", is_flag=True, help="Leave the mouse to the terminal, to select text."
        ),
    ),
)
"""Adds ``--theme`` and ``--no-mouse``; the command gets ScreenOptions as ``screen``."""


def _make_headless_options(
    plain: bool, once: bool, interval: float | None, seconds: float | None, as_json: bool
) -> HeadlessOptions | None:
    """Return the options, None with a screen; raise UsageError if they exclude each other."""
    if plain and once:
        raise click.UsageError("--plain and --once exclude each other")
    if interval is not None and not plain:
        raise click.UsageError("--interval needs --plain")
    if not once and (as_json or seconds is not None):
        raise click.UsageError("--for and --json need --once")
    if not plain and not once:
        return None
    return HeadlessOptions(plain, interval or 1.0, seconds, as_json)


headless_options = combine_options(
    "headless",
    _make_headless_options,
    (
        click.option(
            "--plain",
            is_flag=True,
            help="No screen: print one line of text a second, for pipes, logs and screen readers.",
        ),
        click.option(
            "--interval",
            callback=lambda context, option, text: text and period(text),
            metavar="TIME",
            help="With --plain: the time between two lines.",
        ),
        click.option(
            "--once",
            is_flag=True,
            help="No screen: print all panes once and exit with the exit code of explain.",
        ),
        click.option(
            "--for",
            "seconds",
            callback=lambda context, option, text: text and period(text),
            metavar="TIME",
            help="With --once: watch for this long first, for a better verdict. Default: until "
            "every source has answered, at most 15 s.",
        ),
        click.option("--json", "as_json", is_flag=True, help="With --once: print one JSON object."),
    ),
)
"""Adds ``--plain`` and ``--once``; the command gets HeadlessOptions or None as ``headless``."""
