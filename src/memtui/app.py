"""The dashboard: one worker a source, one timeline, one cursor, and the panes that look at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from textual import events, on
from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Container
from textual.filter import LineFilter

from memtui.model import (
    Event,
    GcCycle,
    GcPause,
    MappingSample,
    OutputLine,
    RuntimeSample,
    ScavengeLine,
    TornLine,
)
from memtui.panes.direct import DirectApp
from memtui.panes.explain.pane import ExplainPane
from memtui.panes.gctrace.pane import GcTracePane
from memtui.panes.habits import USUAL, Habits
from memtui.panes.keymap import Keymap
from memtui.panes.keys import ACTIONS, KEYS, PANES, scopes
from memtui.panes.pane import Pane
from memtui.panes.position import PositionBar
from memtui.panes.profile.errand import Errand
from memtui.panes.profile.pane import ProfilePane
from memtui.panes.signs import OtherSigns
from memtui.panes.theme import ANSI, THEMES
from memtui.player import Player
from memtui.screens.beat import Beat
from memtui.screens.choice import Choice
from memtui.screens.cycle import CycleScreen
from memtui.screens.errands import Errands
from memtui.screens.help import HelpScreen
from memtui.screens.leaving import Leaving
from memtui.screens.lines import Lines
from memtui.screens.timing import Playing, Timing
from memtui.screens.trial import Trials
from memtui.sources.acting import Actor
from memtui.sources.analyst import Analyst
from memtui.sources.child import Child
from memtui.sources.defect import in_a_line, reported
from memtui.sources.mapping import MappingSource
from memtui.sources.signals import EarlySignals
from memtui.sources.source import Clock, Source, drive
from memtui.sources.threads import ThreadsLeftBehind
from memtui.tape import Tape
from memtui.timeline import Timeline, View

SAID_AFTER_S = 0.3
BESIDE = (GcCycle, GcPause, ScavengeLine, OutputLine, TornLine, RuntimeSample, MappingSample)
"""What is painted together with the next sample of the process, or a second later at most."""


class MemtuiApp(DirectApp):
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
        choice: Choice | None = None,
        child: Child | None = None,
        may_suspend: bool = True,
        early: EarlySignals | None = None,
        clock: Clock = time.time,
        analyst: Analyst | None = None,
        actor: Actor | None = None,
        player: Player | None = None,
        tape: Tape | None = None,
        habits: Habits = USUAL,
    ) -> None:
        # Textual chooses here how to leave colours out (NO_COLOR): all of them, in this theme.
        super().__init__(ansi_color=habits.theme == ANSI.name or None)
        self.ansi_color = None
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = habits.theme
        self.habits = habits
        self.keymap = Keymap(habits.keys, scopes())
        self.problems = (*habits.problems, *self.keymap.problems)
        """What of the settings could not be heeded."""
        self.timeline = timeline
        self.player = player or Player(timeline, clock)
        self.player.changed = self.paint
        self.defect: BaseException | None = None
        """The error that ended the dashboard, when it was one of memtui itself."""
        self.defects: list[str] = []
        """Those that did not, in a line each, to be told when the screen is gone."""
        self._sources = list(sources)
        self._choice = choice
        self._may_suspend = may_suspend
        self._clock = clock
        self._tape = tape
        self._lines = Lines(self, self.player, tape, self._current, self.keymap, self.problems)
        self._errands = Errands(self, lambda: self._sources, analyst or Analyst(), self.view)
        is_live = self.player.live is not None
        self._trials = Trials(
            self, (actor or Actor()) if is_live else None, lambda: self._sources, self._take,
            clock, self._lines.say,
        )  # fmt: skip
        self._leaving = Leaving(self, child, early, self._lines.wait_for, may_suspend=may_suspend)
        self._timing = Timing(
            self, self.player, self._lines.tell, self._take, self._time_moved,
            keeps_marks=tape is not None,
        )  # fmt: skip
        self._beat = Beat(self, self.paint)
        self.panes: list[Pane] = [pane() for pane in PANES]
        """The panes, in the order of their numbers."""
        self.panes[0].add_class("-current")
        self._explain = next(pane for pane in self.panes if isinstance(pane, ExplainPane))

    def compose(self) -> ComposeResult:
        """Lay out the lines and the panes."""
        yield self._lines.above()
        yield Container(*self.panes, id="panes")
        yield from self._lines.below()

    # Life

    def on_mount(self) -> None:
        """Paint first; the sources start when the empty screen is there."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadsLeftBehind())
        loop.set_exception_handler(lambda _, failed: self.note_defect(failed.get("exception")))
        self.app_resume_signal.subscribe(self, self._resumed)
        if self.keymap.keys:
            self.set_keymap(self.keymap.keys)
        self._play = Playing(self, self.player, self.paint)
        self.paint()
        self.call_after_refresh(self._begin)
        self._leaving.listen()

    def _begin(self) -> None:
        self.player.begin()
        if self.player.live is None:
            self.action_time_line()
        else:
            self._current().focus()
        self._time_moved()
        if self.problems:  # later than the pane at hand says what it has to say
            self.set_timer(SAID_AFTER_S, lambda: self._lines.say(self.problems[0]))
        self._start(self._sources)
        if self._choice is not None:
            # Its table takes 20 ms to import, which the others can do without.
            from memtui.screens.picker import PickerScreen

            self.push_screen(PickerScreen(self._choice), self._picked)

    def _picked(self, pid: int | None) -> None:
        if pid is None or self._choice is None:
            self.exit()
            return
        found = self._choice.sources_of(pid)
        self._sources += found
        self._start(found)

    def _start(self, sources: Sequence[Source]) -> None:
        for source in sources:
            running = drive(source, self._take, self._clock)
            self.run_worker(running, group=source.name, exit_on_error=False)

    def _take(self, event: Event) -> None:
        """Put an event on the timeline and into the recording."""
        if self.player.live is not None:
            self.timeline.append(event)
        if self._tape is not None:
            self._tape.append(event)
        kind = type(event.sample)
        if kind not in BESIDE or self.timeline.track(kind).count < 2:
            self._beat.soon()

    def _resumed(self, app: App[None]) -> None:
        """Paint all anew after ctrl+z and fg: the shell wrote over the screen."""
        self.screen.refresh(layout=True)

    def _handle_exception(self, error: Exception) -> None:
        """End with one line instead of Textual's traceback, which shows local variables."""
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self.defect = error
            self.exit(return_code=1)

    @cached_property
    def _signs(self) -> LineFilter:
        return OtherSigns(self.habits.signs)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line goes through before it is drawn."""
        found = super().get_line_filters()
        return [*found, self._signs] if self._signs.enabled else found

    def note_defect(self, error: BaseException | None) -> None:
        """Keep a defect in a thread or a task off the screen: Python would write its trace there.

        May be called from any thread.
        """
        if error is not None and not self.defects:  # one tells all: more would fill a disk
            self.defects.append(f"a defect of memtui: {in_a_line(error)}; {reported(error)}")

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
        self._lines.show(view, self._explain.diagnosis(view))
        self._leaving.look()

    # Panes

    def _current(self) -> Pane:
        panes = self.panes
        return next((pane for pane in panes if pane.has_class("-current")), panes[0])

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane):
            for pane in self.panes:
                pane.set_class(pane is event.widget, "-current")

    @on(Pane.Moved)
    def _selection_moved(self) -> None:
        self._lines.tell("")

    def action_go(self, number: int) -> None:
        """Go to a pane by its number."""
        pane = self.panes[number - 1]
        for each in self.panes:
            each.set_class(each is pane, "-current")
        self.screen.set_class(pane is self._explain, "-explaining")
        self.screen.set_focus(pane)  # at once: the next key may be meant for this pane

    def action_step(self, by: int) -> None:
        """Go to the next pane, or the one before."""
        self.action_go((self._current().NUMBER - 1 + by) % len(PANES) + 1)

    def action_zoom(self) -> None:
        """Give the whole screen to the pane, or to all four again."""
        self.screen.toggle_class("-zoomed")

    def action_unzoom(self) -> None:
        """Show all panes again."""
        self.screen.remove_class("-zoomed")
        if self._current() is self._explain:
            self.action_go(1)

    @on(ExplainPane.Go)
    def _go_to_evidence(self, message: ExplainPane.Go) -> None:
        """Show the pane that a number of the verdict came from."""
        self.action_go(message.number)

    @on(ExplainPane.MappingsWanted)
    def _read_mappings(self) -> None:
        """Read the mappings of the process by kind."""
        for source in self._sources:
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

    async def _toggle_tape(self, tape: Tape) -> None:
        self._lines.tell(await tape.toggle())
        self.paint()

    @on(PositionBar.Wanted)
    def _time_wanted(self, wanted: PositionBar.Wanted) -> None:
        """Move in time as a key asked; or give the keys back to the pane."""
        if wanted.what == "pane":
            self._current().focus()
            if wanted.amount:
                self._current().action_move(wanted.amount)
        else:
            self._timing.run(wanted)

    @on(PositionBar.Focused)
    def _time_focused(self) -> None:
        self.call_later(self.paint)

    def _time_moved(self) -> None:
        """Show the moment that the cursor moved to, and play on where it plays."""
        if self.player.cursor.is_following and self._lines.is_in_time:
            self._current().focus()
        self._play.heed()
        self.paint()

    @on(Errand)
    def _errand(self, errand: Errand) -> None:
        """Get the pane of profiles what it wants."""
        for pane in self.panes:
            if isinstance(pane, ProfilePane):
                self._errands.run(errand, pane)

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
        pane = None if self._lines.is_in_time else self._current()
        self.push_screen(HelpScreen(pane, self.view(), self.keymap))

    def action_copy(self, whole: bool) -> None:
        """Put the selected row, or all that the pane shows, on the clipboard of the terminal."""
        text = self._current().copied(whole=whole)
        self.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        self._lines.tell(f"copied: {text}" if lines == 1 else f"copied: {lines} lines")

    def action_palette(self) -> None:
        """Show all that can be done, to be found by its name."""
        from memtui.screens.palette import Palette

        self.push_screen(Palette(self.panes, self._lines.position, self.keymap))

    def action_theme(self, name: str) -> None:
        """Show the screen in another theme."""
        self.theme = name

    def pop_screen(self) -> AwaitComplete:
        """Close a screen, and let go of it: Textual remembers each widget that it drew.

        A cache holds the last 1,024 of them with their lines (textual 8.2.8, _styles_cache.py,
        get_inner_outer): 250 KB for a look at the keys.
        """
        closing = super().pop_screen()
        getattr(StylesCache.get_inner_outer, "cache_clear", lambda: None)()
        return closing

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keep the keys of the dashboard from working behind another screen."""
        if action == "suspend_process":
            return self._may_suspend
        return len(self.screen_stack) == 1 or action not in ACTIONS

    def action_leave(self) -> None:
        """Quit; a running child is first asked about."""
        self._leaving.ask()
