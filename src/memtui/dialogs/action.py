"""Before memtui acts on the process: what it will do, and what to expect; then it does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from memtui.diagnosis import expectation, is_lazy, settled_before
from memtui.model import Act, Event, Mark, ProcessIdentity
from memtui.panes.explain.verdict import HANDLER
from memtui.sanitize import plain
from memtui.sources.actions import ProcessActions
from memtui.sources.source import Clock, Refreshable, Source, SourceFailed
from memtui.timeline import View

_DOES = {
    Act.FORCE_GC: "The service runs a garbage collection now: it takes CPU for a moment, and its "
    "heap and its next goal change.",
    Act.FREE_MEMORY: "The service runs a garbage collection and returns all free memory to the "
    "system: it takes CPU for a moment, and the next requests fault memory in again.",
}

BEFORE_S = 0.7
AFTER_S = (1.0, 2.0)
"""Seconds after which MemStats are read again: once for the fall, once for what stays."""

NO_URL = "No address to free memory by. Add a handler to the service:\n\n"


class ActionScreen(ModalScreen[bool]):
    """The question; the answer is whether to do it. Without a way it only says how to add one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "dismiss(True)", "do it"),
        Binding("escape,n,q,c,ctrl+c", "dismiss(False)", "no"),
    ]

    def __init__(self, act: Act, expected: str) -> None:
        super().__init__()
        self._act = act
        self._expected = expected

    def compose(self) -> ComposeResult:
        """Show the question in a box."""
        text = Text(f"{_DOES[self._act]}\n\n")
        text.append("Expected: ", "bold")
        text.append(plain(self._expected))
        box = Static(text, classes="box")
        box.border_title = self._act.value
        box.border_subtitle = "enter do it   esc no"
        yield box


class HandlerScreen(ModalScreen[None]):
    """How to give the service what is missing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,ctrl+c", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        """Show the lines of Go in a box."""
        box = Static(Text(NO_URL + HANDLER), classes="box")
        box.border_title = Act.FREE_MEMORY.value
        box.border_subtitle = "esc closes"
        yield box


class ActionDialogs:
    """Asks, acts, and reads MemStats before and after, so that the ledger shows what came.

    Without an ``actor`` nothing is done: whoever has the pid of a recording now is another process.
    ``take`` puts an event on the timeline.
    """

    def __init__(
        self,
        app: App[None],
        actor: ProcessActions | None,
        sources: Callable[[], Sequence[Source]],
        take: Callable[[Event], None],
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._app = app
        self._actor = actor
        self._sources = sources
        self._take = take
        self._clock = clock
        self._say = say

    def begin(self, act: Act, view: View) -> None:
        """Ask the user; do it when the answer is yes."""
        identity, actor = view.sample(ProcessIdentity), self._actor
        if actor is None:
            self._say("this is a recording: the process is not within reach")
        elif identity is None:
            self._say("no process is watched")
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
        await asyncio.sleep(BEFORE_S)
        at = self._clock()
        try:
            done = await actor.act(act, pid)
        except SourceFailed as failed:
            self._say(f"{act.value}: {failed.reason}")
            self._take(Event(at, "trial", Mark(f"{act.value}: {failed.reason}")))
            return
        self._take(Event(self._clock(), "trial", Mark(done, act)))
        self._say("")
        for pause_s in AFTER_S:
            await asyncio.sleep(pause_s)
            self._read()

    def _read(self) -> None:
        for source in self._sources():
            if source.name == "runtime" and isinstance(source, Refreshable):
                source.look()


def _expected(act: Act, view: View) -> str:
    before = settled_before(view, view.until)
    found = expectation(act, before, lazily=is_lazy(view)) if before else None
    return found.sentence if found else "unknown without MemStats."
