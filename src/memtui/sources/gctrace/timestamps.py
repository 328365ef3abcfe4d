"""When each item of a trace was, and which items of an old log belong to a process."""

from __future__ import annotations

from collections.abc import Iterator

from memtui.model import Event, GcCycle, OutputLine, Restart
from memtui.parse.gctrace.decoder import TimedItem, TraceItem
from memtui.sources.clock import session_time
from memtui.sources.source import Clock, EventQueue

NAME = "gctrace"
"""Of every source of a trace: the stem of the pane."""

_CLOCK_SLACK_S = 1.0


class Timestamps:
    """Gives each item of a trace its moment.

    A prefix may name it. A cycle says when it began, in seconds from the start of the process:
    with ``started_at`` that is a moment too. All else, and every cycle after a restart, holds for
    the time of reading.
    """

    def __init__(self, started_at: float | None, clock: Clock) -> None:
        self.clock = clock
        self.started_at = started_at

    def of_cycle(self, item: TraceItem) -> float | None:
        """Return when a cycle began; None for all else, and when the start is not known."""
        if isinstance(item, GcCycle) and item.at_s is not None and self.started_at is not None:
            return self.started_at + item.at_s
        return None

    def live(self, item: TraceItem, at: float | None = None) -> Event:
        """Return the event of an item that was written just now, or ``at`` a moment."""
        if isinstance(item, Restart):
            self.started_at = None
        at = self.of_cycle(item) if at is None else session_time(self.clock, at)
        return Event(self.clock() if at is None else at, NAME, item)


class Backlog:
    """What a file already held, cut down to what the process that is watched has written.

    The same log may hold the lines of its predecessors: all before the last restart, all before a
    cycle that would lie in the future, and all that a prefix dates before its start. ``after`` is
    the number of the last cycle that was told already.
    """

    def __init__(self, moments: Timestamps, after: int = 0) -> None:
        self._moments = moments
        self._after = after
        self._items: EventQueue[TimedItem] = EventQueue()

    def add(self, items: list[TimedItem]) -> None:
        """Take what was read."""
        earliest = (self._moments.started_at or 0.0) - _CLOCK_SLACK_S
        latest = self._moments.clock() + _CLOCK_SLACK_S
        for item, at in items:
            began = self._moments.of_cycle(item)
            if isinstance(item, Restart) or (began is not None and began > latest):
                self._items.clear()
            elif at is not None and at < earliest:
                pass
            elif isinstance(item, GcCycle) and 0 < item.number == self._after:
                self._items.clear()  # what stands before the last cycle that was told was told too
            elif not (isinstance(item, GcCycle) and item.number <= self._after):
                self._items.put((item, at), is_line=isinstance(item, OutputLine))

    def events(self) -> Iterator[Event]:
        """Yield all that was kept; a line between two cycles gets the moment of the first."""
        items = self._items.take_all()
        moments = [self._moments.of_cycle(item) if at is None else at for item, at in items]
        at = next((each for each in moments if each is not None), self._moments.clock())
        for (item, _), moment in zip(items, moments, strict=True):
            at = at if moment is None else moment
            yield Event(at, NAME, item)
