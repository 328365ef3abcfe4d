"""Which goal was in force after each cycle of a trace: a line tells the one that its cycle had.

Reads GOMEMLIMIT as the runtime does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from memtui.diagnosis.window import TracedCycle
from memtui.model import Environment, GcCycle

LEAST_GOAL = 4 << 20
"""The goal of a heap that is nearly empty, with GOGC=100 (Go 1.27.3 runtime/mgcpacer.go)."""


def with_goals(
    cycles: Sequence[tuple[float, GcCycle]], surroundings: Environment | None
) -> list[TracedCycle]:
    """Return each cycle with the goal that was in force after it.

    A line tells the goal that its cycle had; the one that it set is that of the next line. After
    the last it is concluded: what was alive, times what the lines before it made of theirs.
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
    """Conclude the goal after the last cycle; None when there is none, or nobody can tell."""
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
    """Read GOMEMLIMIT as the runtime does; None for off, and for what it would not take.

    Source: Go 1.27.3 runtime/mgcpacer.go readGOMEMLIMIT, runtime/string.go parseByteCount.
    """
    match = re.fullmatch(r"(\d+)(B|KiB|MiB|GiB|TiB)?", text)
    return int(match[1]) * _UNITS[match[2] or ""] if match else None
