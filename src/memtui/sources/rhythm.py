"""How often MemStats are asked for: as often as wanted, unless an answer costs too much."""

from __future__ import annotations

import math
from pathlib import Path

from memtui import units
from memtui.model import Origin
from memtui.parse.memstats import MemStatsPage
from memtui.sources.costs import (
    FORCED_GC_S,
    CpuCost,
    allocated_by,
    budget_bytes,
    garbage_interval_s,
)
from memtui.sources.memstats import Answer
from memtui.sources.proc import PROC


class Rhythm:
    """The time between two readings of a page, and the reason when it is longer than wanted.

    An answer costs the target CPU and garbage: at most a fiftieth of a CPU, and what it allocates
    between two GC cycles at most half of a twentieth of RES (:mod:`memtui.sources.costs`). The
    wall time of an answer is no cost: on a busy host it is mostly waiting.
    """

    def __init__(self, every_s: float, pid: int | None, proc: Path = PROC) -> None:
        self._every_s = every_s
        self._pid = pid
        self._proc = proc
        self._cpu = CpuCost()
        self._gc_every_s = FORCED_GC_S
        self._last: tuple[float, int] | None = None
        self.next_s = every_s
        """The seconds from one reading to the next: infinity when only the user asks again."""
        self.reason = ""
        """Why that is longer than wanted, in one sentence; "" when it is not."""

    @property
    def is_dear(self) -> bool:
        """Whether only the user asks again."""
        return math.isinf(self.next_s)

    def note(self, origin: Origin, answer: Answer, cpu_s: float | None, at: float) -> None:
        """Take an answer, and the CPU seconds of the process meanwhile.

        ``at`` is the moment of the answer in seconds of any clock that goes on.
        """
        self._cpu.note(answer.took_s, cpu_s)
        self._note_cycles(answer.page, at)
        allocated = allocated_by(origin, answer.size_bytes)
        budget = budget_bytes(self._pid, self._proc)
        if origin is Origin.HEAP_TEXT and allocated > budget:
            self.refuse(f"each answer allocates about {units.size(allocated)} in the process")
            return
        garbage_s = garbage_interval_s(allocated, budget, self._gc_every_s)
        self.next_s = max(self._every_s, self._cpu.interval_s, garbage_s)
        self.reason = ""
        if self.next_s <= self._every_s:
            return
        if self._cpu.interval_s >= garbage_s:
            what = f"takes {units.milliseconds(self._cpu.seconds * 1000)} of CPU"
        else:
            what = f"allocates about {units.size(allocated)} in the process"
        self.reason = f"asked every {self.next_s:.0f} s because each answer {what}"

    def refuse(self, reason: str) -> None:
        """Leave the next reading to the user."""
        self.next_s = math.inf
        self.reason = f"asked once, because {reason}"

    def _note_cycles(self, page: MemStatsPage, at: float) -> None:
        """Learn how often the GC runs: what was allocated is collected then."""
        count = page.stats.num_gc
        if not isinstance(count, int):
            return
        if self._last is not None:
            since_s, cycles = at - self._last[0], count - self._last[1]
            self._gc_every_s = since_s / cycles if cycles > 0 else FORCED_GC_S
        self._last = at, count
