"""The panes of the dashboard: which one is current, and which are visible."""

from __future__ import annotations

from textual.app import App

from memtui.panes.explain.pane import ExplainPane
from memtui.panes.keymap import PANES
from memtui.panes.pane import Pane
from memtui.panes.profile.pane import ProfilePane
from memtui.render.preferences import FirstScreen


class PaneLayout:
    """Holds the panes; the style sheet marks the current one, which has the focus."""

    def __init__(self, app: App[None], first_screen: FirstScreen) -> None:
        self._app = app
        self.panes: list[Pane] = [pane() for pane in PANES]
        """The panes, in the order of their numbers."""
        self.explain = next(pane for pane in self.panes if isinstance(pane, ExplainPane))
        self.profile = next(pane for pane in self.panes if isinstance(pane, ProfilePane))
        if first_screen.has_base:
            self.profile.compare_with_first(of_base=first_screen.of_base)
        self.panes[0].add_class("-current")

    @property
    def current(self) -> Pane:
        """The pane that has the focus, or had it last."""
        return next((pane for pane in self.panes if pane.has_class("-current")), self.panes[0])

    def mark_current(self, pane: Pane) -> None:
        """Mark the pane that got the focus."""
        for each in self.panes:
            each.set_class(each is pane, "-current")

    def go(self, number: int) -> None:
        """Go to a pane by its number."""
        pane = self.panes[number - 1]
        self.mark_current(pane)
        self._app.screen.set_class(pane is self.explain, "-explaining")
        self._app.screen.set_focus(pane)  # at once: the next key may be meant for this pane

    def step(self, by: int) -> None:
        """Go to the next or the previous pane."""
        self.go((self.current.NUMBER - 1 + by) % len(PANES) + 1)

    def zoom(self) -> None:
        """Toggle between the current pane and all panes."""
        self._app.screen.toggle_class("-zoomed")

    def unzoom(self) -> None:
        """Show all panes."""
        self._app.screen.remove_class("-zoomed")
        if self.current is self.explain:
            self.go(1)
