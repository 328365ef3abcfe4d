"""The group of all commands: imports a command when it runs, and ends it on ctrl+c."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import click

from memtui.cli.errors import INTERRUPTED_EXIT

LINES = {
    "config": "Print all settings and keys, as a file to start from.",
    "demo": "Replay a recorded service whose RES grows while its live heap does not.",
    "doctor": "List what memtui can read of a process, and how to enable the rest.",
    "explain": "Print the parts of RES and why it grows, without a screen.",
    "export": "Convert a recording to CSV, JSON lines or OpenMetrics.",
    "flame": "Draw a profile as a flame graph (SVG).",
    "gctrace": "Print the GC cycles in a gctrace log, without a screen.",
    "info": "Print what a recording contains, and check it for damage.",
    "list": "Print source lines with their values, as go tool pprof -list.",
    "peek": "Print callers and callees of a function, as go tool pprof -peek.",
    "record": "Record a process to a file, without a screen.",
    "repair": "Copy the undamaged parts of a recording to a new file.",
    "replay": "Show a recording in the dashboard, at any moment.",
    "report": "Write a report of a recording as one HTML page.",
    "run": "Start a command with GODEBUG=gctrace=1 and watch it.",
    "tags": "Print the labels of a profile, as go tool pprof -tags.",
    "top": "Print the top functions of a profile, as go tool pprof -top.",
    "traces": "Print each sample with labels and stack, as go tool pprof -traces.",
    "tree": "Print callers and callees of the top functions, as go tool pprof -tree.",
}
"""The line of each command in ``--help``."""


REPORTS = frozenset(("flame", "list", "peek", "tags", "top", "traces", "tree"))
"""Reports of profiles, which start without the imports of the dashboard's options."""
MODULES = {"demo": "replay"} | dict.fromkeys(REPORTS, "reports")
"""The module in ``commands/`` of each command; the others are in a module of their own name."""


class Commands(click.Group):
    """A group that imports only the command that runs; ctrl+c ends a command without a message."""

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
        """Return the imported command; the group itself holds only names and lines."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and _import_command(found.name or ""), rest

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Parse the arguments; raise Exit on ctrl+c."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED_EXIT) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raise Exit on ctrl+c."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED_EXIT) from None


def _import_command(name: str) -> click.Command:
    module = vars(import_module(f"memtui.cli.commands.{MODULES.get(name, name)}"))
    command = module.get(name) or module[f"{name}_"]  # ``list`` is a builtin of Python
    assert isinstance(command, click.Command)
    return command
