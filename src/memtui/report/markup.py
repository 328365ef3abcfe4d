"""HTML that is escaped by its type: a text is never markup, whoever wrote it."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

from memtui.plain import plain

MOST_CHARS = 1000
"""A longer text is cut: a page stays small whatever stands in a recording."""

_VOID = frozenset({"meta", "br"})


class Markup(str):
    """HTML as it is to stand in the page; made by ``tag`` and ``joined`` alone."""

    __slots__ = ()


Child: TypeAlias = "str | int | Markup | Iterable[Child] | None"


def escaped(text: str, most: int = MOST_CHARS) -> Markup:
    """Return a text as HTML shows it, its control characters made visible, cut at ``most``."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    return Markup(html.escape(plain(text)))


def joined(children: Child) -> Markup:
    """Return children one after the other; None is nothing, a text is escaped."""
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
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if _name in _VOID:
        return Markup(f"<{_name}{said}>")
    return Markup(f"<{_name}{said}>{joined(children)}</{_name}>")


def _value(value: str | float) -> str:
    # What draws a line is longer than what anybody reads, and is ours.
    return number(value) if isinstance(value, int | float) else escaped(value, 1 << 17)


def number(value: float) -> str:
    """Write a coordinate: a tenth of a unit is less than can be seen."""
    return f"{value:.1f}".removesuffix(".0")
