"""The keys of pane 4: what each does, and which are wanted where."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding, BindingType

from memtui.panes.profile.editing import Editing
from memtui.panes.profile.listmodes import LabelsMode
from memtui.panes.profile.progress import under_way
from memtui.panes.profile.reading import Reading
from memtui.panes.profile.treemodes import FlameMode, TreeMode
from memtui.timeline import View

HELP = (
    ("s  { }", "next sample type; another kind of profile"),
    ("r t p ctrl+g", "fetch again; take another; CPU; heap after a GC"),
    ("v  T", "list, call tree, flame; by label: which route"),
    ("enter esc", "callers and calls, source, flame: zoom in; back"),
    ("←→ hl x", "names sideways, tree: fold; along the largest calls"),
    ("o O f", "order, turn it around; functions, lines, files, packages"),
    ("/  n N", "filters of frames and labels; find, next and previous"),
    ("b B", "make this the base of a comparison; growth or shares"),
    ("[ ] e", "older and newer profile; save the bytes"),
)
"""What the help says."""

KEYS: list[BindingType] = [
    Binding("s", "next_type", "sample type", id="profile.type"),
    Binding("r", "again", "fetch again", id="profile.fetch"),
    Binding("t", "choose", "take a profile", id="profile.take"),
    Binding("p", "take('cpu')", "CPU profile", id="profile.cpu"),
    # G alone is the end of every list, as in vi.
    Binding("ctrl+g", "take('gc')", "heap after a GC", id="profile.gc"),
    Binding("c", "cancel", "cancel what is taken", id="profile.cancel"),
    Binding("b", "base", "compare with this one", id="profile.base"),
    Binding("B", "of_base", "growth, or shares of the base", id="profile.of_base"),
    Binding("left_square_bracket", "older(-1)", "older profile", id="profile.older"),
    Binding("right_square_bracket", "older(1)", "newer profile", id="profile.newer"),
    Binding("left_curly_bracket", "kind(-1)", "kind before", id="profile.kind_before"),
    Binding("right_curly_bracket", "kind(1)", "next kind", id="profile.kind"),
    Binding("o", "order", "order by the next column", id="profile.order"),
    Binding("O", "turn", "turn the order around", id="profile.turn"),
    Binding("f", "finer", "functions, lines, files, packages", id="profile.fine"),
    Binding("v", "next_view", "list, tree, flame", id="profile.view"),
    Binding("T", "labels", "labels", id="profile.labels"),
    Binding("enter", "enter", "callers and calls", id="profile.enter"),
    Binding("escape,backspace", "back", "back", id="profile.back", show=False),
    Binding("slash", "filter", "filter", id="profile.filter"),
    Binding("n", "match(1)", "find, next match", id="profile.next_match"),
    Binding("N", "match(-1)", "previous match", id="profile.previous_match"),
    Binding("x", "largest", "along the largest calls", id="profile.largest"),
    Binding("e", "save", "save the bytes", id="profile.save"),
]

_IN_TREES = (
    ("x", "largest"), ("n", "find"), ("v", "view"), ("s", "type"), ("/", "filter"), ("b", "base"),
)  # fmt: skip
"""What can be done in a call tree and in the flame view."""


def keys_of(view: View, reading: Reading, editing: Editing) -> Sequence[tuple[str, str]]:
    """Name the keys that work where we are, those first that are wanted most."""
    if editing:
        return editing.keys()
    if under_way(view):
        return (("c", "cancel"),)
    if reading.path:
        opens = () if reading.is_source else (("enter", "go there; of the function: source"),)
        return (*opens, ("esc", "back"), ("s", "type"), ("e", "save"))
    mode = reading.mode(view)
    if isinstance(mode, LabelsMode):
        return (("enter", "keep its samples"), ("esc", "back"), ("s", "type"), ("/", "filter"))
    if isinstance(mode, FlameMode):
        return (("enter", "zoom"), ("esc", "back"), *_IN_TREES)
    if isinstance(mode, TreeMode):
        return (("← →", "fold"), ("enter", "calls"), *_IN_TREES)
    return (
        ("s", "type"), ("r", "again"), ("t", "take"), ("b", "base"), ("enter", "calls"),
        ("v", "view"), ("/", "filter"), ("T", "labels"), ("n", "find"), ("[ ]", "older"),
        ("o", "order"), ("f", "lines"), ("e", "save"),
    )  # fmt: skip
