"""Watches a process without a screen for a limited time.

The sources run in a thread of their own, so that a blocked source does not delay the deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Generic, TypeVar

from memtui.cli.live.automatic_profiles import ScheduledReads
from memtui.cli.live.session import Session
from memtui.sources.daemon_executor import DaemonExecutor
from memtui.sources.process.source import next_beat
from memtui.sources.source import Clock, drive
from memtui.timeline import Cursor, View

T = TypeVar("T")


class LoopThread(Generic[T]):
    """Runs a coroutine in an event loop in a daemon thread, which does not keep memtui running.

    A blocked source, an unfinished response or a disk that does not respond blocks that thread
    only. ``wait`` blocks the caller, which still handles signals.
    """

    def __init__(self, main: Coroutine[object, object, T]) -> None:
        self._main = main
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(DaemonExecutor())
        self._done = threading.Event()
        self._result: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the coroutine has ended, or for ``seconds``; return whether it has ended."""
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
        """Schedule a function in the loop; do nothing if the coroutine has ended."""
        if not self._done.is_set():
            self._loop.call_soon_threadsafe(function)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._result = self._loop.run_until_complete(self._main)
        except BaseException as error:  # noqa: BLE001 - raised by result()
            self._error = error
        self._done.set()
        for task in asyncio.all_tasks(self._loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        if not asyncio.all_tasks(self._loop):
            self._loop.close()


async def cancel_tasks(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    """Cancel tasks and wait until they have ended, or for ``seconds``."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        if not task.done():
            task._log_destroy_pending = False  # type: ignore[attr-defined]


INTERVAL_S = 1.0
MOST_LISTED = 20
LONGEST_COMMAND = 80
LATE_S = 0.5
"""How long after its deadline a blocked loop is abandoned."""
LAST_WORDS_S = 0.5
"""How long to wait for the last gctrace lines of an ended process."""
CLOSE_S = 30.0
"""How long sources may take to close: a response that has begun is read to its end."""
_MOST_COPIES = 20

WatchProgress = Callable[[View, float], None]
"""Called each second with the view and the seconds that have passed."""


async def run_sources(
    session: Session,
    seconds: float,
    clock: Clock,
    progress: WatchProgress,
    *,
    is_enough: Callable[[View], bool] = lambda view: False,
    on_view: Callable[[View], object] = lambda view: None,
    reads: ScheduledReads | None = None,
) -> View:
    """Run the sources of a session until the deadline or the end of the process; return the view.

    Ends earlier if ``is_enough`` is true for a view. The deadline is ``seconds`` from now on the
    monotonic clock: ``on_view`` gets the view then, before the sources are closed, which may take
    CLOSE_S.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonExecutor())
    timeline = session.timeline
    reads = reads or ScheduledReads(session.sources, seconds, profiles=False)
    tasks = [asyncio.create_task(drive(each, timeline.append, clock)) for each in session.sources]
    began_s, tick = loop.time(), 0
    try:
        while True:
            view, past_s = Cursor().view(timeline, clock()), loop.time() - began_s
            progress(view, past_s)
            if past_s >= seconds or view.ended() or is_enough(view):
                break
            reads.request_due(view, past_s)
            tick = next_beat(tick, past_s, INTERVAL_S)
            await asyncio.sleep(min(tick * INTERVAL_S, seconds) - past_s)
        if view.ended():
            await asyncio.wait(tasks, timeout=LAST_WORDS_S)
        view = Cursor().view(timeline, clock())
        on_view(view)
    finally:
        await cancel_tasks(tasks, CLOSE_S)
    return view


class HeadlessWatch:
    """Runs the sources of a session in a thread, up to a deadline.

    ``view`` waits for the deadline and returns what is known then, even if the thread is blocked.
    """

    def __init__(
        self,
        session: Session,
        seconds: float,
        progress: WatchProgress,
        *,
        is_enough: Callable[[View], bool] = lambda view: False,
        reads: ScheduledReads | None = None,
    ) -> None:
        self._session = session
        self._found: queue.SimpleQueue[View] = queue.SimpleQueue()
        self._is_over = False
        self._deadline_s = time.monotonic() + seconds + LATE_S

        def show(view: View, past_s: float) -> None:
            if not self._is_over:
                progress(view, past_s)

        def on_view(view: View) -> None:  # a copy: sources may add events while they close
            self._found.put(replace(view, timeline=view.timeline.copied()))

        watching = run_sources(
            session, seconds, session.clock, show, is_enough=is_enough, on_view=on_view, reads=reads
        )
        self._thread = LoopThread(watching)

    def view(self) -> View:
        """Return the view at the deadline, or when the process ended.

        Raises KeyboardInterrupt, and what ``progress`` raised.
        """
        view: View | None = None
        while view is None and not self._thread.has_ended:
            left_s = self._deadline_s - time.monotonic()
            if left_s <= 0:
                break
            with contextlib.suppress(queue.Empty):
                view = self._found.get(timeout=min(INTERVAL_S, left_s))
        with contextlib.suppress(queue.Empty):
            view = view or self._found.get_nowait()
        if view is None and self._thread.has_ended:
            self._thread.result()
        return view or self.now()

    def now(self) -> View:
        """Return the view now, while the thread may still add events, and stop the progress."""
        self._is_over = True
        for _ in range(_MOST_COPIES):
            with contextlib.suppress(RuntimeError):  # an event was added during the copy
                return Cursor().view(self._session.timeline.copied(), self._session.clock())
        return Cursor().view(self._session.timeline, self._session.clock())

    def close(self) -> None:
        """Wait until the sources are closed, at most CLOSE_S; ctrl+c ends the wait."""
        self._is_over = True
        with contextlib.suppress(KeyboardInterrupt):
            self._thread.wait(CLOSE_S)
