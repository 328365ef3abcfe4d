"""The command line: one file a command; nothing here imports Textual before a screen is needed."""

from memtui.cli.run import run
from memtui.cli.watch import memtui

__all__ = ["main"]

memtui.add_command(run)


def main() -> None:
    """Run the command line."""
    memtui(prog_name="memtui")
