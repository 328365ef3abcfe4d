"""An app of panes: which of them is at hand, and how to go from one to another.

An app as its user is used to it: themes, signs and keys.

An app that ends with a line where Textual shows a traceback, and lets go of what is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from textual import events, on
from textual._styles_cache import StylesCache
from textual.await_complete import AwaitComplete
from textual.filter import LineFilter

from memtui.panes.explain.pane import ExplainPane
from memtui.panes.keymap import PANES, Keymap, scopes
from memtui.panes.pane import Pane
from memtui.panes.profile.pane import ProfilePane
from memtui.render.charset import Charset
from memtui.render.preferences import FirstScreen, Preferences
from memtui.render.textual_private.direct_update import DirectApp
from memtui.render.theme import ANSI, THEMES
from memtui.sources.defect import in_a_line, reported


class SturdyApp(DirectApp):
    """Keeps defects of memtui off the screen, and its memory small."""

    defect: BaseException | None = None
    """The error that ended it, when it was one of memtui itself."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.defects: list[str] = []
        """Those that did not end it, in a line each, to be told when the screen is gone."""

    def _handle_exception(self, error: Exception) -> None:
        """End with one line instead of Textual's traceback, which shows local variables."""
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self.defect = error
            self.exit(return_code=1)

    def note_defect(self, error: BaseException | None) -> None:
        """Keep a defect in a thread or a task off the screen: Python would write its trace there.

        May be called from any thread.
        """
        if error is not None and not self.defects:  # one tells all: more would fill a disk
            self.defects.append(f"a defect of memtui: {in_a_line(error)}; {reported(error)}")

    def pop_screen(self) -> AwaitComplete:
        """Close a screen, and let go of it: Textual remembers each widget that it drew.

        A cache holds the last 1,024 of them with their lines (textual 8.2.8, _styles_cache.py,
        get_inner_outer): 250 KB for a look at the keys.
        """
        closing = super().pop_screen()
        getattr(StylesCache.get_inner_outer, "cache_clear", lambda: None)()
        return closing


class HabitualApp(SturdyApp):
    """Heeds the settings."""

    def __init__(self, habits: Preferences) -> None:
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

    @cached_property
    def _signs(self) -> LineFilter:
        return Charset(self.habits.signs)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line goes through before it is drawn."""
        found = super().get_line_filters()
        return [*found, self._signs] if self._signs.enabled else found

    def action_theme(self, name: str) -> None:
        """Show the screen in another theme."""
        self.theme = name


class PaneApp(HabitualApp):
    """Holds the panes; the one at hand is marked for the style sheet, and has the keys."""

    def __init__(self, habits: Preferences, begins_with: FirstScreen) -> None:
        super().__init__(habits)
        self.begins_with = begins_with
        self.panes: list[Pane] = [pane() for pane in PANES]
        """The panes, in the order of their numbers."""
        profiles = next(pane for pane in self.panes if isinstance(pane, ProfilePane))
        if begins_with.has_base:
            profiles.compare_with_first(of_base=begins_with.of_base)
        self.panes[0].add_class("-current")
        self.explain = next(pane for pane in self.panes if isinstance(pane, ExplainPane))

    def current(self) -> Pane:
        """Return the pane at hand."""
        panes = self.panes
        return next((pane for pane in panes if pane.has_class("-current")), panes[0])

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane):
            for pane in self.panes:
                pane.set_class(pane is event.widget, "-current")

    def action_go(self, number: int) -> None:
        """Go to a pane by its number."""
        pane = self.panes[number - 1]
        for each in self.panes:
            each.set_class(each is pane, "-current")
        self.screen.set_class(pane is self.explain, "-explaining")
        self.screen.set_focus(pane)  # at once: the next key may be meant for this pane

    def action_step(self, by: int) -> None:
        """Go to the next pane, or the one before."""
        self.action_go((self.current().NUMBER - 1 + by) % len(PANES) + 1)

    def action_zoom(self) -> None:
        """Give the whole screen to the pane, or to all four again."""
        self.screen.toggle_class("-zoomed")

    def action_unzoom(self) -> None:
        """Show all panes again."""
        self.screen.remove_class("-zoomed")
        if self.current() is self.explain:
            self.action_go(1)
