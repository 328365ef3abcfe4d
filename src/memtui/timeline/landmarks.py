"""Finds the landmarks of a session: marks, restarts, gaps, GC spikes."""

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
"""/proc is read every second: this long without a sample is a gap."""

_USUAL_CYCLES = 20
_MIN_CYCLES = 8
_PAUSE_FACTOR = 10.0
_MIN_PAUSE_MS = 5.0
_HEAP_FACTOR = 1.5
_MIN_HEAP_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Landmark:
    """A time (Unix seconds) that stands out, and why; the ``text`` of a mark is foreign.

    A gap is at its start and lasts ``until`` the next data.
    """

    at: float
    kind: LandmarkKind
    text: str
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class SessionCourse:
    """The ends and the landmarks of a session, as the position bar shows them.

    ``host`` is the name of the machine that it was recorded on, "" if unknown.
    """

    first: float
    last: float
    landmarks: tuple[Landmark, ...] = ()
    host: str = ""

    @property
    def gaps(self) -> list[TimeSpan]:
        """The spans without data."""
        return [(each.at, each.until) for each in self.landmarks if each.kind == "gap"]


def gaps_between(moments: Iterable[float], longer_s: float = GAP_S) -> list[TimeSpan]:
    """Return the gaps in an ordered series of times."""
    return [(before, after) for before, after in pairwise(moments) if after - before > longer_s]


def gc_spikes(cycles: Iterable[tuple[float, GcCycle]]) -> list[Landmark]:
    """Return the cycles that stand out from the twenty before them; the first one of a run.

    A spike is a pause ten times the median (and 5 ms at least), or a heap 1.5 times the median (and
    4 MiB more at least).
    """
    found: list[Landmark] = []
    pauses: deque[float] = deque(maxlen=_USUAL_CYCLES)
    heaps: deque[int] = deque(maxlen=_USUAL_CYCLES)
    was_spike = False
    for at, cycle in cycles:
        pause_ms, heap = sum(cycle.pauses_ms), cycle.heap_end_bytes
        text = ""
        if len(pauses) >= _MIN_CYCLES:
            if pause_ms > max(_MIN_PAUSE_MS, _PAUSE_FACTOR * median(pauses)):
                text = f"gc {cycle.number}: stopped {pause_ms:.1f} ms"
            usual = median(heaps)
            if heap > max(_HEAP_FACTOR * usual, usual + _MIN_HEAP_BYTES):
                text = f"gc {cycle.number}: heap {heap >> 20}M, usually {int(usual) >> 20}M"
        if text and not was_spike:
            found.append(Landmark(at, "spike", text))
        was_spike = bool(text)
        pauses.append(pause_ms)
        heaps.append(heap)
    return found


def landmarks_of(timeline: Timeline, start: float, end: float) -> list[Landmark]:
    """Return the landmarks in the part of a timeline that is held in full, in time order."""
    found = [
        Landmark(at, "mark", mark.text) for at, mark in timeline.track(Mark).between(start, end)
    ]
    found += [
        Landmark(at, "restart", "process restarted")
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
    found += [_gap_landmark(gap) for gap in gaps_between(moments)]
    found += gc_spikes(timeline.track(GcCycle).between(start, end))
    return sorted(found, key=lambda landmark: landmark.at)


def _gap_landmark(gap: TimeSpan) -> Landmark:
    return Landmark(gap[0], "gap", f"no data for {gap[1] - gap[0]:.0f} s", gap[1])


def nearest_landmark(landmarks: Sequence[Landmark], at: float, by: int) -> Landmark | None:
    """Return the next landmark after ``at`` (``by`` > 0) or the previous one; None at the end."""
    if by > 0:
        place = bisect_right(landmarks, at + 1e-3, key=lambda each: each.at)
        return landmarks[place] if place < len(landmarks) else None
    place = bisect_left(landmarks, at - 1e-3, key=lambda each: each.at)
    return landmarks[place - 1] if place else None
