"""What was read from a pipe and not looked at yet: in bounded memory, the trace lost last.

Reading lines takes longer than writing them, so a service that floods its log would wait for
memtui: what it writes is taken at once, and looked at later, as far as there is room.
"""

from __future__ import annotations

import threading
from collections import deque

MOST_BYTES = 16 << 20
"""Some seconds of the fastest log: after that only the lines of the trace are kept."""

_OF_TRACE = (b"gc ", b"scav")


class Unread:
    """A queue of chunks between one thread that puts and one that takes.

    ``lost`` counts the lines that made room. An empty chunk is the end.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._size = 0
        self._thin: deque[bytes] = deque()
        """The oldest, of which nothing but the trace is left."""
        self._whole: deque[bytes] = deque()
        self._has_any = threading.Condition()

    def put(self, data: bytes) -> None:
        """Add a chunk; old ones make room."""
        with self._has_any:
            self._whole.append(data)
            self._size += len(data)
            while self._size > MOST_BYTES and len(self._whole) > 1:
                self._make_thin(self._whole.popleft())
            while self._size > MOST_BYTES and self._thin:
                self._forget(self._thin.popleft())
            self._has_any.notify()

    def take(self) -> bytes:
        """Wait for a chunk, and return it."""
        with self._has_any:
            self._has_any.wait_for(lambda: self._thin or self._whole)
            data = self._thin.popleft() if self._thin else self._whole.popleft()
            self._size -= len(data)
            return data

    def clear(self) -> None:
        """Forget what waits, and put the end; it does not count as lost."""
        with self._has_any:
            self._thin.clear()
            self._whole.clear()
            self._size = 0
        self.put(b"")

    def _make_thin(self, data: bytes) -> None:
        kept = of_trace(data)
        self._size -= len(data) - len(kept)
        self.lost += data.count(b"\n") - kept.count(b"\n")
        self._thin.append(kept)

    def _forget(self, data: bytes) -> None:
        self._size -= len(data)
        self.lost += data.count(b"\n")


def of_trace(data: bytes) -> bytes:
    """Return the lines of a chunk that may be of the trace, and both its ends.

    The ends are parts of lines that the chunks beside it hold the rest of.
    """
    first, *between = data.split(b"\n")
    if not between:
        return data
    last = between.pop()
    kept = [line for line in between if any(word in line for word in _OF_TRACE)]
    return b"\n".join([first, *kept, last])
