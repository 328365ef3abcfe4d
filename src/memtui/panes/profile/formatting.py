"""Formats the amounts, shares, names and stacks of pane 4, and names its characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from memtui import units
from memtui.pprof.call_tree import CallNode
from memtui.render.cells import Line, Role, Span, cell_len, cut, left, line
from memtui.sanitize import plain

OPENED, FOLDED = "▾", "▸"
"""Before an expanded and a collapsed row."""

FORK, LAST, THROUGH, CALL = "├", "└", "│", "─"
"""The branches of a tree: to a sibling, to the last sibling, past a row, and to a leaf."""

EDGE, CHOSEN_EDGE, MATCH_EDGE = "│", "▸", "┃"
"""The left edge of a box of the flame graph: normal, selected, and a search match."""

FIRST = "┌"
"""The branch of the first caller."""

CALLED_BY = "←"
"""Between a function and its caller."""

FULL, EMPTY = "▓", "░"
"""A progress bar: done, and to do."""

PARTS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█")
"""The last cell of a bar in eighths."""

DOWN, UP = "▼", "▲"
"""Before the title of the sorted column: largest first, smallest first."""

CUT = "…"
"""In place of text that does not fit."""


_LAST = re.compile(r"[^ ]+\.\w+:\d+$|[^.)\]]+(?:\[.*\])?(?:\.(?:func|gowrap)?\d+)*$")
"""File and line, or a function without its receiver, with the closures in it."""
_FILE = re.compile(r"[^ ]*\.(?:go|s|S|c|cc|cpp|h)")
_TYPES = re.compile(r"(?<=\w)\[.*\](?=\)|$|\.)")
"""The type arguments of a function or of its receiver."""
_SPACE = re.compile(r"(?<=.) (?=\S)", re.DOTALL)
LONGEST = 400
"""The most characters of a name; the middle of longer ones is cut out.

