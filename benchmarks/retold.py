"""Days of a session from minutes of a real one: its events told again and again, at later moments.

Every sample is as it was recorded from a live Go service; only the moments go on. Marks are told
once: nobody puts one every few minutes for days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from memtui.model import Event, Mark
from memtui.recording import Recorder
from memtui.recording.recorded_pages import RecordedPages
from memtui.recording.writer import Clocks

DAY_S = 86_400.0
DEMO = Path(str(files("memtui") / "demo" / "orders.memtui"))


class Retold:
    """What a recording holds, second by second, for as long as is wished."""

    def __init__(self, path: Path = DEMO) -> None:
        store = RecordedPages([path])
        self.first, last = store.span()
        self._length_s = last - self.first + 1.0
        self._events = list(store.events(self.first, last, whole=True))

    def seconds(self, count: float) -> Iterator[tuple[float, list[Event]]]:
        """Yield the end of each second (Unix seconds), and what came in it, in the order it came.

        An event may be of an earlier moment, as it was when it came late.
        """
        second: list[Event] = []
        edge = self.first + 1.0
        for event in self._all():
            while event.at >= edge:
                yield edge, second
                second, edge = [], edge + 1.0
                if edge > self.first + count:
                    return
            second.append(event)

    def _all(self) -> Iterator[Event]:
        turn = 0
        while True:
            for event in self._events:
                if turn == 0 or not isinstance(event.sample, Mark):
                    yield replace(event, at=round(event.at + turn * self._length_s, 6))
            turn += 1


def written(path: Path, days: float, source: Path = DEMO) -> None:
    """Write days of a session into a file."""
    retold = Retold(source)
    now = [retold.first]
    recorder = Recorder(path, clocks=Clocks.made(lambda: now[0]), force=True)
    for now[0], events in retold.seconds(days * DAY_S):
        for event in events:
            recorder.append(event)
        recorder.flush()
    recorder.close()
