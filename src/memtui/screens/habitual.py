"""An app as its user is used to it: themes, signs and keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from textual.filter import LineFilter

from memtui.panes.habits import Habits
from memtui.panes.keymap import Keymap
from memtui.panes.keys import scopes
from memtui.panes.signs import OtherSigns
from memtui.panes.theme import ANSI, THEMES
from memtui.screens.sturdy import SturdyApp


class HabitualApp(SturdyApp):
    """Heeds the settings."""

    def __init__(self, habits: Habits) -> None:
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
        return OtherSigns(self.habits.signs)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line goes through before it is drawn."""
        found = super().get_line_filters()
        return [*found, self._signs] if self._signs.enabled else found

    def action_theme(self, name: str) -> None:
        """Show the screen in another theme."""
        self.theme = name
