"""What a sequence of collections says that no single line does: kinds, rates and shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from memtui.model import GcCycle

CycleTrigger = Literal["background", "forced", "periodic"]


def cycle_trigger(cycle: GcCycle) -> CycleTrigger:
    """Return why a cycle began: the heap grew, the program asked, or two minutes had passed.

    A collection that the program asks for goes first: it may come just when the other is due.
    """
    if cycle.forced:
        return "forced"
    return "periodic" if cycle.periodic else "background"


def _cpu_ms(cycle: GcCycle) -> float:
    """Return the CPU time of a cycle; marking by processors that were idle is not counted.

    The printed phases end with assist, background, idle and mark termination, in Go 1.5 too.
    """
    return sum(cycle.cpu_ms) - cycle.cpu_ms[-2]


def _gap_s(previous: GcCycle | None, cycle: GcCycle) -> float | None:
    """Return the time from the end of one cycle to the end of the next one.

    None when they are not neighbours: one between them was lost, or the process started anew.
    """
    if previous is None or previous.at_s is None or cycle.at_s is None:
        return None
    if cycle.number != previous.number + 1 or cycle.at_s < previous.at_s:
        return None
    gap_s = cycle.at_s - previous.at_s + (sum(cycle.clock_ms) - sum(previous.clock_ms)) / 1000
    return gap_s if gap_s > 0 else None


def gc_cpu_share(previous: GcCycle | None, cycle: GcCycle) -> float | None:
    """Return which share of all processors (0 to 1) the collector had since the last cycle.

    The line itself has a share since the start of the process only, which a storm hardly moves.
    It is taken from the end of the last cycle to the end of this one: that time holds this cycle
    whole, so the share is right also when cycles follow each other without a pause. None when the
    last cycle is not known, or before Go 1.5.
    """
    gap_s = _gap_s(previous, cycle)
    if gap_s is None or not cycle.cpu_ms:
        return None
    return min(1.0, _cpu_ms(cycle) / 1000 / (gap_s * cycle.procs))


@dataclass(frozen=True, slots=True)
class CycleSummary:
    """What many cycles have in common; None where there were too few of them.

    A pause is one stop of the world: a cycle has two or more. ``in_gc`` is the share (0 to 1) of
    the time in which a cycle ran, stopped world or not.
    """

    cycles: int
    per_minute: float | None
    longest_pause_ms: float | None
    median_pause_ms: float | None
    in_gc: float | None


class CycleTally:
    """Counts cycles as they come, in constant memory: a printed pause has few different texts."""

    def __init__(self) -> None:
        self._cycles = 0
        self._counted = 0
        self._counted_s = 0.0
        self._clock_s = 0.0
        self._gaps_s = 0.0
        self._pauses: Counter[float] = Counter()
        self._last: tuple[float, GcCycle] | None = None

    def add(self, at: float, cycle: GcCycle) -> None:
        """Count a cycle that began at ``at``, in Unix seconds or since any other moment.

        What lies between two processes is no gap; a lost line between two others is a cycle.
        """
        self._cycles += 1
        for pause_ms in cycle.pauses_ms:
            self._pauses[pause_ms] += 1
        previous = self._last
        self._last = at, cycle
        if previous is None:
            return
        before, last = previous
        if cycle.number > last.number and (cycle.at_s or 0.0) >= (last.at_s or 0.0) and at > before:
            self._counted += cycle.number - last.number
            self._counted_s += at - before
        gap_s = _gap_s(last, cycle)
        if gap_s is not None:
            self._clock_s += sum(cycle.clock_ms) / 1000
            self._gaps_s += gap_s

    def summary(self) -> CycleSummary:
        """Return what is known by now."""
        return CycleSummary(
            cycles=self._cycles,
            per_minute=self._counted / self._counted_s * 60 if self._counted_s else None,
            longest_pause_ms=max(self._pauses, default=None),
            median_pause_ms=_median(self._pauses),
            in_gc=min(1.0, self._clock_s / self._gaps_s) if self._gaps_s else None,
        )


def summarize_cycles(entries: Iterable[tuple[float, GcCycle]]) -> CycleSummary:
    """Return what cycles have in common, each given with the moment at which it began."""
    tally = CycleTally()
    for at, cycle in entries:
        tally.add(at, cycle)
    return tally.summary()


def _median(counts: Counter[float]) -> float | None:
    """Return the value in the middle; of an even number of them the lower of the two."""
    left = (counts.total() + 1) // 2
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return None
