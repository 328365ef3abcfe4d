"""The group of all commands, and how each of them ends when the user has had enough."""

from __future__ import annotations

from typing import Any

import click

INTERRUPTED = 130
"""What a shell makes of a program that SIGINT has ended."""


class Commands(click.Group):
    """Commands of which ctrl+c ends each at once and without a word."""

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
