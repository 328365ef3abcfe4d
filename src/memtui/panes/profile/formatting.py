"""How pane 4 writes what stands in a profile: amounts, shares and names.

The characters that pane 4 draws with; what each one says stands here, once.

A stack on one line, leaf first, and unfolded to a line a frame.
"""

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
"""Before a row whose calls are shown, and before one whose calls are hidden."""

FORK, LAST, THROUGH, CALL = "├", "└", "│", "─"
"""The branches of a tree: one more follows, none follows, a branch passes by, a leaf."""

EDGE, CHOSEN_EDGE, MATCH_EDGE = "│", "▸", "┃"
"""The left edge of a box of the flame view, of the selected one, and of one that was found."""

FIRST = "┌"
"""The first of those that call a function."""

CALLED_BY = "←"
"""Between a function and the one that called it."""

FULL, EMPTY = "▓", "░"
"""A bar: what is done, and what is left."""

PARTS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█")
"""The last cell of a bar in eighths."""

DOWN, UP = "▼", "▲"
"""Beside the title of the column that the list goes by: largest first, smallest first."""

CUT = "…"
"""Something more that there was no room for."""


_LAST = re.compile(r"[^ ]+\.\w+:\d+$|[^.)\]]+(?:\[.*\])?(?:\.(?:func|gowrap)?\d+)*$")
"""The place of a line of code, or a function without its receiver, with those inside of it."""
_FILE = re.compile(r"[^ ]*\.(?:go|s|S|c|cc|cpp|h)")
_TYPES = re.compile(r"(?<=\w)\[.*\](?=\)|$|\.)")
"""The type arguments of a function or of its receiver."""
_SPACE = re.compile(r"(?<=.) (?=\S)", re.DOTALL)
LONGEST = 400
"""Characters of a name from which on its middle is left out before it is made shorter.

No screen is as wide, and the patterns take the square of the length.
"""


def amount(value: int, unit: str) -> str:
    """Write a value in the unit of its sample type: bytes, nanoseconds, or a count."""
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
    """Write a difference with its sign; · when there is none."""
    if value == 0:
        return "·"
    return amount(value, unit) if value < 0 else f"+{amount(value, unit)}"


def direction(value: int) -> Role:
    """Return the role of a difference: what grew, what shrank, what stayed."""
    if value == 0:
        return "dim"
    return "grow" if value > 0 else "shrink"


def short_name(name: str) -> str:
    """Return a name without the directories of its package or file.

    ``store.(*Cache[...]).Put`` of a function, ``proc.go`` of a file, and of a line of code the
    function and the file, each without its directories.
    """
    function, place = _parted(name)
    if place:
        return f"{_without_directories(function)} {place.rpartition('/')[2]}"
    return _without_directories(name)


def function_of(name: str) -> str:
    """Return the function of a row: of a line of code the one that it is in."""
    function, place = _parted(name)
    return function if place else name


def _parted(name: str) -> tuple[str, str]:
    """Part the name of a line of code into its function and "FILE:LINE", "" where it is none."""
    space = _SPACE.search(name)
    line_number = name.rpartition(":")[2]
    if space is None or not (line_number.isascii() and line_number.isdigit()):
        return name, ""
    return name[: space.start()], name[space.end() :]


def _bounded(name: str) -> str:
    """Return a name, without its middle where it is very long."""
    half = LONGEST // 2
    return name if len(name) <= LONGEST else f"{name[:half]}{CUT}{name[-half:]}"


def _without_directories(name: str) -> str:
    ends = [at for at in (name.find("["), name.find("(")) if at >= 0]
    path = name[: min(ends)] if ends else name
    return name[path.rfind("/") + 1 :]


