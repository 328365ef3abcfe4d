"""How the dashboard ends: as the user or a signal asks, and after the program that it started."""

from __future__ import annotations

import asyncio
import signal

from textual.app import App
from textual.worker import WorkType

from memtui.dashboard.status_bars import StatusBars
from memtui.dialogs.quit import QuitScreen
from memtui.sources.gctrace.child import Child
from memtui.sources.signals import ENDING, PASSED_ON, EarlySignals


class Shutdown:
    """Heeds signals, and asks about a running child before the app exits with its code.

    ``say`` is told what is being waited for. Without a child there is nothing to ask, and signals
    that are not ours are ignored. Unless it ``may_suspend``, nobody stops it: the pipe that it
    drains would fill, and who writes into it stand still.
    """

    def __init__(
        self,
        app: App[None],
        child: Child | None,
        early: EarlySignals | None,
        bars: StatusBars,
        *,
        may_suspend: bool = True,
    ) -> None:
        self._app = app
        self._may_suspend = may_suspend
        self._child = child
        self._early = early or EarlySignals()
        self._bars = bars
        self._is_ending = False

    def listen(self) -> None:
        """Take the signals over, those too that came before there was a loop."""
        loop = asyncio.get_running_loop()
        passed_on = PASSED_ON if self._child is None else (*PASSED_ON, signal.SIGQUIT)
        for number in ENDING:
            loop.add_signal_handler(number, self.end, number)
        for number in passed_on:
            loop.add_signal_handler(number, self._pass_on, number)
        if not self._may_suspend:
            loop.add_signal_handler(signal.SIGTSTP, lambda: None)
        if self._early.ending_signal is not None:
            self.end(self._early.ending_signal)

    def ask(self) -> None:
        """Quit; a running child is first asked about."""
        if self._child is None or self._child.exit_code is not None:
            self._exit()
        elif not self._is_ending:
            self._app.push_screen(QuitScreen(self._child.name), self._answered)

    def look(self) -> None:
        """Take the question back when the child has ended meanwhile."""
        is_asked = isinstance(self._app.screen, QuitScreen)
        if is_asked and self._child is not None and self._child.exit_code is not None:
            self._app.screen.dismiss(None)

    def end(self, number: int) -> None:
        """End as a signal asks: the child first, so that it can end cleanly.

        Later signals go to the child alone: its end is waited for already.
        """
        if self._is_ending:
            self._pass_on(number)
            return
        self._is_ending = True

        async def ending() -> None:
            await self._end(number)

        # The function and not its coroutine, which nobody would await where the app closes already.
        work: WorkType[None] = ending
        self._app.run_worker(work, group="end", exit_on_error=False)

    async def _end(self, number: int) -> None:
        code = 128 + number
        try:
            if self._child is not None:
                self._bars.wait_for(
                    f"ending {self._child.name}: then by SIGTERM, and at last by SIGKILL"
                )
                await self._child.end(number)
                code = self._child.exit_code or 0
        finally:
            self._app.exit(return_code=code)

    def _answered(self, answer: str | None) -> None:
        if answer == "end":
            self.end(signal.SIGINT)
        elif answer == "leave":
            self._exit()

    def _exit(self) -> None:
        """Exit with the code of the child: 0 without one, and while it runs on."""
        code = self._child.exit_code if self._child else None
        self._app.exit(return_code=code or 0)

    def _pass_on(self, number: int) -> None:
        if self._child is not None:
            self._child.forward(number)
