"""The group of all commands, and how each of them ends when the user has had enough."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

INTERRUPTED = 130
"""What a shell makes of a program that SIGINT has ended."""


class Commands(click.Group):
    """Commands of which ctrl+c ends each at once and without a word.

    ``places`` says in which module each stands, under its own name. It is imported when it is
    called, or when all are listed: a dashboard that runs for months has no use for the others
    and their options.
    """

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.places: Mapping[str, str] = {}

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands in their order."""
        return sorted({*super().list_commands(context), *self.places})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command by its name; None when there is none."""
        place = self.places.get(name)
        if place is None:
            return super().get_command(context, name)
        found = getattr(import_module(place), name)
        assert isinstance(found, click.Command)
        return found

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the arguments; raise Exit when that is interrupted."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None

    def invoke(self, context: click.Context) -> Any:
        """Run the command; raise Exit when it is interrupted."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
