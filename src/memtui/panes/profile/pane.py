"""Pane 4: the functions that hold most, as pprof's top shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from memtui import units
from memtui.model import Profile, SampleValues
from memtui.panes.cells import Line, Picture, Span, cut, line
from memtui.panes.moments import clock
from memtui.panes.pane import Pane, explained
from memtui.panes.profile.toplist import amount, function_lines
from memtui.panes.table import Selection, marked
from memtui.plain import plain
from memtui.timeline import View

SIDEWAYS = 8
"""Cells by which names move; the first step shows the full name instead of the short one."""


class ProfilePane(Pane):
    """The newest profile, one sample type at a time."""

    NUMBER = 4
    NAME = "pprof"
    SOURCE = "profile"
    KINDS = (Profile,)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "next_type", "sample type", id="profile.type"),
        Binding("r", "fetch", "fetch the profile", id="profile.fetch"),
    ]

    class Fetch(Message):
        """A new profile is wanted now."""

    def __init__(self) -> None:
        super().__init__()
        self._type: str | None = None
        self._shift = 0

    def action_shift(self, by: int) -> None:
        """Move the names sideways, by the full name first."""
        profile = self.view.sample(Profile) if self.view else None
        names = [each.name for each in self._values(profile).functions] if profile else []
        most = max(map(len, names), default=0)
        step = 1 if self._shift + by <= 1 else SIDEWAYS
        self._shift = max(0, min(self._shift + by * step, max(1, most - SIDEWAYS)))
        self.paint()

    def keys(self) -> Sequence[tuple[str, str]]:
        """Name the keys of this pane."""
        return (("s", "sample type"), ("r", "fetch now"))

    def action_fetch(self) -> None:
        """Ask for a new profile."""
        self.post_message(self.Fetch())

    def action_next_type(self) -> None:
        """Show the next sample type: inuse_space, inuse_objects, alloc_space, alloc_objects.

        That is the order of a Go heap profile from its end, where the default stands.
        """
        profile = self.view.sample(Profile) if self.view else None
        if profile is None:
            return
        types = [values.type for values in profile.values]
        now = self._values(profile).type
        self._type = types[types.index(now) - 1]
        self._move(Selection())

    def _values(self, profile: Profile) -> SampleValues:
        """Return the chosen sample type, or the profile's own first choice."""
        by_type = {values.type: values for values in profile.values}
        default = by_type.get(profile.default_type, profile.values[0])
        return by_type.get(self._type or "", default)

    def rows(self, view: View) -> range:
        """Return the ranks of the functions."""
        profile = view.sample(Profile)
        return range(len(self._values(profile).functions) if profile else 0)

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw the functions that hold most, or those around the selected one."""
        found = view.last(Profile)
        if found is None:
            rows = explained(view, self.SOURCE, width, "waiting for the first profile …")
            title = line(Span("pprof", "title"))
            return Picture(title, rows=rows, is_empty=True)
        at, profile = found
        values = self._values(profile)
        ranks = self.rows(view)
        height -= 1
        self.selection = self.selection.within(ranks, height)
        top = self.selection.top
        shown = range(top, min(top + height, ranks.stop))
        head, lines = function_lines(values, shown, width - 1, self._shift)
        drawn = [(Span(" "), *row) for row in lines]
        if self.has_focus and drawn:
            marked_at = self.selection.at(ranks) - top
            drawn[marked_at] = marked(drawn[marked_at], width)
        below = ranks.stop - shown.stop
        total = amount(values.total, values.unit)
        return Picture(
            title=line(Span(plain(values.type), "title"), f" {total}"),
            status=line(Span(f"at {clock(at)}", "dim")),
            start=line(Span(f"{below} more ↓", "dim")) if below else (),
            foot=line(Span(cut(plain(profile.where), max(4, width - 18)), "dim")),
            rows=[(Span(" "), *head), *drawn],
        )

    def hint(self, view: View) -> Line:
        """Say the whole name of the selected function, and what fetching cost."""
        found = view.last(Profile)
        if found is None:
            return line('the service needs: import _ "net/http/pprof", and an HTTP server')
        profile = found[1]
        functions = self._values(profile).functions
        if not functions:
            return line("the profile has no samples")
        function = functions[self.selection.at(range(len(functions)))]
        cost = f"{units.size(profile.size_bytes)} in {units.milliseconds(profile.took_s * 1000)}"
        return line(plain(function.name), Span(f"  fetched {cost}", "dim"))
