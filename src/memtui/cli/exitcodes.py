"""Exit codes besides 0 for success and 1 for failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from memtui.diagnosis import Diagnosis

HARMLESS, NEEDS_ACTION, NOT_ENOUGH = 0, 3, 4

INTERRUPTED = 130
"""What a shell makes of a program that SIGINT has ended."""

FailOn: TypeAlias = Literal["growth", "cause", "never"]
"""What a command that judges fails on: RES grows, a cause that needs action, nothing."""


def exit_code_of(diagnosis: Diagnosis, fail_on: FailOn = "cause") -> int:
    """Return the exit code of a command that judges.

    0: steady or harmless; 3: a cause that needs action, with "growth" also any growth of RES;
    4: not enough data. With "never" 0 in any case.
    """
    from memtui.diagnosis import Cause

    if fail_on == "never":
        return HARMLESS
    if diagnosis.needs_action or (fail_on == "growth" and diagnosis.grows):
        return NEEDS_ACTION
    causes = [found.cause for found in diagnosis.findings]
    return NOT_ENOUGH if Cause.NOT_ENOUGH_DATA in causes else HARMLESS
