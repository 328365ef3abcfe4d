"""Computes triggers, rates and CPU shares of GC cycles, which no single line contains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from memtui.model import GcCycle

CycleTrigger = Literal["background", "forced", "periodic"]


def cycle_trigger(cycle: GcCycle) -> CycleTrigger:
    """Return why a cycle began: heap growth, runtime.GC, or two minutes without a cycle.

    A forced cycle is "forced" even if a periodic one was due.
    """
    if cycle.forced:
        return "forced"
    return "periodic" if cycle.periodic else "background"


def _cpu_ms(cycle: GcCycle) -> float:
    """Return the CPU time of a cycle without idle marking.

    The printed phases end with assist, background, idle and mark termination, since Go 1.5.
    """
    return sum(cycle.cpu_ms) - cycle.cpu_ms[-2]


def _gap_s(previous: GcCycle | None, cycle: GcCycle) -> float | None:
    """Return the time from the end of one cycle to the end of the next one.

    None if they are not consecutive: a line was lost, or the process restarted.
    """
    if previous is None or previous.at_s is None or cycle.at_s is None:
        return None
    if cycle.number != previous.number + 1 or cycle.at_s < previous.at_s:
        return None
    gap_s = cycle.at_s - previous.at_s + (sum(cycle.clock_ms) - sum(previous.clock_ms)) / 1000
    return gap_s if gap_s > 0 else None


def gc_cpu_share(previous: GcCycle | None, cycle: GcCycle) -> float | None:
    """Return the GC's share (0 to 1) of the CPU time of all processors since the last cycle.

    The percentage in a gctrace line is an average since the process started, which a burst hardly
    changes. This share covers the time from the end of the last cycle to the end of this one, which
    contains the whole cycle, so it is right even for cycles without a pause between them. None if
    the last cycle is unknown, or before Go 1.5.
    """
    gap_s = _gap_s(previous, cycle)
    if gap_s is None or not cycle.cpu_ms:
        return None
    return min(1.0, _cpu_ms(cycle) / 1000 / (gap_s * cycle.procs))


@dataclass(frozen=True, slots=True)
class CycleSummary:
    """Statistics of a number of cycles; None if there were too few.

    A pause is one stop-the-world phase; a cycle has two or more. ``in_gc`` is the share (0 to 1) of
    the time during which a cycle was running, concurrent phases included.
    """

    cycles: int
    per_minute: float | None
    longest_pause_ms: float | None
    median_pause_ms: float | None
    in_gc: float | None


class CycleTally:
    """Accumulates cycles in constant memory: printed pauses have few distinct values."""

    def __init__(self) -> None:
        self._cycles = 0
        self._counted = 0
        self._counted_s = 0.0
        self._clock_s = 0.0
        self._gaps_s = 0.0
        self._pauses: Counter[float] = Counter()
        self._last: tuple[float, GcCycle] | None = None

    def add(self, at: float, cycle: GcCycle) -> None:
        """Add a cycle that began at ``at``, in seconds since any fixed time.

        The time between two processes does not count. A line lost between two others counts as a
        cycle.
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
        """Return the statistics so far."""
        return CycleSummary(
            cycles=self._cycles,
            per_minute=self._counted / self._counted_s * 60 if self._counted_s else None,
            longest_pause_ms=max(self._pauses, default=None),
            median_pause_ms=_median(self._pauses),
            in_gc=min(1.0, self._clock_s / self._gaps_s) if self._gaps_s else None,
        )


def summarize_cycles(entries: Iterable[tuple[float, GcCycle]]) -> CycleSummary:
    """Return the statistics of cycles, each with the time at which it began."""
    tally = CycleTally()
    for at, cycle in entries:
        tally.add(at, cycle)
    return tally.summary()


def _median(counts: Counter[float]) -> float | None:
    """Return the median; the lower one of an even number of values."""
    left = (counts.total() + 1) // 2
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return None
