"""When the screen is painted: soon after something came, and once a second where nothing does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]

BETWEEN_PAINTS_S = 0.5
"""The screen is painted twice a second at most, however fast events come; keys paint at once."""
SECOND_S = 1.0
"""The time of day moves on, and what came since may wait no longer."""
LATE_S = 0.25
"""A process is read each second: its sample is painted for the second, if it is not later."""


class PaintScheduler:
    """Calls ``paint``, which calls ``painted`` whenever it is called, by whom ever.

    ``later`` is that of the app.
    """

    def __init__(self, later: Later, paint: Callable[[], None]) -> None:
        self._later = later
        self._paint = paint
        self._painted_s = 0.0
        self._soon: asyncio.TimerHandle | None = None
        self._next: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """Paint once for all that comes until then: at once, in the next turn of the loop, or when
        the last time is long enough ago."""
        if self._soon is None:
            since_s = asyncio.get_running_loop().time() - self._painted_s
            wait_s = max(0.0, BETWEEN_PAINTS_S - since_s)
            self._soon = self._later(wait_s, self._paint)

    def painted(self) -> None:
        """Note that all is painted; the next time is a second later, unless something comes."""
        now_s = asyncio.get_running_loop().time()
        by_itself = self._next is not None and self._next.when() <= now_s
        self.stop()
        self._painted_s = now_s
        wait_s = SECOND_S if by_itself else SECOND_S + LATE_S
        self._next = self._later(wait_s, self._paint)

    def stop(self) -> None:
        """Paint no more by itself."""
        for handle in (self._soon, self._next):
            if handle is not None:
                handle.cancel()
        self._soon = self._next = None
