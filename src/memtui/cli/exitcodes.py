"""What memtui ends with, beside 0, and 1 for what it cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memtui.diagnosis import Diagnosis

STEADY, CAUSE_FOUND, NOT_ENOUGH = 0, 3, 4

INTERRUPTED = 130
"""What a shell makes of a program that SIGINT has ended."""


def exit_code(diagnosis: Diagnosis) -> int:
    """Return what a command ends with that judges."""
    from memtui.diagnosis import Cause

    return {Cause.STEADY: STEADY, Cause.NOT_ENOUGH_DATA: NOT_ENOUGH}.get(
        diagnosis.first.cause, CAUSE_FOUND
    )
