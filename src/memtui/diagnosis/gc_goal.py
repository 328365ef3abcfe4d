"""Computes the GC goal after each cycle of a trace, and parses GOMEMLIMIT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from memtui.diagnosis.window import TracedCycle
from memtui.model import Environment, GcCycle

LEAST_GOAL = 4 << 20
"""The minimum goal with GOGC=100 (Go 1.27.3 runtime/mgcpacer.go)."""


def with_goals(
    cycles: Sequence[tuple[float, GcCycle]], surroundings: Environment | None
) -> list[TracedCycle]:
    """Return each cycle with the goal in force after it.

    A line has the goal of its own cycle; the next line has the goal that this cycle set. After the
    last cycle it is estimated: the live heap times the usual ratio of goal to live heap.
    """
    found = [
        TracedCycle(at, cycle, later.goal_bytes) for (at, cycle), (_, later) in pairwise(cycles)
    ]
    if cycles:
        at, last = cycles[-1]
        found.append(TracedCycle(at, last, _next_goal(cycles, surroundings)))
    return found


def _next_goal(
    cycles: Sequence[tuple[float, GcCycle]], surroundings: Environment | None
) -> int | None:
    """Return the estimated goal after the last cycle; None if there is none or it is unknown."""
    last = cycles[-1][1]
    times = [
        later.goal_bytes / cycle.heap_live_bytes
        for (_, cycle), (_, later) in pairwise(cycles)
        if later.number == cycle.number + 1 and later.goal_bytes and cycle.heap_live_bytes
    ]
    if last.goal_bytes is None or last.heap_live_bytes is None:
        return last.goal_bytes
    if surroundings and isinstance(surroundings.gomemlimit, str):
        return last.goal_bytes
    ratio = median(times[-3:]) if times else 2.0
    return max(LEAST_GOAL, round(ratio * last.heap_live_bytes))


_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def memory_limit(text: str) -> int | None:
    """Return GOMEMLIMIT in bytes; None for off, and for text that the runtime rejects.

    Source: Go 1.27.3 runtime/mgcpacer.go readGOMEMLIMIT, runtime/string.go parseByteCount.
    """
    match = re.fullmatch(r"(\d+)(B|KiB|MiB|GiB|TiB)?", text)
    return int(match[1]) * _UNITS[match[2] or ""] if match else None
