"""The dashboard: one worker a source, one timeline, one cursor, and the panes that look at it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from memtui.dashboard.event_pump import EventPump
from memtui.dashboard.paint_scheduler import PaintScheduler
from memtui.dashboard.pane_app import PaneApp
from memtui.dashboard.profile_tasks import ProfileTasks
from memtui.dashboard.shutdown import Shutdown
from memtui.dashboard.status_bars import StatusBars
from memtui.dashboard.time_controls import PlaybackTimer, TimeControls
from memtui.dialogs.action import ActionDialogs
from memtui.dialogs.help import HelpScreen
from memtui.dialogs.sheet import CycleScreen
from memtui.panes.explain.pane import ExplainPane
from memtui.panes.gctrace.pane import GcTracePane
from memtui.panes.keymap import ACTIONS, KEYS
from memtui.panes.pane import Pane
from memtui.panes.position import PositionBar
from memtui.panes.profile.messages import ProfileMessage
from memtui.panes.profile.pane import ProfilePane
from memtui.render.preferences import ALL_PANES, DEFAULT, FirstScreen, Preferences
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.actions import ProcessActions
from memtui.sources.daemon_executor import DaemonExecutor
from memtui.sources.gctrace.child import Child
from memtui.sources.process.discovery import ProcessChoice
from memtui.sources.process.mappings import MappingSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.signals import EarlySignals
from memtui.sources.source import Clock, Source
from memtui.timeline import Timeline, View

SAID_AFTER_S = 0.3


class MemtuiApp(PaneApp):
    """Four panes over one timeline."""

    CSS_PATH = "app.tcss"
    TITLE = "memtui"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-normal")]  # noqa: RUF012 - Textual's own
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(
        self,
        timeline: Timeline,
        sources: Sequence[Source] = (),
        *,
        choice: ProcessChoice | None = None,
        child: Child | None = None,
        may_suspend: bool = True,
        early: EarlySignals | None = None,
        clock: Clock = time.time,
        profile_worker: ProfileWorker | None = None,
        actor: ProcessActions | None = None,
        player: Player | None = None,
        tape: SessionRecorder | None = None,
        habits: Preferences = DEFAULT,
        begins_with: FirstScreen = ALL_PANES,
    ) -> None:
        super().__init__(habits, begins_with)
        self.timeline = timeline
        self.player = player or Player(timeline, clock)
        self.player.changed = self.paint
        self._choice = choice
        self._may_suspend = may_suspend
        self._tape = tape
        self._beat = PaintScheduler(self.later, self.paint)
        self._feed = EventPump(self, sources, timeline, self.player, tape, clock, self._beat.soon)
        self._lines = StatusBars(self, self.player, tape, self.current, self.keymap, self.problems)
        self._errands = ProfileTasks(
            self, lambda: self._feed.sources, profile_worker or ProfileWorker(), self.view
        )
        is_live = self.player.live is not None
        self._trials = ActionDialogs(
            self, (actor or ProcessActions()) if is_live else None, lambda: self._feed.sources,
            self._feed.take, clock, self._lines.say,
        )  # fmt: skip
        self._leaving = Shutdown(self, child, early, self._lines.wait_for, may_suspend=may_suspend)
        self._timing = TimeControls(
            self, self.player, self._lines.tell, self._feed.take, self._time_moved,
            keeps_marks=tape is not None,
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """Lay out the lines and the panes."""
        yield self._lines.above()
        yield Container(*self.panes, id="panes")
        yield from self._lines.below()

    # Life

    def on_mount(self) -> None:
        """Paint first; the sources start when the empty screen is there."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonExecutor())
        loop.set_exception_handler(lambda _, failed: self.note_defect(failed.get("exception")))
        self.app_resume_signal.subscribe(self, self._resumed)
        if self._tape is not None:
            self._tape.changed = partial(self._tape_changed, self._tape, loop)
        if self.keymap.keys:
            self.set_keymap(self.keymap.keys)
        if self.begins_with.is_of_profile:
            self.action_go(ProfilePane.NUMBER)
            self.action_zoom()
        self._play = PlaybackTimer(self, self.player, self.paint)
        self.paint()
        self.call_after_refresh(self._begin)
        self._leaving.listen()

    def _begin(self) -> None:
        self.player.begin()
        if self.player.live is None:
            self.action_time_line()
        else:
            self.current().focus()
        self._time_moved()
        if self.problems:  # later than the pane at hand says what it has to say
            self.set_timer(SAID_AFTER_S, lambda: self._lines.say(self.problems[0]))
        self._feed.start()
        if self._choice is not None:
            # Its table takes 20 ms to import, which the others can do without.
            from memtui.dialogs.picker import PickerScreen

            self.push_screen(PickerScreen(self._choice), self._picked)

    def _picked(self, pid: int | None) -> None:
        if pid is None or self._choice is None:
            self.exit()
            return
        self._feed.add(self._choice.sources_of(pid))

    def _resumed(self, app: App[None]) -> None:
        """Paint all anew after ctrl+z and fg: the shell wrote over the screen."""
        self.screen.refresh(layout=True)

    def _tape_changed(self, tape: SessionRecorder, loop: asyncio.AbstractEventLoop) -> None:
        """Show at once what became of a recording; called by the thread that writes it."""
        self.note_defect(tape.defect)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is shown any more
            loop.call_soon_threadsafe(self.paint)

    # Painting

    def view(self) -> View:
        """Return what the panes look at now."""
        return self.player.view()

    def paint(self) -> None:
        """Show the panes and the lines what they look at."""
        if not self.screen_stack:  # it is closing
            return
        self._beat.painted()
        view = self.view()
        for pane in self.panes:
            pane.show(view)
        self._lines.show(view, self.explain.diagnosis(view))
        self._leaving.look()

    # Panes

    @on(Pane.Moved)
    def _selection_moved(self) -> None:
        self._lines.tell("")

    @on(ExplainPane.Go)
    def _go_to_evidence(self, message: ExplainPane.Go) -> None:
        """Show the pane that a number of the verdict came from."""
        self.action_go(message.number)

    @on(ExplainPane.MappingsWanted)
    def _read_mappings(self) -> None:
        """Read the mappings of the process by kind."""
        for source in self._feed.sources:
            if isinstance(source, MappingSource):
                source.read_groups()

    @on(ExplainPane.Wanted)
    def _try(self, message: ExplainPane.Wanted) -> None:
        """Do something to the process, after a question, to see what comes of it."""
        self._trials.begin(message.act, self.view())

    # Time

    def action_freeze(self) -> None:
        """Freeze the view, play from here, or follow again; the sources go on."""
        self.player.toggle()
        if not self.player.cursor.is_following:
            self.action_time_line()
        self._time_moved()

    def action_step_time(self, by: int) -> None:
        """Go to the next sample, or to the one before."""
        self.player.step(by)
        self._time_moved()

    def action_time_line(self) -> None:
        """Give the keys to the line of time."""
        self.screen.add_class("-timed")
        self.screen.set_focus(self._lines.position)
        self.paint()

    def action_mark(self) -> None:
        """Put a mark with a note at the moment that is looked at."""
        self._timing.ask_mark()

    def action_record(self) -> None:
        """Begin to record into a file, what was before too; or end it."""
        if self._tape is None:
            self._lines.say(
                "this is a recording already" if self.player.live is None else "no recorder"
            )
        else:
            self.run_worker(self._toggle_tape(self._tape), group="record", exit_on_error=False)

    async def _toggle_tape(self, tape: SessionRecorder) -> None:
        self._lines.tell(await tape.toggle())
        self.paint()

    @on(PositionBar.Wanted)
    def _time_wanted(self, wanted: PositionBar.Wanted) -> None:
        """Move in time as a key asked; or give the keys back to the pane."""
        if wanted.what == "pane":
            self.current().focus()
            if wanted.amount:
                self.current().action_move(wanted.amount)
        else:
            self._timing.run(wanted)

    @on(PositionBar.Focused)
    def _time_focused(self) -> None:
        self.call_later(self.paint)

    def _time_moved(self) -> None:
        """Show the moment that the cursor moved to, and play on where it plays."""
        if self.player.cursor.is_following and self._lines.is_in_time:
            self.current().focus()
        self._play.heed()
        self.paint()

    @on(ProfileMessage)
    def _errand(self, errand: ProfileMessage) -> None:
        """Get the pane of profiles what it wants."""
        for pane in self.panes:
            if isinstance(pane, ProfilePane):
                self._errands.handle(errand, pane)

    def on_unmount(self) -> None:
        """Leave no process behind, and no recording open."""
        self._beat.stop()
        self._errands.close()
        if self._tape is not None:
            self._tape.close()

    @on(GcTracePane.Opened)
    def _open_cycle(self, message: GcTracePane.Opened) -> None:
        """Show every field of a cycle."""
        self.push_screen(CycleScreen(message.pane))

    def action_help(self) -> None:
        """Show the keys, and what the pane at hand shows."""
        pane = None if self._lines.is_in_time else self.current()
        self.push_screen(HelpScreen(pane, self.view(), self.keymap))

    def action_copy(self, whole: bool) -> None:
        """Put the selected row, or all that the pane shows, on the clipboard of the terminal."""
        text = self.current().copied(whole=whole)
        self.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self._lines.tell(f"copied: {text}" if lines == 1 else f"copied: {lines} lines")

    def action_palette(self) -> None:
        """Show all that can be done, to be found by its name."""
        from memtui.dialogs.palette import Palette

        self.push_screen(Palette(self.panes, self._lines.position, self.keymap))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keep the keys of the dashboard from working behind another screen."""
        if action == "suspend_process":
            return self._may_suspend
        return len(self.screen_stack) == 1 or action not in ACTIONS

    def action_leave(self) -> None:
        """Quit; a running child is first asked about."""
        self._leaving.ask()
