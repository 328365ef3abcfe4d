"""What each part and each series looks like: a colour, and a sign that is seen without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memtui.diagnosis import PartName
from memtui.report.markup import Markup, tag


@dataclass(frozen=True, slots=True)
class Look:
    """The class that gives a colour, and the strokes that a surface has on it (SVG path data)."""

    role: str
    strokes: str = ""


PARTS: Mapping[PartName, Look] = {
    PartName.LIVE: Look("live"),
    PartName.OBJECTS: Look("live"),
    PartName.GARBAGE: Look("gc", "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4"),
    PartName.FRAGMENTATION: Look("goal", "M2,0 v8 M6,0 v8"),
    PartName.UNRETURNED: Look("idle", "M0,2 h8 M0,6 h8"),
    PartName.STACKS: Look("res", "M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4"),
    PartName.RUNTIME: Look("dim", "M0,0 l8,8 M0,8 l8,-8"),
    PartName.FILES: Look("shr"),
    PartName.SHARED: Look("shr", "M4,0 v8 M0,4 h8"),
    PartName.LAZY: Look("idle", "M0,4 h4 M4,0 h4"),
    PartName.REST: Look("bad", "M2,1 v2 M6,5 v2"),
}


def patterns() -> Markup:
    """Return the surfaces of the parts, to be drawn with by all pictures of the page."""
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
    """Return a small piece of a part's surface; nothing for what a part consists of."""
    if name not in PARTS:
        return Markup("")
    square = tag("rect", width=16, height=16, rx=2, fill=f"url(#part-{name.value})")
    return tag("svg", square, viewBox="0 0 16 16", class_="swatch", aria_hidden="true")
