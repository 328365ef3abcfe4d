"""The keys of pane 4 and their hints, and the field_docs of its sample types and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.binding import Binding, BindingType

from memtui.panes.field_doc import FieldDoc
from memtui.panes.profile.call_tree import TreeView
from memtui.panes.profile.filter_line import InputLine
from memtui.panes.profile.flame import FlameView
from memtui.panes.profile.frame import fetch_in_progress
from memtui.panes.profile.labels import LabelsView
from memtui.panes.profile.navigation import ProfileNavigation
from memtui.timeline import View

HELP = (
    ("s  { }", "next sample type; another kind of profile"),
    ("r t p ctrl+g", "fetch again; another profile; CPU; heap after a GC"),
    ("v  T", "list, call tree, flame graph; labels"),
    ("enter esc", "callers and callees, source; flame: zoom; back"),
    ("←→ hl x", "scroll names; tree: fold; follow the largest calls"),
    ("o O f", "sort column, reverse; functions, lines, files, packages"),
    ("/  n N", "filters of frames and labels; find, next and previous"),
    ("b B", "compare with this one; growth or share of the base"),
    ("[ ] e", "older and newer profile; save to a file"),
)
"""The lines of the help."""

KEYS: list[BindingType] = [
    Binding("s", "next_type", "sample type", id="profile.type"),
    Binding("r", "again", "fetch again", id="profile.fetch"),
    Binding("t", "choose", "fetch another profile", id="profile.take"),
    Binding("p", "take('cpu')", "CPU profile", id="profile.cpu"),
    # G alone is the end of every list, as in vi.
    Binding("ctrl+g", "take('gc')", "heap after a GC", id="profile.gc"),
    Binding("c", "cancel", "cancel the fetch", id="profile.cancel"),
    Binding("b", "base", "compare with this one", id="profile.base"),
    Binding("B", "of_base", "growth, or share of the base", id="profile.of_base"),
    Binding("left_square_bracket", "older(-1)", "older profile", id="profile.older"),
    Binding("right_square_bracket", "older(1)", "newer profile", id="profile.newer"),
    Binding("left_curly_bracket", "kind(-1)", "previous kind", id="profile.kind_before"),
    Binding("right_curly_bracket", "kind(1)", "next kind", id="profile.kind"),
    Binding("o", "order", "sort by the next column", id="profile.order"),
    Binding("O", "turn", "reverse the order", id="profile.turn"),
    Binding("f", "finer", "functions, lines, files, packages", id="profile.fine"),
    Binding("v", "next_view", "list, call tree, flame graph", id="profile.view"),
    Binding("T", "labels", "labels", id="profile.labels"),
    Binding("enter", "enter", "callers and callees", id="profile.enter"),
    Binding("escape,backspace", "back", "back", id="profile.back", show=False),
    Binding("slash", "filter", "filter", id="profile.filter"),
    Binding("n", "match(1)", "find, next match", id="profile.next_match"),
    Binding("N", "match(-1)", "previous match", id="profile.previous_match"),
    Binding("x", "largest", "follow the largest calls", id="profile.largest"),
    Binding("e", "save", "save to a file", id="profile.save"),
]

_IN_TREES = (
    ("x", "largest"), ("n", "find"), ("v", "view"), ("s", "type"), ("/", "filter"), ("b", "base"),
)  # fmt: skip
"""The keys of the call tree and of the flame graph."""


def keys_of(
    view: View, navigation: ProfileNavigation, input_line: InputLine
) -> Sequence[tuple[str, str]]:
    """Return the keys of the current view, the most useful first."""
    if input_line:
        return input_line.keys()
    if fetch_in_progress(view):
        return (("c", "cancel"),)
    if navigation.path:
        opens = () if navigation.is_source else (("enter", "go to it, or to the source"),)
        return (*opens, ("esc", "back"), ("s", "type"), ("e", "save"))
    current = navigation.current_view(view)
    if isinstance(current, LabelsView):
        return (("enter", "only these samples"), ("esc", "back"), ("s", "type"), ("/", "filter"))
    if isinstance(current, FlameView):
        return (("enter", "zoom"), ("esc", "back"), *_IN_TREES)
    if isinstance(current, TreeView):
        return (("← →", "fold"), ("enter", "calls"), *_IN_TREES)
    return (
        ("s", "type"), ("r", "again"), ("t", "fetch"), ("b", "base"), ("enter", "calls"),
        ("v", "view"), ("/", "filter"), ("T", "labels"), ("n", "find"), ("[ ]", "older"),
        ("o", "order"), ("f", "lines"), ("e", "save"),
    )  # fmt: skip


_HEAP = "a heap profile, sampled every 512 KiB of allocation"
TYPES: Mapping[str, FieldDoc] = {
    "inuse_space": FieldDoc(
        "inuse_space", "live bytes, by the function that allocated them",
        "bytes, scaled up from samples", _HEAP,
        "as of the last finished GC; much less than RES: no stacks, garbage or free spans",
    ),
    "inuse_objects": FieldDoc(
        "inuse_objects", "live objects, by the function that allocated them",
        "count, scaled up from samples", _HEAP,
        "small objects are rarely sampled, and may be missing",
    ),
    "alloc_space": FieldDoc(
        "alloc_space", "bytes allocated since the start, freed or not",
        "bytes, scaled up from samples", _HEAP,
        "only grows; a large value means GC work, not a leak",
    ),
    "alloc_objects": FieldDoc(
        "alloc_objects", "objects allocated since the start, freed or not",
        "count, scaled up from samples", _HEAP, "only grows",
    ),
    "cpu": FieldDoc(
        "cpu", "CPU time by function", "seconds of CPU", "a CPU profile, 100 samples a second",
        "waiting uses no CPU and does not count",
    ),
    "samples": FieldDoc(
        "samples", "CPU samples by function", "count", "a CPU profile", "",
    ),
    "goroutine": FieldDoc(
        "goroutine", "goroutines by stack", "count",
        "all goroutines at one moment", "one profile shows no leak: compare two (b)",
    ),
}  # fmt: skip
COLUMNS: tuple[FieldDoc, ...] = (
    FieldDoc(
        "flat", "the function itself", "that of the sample type", "leaves of the stacks",
        "library functions come first; sort by cum to find their callers", "live",
    ),
    FieldDoc("flat%", "flat as a share of the profile", "percent", "flat over the total"),
    FieldDoc("sum%", "flat% of this row and all rows above it", "percent", "running sum"),
    FieldDoc(
        "cum", "the function and everything it calls", "that of the sample type",
        "stacks that contain the function", "the rows add up to more than the total",
    ),
    FieldDoc("cum%", "cum as a share of the profile", "percent", "cum over the total"),
    FieldDoc(
        "Δflat, Δcum", "change since the base (b)", "that of the sample type, signed",
        "this profile minus the base", "sampled: small changes are noise", "grow",
    ),
    FieldDoc("Δ/hour", "the change, extrapolated to an hour", "an hour", "Δflat over the time"),
    FieldDoc(
        "flame", "a box is as wide as its share; its callees are below it", "share",
        "all stacks of the profile", "boxes are sorted by size, not by time",
    ),
    FieldDoc("…N", "N calls, each too small for its own box or row", "count", "the profile"),
)  # fmt: skip


def field_docs(sample_type: str) -> list[FieldDoc]:
    """Return the field_docs of a sample type, if known, and of the columns."""
    known = TYPES.get(sample_type)
    return [*([known] if known else []), *COLUMNS]
