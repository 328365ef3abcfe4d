"""The keys of pane 4: what each does, and which are wanted where.

What the columns of pane 4 mean: their unit, their source, and how they mislead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.binding import Binding, BindingType

from memtui.panes.field_doc import Meaning
from memtui.panes.profile.call_tree import TreeView
from memtui.panes.profile.filter_line import InputLine
from memtui.panes.profile.flame import FlameView
from memtui.panes.profile.frame import fetch_in_progress
from memtui.panes.profile.labels import LabelsView
from memtui.panes.profile.navigation import ProfileNavigation
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


def keys_of(
    view: View, navigation: ProfileNavigation, input_line: InputLine
) -> Sequence[tuple[str, str]]:
    """Name the keys that work where we are, those first that are wanted most."""
    if input_line:
        return input_line.keys()
    if fetch_in_progress(view):
        return (("c", "cancel"),)
    if navigation.path:
        opens = () if navigation.is_source else (("enter", "go there; of the function: source"),)
        return (*opens, ("esc", "back"), ("s", "type"), ("e", "save"))
    current = navigation.current_view(view)
    if isinstance(current, LabelsView):
        return (("enter", "keep its samples"), ("esc", "back"), ("s", "type"), ("/", "filter"))
    if isinstance(current, FlameView):
        return (("enter", "zoom"), ("esc", "back"), *_IN_TREES)
    if isinstance(current, TreeView):
        return (("← →", "fold"), ("enter", "calls"), *_IN_TREES)
    return (
        ("s", "type"), ("r", "again"), ("t", "take"), ("b", "base"), ("enter", "calls"),
        ("v", "view"), ("/", "filter"), ("T", "labels"), ("n", "find"), ("[ ]", "older"),
        ("o", "order"), ("f", "lines"), ("e", "save"),
    )  # fmt: skip


_HEAP = "a heap profile, sampled every 512 KiB of allocation"
TYPES: Mapping[str, Meaning] = {
    "inuse_space": Meaning(
        "inuse_space", "bytes that are still held, by the function that allocated them",
        "bytes, scaled up from samples", _HEAP,
        "as of the last finished GC: far less than RES, without stacks, garbage and free spans",
    ),
    "inuse_objects": Meaning(
        "inuse_objects", "objects that are still held", "count, scaled up from samples", _HEAP,
        "small objects are sampled rarely: few of them may not be there at all",
    ),
    "alloc_space": Meaning(
        "alloc_space", "bytes allocated since the start, freed or not",
        "bytes, scaled up from samples", _HEAP,
        "it only ever grows: much of it makes work for the GC, and is no leak",
    ),
    "alloc_objects": Meaning(
        "alloc_objects", "objects allocated since the start, freed or not",
        "count, scaled up from samples", _HEAP, "it only ever grows",
    ),
    "cpu": Meaning(
        "cpu", "CPU time by function", "seconds of CPU", "a CPU profile, 100 samples a second",
        "waiting costs no CPU and is not in it",
    ),
    "samples": Meaning(
        "samples", "how often a function was met", "count", "a CPU profile", "",
    ),
    "goroutine": Meaning(
        "goroutine", "goroutines by the stack that they stand at", "count",
        "all goroutines at one moment", "one look tells no leak: compare two of them (b)",
    ),
}  # fmt: skip
COLUMNS: tuple[Meaning, ...] = (
    Meaning(
        "flat", "of the function itself", "that of the sample type", "leaves of the stacks",
        "library functions come first here: their callers are found by cum", "live",
    ),
    Meaning("flat%", "flat, of all in the profile", "percent", "flat over the total"),
    Meaning("sum%", "flat% of this row and of all above it", "percent", "running sum"),
    Meaning(
        "cum", "of the function and all that it called", "that of the sample type",
        "stacks with the function in them", "they add up to more than the total",
    ),
    Meaning("cum%", "cum, of all in the profile", "percent", "cum over the total"),
    Meaning(
        "Δflat, Δcum", "change since the base (b)", "that of the sample type, signed",
        "this profile less the base", "sampled: small changes are noise", "grow",
    ),
    Meaning("Δ/hour", "the change, as if it went on for an hour", "an hour", "Δflat over the time"),
    Meaning(
        "flame", "a box is as wide as its share; what it calls stands below it", "share",
        "all stacks of the profile", "its order is by size: from left to right is no time",
    ),
    Meaning("…N", "N calls too small for a box or a row of their own", "count", "the profile"),
)  # fmt: skip


def meanings(sample_type: str) -> list[Meaning]:
    """Return what the sample type means, if it is a known one, and the columns."""
    known = TYPES.get(sample_type)
    return [*([known] if known else []), *COLUMNS]
