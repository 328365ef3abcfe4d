"""The dashboard without a terminal, as the tests drive it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from patience import PATIENCE_S, comes_true, until
from textual.pilot import Pilot

from memtui.cli.live.session import Session
from memtui.cli.live.sources import GctraceInput
from memtui.cli.options.profile import ProfileOptions
from memtui.dashboard.app import MemtuiApp
from memtui.render.cells import text_of
from memtui.render.line_widget import LineWidget
from memtui.sources.http.credentials import ANYBODY, Credentials

__all__ = ["app_on", "comes_true", "counted", "on_top", "patient", "running", "shown", "until"]

Result = TypeVar("Result")
_DEEPEST = 6
"""A key goes to the app, its screen, a widget; that asks the app for an action, which paints."""


def app_on(
    pid: int,
    pprof: str | None = None,
    *,
    no_probe: bool = False,
    trace: GctraceInput | None = None,
    free_url: str | None = None,
    access: Credentials = ANYBODY,
) -> MemtuiApp:
    """Return the dashboard as ``memtui --pid PID --pprof PPROF`` makes it."""
    options = ProfileOptions.given(
        pprof, no_probe=no_probe, every_s=None, free_url=free_url, access=access
    )
    session = Session(options, trace or GctraceInput(), time.time)
    session.watch_process(pid)
    return session.screen()


class PatientPilot(Pilot[Result]):
    """A pilot after whose keys and clicks all has come that they lead to, in the event loop.

    Textual's own waits until the processor looks idle, which on a busy machine it does too early.
    What a thread, a timer or another process does is still to be waited for.
    """

    async def press(self, *keys: str) -> None:
        """Press keys, each when what the last one led to is over."""
        for key in keys:
            await super().press(key)
            await self.rest()

    async def click(self, *what: Any, **how: Any) -> bool:
        """Click, and wait until what that leads to is over."""
        is_there = await super().click(*what, **how)
        await self.rest()
        return is_there

    async def pause(self, delay: float | None = None) -> None:
        """Wait, and then until all that is under way is over."""
        await super().pause(delay)
        await self.rest()

    async def rest(self) -> None:
        """Let every widget handle its messages, and those that they lead to, so many times over."""
        for _ in range(_DEEPEST):
            if not self.app.screen_stack or not await self._wait_for_screen(PATIENCE_S):
                return
            self.app.screen._on_timer_update()


def patient(pilot: Pilot[Result]) -> PatientPilot[Result]:
    """Return the patient pilot of the same app."""
    return PatientPilot(pilot.app)


@asynccontextmanager
async def running(app: MemtuiApp, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    """Run the dashboard without a terminal."""
    async with app.run_test(size=size) as pilot:
        yield patient(pilot)


def shown(app: MemtuiApp, name: str) -> str:
    """Return what a pane or a line shows."""
    widget = app.screen_stack[0].query_one(f"#{name}", LineWidget)
    return "\n".join(text_of(row) for row in widget.painted_lines)


def on_top(app: MemtuiApp, name: str) -> str:
    """Return what a widget of the topmost screen shows; nothing while it is not there."""
    return "\n".join(
        text_of(row)
        for widget in app.screen.query(f"#{name}").results(LineWidget)
        for row in widget.painted_lines
    )


def counted(app: MemtuiApp, kind: Any) -> int:
    """Return how many samples of a kind came."""
    return app.timeline.track(kind).count
