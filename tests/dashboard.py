"""The dashboard without a terminal, as the tests drive it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from memtui.app import MemtuiApp
from memtui.cli.options.profile import ProfileOptions
from memtui.cli.session.session import Session
from memtui.cli.session.trace import Trace
from memtui.panes.cells import text_of
from memtui.panes.painted import Painted
from memtui.sources.access import ANYBODY, Access


def app_on(
    pid: int,
    pprof: str | None = None,
    *,
    no_probe: bool = False,
    trace: Trace | None = None,
    free_url: str | None = None,
    access: Access = ANYBODY,
) -> MemtuiApp:
    """Return the dashboard as ``memtui --pid PID --pprof PPROF`` makes it."""
    options = ProfileOptions.given(
        pprof, no_probe=no_probe, every_s=None, free_url=free_url, access=access
    )
    session = Session(options, trace or Trace(), time.time)
    session.watch_process(pid)
    return session.screen()


@asynccontextmanager
async def running(app: MemtuiApp, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    """Run the dashboard without a terminal."""
    async with app.run_test(size=size) as pilot:
        yield pilot


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until ``condition`` is true, while the app goes on."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain")
        await asyncio.sleep(0.02)


def shown(app: MemtuiApp, name: str) -> str:
    """Return what a pane or a line shows."""
    widget = app.screen_stack[0].query_one(f"#{name}", Painted)
    return "\n".join(text_of(row) for row in widget.painted_lines)


def on_top(app: MemtuiApp, name: str) -> str:
    """Return what a widget of the topmost screen shows; nothing while it is not there."""
    return "\n".join(
        text_of(row)
        for widget in app.screen.query(f"#{name}").results(Painted)
        for row in widget.painted_lines
    )


def counted(app: MemtuiApp, kind: Any) -> int:
    """Return how many samples of a kind came."""
    return app.timeline.track(kind).count
