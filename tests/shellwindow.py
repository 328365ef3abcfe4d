"""What tests ask of a shell in a terminal: its memtui, and whether the terminal is as it was."""

from __future__ import annotations

from typing import Any

import psutil

RESTORED = ("0", "0", "1")
"""No alternate screen, no mouse, a cursor."""


def memtui_in(window: Any) -> psutil.Process:
    """Return the memtui that the terminal's shell started."""
    shell = psutil.Process(window.pane_pid())
    return next(
        each
        for each in shell.children(recursive=True)
        if any(part.endswith("/memtui") for part in each.cmdline())
    )
