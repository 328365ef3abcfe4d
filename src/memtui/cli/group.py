"""The group of all commands: what there is, and how each ends when the user has had enough."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import click

from memtui.cli.exitcodes import INTERRUPTED

LINES = {
    "config": "Print the settings and keys, as a file to begin with.",
    "demo": "Show a recorded service whose RES grows and whose heap does not.",
    "doctor": "Say what can be seen of a process, and what each missing thing adds.",
    "explain": "Say where RES goes and why, without a screen.",
    "export": "Write a recording as CSV, JSON lines or OpenMetrics.",
    "flame": "Draw a profile as a flame graph: one SVG file.",
    "gctrace": "Read a gctrace log without a screen.",
    "info": "Say what a recording holds, and whether it is whole.",
    "list": "Print source with what each line comes to, as -list.",
    "peek": "Print who calls a function and what it calls, as -peek.",
    "record": "Record a process into a file, without a screen.",
    "repair": "Save what is whole in a damaged recording.",
    "replay": "Show a recording as it was, at any moment of it.",
    "report": "Write a recording as one page of HTML: verdict, ledger, plots.",
    "run": "Start a command with gctrace=1 and watch it.",
    "tags": "Print the labels of a profile, as go tool pprof -tags.",
    "top": "Print the top functions of a profile, as go tool pprof -top.",
    "traces": "Print each sample with its labels and its stack, as -traces.",
    "tree": "Print callers and callees of the top functions, as -tree.",
}
"""What ``--help`` says of each command; ``commands/`` has a file of that name, with the command."""


REPORTS = frozenset(("flame", "list", "peek", "tags", "top", "traces", "tree"))
"""Commands that end in a tenth of a second: they do without the options of a session."""


class Commands(click.Group):
    """Commands of which only the one that runs is imported; ctrl+c ends each without a word."""

    SETTINGS: ClassVar[dict[str, Any]] = {
        "help_option_names": ["-h", "--help"],
        "max_content_width": 96,
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, line in LINES.items():
            self.add_command(click.Command(name, short_help=line))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command itself, where the group holds its name and its line alone."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and _imported(found.name or ""), rest

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

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raise Exit when it is interrupted."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None


def _imported(name: str) -> click.Command:
    module = vars(import_module(f"memtui.cli.commands.{name}"))
    command = module.get(name) or module[f"{name}_"]  # ``list`` is Python's own word
    assert isinstance(command, click.Command)
    return command
