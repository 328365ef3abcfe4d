"""The settling test: what a forced GC or freed memory should change, and what it changed.

runtime.GC finds what is dead; it does not return it. debug.FreeOSMemory collects and then returns
all that is free to the system (Go 1.27.3 runtime/debug/garbage.go, runtime/mheap.go
freeOSMemory), unless that is done with MADV_FREE: then RES stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from memtui import units
from memtui.diagnosis.ledger import Ledger, PartName, ledger_at, ledger_between
from memtui.diagnosis.point import Point
from memtui.diagnosis.window_builder import points_between
from memtui.model import Act, Environment, Mark
from memtui.timeline import View

BEFORE_S = 15.0
SETTLES_S = (0.9, 8.0)
"""Seconds after an act: what was freed has left RES by then, and what came later is not of it."""

_MATTERS = 4 << 20
_MOST = 0.6
"""A trial came out as expected when that share of the least expected came."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """By how many bytes RES should fall within a second, at least and at most, in words too.

    The two differ where the live heap is not known: all of the heap may be garbage, or nothing.
    """

    least: int
    most: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What was done, when (Unix seconds), what was expected, and the ledger before and after.

    Expectation and ledger are computed from one settled moment before the act. ``found_dead`` is by
    how many bytes HeapAlloc fell. ``ledger`` is None until something was read after it.
    """

    act: Act
    at: float
    expected: Expectation | None
    ledger: Ledger | None
    found_dead: int | None = None

    @property
    def fell_by(self) -> int:
        """By how much RES fell, in bytes; below 0 when it rose."""
        return -(self.ledger.growth or 0) if self.ledger else 0

    @property
    def sentence(self) -> str:
        """The result, compared with what was expected."""
        if self.ledger is None or self.ledger.growth is None:
            return "waiting for the next reading …"
        came = f"RES {units.change(self.ledger.growth)}"
        parts = self._returned()
        if self.act is Act.FORCE_GC or self.expected is None or self.expected.most < _MATTERS:
            judged = "" if self.fell_by >= _MATTERS else " (no large change was expected)"
            return f"{came}{judged}.{parts}"
        of = f"{came}, {_range(self.expected)} expected"
        if self.fell_by >= max(_MATTERS, _MOST * self.expected.least):
            return f"{of}: it was garbage and freed memory, not a leak.{parts}"
        return f"{of}: most of it stayed, so something else holds it.{parts}"

    def _returned(self) -> str:
        if self.found_dead is None or self.found_dead < _MATTERS:
            return ""
        return f" {units.size(self.found_dead)} of objects were garbage."


def _range(expected: Expectation) -> str:
    least, most = units.change(-expected.least), units.change(-expected.most)
    return most if expected.most - expected.least < _MATTERS else f"{least} to {most}"


def expectation(act: Act, before: Point, *, lazily: bool) -> Expectation | None:
    """Return what an act should change; None when too little is known to expect anything.

    ``before`` is the settled moment before it. ``lazily`` is True when the process frees with
    MADV_FREE (GODEBUG=madvdontneed=0).
    """
    ledger = ledger_at(before)
    if before.alloc is None or before.unreturned is None or ledger is None:
        return None
    alloc = units.size(before.alloc)
    if act is Act.FORCE_GC:
        live = "what is live" if before.live is None else f"about {units.size(before.live)}"
        return Expectation(
            0,
            0,
            f"HeapAlloc should fall from {alloc} to {live}. Go returns what becomes free later, or "
            "never: RES need not fall.",
        )
    free = ledger.size(PartName.UNRETURNED)
    least = free + ledger.size(PartName.GARBAGE)
    most = least + ledger.size(PartName.OBJECTS)
    between = units.size(most) if most == least else f"{units.size(least)} to {units.size(most)}"
    if lazily:
        return Expectation(
            0,
            0,
            f"{between} should move into LazyFree; RES stays until the kernel reclaims the memory "
            "(GODEBUG=madvdontneed=0).",
        )
    why = "" if most == least else f" The live part of {alloc} of objects is unknown."
    return Expectation(
        least,
        most,
        f"RES should fall by {between} within 1 s.{why} What stays is live, or memory of C, or "
        "mapped files.",
    )


def settled_before(view: View, at: float) -> Point | None:
    """Return the last reading before ``at``; None where nothing was read shortly before.

    MemStats are read right before an act. A mean with older readings would mix two states of a
    program whose burst has just ended.
    """
    points = points_between(view, at - BEFORE_S, at)
    return points[-1] if points else None


def is_lazy(view: View) -> bool:
    """Return whether the process was started to free with MADV_FREE."""
    place = view.sample(Environment)
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
    before = settled_before(view, at)
    first_s, last_s = SETTLES_S
    after = points_between(view, at + first_s, min(view.until, at + last_s))
    if before is None:
        return Trial(mark.act, at, None, None)
    expected = expectation(mark.act, before, lazily=is_lazy(view))
    if not after:
        return Trial(mark.act, at, expected, None)
    now = after[-1]
    dead = None
    if before.alloc is not None and now.alloc is not None:
        dead = before.alloc - now.alloc
    return Trial(mark.act, at, expected, ledger_between(before, now), dead)
