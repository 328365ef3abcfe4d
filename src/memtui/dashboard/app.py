"""The dashboard: the app that connects the sources, the timeline, the cursor and the panes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import App, ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Container

from memtui.dashboard.event_pump import EventPump
from memtui.dashboard.paint_scheduler import PaintScheduler
from memtui.dashboard.pane_layout import PaneLayout
from memtui.dashboard.profile_tasks import ProfileTasks
from memtui.dashboard.shutdown import Shutdown
from memtui.dashboard.status_bars import StatusBars
from memtui.dashboard.time_controls import PlaybackTimer, TimeControls
from memtui.dashboard.trials import Trials
from memtui.panes.explain.pane import ExplainPane
from memtui.panes.gctrace.pane import GcTracePane
from memtui.panes.keymap import ACTIONS, KEYS, Keymap, scopes
from memtui.panes.pane import Pane
from memtui.panes.position import PositionBar
from memtui.panes.profile.messages import ProfileMessage
from memtui.panes.profile.pane import ProfilePane
from memtui.render.charset import Charset
from memtui.render.preferences import ALL_PANES, DEFAULT, FirstScreen, Preferences
from memtui.render.textual_private import LeanApp, forget_closed_screens
from memtui.render.theme import ANSI, THEMES
from memtui.session import Player
from memtui.session.session_recorder import SessionRecorder
from memtui.sources.actions import ProcessActions
from memtui.sources.daemon_executor import DaemonExecutor
from memtui.sources.defect import kind_and_place, report_hint
from memtui.sources.gctrace.child import Child
from memtui.sources.process.discovery import ProcessChoice
from memtui.sources.process.mappings import MappingSource
from memtui.sources.profile.worker.client import ProfileWorker
from memtui.sources.signals import EarlySignals
from memtui.sources.source import Clock, Source
from memtui.timeline import Timeline, View

NOTICE_DELAY_S = 0.3


class MemtuiApp(LeanApp):
    """The dashboard of one process: panes that show one timeline.

    Dialogs are imported when they open: the dashboard starts without them.
    """

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
        early_signals: EarlySignals | None = None,
        clock: Clock = time.time,
        profile_worker: ProfileWorker | None = None,
        actor: ProcessActions | None = None,
        player: Player | None = None,
        recorder: SessionRecorder | None = None,
        preferences: Preferences = DEFAULT,
        first_screen: FirstScreen = ALL_PANES,
    ) -> None:
        # Textual handles NO_COLOR here; in the ansi theme it removes all colours.
        super().__init__(ansi_color=preferences.theme == ANSI.name or None)
        self.ansi_color = None
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = preferences.theme
        self.preferences = preferences
        charset = Charset(preferences.signs)
        self.line_filter = charset if charset.enabled else None
        self.keymap = Keymap(preferences.keys, scopes())
        self.problems = (*preferences.problems, *self.keymap.problems)
        """The mistakes in the settings."""
        self.defects: list[str] = []
        """Defects that did not end the app, one line each, to print after the screen is closed."""
        self.timeline = timeline
        self.player = player or Player(timeline, clock)
        self.player.changed = self.paint
        self.first_screen = first_screen
        self._choice = choice
        self._may_suspend = may_suspend
        self._recorder = recorder
        self.layout = PaneLayout(self, first_screen)
        self._scheduler = PaintScheduler(self.later, self.paint)
        self._pump = EventPump(
            self, sources, timeline, self.player, recorder, clock, self._scheduler.soon
        )
        self._bars = StatusBars(
            self, self.player, recorder, self.layout, self.keymap, self.problems
        )
        self._profile_tasks = ProfileTasks(
            self, self._pump, profile_worker or ProfileWorker(), self.player
        )
        is_live = self.player.live is not None
        self._trials = Trials(
            self, (actor or ProcessActions()) if is_live else None, self._pump, self._bars, clock
        )
        self._quit = Shutdown(self, child, early_signals, self._bars, may_suspend=may_suspend)
        self._time_controls = TimeControls(
            self,
            self.player,
            self._bars,
            self._pump,
            self._time_moved,
            keeps_marks=recorder is not None,
        )

    @property
    def panes(self) -> list[Pane]:
        """The panes, in the order of their numbers."""
        return self.layout.panes

    def compose(self) -> ComposeResult:
        """Yield the lines and the panes."""
        yield self._bars.above()
        yield Container(*self.panes, id="panes")
        yield from self._bars.below()

    # Lifecycle

    def on_mount(self) -> None:
        """Paint first; the sources start after the first frame."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonExecutor())
        loop.set_exception_handler(lambda _, failed: self.note_defect(failed.get("exception")))
        self.app_resume_signal.subscribe(self, self._resumed)
        if self._recorder is not None:
            self._recorder.changed = partial(self._recorder_changed, self._recorder, loop)
        if self.keymap.keys:
            self.set_keymap(self.keymap.keys)
        if self.first_screen.is_of_profile:
            self.action_go(ProfilePane.NUMBER)
            self.action_zoom()
        self._playback = PlaybackTimer(self, self.player, self.paint)
        self.paint()
        self.call_after_refresh(self._begin)
        self._quit.listen()

    def _begin(self) -> None:
        self.player.begin()
        if self.player.live is None:
            self.action_time_line()
        else:
            self.layout.current.focus()
        self._time_moved()
        if self.problems:  # after the first hint, which would replace it
            self.set_timer(NOTICE_DELAY_S, lambda: self._bars.show_error(self.problems[0]))
        self._pump.start()
        if self._choice is not None:
            from memtui.dialogs.picker import PickerScreen

            self.push_screen(PickerScreen(self._choice), self._picked)

    def _picked(self, pid: int | None) -> None:
        if pid is None or self._choice is None:
            self.exit()
            return
        self._pump.add_sources(self._choice.sources_of(pid))

    def _resumed(self, app: App[None]) -> None:
        """Redraw the screen after ctrl+z and fg: the shell wrote over it."""
        self.screen.refresh(layout=True)

    def _recorder_changed(self, recorder: SessionRecorder, loop: asyncio.AbstractEventLoop) -> None:
        """Show a new state of the recording; called by the thread that writes it."""
        self.note_defect(recorder.defect)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self.paint)

    def note_defect(self, error: BaseException | None) -> None:
        """Keep a defect of a thread or a task; Python would write its traceback over the screen.

        May be called from any thread.
        """
        if error is not None and not self.defects:  # the first is enough: more could fill a disk
            self.defects.append(
                f"a defect in memtui: {kind_and_place(error)}; {report_hint(error)}"
            )

    # Painting

    def view(self) -> View:
        """Return the view of the panes."""
        return self.player.view()

    def paint(self) -> None:
        """Update the panes and the lines."""
        if not self.screen_stack:  # the app is closing
            return
        self._scheduler.on_painted()
        view = self.view()
        for pane in self.panes:
            pane.show(view)
        self._bars.show(view, self.layout.explain.diagnosis(view))
        self._quit.close_question()

    # Panes

    @on(Pane.Moved)
    def _selection_moved(self) -> None:
        self._bars.show_notice("")

    @on(ExplainPane.PaneRequest)
    def _go_to_evidence(self, message: ExplainPane.PaneRequest) -> None:
        """Go to the pane that a number of the verdict comes from."""
        self.action_go(message.number)

    @on(ExplainPane.MappingsRequest)
    def _read_mappings(self) -> None:
        """Read the mappings of the process by kind."""
        for source in self._pump.sources:
            if isinstance(source, MappingSource):
                source.read_groups()

    @on(ExplainPane.ActionRequest)
    def _begin_trial(self, message: ExplainPane.ActionRequest) -> None:
        """Act on the process, after a question, and measure the effect."""
        self._trials.begin(message.act, self.view())

    # Time

    def action_freeze(self) -> None:
        """Freeze the view, or resume; the sources keep running."""
        self.player.toggle()
        if not self.player.cursor.is_following:
            self.action_time_line()
        self._time_moved()

    def action_step_time(self, by: int) -> None:
        """Go to the next or the previous sample."""
        self.player.step(by)
        self._time_moved()

    def action_time_line(self) -> None:
        """Focus the timeline."""
        self.screen.add_class("-timed")
        self.screen.set_focus(self._bars.position)
        self.paint()

    def action_mark(self) -> None:
        """Set a mark with a note at the time of the view."""
        self._time_controls.ask_mark()

    def action_record(self) -> None:
        """Start recording to a file, including the last minutes; or stop it."""
        if self._recorder is None:
            self._bars.show_error(
                "this is already a recording" if self.player.live is None else "no recorder"
            )
        else:
            self.run_worker(
                self._toggle_recorder(self._recorder), group="record", exit_on_error=False
            )

    async def _toggle_recorder(self, recorder: SessionRecorder) -> None:
        self._bars.show_notice(await recorder.toggle())
        self.paint()

    @on(PositionBar.TimeRequest)
    def _on_time_request(self, request: PositionBar.TimeRequest) -> None:
        """Handle a request of the timeline; "pane" moves the focus back to the pane."""
        if request.action == "pane":
            self.layout.current.focus()
            if request.amount:
                self.layout.current.action_move(request.amount)
        else:
            self._time_controls.run(request)

    @on(PositionBar.FocusChanged)
    def _time_focus_changed(self) -> None:
        self.call_later(self.paint)

    def _time_moved(self) -> None:
        """Show the time of the cursor, and start or stop the playback."""
        if self.player.cursor.is_following and self._bars.is_time_focused:
            self.layout.current.focus()
        self._playback.update()
        self.paint()

    @on(ProfileMessage)
    def _on_profile_message(self, message: ProfileMessage) -> None:
        """Handle a message of pane 4."""
        self._profile_tasks.handle(message, self.layout.profile)

    def on_unmount(self) -> None:
        """End the workers and close the recording."""
        self._scheduler.stop()
        self._profile_tasks.close()
        if self._recorder is not None:
            self._recorder.close()

    @on(GcTracePane.Opened)
    def _open_cycle(self, message: GcTracePane.Opened) -> None:
        """Show all fields of a GC cycle."""
        from memtui.dialogs.scroll_box import CycleScreen

        self.push_screen(CycleScreen(message.pane))

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane):
            self.layout.mark_current(event.widget)

    def action_go(self, number: int) -> None:
        """Go to a pane by its number."""
        self.layout.go(number)

    def action_step(self, by: int) -> None:
        """Go to the next or the previous pane."""
        self.layout.step(by)

    def action_zoom(self) -> None:
        """Toggle between the current pane and all panes."""
        self.layout.zoom()

    def action_unzoom(self) -> None:
        """Show all panes."""
        self.layout.unzoom()

    def action_theme(self, name: str) -> None:
        """Switch to another theme."""
        self.theme = name

    def pop_screen(self) -> AwaitComplete:
        """Close a screen, and free the memory that Textual keeps for it."""
        closing = super().pop_screen()
        forget_closed_screens()
        return closing

    def action_help(self) -> None:
        """Show the keys and the documentation of the current pane."""
        from memtui.dialogs.help import HelpScreen

        pane = None if self._bars.is_time_focused else self.layout.current
        self.push_screen(HelpScreen(pane, self.view(), self.keymap))

    def action_copy(self, whole: bool) -> None:
        """Copy the selected row or the whole pane to the clipboard of the terminal."""
        text = self.layout.current.copied(whole=whole)
        self.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self._bars.show_notice(f"copied: {text}" if lines == 1 else f"copied: {lines} lines")

    def action_palette(self) -> None:
        """Open the command palette."""
        from memtui.dialogs.palette import Palette

        self.push_screen(Palette(self.panes, self._bars.position, self.keymap))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the keys of the dashboard while a dialog is open."""
        if action == "suspend_process":
            return self._may_suspend
        return len(self.screen_stack) == 1 or action not in ACTIONS

    def action_leave(self) -> None:
        """Quit, after a question if a child is running."""
        self._quit.ask()
