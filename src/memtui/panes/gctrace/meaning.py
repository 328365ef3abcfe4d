"""Stand-in for the meaning of cycles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from memtui.model import GcCycle


def gc_cpu_share(previous: GcCycle | None, cycle: GcCycle) -> float | None:
    """Return the share of the CPU time since the cycle before that this one took: 0 to 1."""
    if previous is None or previous.at_s is None or cycle.at_s is None or not cycle.cpu_ms:
        return None
    wall_s = cycle.at_s - previous.at_s
    if wall_s <= 0 or cycle.number != previous.number + 1:
        return None
    spent_ms = sum(cycle.cpu_ms) - cycle.cpu_ms[-2]
    return min(1.0, spent_ms / 1000 / (wall_s * cycle.procs))


def kind_of(cycle: GcCycle) -> str:
    """Return why there was this cycle."""
    if cycle.leak_check:
        return "leak check"
    return "forced" if cycle.forced else "background"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run of cycles did."""

    per_minute: float | None
    longest_pause_ms: float
    median_pause_ms: float
    in_gc: float | None


def summary_of(entries: Sequence[tuple[float, GcCycle]]) -> Summary | None:
    """Return the summary."""
    if not entries:
        return None
    stops = [max(cycle.pauses_ms, default=0.0) for _, cycle in entries]
    wall_s = entries[-1][0] - entries[0][0]
    spent_s = sum(sum(cycle.clock_ms) for _, cycle in entries[1:]) / 1000
    rate = (len(entries) - 1) / wall_s * 60 if wall_s > 0 else None
    return Summary(rate, max(stops), median(stops), spent_s / wall_s if wall_s > 0 else None)
