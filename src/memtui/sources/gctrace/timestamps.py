"""Dates the items of a trace, and selects those of one process from an old log."""

from __future__ import annotations

from collections.abc import Iterator

from memtui.model import Event, GcCycle, OutputLine, Restart
from memtui.parse.gctrace.decoder import TimedItem, TraceItem
from memtui.sources.clock import session_time
from memtui.sources.source import Clock, EventQueue

NAME = "gctrace"
"""The name of every source of a trace."""

_CLOCK_SLACK_S = 1.0


class Timestamps:
    """Dates the items of a trace.

    The moment of an item is that of the prefix of its line, if there is one. A cycle has seconds
    since the start of the process, which is ``started_at``. All other items, and cycles after a
    restart, have the time of reading.
    """

    def __init__(self, started_at: float | None, clock: Clock) -> None:
        self.clock = clock
        self.started_at = started_at

    def cycle_start(self, item: TraceItem) -> float | None:
        """Return the start of a cycle in Unix seconds; None if unknown, and for other items."""
        if isinstance(item, GcCycle) and item.at_s is not None and self.started_at is not None:
            return self.started_at + item.at_s
        return None

    def event(self, item: TraceItem, at: float | None = None) -> Event:
        """Return the event of an item that was written now, or at the moment ``at``."""
        if isinstance(item, Restart):
            self.started_at = None
        at = self.cycle_start(item) if at is None else session_time(self.clock, at)
        return Event(self.clock() if at is None else at, NAME, item)


class Backlog:
    """Selects the items of the watched process from the previous content of a file.

    A log may contain lines of earlier processes: those before the last restart, those before a
    cycle that would be in the future, and those with a prefix that is older than the process.
    ``after`` is the number of the last cycle that was reported before.
    """

    def __init__(self, timestamps: Timestamps, after: int = 0) -> None:
        self._timestamps = timestamps
        self._after = after
        self._items: EventQueue[TimedItem] = EventQueue()

    def add(self, items: list[TimedItem]) -> None:
        """Add items in the order of the file."""
        earliest = (self._timestamps.started_at or 0.0) - _CLOCK_SLACK_S
        latest = self._timestamps.clock() + _CLOCK_SLACK_S
        for item, at in items:
            began = self._timestamps.cycle_start(item)
            if isinstance(item, Restart) or (began is not None and began > latest):
                self._items.clear()
            elif at is not None and at < earliest:
                pass
            elif isinstance(item, GcCycle) and 0 < item.number == self._after:
                self._items.clear()  # the items before it were reported too
            elif not (isinstance(item, GcCycle) and item.number <= self._after):
                self._items.put((item, at), is_line=isinstance(item, OutputLine))

    def events(self) -> Iterator[Event]:
        """Yield the selected items; a line between two cycles has the moment of the first."""
        items = self._items.take_all()
        moments = [self._timestamps.cycle_start(item) if at is None else at for item, at in items]
        at = next((each for each in moments if each is not None), self._timestamps.clock())
        for (item, _), moment in zip(items, moments, strict=True):
            at = at if moment is None else moment
            yield Event(at, NAME, item)
