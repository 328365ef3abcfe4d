"""The dashboard: one worker a source, one timeline, one cursor, and the panes that look at it."""

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
from memtui.dialogs.help import HelpScreen
from memtui.dialogs.sheet import CycleScreen
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

SAID_AFTER_S = 0.3


class MemtuiApp(LeanApp):
    """Panes over one timeline."""

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
        # Textual decides here how to leave colours out (NO_COLOR): all of them, in this theme.
        super().__init__(ansi_color=habits.theme == ANSI.name or None)
        self.ansi_color = None
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = habits.theme
        self.habits = habits
        charset = Charset(habits.signs)
        self.line_filter = charset if charset.enabled else None
        self.keymap = Keymap(habits.keys, scopes())
        self.problems = (*habits.problems, *self.keymap.problems)
        """The mistakes in the settings."""
        self.defects: list[str] = []
        """Defects that did not end the app, a line each, to print when the screen is gone."""
        self.timeline = timeline
        self.player = player or Player(timeline, clock)
        self.player.changed = self.paint
        self.begins_with = begins_with
        self._choice = choice
        self._may_suspend = may_suspend
        self._tape = tape
        self.layout = PaneLayout(self, begins_with)
        self._scheduler = PaintScheduler(self.later, self.paint)
        self._pump = EventPump(
            self, sources, timeline, self.player, tape, clock, self._scheduler.soon
        )
        self._bars = StatusBars(self, self.player, tape, self.layout, self.keymap, self.problems)
        self._profile_tasks = ProfileTasks(
            self, self._pump, profile_worker or ProfileWorker(), self.player
        )
        is_live = self.player.live is not None
        self._trials = Trials(
            self, (actor or ProcessActions()) if is_live else None, self._pump, self._bars, clock
        )
        self._ending = Shutdown(self, child, early, self._bars, may_suspend=may_suspend)
        self._time_controls = TimeControls(
            self,
            self.player,
            self._bars,
            self._pump,
            self._time_moved,
            keeps_marks=tape is not None,
        )

    @property
    def panes(self) -> list[Pane]:
        """The panes, in the order of their numbers."""
        return self.layout.panes

    def compose(self) -> ComposeResult:
        """Lay out the lines and the panes."""
        yield self._bars.above()
        yield Container(*self.panes, id="panes")
        yield from self._bars.below()

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
        self._ending.listen()

    def _begin(self) -> None:
        self.player.begin()
        if self.player.live is None:
            self.action_time_line()
        else:
            self.layout.current.focus()
        self._time_moved()
        if self.problems:  # later than the pane at hand says what it has to say
            self.set_timer(SAID_AFTER_S, lambda: self._bars.say(self.problems[0]))
        self._pump.start()
        if self._choice is not None:
            # Its table takes 20 ms to import, which the others can do without.
            from memtui.dialogs.picker import PickerScreen

            self.push_screen(PickerScreen(self._choice), self._picked)

    def _picked(self, pid: int | None) -> None:
        if pid is None or self._choice is None:
            self.exit()
            return
        self._pump.add(self._choice.sources_of(pid))

    def _resumed(self, app: App[None]) -> None:
        """Paint all anew after ctrl+z and fg: the shell wrote over the screen."""
        self.screen.refresh(layout=True)

    def _tape_changed(self, tape: SessionRecorder, loop: asyncio.AbstractEventLoop) -> None:
        """Show at once what became of a recording; called by the thread that writes it."""
        self.note_defect(tape.defect)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is shown any more
            loop.call_soon_threadsafe(self.paint)

    def note_defect(self, error: BaseException | None) -> None:
        """Keep a defect in a thread or a task off the screen, where Python would write its trace.

        May be called from any thread.
        """
        if error is not None and not self.defects:  # the first is enough: more could fill a disk
            self.defects.append(
                f"a defect of memtui: {kind_and_place(error)}; {report_hint(error)}"
            )

    # Painting

    def view(self) -> View:
        """Return what the panes look at now."""
        return self.player.view()

    def paint(self) -> None:
        """Show the panes and the lines what they look at."""
        if not self.screen_stack:  # it is closing
            return
        self._scheduler.painted()
        view = self.view()
        for pane in self.panes:
            pane.show(view)
        self._bars.show(view, self.layout.explain.diagnosis(view))
        self._ending.look()

    # Panes

    @on(Pane.Moved)
    def _selection_moved(self) -> None:
        self._bars.tell("")

    @on(ExplainPane.Go)
    def _go_to_evidence(self, message: ExplainPane.Go) -> None:
        """Show the pane that a number of the verdict came from."""
        self.action_go(message.number)

    @on(ExplainPane.MappingsWanted)
    def _read_mappings(self) -> None:
        """Read the mappings of the process by kind."""
        for source in self._pump.sources:
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
        self.screen.set_focus(self._bars.position)
        self.paint()

    def action_mark(self) -> None:
        """Put a mark with a note at the moment that is looked at."""
        self._time_controls.ask_mark()

    def action_record(self) -> None:
        """Begin to record into a file, what was before too; or end it."""
        if self._tape is None:
            self._bars.say(
                "this is a recording already" if self.player.live is None else "no recorder"
            )
        else:
            self.run_worker(self._toggle_tape(self._tape), group="record", exit_on_error=False)

    async def _toggle_tape(self, tape: SessionRecorder) -> None:
        self._bars.tell(await tape.toggle())
        self.paint()

    @on(PositionBar.Wanted)
    def _time_wanted(self, wanted: PositionBar.Wanted) -> None:
        """Move in time as a key asked; or give the keys back to the pane."""
        if wanted.what == "pane":
            self.layout.current.focus()
            if wanted.amount:
                self.layout.current.action_move(wanted.amount)
        else:
            self._time_controls.run(wanted)

    @on(PositionBar.Focused)
    def _time_focused(self) -> None:
        self.call_later(self.paint)

    def _time_moved(self) -> None:
        """Show the moment that the cursor moved to, and play on where it plays."""
        if self.player.cursor.is_following and self._bars.is_in_time:
            self.layout.current.focus()
        self._play.heed()
        self.paint()

    @on(ProfileMessage)
    def _errand(self, errand: ProfileMessage) -> None:
        """Get the pane of profiles what it wants."""
        self._profile_tasks.handle(errand, self.layout.profile)

    def on_unmount(self) -> None:
        """Leave no process behind, and no recording open."""
        self._scheduler.stop()
        self._profile_tasks.close()
        if self._tape is not None:
            self._tape.close()

    @on(GcTracePane.Opened)
    def _open_cycle(self, message: GcTracePane.Opened) -> None:
        """Show every field of a cycle."""
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
        """Give the whole screen to the current pane, or show all panes again."""
        self.layout.zoom()

    def action_unzoom(self) -> None:
        """Show all panes again."""
        self.layout.unzoom()

    def action_theme(self, name: str) -> None:
        """Show the screen in another theme."""
        self.theme = name

    def pop_screen(self) -> AwaitComplete:
        """Close a screen, and the memory that Textual keeps of it."""
        closing = super().pop_screen()
        forget_closed_screens()
        return closing

    def action_help(self) -> None:
        """Show the keys, and what the pane at hand shows."""
        pane = None if self._bars.is_in_time else self.layout.current
        self.push_screen(HelpScreen(pane, self.view(), self.keymap))

    def action_copy(self, whole: bool) -> None:
        """Put the selected row, or all that the pane shows, on the clipboard of the terminal."""
        text = self.layout.current.copied(whole=whole)
        self.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self._bars.tell(f"copied: {text}" if lines == 1 else f"copied: {lines} lines")

    def action_palette(self) -> None:
        """Show all that can be done, to be found by its name."""
        from memtui.dialogs.palette import Palette

        self.push_screen(Palette(self.panes, self._bars.position, self.keymap))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keep the keys of the dashboard from working behind another screen."""
        if action == "suspend_process":
            return self._may_suspend
        return len(self.screen_stack) == 1 or action not in ACTIONS

    def action_leave(self) -> None:
        """Quit; a running child is first asked about."""
        self._ending.ask()
