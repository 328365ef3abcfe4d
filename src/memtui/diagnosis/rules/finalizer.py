"""Names a finalizer or cleanup that blocks: until it returns, no other one runs.

One goroutine runs all finalizers (Go 1.27.3 runtime/mfinal.go runFinalizers, runfinq before Go
1.25), a few run the cleanups (runtime/mcleanup.go). A goroutine profile contains them only while
they are in code of the program: they count as the runtime's own otherwise (runtime/traceback.go
isSystemGoroutine).
"""

from __future__ import annotations

from collections.abc import Sequence

from memtui.diagnosis.finding import Evidence, Place
from memtui.diagnosis.functions import is_of_runtime, values_of_type
from memtui.diagnosis.window import Window
from memtui.model import Profile
from memtui.parse.profile import ProfileError, read_stacks
from memtui.plain import plain

RUNNERS = {
    "runtime.runfinq": "finalizer",
    "runtime.runFinalizers": "finalizer",
    "runtime.runCleanups": "cleanup",
}
MOST_BYTES = 4 << 20
"""A profile larger than this is not decoded for it: its functions by name are known anyway."""


def blocked_finalizer(window: Window) -> Evidence | None:
    """Return the finalizer or cleanup that has not returned; None where none is known to block.

    With several goroutine profiles it must be in the first and in the last: in one alone it may
    just run.
    """
    found = [profile for _, profile in window.profiles if values_of_type(profile, "goroutine")]
    kinds = [_kind(profile) for profile in found]
    if not found or kinds[-1] is None or kinds[0] is None:
        return None
    kind, name = kinds[-1], _above(found[-1])
    where = f" in {name}" if name else ""
    is_seen_twice = len(found) > 1
    words = f"a {kind} {'blocks' if is_seen_twice else 'runs, and may block,'}{where}: "
    words += f"until it returns no other {kind} runs, and what they would free stays"
    return Evidence(words, Place.PROFILE)


def _kind(profile: Profile) -> str | None:
    values = values_of_type(profile, "goroutine")
    names = [each.name for each in values.functions] if values else []
    return next((RUNNERS[name] for name in names if name in RUNNERS), None)


def _above(profile: Profile) -> str:
    """Return the program's own function that the runtime called; "" when that is not known."""
    if profile.data is None or len(profile.data) > MOST_BYTES:
        return ""
    try:
        stacks = read_stacks(profile.data)
        for sample in stacks.samples():
            names = [
                line.function.name
                for each in sample.location_id
                for line in stacks.locations[each].lines
            ]
            if name := _called(names):
                return plain(name)
    except ProfileError:
        return ""
    return ""


def _called(names: Sequence[str]) -> str:
    """Return which function the runner of finalizers called, from a stack with its leaf first."""
    place = next((number for number, name in enumerate(names) if name in RUNNERS), None)
    if place is None:
        return ""
    above = [name for name in names[:place] if not is_of_runtime(name)]
    return above[-1] if above else ""
