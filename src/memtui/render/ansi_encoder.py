"""Encodes cells of the screen for the terminal, with the shortest change from style to style.

Textual writes each piece of text with its whole style before it and a reset after it: two to three
times as many bytes (docs/decisions/0006-private-textual.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

Piece: TypeAlias = tuple[int, int, Iterable[Segment]]
"""The line on the screen, the first cell, and the text from there on."""

_ATTRIBUTES = {
    "bold": "1", "dim": "2", "italic": "3", "underline": "4", "blink": "5", "blink2": "6",
    "reverse": "7", "conceal": "8", "strike": "9", "underline2": "21", "frame": "51",
    "encircle": "52", "overline": "53",
}  # fmt: skip
"""Attributes of a style in SGR codes (ECMA-48, 8.3.117)."""
_OFF = {"1": "22", "2": "22"}
"""The code that ends an attribute and keeps the colours; others need a reset."""
_SYSTEMS = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}


class _Codes(NamedTuple):
    """A style in SGR codes."""

    attributes: str = ""
    color: str = "39"
    background: str = "49"


_PLAIN = _Codes()


def to_ansi(pieces: Iterable[Piece], console: Console) -> str:
    """Return the text that draws pieces of lines, which are in the order of lines and cells.

    The terminal has no style before and after it.
    """
    system = _SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
    sent: list[str] = []
    now, line = _PLAIN, -1
    for y, x, segments in pieces:
        sent.append(f"\x1b[{x + 1}G" if y == line else f"\x1b[{y + 1};{x + 1}H")
        line = y
        for text, style, _ in segments:
            codes = _codes(style, system) if style else _PLAIN
            if codes is not now:
                sent.append(_change(now, codes))
                now = codes
            sent.append(text)
    sent.append(_change(now, _PLAIN))
    return "".join(sent)


@lru_cache(256)
def _codes(style: Style, system: ColorSystem) -> _Codes:
    color, background = style.color, style.bgcolor
    return _Codes(
        ";".join(code for name, code in _ATTRIBUTES.items() if getattr(style, name)),
        ";".join(color.downgrade(system).get_ansi_codes()) if color else _PLAIN.color,
        ";".join(background.downgrade(system).get_ansi_codes(foreground=False))
        if background
        else _PLAIN.background,
    )


def _change(now: _Codes, target: _Codes) -> str:
    """Return the shortest sequence from one style to another."""
    if now == target:
        return ""
    if target == _PLAIN:
        return "\x1b[0m"
    codes = [] if now.attributes == target.attributes else [target.attributes]
    if now.attributes and codes:
        codes.insert(0, _OFF.get(now.attributes, "0"))
        now = now if codes[0] != "0" else _PLAIN
    codes += [new for old, new in zip(now[1:], target[1:], strict=True) if old != new]
    return f"\x1b[{';'.join(code for code in codes if code)}m"
