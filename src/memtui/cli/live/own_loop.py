"""Runs a coroutine on a thread of its own, so that no deadline depends on what it waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

from memtui.sources.daemon_executor import DaemonExecutor

T = TypeVar("T")


class OwnLoop(Generic[T]):
    """A coroutine in an event loop on a daemon thread; the process can end without it.

    A source that blocks its loop, a page that is still being read and a disk that does not answer
    hold up the thread alone. ``wait`` blocks the caller, who goes on handling signals.
    """

    def __init__(self, main: Coroutine[object, object, T]) -> None:
        self._main = main
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(DaemonExecutor())
        self._done = threading.Event()
        self._result: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="apart", daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the coroutine has ended, for so long at most; return whether it has."""
        return self._done.wait(seconds)

    @property
    def has_ended(self) -> bool:
        """Whether the coroutine has ended, or raised."""
        return self._done.is_set()

    def result(self) -> T | None:
        """Return its result, None while it runs; raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._result

    def call(self, function: Callable[[], object]) -> None:
        """Call a function in the loop, when the loop gets to it; nothing once it has ended."""
        if not self._done.is_set():
            self._loop.call_soon_threadsafe(function)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._result = self._loop.run_until_complete(self._main)
        except BaseException as error:  # noqa: BLE001 - for whoever asks for the result
            self._error = error
        self._done.set()
        for task in asyncio.all_tasks(self._loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        if not asyncio.all_tasks(self._loop):
            self._loop.close()


async def stopped(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    """Cancel tasks, and wait for so long at most until they have closed what they hold."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        if not task.done():
            task._log_destroy_pending = False  # type: ignore[attr-defined]
