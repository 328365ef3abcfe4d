"""Builds HTML that is escaped by its type: a foreign text is never markup.

Also has the elements that sections share: figures, table cells, and the patterns of parts, which
differ even without colours.
"""

from __future__ import annotations

import html
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from memtui.diagnosis import PartName
from memtui.sanitize import plain

MOST_CHARS = 1000
"""A longer text is cut, so that no recording makes the page large."""

_VOID = frozenset({"meta", "br"})


class Markup(str):
    """HTML, not to be escaped again; only ``tag`` and ``joined`` make it."""

    __slots__ = ()


Child: TypeAlias = "str | int | Markup | Iterable[Child] | None"


def escaped(text: str, most: int = MOST_CHARS) -> Markup:
    """Return a text as HTML, with visible control characters, cut at ``most``."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    return Markup(html.escape(plain(text)))


def joined(children: Child) -> Markup:
    """Return the children as HTML; None is empty, and a text is escaped."""
    match children:
        case None:
            return Markup("")
        case Markup():
            return children
        case str() | int():
            return escaped(str(children))
        case _:
            return Markup("".join(joined(each) for each in children))


def tag(_name: str, *children: Child, **attributes: str | float | None) -> Markup:
    """Return an element; ``class_`` and ``aria_label`` are class and aria-label, None is left out.

    Only values are escaped: names of elements and attributes are never foreign.
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if _name in _VOID:
        return Markup(f"<{_name}{pairs}>")
    return Markup(f"<{_name}{pairs}>{joined(children)}</{_name}>")


def _value(value: str | float) -> str:
    # The path of a line is longer than any text, and is not foreign.
    return number(value) if isinstance(value, int | float) else escaped(value, 1 << 17)


def number(value: float) -> str:
    """Format a coordinate with one decimal: smaller differences are invisible."""
    return f"{value:.1f}".removesuffix(".0")


WIDTH = 900
"""The width of every picture, in its own units."""


def figure(title: str, drawn: Child, height: float, more: Child = None) -> Markup:
    """Return a picture with its title, and ``more`` between the two."""
    picture = tag(
        "svg", tag("title", title), drawn, viewBox=f"0 0 {WIDTH} {height:.0f}", role="img",
    )  # fmt: skip
    return tag("figure", tag("figcaption", title), more, wide(title, picture))


def wide(title: str, *children: Child) -> Markup:
    """Return an element that scrolls sideways if it is wider than the screen."""
    return tag("div", *children, class_="wide", tabindex=0, role="group", aria_label=title)


@dataclass(frozen=True, slots=True)
class SurfaceStyle:
    """The pattern of a part: the class of its colour, and its strokes (SVG path data)."""

    role: str
    strokes: str = ""


PARTS: Mapping[PartName, SurfaceStyle] = {
    PartName.LIVE: SurfaceStyle("live"),
    PartName.OBJECTS: SurfaceStyle("live"),
    PartName.GARBAGE: SurfaceStyle("gc", "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4"),
    PartName.FRAGMENTATION: SurfaceStyle("goal", "M2,0 v8 M6,0 v8"),
    PartName.UNRETURNED: SurfaceStyle("idle", "M0,2 h8 M0,6 h8"),
    PartName.STACKS: SurfaceStyle("res", "M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4"),
    PartName.RUNTIME: SurfaceStyle("dim", "M0,0 l8,8 M0,8 l8,-8"),
    PartName.FILES: SurfaceStyle("shr"),
    PartName.SHARED: SurfaceStyle("shr", "M4,0 v8 M0,4 h8"),
    PartName.LAZY: SurfaceStyle("idle", "M0,4 h4 M4,0 h4"),
    PartName.REST: SurfaceStyle("bad", "M2,1 v2 M6,5 v2"),
}


def patterns() -> Markup:
    """Return the patterns of the parts, for all pictures of the page."""
    drawn = [
        tag(
            "pattern",
            tag("rect", width=8, height=8, class_=f"f-{look.role}"),
            tag("path", d=look.strokes, class_="strokes") if look.strokes else None,
            id=f"part-{name.value}",
            width=8,
            height=8,
            patternUnits="userSpaceOnUse",
        )
        for name, look in PARTS.items()
    ]
    return tag("svg", tag("defs", drawn), width=0, height=0, class_="defs", aria_hidden="true")


def swatch(name: PartName) -> Markup:
    """Return a small square in the pattern of a part; nothing for a part of a part."""
    if name not in PARTS:
        return Markup("")
    square = tag("rect", width=16, height=16, rx=2, fill=f"url(#part-{name.value})")
    return tag("svg", square, viewBox="0 0 16 16", class_="swatch", aria_hidden="true")


def moment(at: float) -> str:
    """Format a moment (Unix seconds) as local date and time: 2026-11-22 14:03:20."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def head_row(heads: Sequence[str], numbers: range) -> Markup:
    """Return the head of a table; the columns in ``numbers`` are aligned to the right."""
    cells = [
        tag("th", head, scope="col", class_="n" if place in numbers else None)
        for place, head in enumerate(heads)
    ]
    return tag("thead", tag("tr", cells))


def number_cell(text: str, role: str = "") -> Markup:
    """Return a table cell with a number."""
    return tag("td", text, class_=f"n {role}".strip())


def growth_class(growth: int | None) -> str:
    """Return the class, that is the colour, of a change."""
    return "" if not growth else "grow" if growth > 0 else "shrink"
