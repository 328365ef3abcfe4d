"""What waits for a reader that may be slow: in bounded memory, the least important lost first."""

from __future__ import annotations

import heapq
from collections import deque
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_LINES = 4096
"""Lines of output that wait; the timeline keeps no more of them either."""

MOST_FACTS = 65_536
"""All else that waits: at 2,000 collections a second more than half a minute of them."""


class Waiting(Generic[T]):
    """A queue in the order of arrival; the oldest lines of output make room, then the oldest facts.

    ``dropped`` counts what was lost. One thread may put while another takes.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._lock = Lock()
        self._arrived = 0
        self._lines: deque[tuple[int, T]] = deque()
        self._facts: deque[tuple[int, T]] = deque()

    def put(self, item: T, *, is_line: bool) -> None:
        """Add an item; ``is_line`` for a line of output."""
        queue, most = (self._lines, MOST_LINES) if is_line else (self._facts, MOST_FACTS)
        with self._lock:
            if len(queue) >= most:
                queue.popleft()
                self.dropped += 1
            queue.append((self._arrived, item))
            self._arrived += 1

    def take_all(self) -> list[T]:
        """Return what waits, and forget it."""
        with self._lock:
            merged = heapq.merge(self._lines, self._facts, key=lambda entry: entry[0])
            items = [item for _, item in merged]
            self._lines.clear()
            self._facts.clear()
            return items

    def clear(self) -> None:
        """Forget what waits; it does not count as dropped."""
        self.take_all()
