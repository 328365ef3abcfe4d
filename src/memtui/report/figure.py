"""A picture of the page: it says what it shows, and can be moved where the screen is narrow."""

from __future__ import annotations

from memtui.report.markup import Child, Markup, tag

WIDTH = 900
"""Of every picture, in its own units."""


def figure(title: str, drawn: Child, height: float, more: Child = None) -> Markup:
    """Return a picture with its title, and ``more`` between them."""
    picture = tag(
        "svg", tag("title", title), drawn, viewBox=f"0 0 {WIDTH} {height:.0f}", role="img",
    )  # fmt: skip
    return tag("figure", tag("figcaption", title), more, wide(title, picture))


def wide(title: str, *children: Child) -> Markup:
    """Return what may be wider than the screen, and is moved sideways then."""
    return tag("div", *children, class_="wide", tabindex=0, role="group", aria_label=title)
