"""Which cycles of the collector a page of MemStats tells for the first time."""

from __future__ import annotations

from memtui.model import Absent
from memtui.parse.memstats import Cycle, MemStatsPage


class Rings:
    """Remembers the newest cycle of the pages before."""

    def __init__(self) -> None:
        self._last: Cycle | None = None

    def new(self, page: MemStatsPage) -> tuple[bool, list[Cycle], int]:
        """Return whether the process started anew, its new cycles, and how many more there were.

        More than the rings hold are lost. A process has started anew when its number of cycles
        went back, or when a cycle that was seen before has another end now.
        """
        newest, last = page.stats.num_gc, self._last
        if isinstance(newest, Absent):
            return False, [], 0
        rings = {cycle.number: cycle for cycle in page.cycles}
        self._last = rings.get(newest, Cycle(newest, 0.0, 0.0))
        if last is None:
            return False, list(page.cycles), 0
        same = rings.get(last.number, last)
        if newest < last.number or (last.ended_at and same.ended_at != last.ended_at):
            return True, list(page.cycles), 0
        new = [each for each in page.cycles if each.number > last.number]
        return False, new, newest - last.number - len(new) if rings else 0
