"""Which function of the program the finalizers' goroutine is in, by a goroutine profile."""

from __future__ import annotations

from collections.abc import Sequence

from memtui.model.profile import SampleValues
from memtui.pprof.stacks import Stacks

RUNNERS = ("runtime.runfinq", "runtime.runFinalizers", "runtime.runCleanups")
"""Functions that run finalizers and cleanups (Go 1.27.3 runtime/mfinal.go, runtime/mcleanup.go;
runfinq before Go 1.25)."""
_CALLS = ("runtime.", "internal/", "reflect.")


def finalizing_in(stacks: Stacks, values: Sequence[SampleValues]) -> str:
    """Return the function that a runner called, "" when none is running or its name is not known.

    Walks the stacks only of a goroutine profile that has a runner. Raises ProfileError.
    """
    of_goroutines = next((each for each in values if each.type == "goroutine"), None)
    if of_goroutines is None or not any(each.name in RUNNERS for each in of_goroutines.functions):
        return ""
    for sample in stacks.samples():
        names = [
            line.function.name
            for place in sample.location_id
            if place in stacks.locations
            for line in stacks.locations[place].lines
        ]
        if name := _called(names):
            return name
    return ""


def _called(names: Sequence[str]) -> str:
    """Return which function the runner called, from a stack with its leaf first."""
    place = next((number for number, name in enumerate(names) if name in RUNNERS), None)
    if place is None:
        return ""
    above = [name for name in names[:place] if not name.startswith(_CALLS)]
    return above[-1] if above else ""
