"""Exit codes besides 0 for success and 1 for failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memtui.diagnosis import Diagnosis

STEADY, CAUSE_FOUND, NOT_ENOUGH = 0, 3, 4

INTERRUPTED = 130
"""What a shell makes of a program that SIGINT has ended."""


def exit_code(diagnosis: Diagnosis) -> int:
    """Return the exit code of a command that judges: 3 means that a cause needs somebody to act."""
    from memtui.diagnosis import Cause

    if diagnosis.needs_action:
        return CAUSE_FOUND
    causes = [found.cause for found in diagnosis.findings]
    return NOT_ENOUGH if Cause.NOT_ENOUGH_DATA in causes else STEADY
