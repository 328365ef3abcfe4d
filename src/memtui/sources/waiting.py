"""What waits for a reader that may be slow: in bounded memory, the least important lost first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_LINES = 4096
"""Lines of output that wait; the timeline keeps no more of them either."""

MOST_FACTS = 65_536
"""All else that waits: at 2,000 collections a second more than half a minute of them."""


class Waiting(Generic[T]):
    """A queue in the order of arrival; the oldest lines of output make room, then the oldest facts.

    ``dropped`` counts what was lost.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._arrived = 0
        self._lines: deque[tuple[int, T]] = deque()
        self._facts: deque[tuple[int, T]] = deque()

    def put(self, item: T, *, is_line: bool) -> None:
        """Add an item; ``is_line`` for a line of output."""
        queue, most = (self._lines, MOST_LINES) if is_line else (self._facts, MOST_FACTS)
        if len(queue) >= most:
            queue.popleft()
            self.dropped += 1
        queue.append((self._arrived, item))
        self._arrived += 1

    def take_all(self) -> Iterator[T]:
        """Yield and remove what waits, also what arrives meanwhile."""
        while self._lines or self._facts:
            lines_first = not self._facts or (
                bool(self._lines) and self._lines[0][0] < self._facts[0][0]
            )
            yield (self._lines if lines_first else self._facts).popleft()[1]

    def clear(self) -> None:
        """Forget what waits; it does not count as dropped."""
        self._lines.clear()
        self._facts.clear()
