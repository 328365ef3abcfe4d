"""The moments of a session that somebody wants to go to: marks, restarts, gaps, GC spikes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal, TypeAlias

from memtui.model import Ended, GcCycle, Mark, ProcessIdentity, ProcessSample, Restart
from memtui.timeline.cursor import TimeSpan
from memtui.timeline.session import Timeline

LandmarkKind: TypeAlias = Literal["mark", "restart", "gap", "spike", "end"]

GAP_S = 5.0
"""Samples of /proc come each second: when none came for so long, that is a gap."""

_BEFORE = 20
_FEW = 8
_TIMES_THE_PAUSE = 10.0
_LEAST_PAUSE_MS = 5.0
_TIMES_THE_HEAP = 1.5
_LEAST_HEAP_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Landmark:
    """A moment (Unix seconds) that stands out, and why; ``text`` is foreign where it is a mark's.

    A gap is at its start, and lasts ``until`` something is known again.
    """

    at: float
    kind: LandmarkKind
    text: str
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class SessionCourse:
    """A whole session as the position bar shows it: its ends, and what stands out.

    ``host`` is the name of the machine that it was recorded on, "" when nobody says.
    """

    first: float
    last: float
    landmarks: tuple[Landmark, ...] = ()
    host: str = ""

    @property
    def gaps(self) -> list[TimeSpan]:
        """From when to when nothing is known."""
        return [(each.at, each.until) for each in self.landmarks if each.kind == "gap"]


def gaps_between(moments: Iterable[float], longer_s: float = GAP_S) -> list[TimeSpan]:
    """Return the gaps of a series of moments in their order."""
    return [(before, after) for before, after in pairwise(moments) if after - before > longer_s]


def gc_spikes(cycles: Iterable[tuple[float, GcCycle]]) -> list[Landmark]:
    """Return the cycles that stand out from the twenty before them; of a run of such the first.

    The world stood still ten times as long as usual (and 5 ms at least), or the heap came to half
    as much again as usual (and 4 MiB more at least).
    """
    found: list[Landmark] = []
    pauses: deque[float] = deque(maxlen=_BEFORE)
    heaps: deque[int] = deque(maxlen=_BEFORE)
    was_spike = False
    for at, cycle in cycles:
        pause_ms, heap = sum(cycle.pauses_ms), cycle.heap_end_bytes
        words = ""
        if len(pauses) >= _FEW:
            if pause_ms > max(_LEAST_PAUSE_MS, _TIMES_THE_PAUSE * median(pauses)):
                words = f"gc {cycle.number}: stopped {pause_ms:.1f} ms"
            usual = median(heaps)
            if heap > max(_TIMES_THE_HEAP * usual, usual + _LEAST_HEAP_BYTES):
                words = f"gc {cycle.number}: heap {heap >> 20}M, usually {int(usual) >> 20}M"
        if words and not was_spike:
            found.append(Landmark(at, "spike", words))
        was_spike = bool(words)
        pauses.append(pause_ms)
        heaps.append(heap)
    return found


def landmarks_of(timeline: Timeline, start: float, end: float) -> list[Landmark]:
    """Return what stands out of what a timeline holds in full, in the order of time."""
    found = [
        Landmark(at, "mark", mark.text) for at, mark in timeline.track(Mark).between(start, end)
    ]
    found += [
        Landmark(at, "restart", "started anew")
        for at, _ in timeline.track(Restart).between(start, end)
    ]
    found += [
        Landmark(at, "restart", f"now {identity.name} {identity.pid}")
        for at, identity in timeline.track(ProcessIdentity).between(start, end)[1:]
    ]
    found += [
        Landmark(at, "end", ended.reason) for at, ended in timeline.track(Ended).between(start, end)
    ]
    moments = (at for at, _ in timeline.track(ProcessSample).between(start, end))
    found += [_gap(gap) for gap in gaps_between(moments)]
    found += gc_spikes(timeline.track(GcCycle).between(start, end))
    return sorted(found, key=lambda landmark: landmark.at)


def _gap(gap: TimeSpan) -> Landmark:
    return Landmark(gap[0], "gap", f"nothing for {gap[1] - gap[0]:.0f} s", gap[1])


def nearest_landmark(landmarks: Sequence[Landmark], at: float, by: int) -> Landmark | None:
    """Return the next landmark after ``at`` (``by`` > 0) or the one before it; None at the end."""
    if by > 0:
        place = bisect_right(landmarks, at + 1e-3, key=lambda each: each.at)
        return landmarks[place] if place < len(landmarks) else None
    place = bisect_left(landmarks, at - 1e-3, key=lambda each: each.at)
    return landmarks[place - 1] if place else None
