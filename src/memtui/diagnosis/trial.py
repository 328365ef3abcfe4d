"""Compares the expected and the actual effect of a forced GC or of debug.FreeOSMemory.

runtime.GC frees garbage but does not return it to the system. debug.FreeOSMemory runs a GC and then
returns all free memory to the system (Go 1.27.3 runtime/debug/garbage.go, runtime/mheap.go
freeOSMemory). With MADV_FREE RES stays.
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
"""Time span after an act in seconds: freed memory has left RES, and later changes do not count."""

_MATTERS = 4 << 20
_MOST = 0.6
"""A result is as expected from this share of the least expected change on."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected decrease of RES within a second in bytes, at least and at most, and as a text.

    The two differ if the live heap is unknown: all of the heap may be garbage, or none.
    """

    least: int
    most: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Trial:
    """An act, its time (Unix seconds), the expectation, and the ledger before and after.

    Expectation and ledger are computed from one moment before the act. ``found_dead`` is the
    decrease of HeapAlloc in bytes. ``ledger`` is None until there is a sample after the act.
    """

    act: Act
    at: float
    expected: Expectation | None
    ledger: Ledger | None
    found_dead: int | None = None

    @property
    def fell_by(self) -> int:
        """The decrease of RES in bytes; negative if it rose."""
        return -(self.ledger.growth or 0) if self.ledger else 0

    @property
    def sentence(self) -> str:
        """The result, compared with the expectation."""
        if self.ledger is None or self.ledger.growth is None:
            return "waiting for the next sample …"
        change = f"RES {units.change(self.ledger.growth)}"
        garbage = self._garbage_sentence()
        if self.act is Act.FORCE_GC or self.expected is None or self.expected.most < _MATTERS:
            note = "" if self.fell_by >= _MATTERS else " (no large change was expected)"
            return f"{change}{note}.{garbage}"
        compared = f"{change}, {_range(self.expected)} expected"
        if self.fell_by >= max(_MATTERS, _MOST * self.expected.least):
            return f"{compared}: this memory was garbage or free, not a leak.{garbage}"
        return f"{compared}: most of it stayed, so something else holds it.{garbage}"

    def _garbage_sentence(self) -> str:
        if self.found_dead is None or self.found_dead < _MATTERS:
            return ""
        return f" {units.size(self.found_dead)} of objects were garbage."


def _range(expected: Expectation) -> str:
    least, most = units.change(-expected.least), units.change(-expected.most)
    return most if expected.most - expected.least < _MATTERS else f"{least} to {most}"


def expectation(act: Act, before: Point, *, lazily: bool) -> Expectation | None:
    """Return the expected effect of an act; None if the data are insufficient.

    ``before`` is the last moment before it. ``lazily`` is True if the process frees with MADV_FREE
    (GODEBUG=madvdontneed=0).
    """
    ledger = ledger_at(before)
    if before.alloc is None or before.unreturned is None or ledger is None:
        return None
    alloc = units.size(before.alloc)
    if act is Act.FORCE_GC:
        live = "the live heap" if before.live is None else f"about {units.size(before.live)}"
        return Expectation(
            0,
            0,
            f"HeapAlloc should fall from {alloc} to {live}. Go returns the freed memory later or "
            "never, so RES may stay the same.",
        )
    free = ledger.size(PartName.UNRETURNED)
    least = free + ledger.size(PartName.GARBAGE)
    most = least + ledger.size(PartName.OBJECTS)
    between = units.size(most) if most == least else f"{units.size(least)} to {units.size(most)}"
    if lazily:
        return Expectation(
            0,
            0,
            f"{between} should move into LazyFree; RES stays until the kernel reclaims the "
            "memory (GODEBUG=madvdontneed=0).",
        )
    why = "" if most == least else f" The live part of {alloc} of objects is unknown."
    return Expectation(
        least,
        most,
        f"RES should fall by {between} within 1 s.{why} The rest is live, C memory or mapped "
        "files.",
    )


def settled_before(view: View, at: float) -> Point | None:
    """Return the last row before ``at``; None without a recent one.

    MemStats are read right before an act. A mean with older rows would mix two states of a program
    whose burst has just ended.
    """
    points = points_between(view, at - BEFORE_S, at)
    return points[-1] if points else None


def is_lazy(view: View) -> bool:
    """Return whether the environment makes the process free memory with MADV_FREE."""
    place = view.sample(Environment)
    return bool(place and isinstance(place.godebug, str) and "madvdontneed=0" in place.godebug)


def trial_of(view: View) -> Trial | None:
    """Return the last trial before the moment of a view, with its result."""
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
