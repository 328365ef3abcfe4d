"""What is said while an answer is long in coming, so that nobody takes the silence for calm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

from memtui.model import Trouble

T = TypeVar("T")

SLOW_S = 1.5
"""After so long a silence is told: with a beat of the screen, within two seconds."""
_USUAL_TIMES = 3


@asynccontextmanager
async def asked(question: Coroutine[object, object, T]) -> AsyncIterator[asyncio.Future[T]]:
    """Ask, while whoever did it may go on; the question is dropped when this is left."""
    asking = asyncio.ensure_future(question)
    try:
        yield asking
    finally:
        asking.cancel()


async def silence(asking: asyncio.Future[T], where: str, last_took_s: float) -> Trouble | None:
    """Wait for an answer; return what to say when there is none yet, None when there is.

    An answer is late after SLOW_S, or after some times what the last one took. Any sample of the
    source takes the trouble back.
    """
    after_s = max(SLOW_S, _USUAL_TIMES * last_took_s)
    done, _ = await asyncio.wait([asking], timeout=after_s)
    if done:
        return None
    return Trouble(f"{where} has not answered for {after_s:.1f} s", "memtui waits for it", 0.0)
