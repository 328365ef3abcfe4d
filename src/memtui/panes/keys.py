"""The panes and the keys of the dashboard; those of one pane alone stand with the pane."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from memtui.panes.explain.pane import ExplainPane
from memtui.panes.gctrace.pane import GcTracePane
from memtui.panes.keymap import EVERYWHERE, bindings_of, expanded
from memtui.panes.pane import Pane
from memtui.panes.position import TIME, PositionBar
from memtui.panes.process import ProcessPane
from memtui.panes.profile.pane import ProfilePane
from memtui.panes.trend import TrendPane

PANES: tuple[type[Pane], ...] = (ProcessPane, TrendPane, GcTracePane, ProfilePane, ExplainPane)

KEYS: list[BindingType] = [
    *(
        Binding(str(pane.NUMBER), f"go({pane.NUMBER})", pane.NAME, id=f"go.{pane.NUMBER}")
        for pane in PANES
    ),
    Binding("tab", "step(1)", "next pane", id="go.next", priority=True),
    Binding("shift+tab", "step(-1)", "previous pane", id="go.previous", priority=True),
    Binding("z,enter", "zoom", "zoom", id="zoom"),
    Binding("escape", "unzoom", "back", id="unzoom", show=False),
    Binding("6", "time_line", "time line", id="time_line"),
    Binding("space", "freeze", "freeze, play", id="freeze"),
    Binding("full_stop", "step_time(1)", "next sample", id="time.step", show=False),
    Binding("comma", "step_time(-1)", "sample before", id="time.step_back", show=False),
    Binding("m", "mark", "mark", id="mark"),
    Binding("R", "record", "record", id="record"),
    Binding("y", "copy(False)", "copy the row", id="copy.row"),
    Binding("Y", "copy(True)", "copy the pane", id="copy.pane"),
    Binding("colon,ctrl+p", "palette", "all that can be done", id="palette"),
    Binding("question_mark,f1", "help", "help", id="help"),
    Binding("q,ctrl+c", "leave", "quit", id="quit"),
    Binding("ctrl+z", "suspend_process", "suspend", id="suspend", show=False),
]

ACTIONS = frozenset(
    {"go", "step", "zoom", "unzoom", "time_line", "freeze", "step_time", "mark", "record", "help",
     "leave", "copy", "palette"}
)  # fmt: skip
"""What must not happen while another screen covers the panes."""


def scopes() -> dict[str, list[Binding]]:
    """Return the bindings, a key each: those of everywhere, of each pane, of the line of time."""
    found = {EVERYWHERE: list(expanded(KEYS))}
    found |= {pane.NAME: bindings_of(pane) for pane in PANES}
    return found | {TIME: bindings_of(PositionBar)}


FOOTER = (
    ("1-5", "pane"),
    ("z", "zoom"),
    ("space", "freeze"),
)
FOOTER_IN_TIME = (("1-5", "pane"), ("6", "time"), ("space", "play"), (". ,", "step"))
"""While the screen does not follow now."""
FOOTER_ALWAYS = (("?", "help"), ("q", "quit"))
