"""An app of panes: which of them is at hand, and how to go from one to another."""

from __future__ import annotations

from textual import events, on

from memtui.panes.explain.pane import ExplainPane
from memtui.panes.habits import Beginning, Habits
from memtui.panes.keys import PANES
from memtui.panes.pane import Pane
from memtui.panes.profile.pane import ProfilePane
from memtui.screens.habitual import HabitualApp


class PanedApp(HabitualApp):
    """Holds the panes; the one at hand is marked for the style sheet, and has the keys."""

    def __init__(self, habits: Habits, begins_with: Beginning) -> None:
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
