"""Acts on the process and measures the effect on memory: force a GC, free memory."""

from __future__ import annotations

import asyncio

from textual.app import App

from memtui.dashboard.event_pump import EventPump
from memtui.dashboard.status_bars import StatusBars
from memtui.diagnosis import expectation, is_lazy, settled_before
from memtui.model import Act, Event, Mark, ProcessIdentity
from memtui.sources.actions import ProcessActions
from memtui.sources.source import Clock, Refreshable, SourceFailed
from memtui.timeline import View

SETTLE_S = 0.7
"""Seconds between the reading of MemStats and the action."""
AFTER_S = (1.0, 2.0)
"""MemStats are read again after these seconds: once for the drop, once for what remains."""


class Trials:
    """Asks the user, acts, and reads MemStats before and after, so that the ledger has the effect.

    ``actor`` is None for a recording: its pid may belong to another process now.
    """

    def __init__(
        self,
        app: App[None],
        actor: ProcessActions | None,
        pump: EventPump,
        bars: StatusBars,
        clock: Clock,
    ) -> None:
        self._app = app
        self._actor = actor
        self._pump = pump
        self._bars = bars
        self._clock = clock

    def begin(self, act: Act, view: View) -> None:
        """Ask the user, and act if the answer is yes."""
        from memtui.dialogs.ask import ActionScreen, HandlerScreen

        identity, actor = view.sample(ProcessIdentity), self._actor
        if actor is None:
            self._bars.show_error("not possible in a recording: the process is not running")
        elif identity is None:
            self._bars.show_error("no process selected")
        elif not actor.can(act):
            self._app.push_screen(HandlerScreen())
        else:
            pid = identity.pid

            def answered(yes: bool | None) -> None:
                if yes:
                    self._app.run_worker(
                        self._run(actor, act, pid),
                        group="trial",
                        exclusive=True,
                        exit_on_error=False,
                    )

            self._app.push_screen(ActionScreen(act, _expected(act, view)), answered)

    async def _run(self, actor: ProcessActions, act: Act, pid: int) -> None:
        self._read()
        await asyncio.sleep(SETTLE_S)
        at = self._clock()
        try:
            done = await actor.act(act, pid)
        except SourceFailed as failed:
            self._bars.show_error(f"{act.value}: {failed.reason}")
            self._pump.add_event(Event(at, "trial", Mark(f"{act.value}: {failed.reason}")))
            return
        self._pump.add_event(Event(self._clock(), "trial", Mark(done, act)))
        self._bars.show_notice("")
        for pause_s in AFTER_S:
            await asyncio.sleep(pause_s)
            self._read()

    def _read(self) -> None:
        for source in self._pump.sources:
            if source.name == "runtime" and isinstance(source, Refreshable):
                source.look()


def _expected(act: Act, view: View) -> str:
    before = settled_before(view, view.until)
    found = expectation(act, before, lazily=is_lazy(view)) if before else None
    return found.sentence if found else "unknown without MemStats."
