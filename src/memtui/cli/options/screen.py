"""Options for how the screen is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar, cast

import click

F = TypeVar("F", bound=Callable[..., object])

THEMES = ("dark", "light", "ansi", "auto")


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """How the screen is wished by options; None where they say nothing."""

    theme: str | None = None
    mouse: bool | None = None


def look_options(command: F) -> F:
    """Add ``--theme`` and ``--no-mouse``: the command gets them as ``wishes``."""

    @wraps(command)
    def with_wishes(
        *context: click.Context, theme: str | None, no_mouse: bool, **others: object
    ) -> object:
        wishes = ScreenOptions(theme, False if no_mouse else None)
        return command(*context, wishes=wishes, **others)

    decorated = with_wishes
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)


_OPTIONS = (
    click.option(
        "--theme",
        type=click.Choice(THEMES),
        help="Colours; ansi are the terminal's own, auto goes by the terminal.",
    ),
    click.option(
        "--no-mouse", is_flag=True, help="Leave the mouse to the terminal, to select text with."
    ),
)