def fitting_name(name: str, room: int) -> str:
    """Return the longest form of a name that fits in some cells, made plain; else a cut one.

    First go its type arguments, then its package, then its receiver: ``store.(*Cache[int]).Put``,
    ``store.(*Cache[…]).Put``, ``(*Cache[…]).Put``, ``Put``. What tells functions apart stands at
    their end.
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
    """Return a function without its package, made plain; what has no package stays as it is."""
    short = plain(_bounded(short_name(name)))
    return short[short.partition("[")[0].partition("(")[0].find(".") + 1 :]


def shown_name(name: str, shift: int = 0, room: int | None = None) -> str:
    """Return a name made plain: its full form moved sideways by ``shift`` cells less one.

    Without a shift it is the short form, and the longest one that fits where ``room`` is given.
    """
    if shift:
        return plain(name)[shift - 1 :]
    return plain(short_name(name)) if room is None else fitting_name(name, room)


def highlighted(shown: str, name: str, text: str, role: Role = "text") -> list[Span]:
    """Return a name as it is shown, with the ``text`` that was searched for told apart.

    All of it is when the part of the name that matches is not shown.
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
    """Return a bar of ``width`` cells: how much of ``whole`` is ``part``, in eighths of a cell."""
    if whole == 0 or width <= 0:
        return " " * max(0, width)
    eighths = round(min(1.0, abs(part / whole)) * width * 8)
    full, rest = divmod(eighths if eighths or not part else 1, 8)
    return left(PARTS[8] * full + PARTS[rest], width)


class Total(NamedTuple):
    """What a function comes to in all its places in a tree, and how many these are.

    A call below another one of the same function is part of that, and no place of its own.
    """

    value: int
    places: int


@dataclass(frozen=True, slots=True)
class Measure:
    """What the values of a view are: their unit, their 100 %, and whether they are differences."""

    unit: str
    total: int
    is_difference: bool = False

    def amount(self, value: int) -> str:
        """Write a value; a difference has its sign."""
        return change(value, self.unit) if self.is_difference else amount(value, self.unit)

    def share(self, value: int) -> str:
        """Write the share of the total; a negative one has its sign."""
        return ("−" if value < 0 else "") + units.share(value, self.total)

    def role(self, value: int, usual: Role = "live") -> Role:
        """Return the role of a value: a difference says what grew and what shrank."""
        return direction(value) if self.is_difference or not value else usual

    def widest(self, values: list[int], least: int = 0) -> int:
        """Return the cells that the widest of some values takes."""
        return max([least, *(cell_len(self.amount(value)) for value in values)])


def describe_node(nodes: Sequence[CallNode], measure: Measure, totals: Mapping[str, Total]) -> Line:
    """Say in a line what the last node on a way from the root is: its value, shares and name.

    ``totals`` are what each function comes to in all its places.
    """
    node = nodes[-1]
    value = Span(measure.amount(node.value), measure.role(node.value))
    if len(nodes) == 1:
        return line("all samples  ", value)
    shares = f" {measure.share(node.value)}"
    if len(nodes) > 2:
        of_caller = Measure(measure.unit, abs(nodes[-2].value)).share(node.value)
        shares += f", {of_caller} of its caller"
    own = f", own {measure.amount(node.flat)}"
    total = totals.get(node.name)
    if total is not None and total.places > 1:
        amount_in_all = f"{measure.amount(total.value)} {measure.share(total.value)}"
        own += f", in all {total.places} places {amount_in_all}"
    return line(value, shares, Span(own, "dim"), f"  {plain(node.name)}")


_BETWEEN = f" {CALLED_BY} "


def on_one_line(frames: Sequence[str], width: int) -> str:
    """Return ``a ← b ← c`` in at most ``width`` cells: a called by b, called by c.

    Where they do not all fit the names go without their packages, and after the last one that
    fits stands that there are more. The first one always stays, and is cut where it must be.
    """
    said = ""
    for name_of in (shown_name, bare_name):
        said = _join_frames(group_repeats(frames), name_of, width)
        if not said.endswith(CUT):
            break
    return said


def group_repeats(frames: Sequence[str]) -> list[tuple[str, int]]:
    """Return each frame with how often it stands there in a row: recursion takes one line."""
    return [(name, len([*same])) for name, same in groupby(frames)]


def frame_lines(frames: Sequence[str], indent: int, shift: int, text: str = "") -> list[Line]:
    """Return a line a frame, leaf first; those of the runtime stand back, matches are marked."""
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
    said = ""
    for at, (name, count) in enumerate(frames):
        longer = said + _BETWEEN * (at > 0) + _repeat_text(name_of(name), count)
        more = _BETWEEN + CUT if at < len(frames) - 1 else ""
        if cell_len(longer + more) > width:
            return said + _BETWEEN + CUT if said else cut(longer, width)
        said = longer
    return said
