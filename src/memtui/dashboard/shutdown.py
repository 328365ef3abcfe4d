"""Ends the dashboard on a key or a signal, after the child that memtui started."""

from __future__ import annotations

import asyncio
import signal

from textual.app import App
from textual.screen import Screen
from textual.worker import WorkType

from memtui.dashboard.status_bars import StatusBars
from memtui.sources.gctrace.child import Child
from memtui.sources.signals import ENDING, PASSED_ON, EarlySignals


class Shutdown:
    """Handles signals, and asks about a running child before the app exits with its code.

    Without ``may_suspend`` SIGTSTP is ignored: the pipe that memtui drains would fill, and its
    writer would block.
    """

    def __init__(
        self,
        app: App[None],
        child: Child | None,
        early_signals: EarlySignals | None,
        bars: StatusBars,
        *,
        may_suspend: bool = True,
    ) -> None:
        self._app = app
        self._may_suspend = may_suspend
        self._child = child
        self._early_signals = early_signals or EarlySignals()
        self._bars = bars
        self._is_ending = False
        self._question: Screen[str | None] | None = None

    def listen(self) -> None:
        """Install the signal handlers; handle a signal that came before the event loop."""
        loop = asyncio.get_running_loop()
        passed_on = PASSED_ON if self._child is None else (*PASSED_ON, signal.SIGQUIT)
        for number in ENDING:
            loop.add_signal_handler(number, self.end, number)
        for number in passed_on:
            loop.add_signal_handler(number, self._pass_on, number)
        if not self._may_suspend:
            loop.add_signal_handler(signal.SIGTSTP, lambda: None)
        if self._early_signals.ending_signal is not None:
            self.end(self._early_signals.ending_signal)

    def ask(self) -> None:
        """Quit, after a question if the child is running."""
        if self._child is None or self._child.exit_code is not None:
            self._exit()
        elif not self._is_ending:
            from memtui.dialogs.ask import QuitScreen

            self._question = QuitScreen(self._child.name)
            self._app.push_screen(self._question, self._answered)

    def close_question(self) -> None:
        """Close the question if the child has ended."""
        question, child = self._question, self._child
        has_ended = child is not None and child.exit_code is not None
        if has_ended and question is not None and question is self._app.screen:
            question.dismiss(None)

    def end(self, number: int) -> None:
        """End on a signal: the child first, so that it can end cleanly.

        Later signals are only forwarded to the child.
        """
        if self._is_ending:
            self._pass_on(number)
            return
        self._is_ending = True

        async def ending() -> None:
            await self._end(number)

        # The function and not its coroutine, which is not awaited if the app closes already.
        work: WorkType[None] = ending
        self._app.run_worker(work, group="end", exit_on_error=False)

    async def _end(self, number: int) -> None:
        code = 128 + number
        try:
            if self._child is not None:
                self._bars.show_progress(f"ending {self._child.name}: SIGTERM, then SIGKILL follow")
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
        """Exit with the code of the child; 0 without a child, or if it keeps running."""
        code = self._child.exit_code if self._child else None
        self._app.exit(return_code=code or 0)

    def _pass_on(self, number: int) -> None:
        if self._child is not None:
            self._child.forward(number)
