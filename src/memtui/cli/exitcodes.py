"""What memtui ends with, beside 0, and 1 for what it cannot do."""

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
    """Return what a command ends with that judges.

    0: steady or harmless; 3: a cause that needs action, with "growth" also any growth of RES;
    4: not enough data. With "never" 0 in any case.
    """
    from memtui.diagnosis import Cause

    if fail_on == "never":
        return HARMLESS
    if needs_action(diagnosis) or (fail_on == "growth" and diagnosis.window.grows):
        return NEEDS_ACTION
    return NOT_ENOUGH if diagnosis.first.cause is Cause.NOT_ENOUGH_DATA else HARMLESS


def needs_action(diagnosis: Diagnosis) -> bool:
    """Tell whether the leading cause is one that somebody has to do something about."""
    from memtui.diagnosis import Cause

    harmless = (Cause.STEADY, Cause.NOT_ENOUGH_DATA, Cause.LAZILY_FREED)
    return diagnosis.first.cause not in harmless
