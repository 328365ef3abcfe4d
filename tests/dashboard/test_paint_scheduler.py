"""The paint scheduler: soon after an event, twice a second at most, and each second without one."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from dashboard import until

from memtui.dashboard.paint_scheduler import BETWEEN_PAINTS_S, IDLE_PAINT_S, PaintScheduler


class Painting:
    """Notes when it was painted."""

    def __init__(self) -> None:
        self.scheduler = PaintScheduler(asyncio.get_running_loop().call_later, self.paint)
        self.moments: list[float] = []

    def paint(self) -> None:
        """Note it."""
        self.scheduler.on_painted()
        self.moments.append(asyncio.get_running_loop().time())


async def test_what_comes_together_is_painted_together_and_twice_a_second_at_most() -> None:
    painting = Painting()
    painting.paint()
    while len(painting.moments) < 4:
        painting.scheduler.soon()
        await asyncio.sleep(0.001)
    painting.scheduler.stop()
    moments = painting.moments
    gaps = [later - at for at, later in pairwise(moments)]
    assert min(gaps) >= BETWEEN_PAINTS_S * 0.99


async def test_where_nothing_comes_it_is_painted_each_second_until_it_is_stopped() -> None:
    painting = Painting()
    painting.paint()
    await until(lambda: len(painting.moments) == 3)
    painting.scheduler.stop()
    assert painting.moments[2] - painting.moments[1] >= IDLE_PAINT_S * 0.99
    await asyncio.sleep(IDLE_PAINT_S * 1.5)
    assert len(painting.moments) == 3