No screen is as wide, and the patterns above take quadratic time.
"""


def amount(value: int, unit: str) -> str:
    """Return a value in the unit of its sample type: bytes, nanoseconds, or a count."""
    if value == 0:
        return "0"
    sign = "−" if value < 0 else ""
    match unit:
        case "bytes":
            return sign + units.size(abs(value))
        case "nanoseconds":
            return sign + units.milliseconds(abs(value) / 1e6)
        case _:
            return sign + str(abs(value))


def change(value: int, unit: str) -> str:
    """Return a difference with its sign; · for 0."""
    if value == 0:
        return "·"
    return amount(value, unit) if value < 0 else f"+{amount(value, unit)}"


def direction(value: int) -> Role:
    """Return the role of a difference: grown, shrunk, or equal."""
    if value == 0:
        return "dim"
    return "grow" if value > 0 else "shrink"


def short_name(name: str) -> str:
    """Return a name without the directories of its package or file.

    ``store.(*Cache[...]).Put`` for a function, ``proc.go`` for a file; for a source line both
    parts.
    """
    function, place = _split_line_name(name)
    if place:
        return f"{_without_directories(function)} {place.rpartition('/')[2]}"
    return _without_directories(name)


def function_of(name: str) -> str:
    """Return the function of a row; for a source line the function that contains it."""
    function, place = _split_line_name(name)
    return function if place else name


def _split_line_name(name: str) -> tuple[str, str]:
    """Split the name of a source line into function and "FILE:LINE", "" for other rows."""
    space = _SPACE.search(name)
    line_number = name.rpartition(":")[2]
    if space is None or not (line_number.isascii() and line_number.isdigit()):
        return name, ""
    return name[: space.start()], name[space.end() :]


def _bounded(name: str) -> str:
    """Return a name; the middle of a very long one is cut out."""
    half = LONGEST // 2
    return name if len(name) <= LONGEST else f"{name[:half]}{CUT}{name[-half:]}"


def _without_directories(name: str) -> str:
    ends = [at for at in (name.find("["), name.find("(")) if at >= 0]
    path = name[: min(ends)] if ends else name
    return name[path.rfind("/") + 1 :]


def fitting_name(name: str, room: int) -> str:
    """Return the longest form of a name that fits into ``room`` cells, made safe for the terminal.

    Type arguments are dropped first, then the package, then the receiver:
    ``store.(*Cache[int]).Put``, ``store.(*Cache[…]).Put``, ``(*Cache[…]).Put``, ``Put``. The end of
    a name is the most specific part.
    """
    short = plain(_bounded(short_name(name)))
    if cell_len(short) <= room or _FILE.fullmatch(short):
        return cut(short, room)
    untyped = _TYPES.sub(f"[{CUT}]", short)
    for form in (untyped, bare_name(untyped)):
        if cell_len(form) <= room:
            return form
    last = _LAST.search(untyped)
    return cut(last[0] if last else untyped, room)


def bare_name(name: str) -> str:
    """Return a function without its package, made safe for the terminal."""
    short = plain(_bounded(short_name(name)))
    return short[short.partition("[")[0].partition("(")[0].find(".") + 1 :]


def shown_name(name: str, shift: int = 0, room: int | None = None) -> str:
    """Return a name made safe for the terminal: its full form scrolled by ``shift`` − 1 cells.

    With shift 0 it is the short form, cut to ``room`` cells if given.
    """
    if shift:
        return plain(name)[shift - 1 :]
    return plain(short_name(name)) if room is None else fitting_name(name, room)


def highlighted(shown: str, name: str, text: str, role: Role = "text") -> list[Span]:
    """Return a shown name with the search ``text`` highlighted.

    If the matching part of ``name`` is not visible all of it is highlighted.
    """
    if not text or text.lower() not in name.lower():
        return [Span(shown, role)]
    match = re.search(re.escape(text), shown, re.IGNORECASE)
    if match is None:
        return [Span(shown, "match")]
    before, behind = shown[: match.start()], shown[match.end() :]
    spans = (Span(before, role), Span(match[0], "match"), Span(behind, role))
    return [span for span in spans if span.text]


def bar(part: int, whole: int, width: int) -> str:
    """Return a bar of ``width`` cells, filled by ``part / whole``, in eighths of a cell."""
    if whole == 0 or width <= 0:
        return " " * max(0, width)
    eighths = round(min(1.0, abs(part / whole)) * width * 8)
    full, rest = divmod(eighths if eighths or not part else 1, 8)
    return left(PARTS[8] * full + PARTS[rest], width)


class Total(NamedTuple):
    """The total of a function in a call tree, and the number of places it is called from.

    A recursive call is part of the outer call.
    """

    value: int
    places: int


@dataclass(frozen=True, slots=True)
class Measure:
    """The unit of the values of a view, their 100 %, and whether they are differences."""

    unit: str
    total: int
    is_difference: bool = False

    def amount(self, value: int) -> str:
        """Return a value as text; a difference has a sign."""
        return change(value, self.unit) if self.is_difference else amount(value, self.unit)

    def share(self, value: int) -> str:
        """Return the share of the total; a negative one has a sign."""
        return ("−" if value < 0 else "") + units.share(value, self.total)

    def role(self, value: int, usual: Role = "live") -> Role:
        """Return the role of a value: ``usual``, or grown or shrunk for a difference."""
        return direction(value) if self.is_difference or not value else usual

    def widest(self, values: list[int], least: int = 0) -> int:
        """Return the width of the widest value in cells."""
        return max([least, *(cell_len(self.amount(value)) for value in values)])


def describe_node(nodes: Sequence[CallNode], measure: Measure, totals: Mapping[str, Total]) -> Line:
    """Return value, shares and name of the last node of a path from the root.

    ``totals`` are the totals of each function in the tree.
    """
    node = nodes[-1]
    value = Span(measure.amount(node.value), measure.role(node.value))
    if len(nodes) == 1:
        return line("all samples  ", value)
    shares = f" {measure.share(node.value)}"
    if len(nodes) > 2:
        of_caller = Measure(measure.unit, abs(nodes[-2].value)).share(node.value)
        shares += f", {of_caller} of caller"
    own = f", flat {measure.amount(node.flat)}"
    total = totals.get(node.name)
    if total is not None and total.places > 1:
        amount_in_all = f"{measure.amount(total.value)} {measure.share(total.value)}"
        own += f", total in {total.places} places {amount_in_all}"
    return line(value, shares, Span(own, "dim"), f"  {plain(node.name)}")


_BETWEEN = f" {CALLED_BY} "


def on_one_line(frames: Sequence[str], width: int) -> str:
    """Return ``a ← b ← c`` in at most ``width`` cells: a called by b, called by c.

    If they do not fit, packages are dropped, then the last frames, which … replaces. The first one
    is always shown, cut if necessary.
    """
    joined = ""
    for name_of in (shown_name, bare_name):
        joined = _join_frames(group_repeats(frames), name_of, width)
        if not joined.endswith(CUT):
            break
    return joined


def group_repeats(frames: Sequence[str]) -> list[tuple[str, int]]:
    """Return each frame with the number of times it repeats: recursion takes one line."""
    return [(name, len([*same])) for name, same in groupby(frames)]


def frame_lines(frames: Sequence[str], indent: int, shift: int, text: str = "") -> list[Line]:
    """Return a line for each frame, leaf first; runtime frames are dim, matches highlighted."""
    lines: list[Line] = []
    for name, count in group_repeats(frames):
        shown = _repeat_text(shown_name(name, shift or 1), count)
        role: Role = "dim" if name.startswith("runtime.") else "text"
        lines.append((Span(" " * indent), *highlighted(shown, name, text, role)))
    return lines


def _repeat_text(name: str, count: int) -> str:
    return f"{name} ×{count}" if count > 1 else name


def _join_frames(
    frames: Sequence[tuple[str, int]], name_of: Callable[[str], str], width: int
) -> str:
    joined = ""
    for at, (name, count) in enumerate(frames):
        longer = joined + _BETWEEN * (at > 0) + _repeat_text(name_of(name), count)
        more = _BETWEEN + CUT if at < len(frames) - 1 else ""
        if cell_len(longer + more) > width:
            return joined + _BETWEEN + CUT if joined else cut(longer, width)
        joined = longer
    return joined
