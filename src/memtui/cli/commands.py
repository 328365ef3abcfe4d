"""The group of all commands, and how each of them ends when the user has had enough."""

from __future__ import annotations

from typing import Any

import click

INTERRUPTED = 130
"""What a shell makes of a program that SIGINT has ended."""


class Commands(click.Group):
    """Commands of which ctrl+c ends each at once and without a word."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; raise Exit when it is interrupted."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
