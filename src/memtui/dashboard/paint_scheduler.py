"""Schedules the painting of the screen: soon after an event, and at least once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]

BETWEEN_PAINTS_S = 0.5
"""Events are painted twice a second at most; keys are painted at once."""
IDLE_PAINT_S = 1.0
"""Without an event the screen is painted for the time of day and for waiting samples."""
SAMPLE_DELAY_S = 0.25
"""Extra time for the sample of this second, which then paints the screen itself."""


class PaintScheduler:
    """Calls ``paint`` when it is due; ``paint`` calls ``on_painted`` each time it runs.

    ``later`` is ``LeanApp.later``.
    """

    def __init__(self, later: Later, paint: Callable[[], None]) -> None:
        self._later = later
        self._paint = paint
        self._painted_s = 0.0
        self._soon_handle: asyncio.TimerHandle | None = None
        self._idle_handle: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        """Paint in the next turn of the event loop, or BETWEEN_PAINTS_S after the last time."""
        if self._soon_handle is None:
            since_s = asyncio.get_running_loop().time() - self._painted_s
            wait_s = max(0.0, BETWEEN_PAINTS_S - since_s)
            self._soon_handle = self._later(wait_s, self._paint)

    def on_painted(self) -> None:
        """Schedule the next paint, for the case that no event comes before it."""
        now_s = asyncio.get_running_loop().time()
        was_idle = self._idle_handle is not None and self._idle_handle.when() <= now_s
        self.stop()
        self._painted_s = now_s
        wait_s = IDLE_PAINT_S if was_idle else IDLE_PAINT_S + SAMPLE_DELAY_S
        self._idle_handle = self._later(wait_s, self._paint)

    def stop(self) -> None:
        """Cancel the scheduled paints."""
        for handle in (self._soon_handle, self._idle_handle):
            if handle is not None:
                handle.cancel()
        self._soon_handle = self._idle_handle = None
