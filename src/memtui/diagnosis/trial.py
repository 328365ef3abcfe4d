"""The test that settles it: what to expect of a forced GC or of freed memory, and what came.

runtime.GC finds what is dead; it does not return it. debug.FreeOSMemory collects and then returns
all that is free to the system (Go 1.27.3 runtime/debug/garbage.go, runtime/mheap.go
freeOSMemory), unless that is done with MADV_FREE: then RES stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from memtui import units
from memtui.diagnosis.gather import points_between
from memtui.diagnosis.ledger import Ledger, ledger_between
from memtui.diagnosis.point import Point
from memtui.model import Act, Mark, Surroundings
from memtui.timeline import View

BEFORE_S = 30.0
SETTLES_S = (0.9, 8.0)
"""Seconds after an act: what was freed has left RES by then, and what came later is not of it."""

_MATTERS = 4 << 20
_MOST = 0.6
"""A trial came out as expected when that much of it came."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """By how many bytes RES should fall within a second, and what that would show, in words."""

    falls_by: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What was done, when (Unix seconds), what was expected, and the ledger before and after.

    ``ledger`` is None until something was read after it.
    """

    act: Act
    at: float
    expected: Expectation | None
    ledger: Ledger | None

    @property
    def sentence(self) -> str:
        """Say what came of it, against what was expected."""
        if self.ledger is None or self.ledger.growth is None:
            return "waiting for the next reading …"
        fell = -self.ledger.growth
        came = f"RES {units.change(self.ledger.growth)}"
        if self.expected is None or self.expected.falls_by < _MATTERS:
            return f"{came}; nothing large was expected."
        of = f"{came} of {units.change(-self.expected.falls_by)} expected"
        if fell >= _MOST * self.expected.falls_by:
            return f"{of}: it came back, so it was freed memory and no leak."
        return f"{of}: it did not come back, so something else holds it."


def expectation(act: Act, point: Point, *, lazily: bool) -> Expectation | None:
    """Return what should come of an act; None when too little is known to expect anything.

    ``lazily`` tells that the process frees with MADV_FREE (GODEBUG=madvdontneed=0).
    """
    if point.alloc is None or point.unreturned is None:
        return None
    dead = max(0, point.alloc - point.live) if point.live is not None else 0
    if act is Act.FORCE_GC:
        live = "what lives" if point.live is None else f"about {units.size(point.live)}"
        return Expectation(
            0,
            f"HeapAlloc should fall from {units.size(point.alloc)} to {live}; what is freed by it "
            "goes back to the system later, or never: RES need not fall.",
        )
    falls = point.unreturned + dead
    if lazily:
        return Expectation(
            0,
            f"{units.size(falls)} should move into LazyFree; RES stays until the kernel wants it "
            "(GODEBUG=madvdontneed=0).",
        )
    return Expectation(
        falls,
        f"about {units.size(falls)} should come back within 1 s. What does not is held: by live "
        "objects, by C, by mapped files.",
    )


def is_lazy(view: View) -> bool:
    """Tell whether the process was started to free with MADV_FREE."""
    place = view.sample(Surroundings)
    return bool(place and isinstance(place.godebug, str) and "madvdontneed=0" in place.godebug)


def trial_of(view: View) -> Trial | None:
    """Return the last trial before the moment of a view, and what came of it."""
    found = [
        (at, mark)
        for at, mark in view.timeline.track(Mark).between(view.until - 600.0, view.until)
        if mark.act is not None
    ]
    if not found:
        return None
    at, mark = found[-1]
    assert mark.act is not None
    before = points_between(view, at - BEFORE_S, at)
    first_s, last_s = SETTLES_S
    after = points_between(view, at + first_s, min(view.until, at + last_s))
    expected = expectation(mark.act, before[-1], lazily=is_lazy(view)) if before else None
    ledger = ledger_between(before[-1], after[-1]) if before and after else None
    return Trial(mark.act, at, expected, ledger)
