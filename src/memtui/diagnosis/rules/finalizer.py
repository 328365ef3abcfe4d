"""Names a finalizer or cleanup that blocks: until it returns, no other one runs.

One goroutine runs all finalizers (Go 1.27.3 runtime/mfinal.go runFinalizers, runfinq before Go
1.25), a few run the cleanups (runtime/mcleanup.go). A goroutine profile contains them only while
they are in code of the program: they count as the runtime's own otherwise (runtime/traceback.go
isSystemGoroutine).
"""

from __future__ import annotations

from memtui.diagnosis.finding import Evidence, PaneName
from memtui.diagnosis.functions import values_of_type
from memtui.diagnosis.window import Window
from memtui.model import Profile
from memtui.sanitize import plain

RUNNERS = {
    "runtime.runfinq": "finalizer",
    "runtime.runFinalizers": "finalizer",
    "runtime.runCleanups": "cleanup",
}


def blocked_finalizer(window: Window) -> Evidence | None:
    """Return the finalizer or cleanup that has not returned; None where none is known to block.

    With several goroutine profiles it must be in the first and in the last: in one alone it may
    just run.
    """
    found = [profile for _, profile in window.profiles if values_of_type(profile, "goroutine")]
    kinds = [_kind(profile) for profile in found]
    if not found or kinds[-1] is None or kinds[0] is None:
        return None
    kind, name = kinds[-1], found[-1].finalizing
    where = f" in {plain(name)}" if name else ""
    is_seen_twice = len(found) > 1
    words = f"a {kind} {'blocks' if is_seen_twice else 'runs, and may block,'}{where}: "
    words += f"until it returns no other {kind} runs, and what they would free stays"
    return Evidence(words, PaneName.PROFILE)


def _kind(profile: Profile) -> str | None:
    values = values_of_type(profile, "goroutine")
    names = [each.name for each in values.functions] if values else []
    return next((RUNNERS[name] for name in names if name in RUNNERS), None)
