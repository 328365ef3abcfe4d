"""Updates of the screen in few bytes: the cells that changed, and of their styles what differs.

Textual sends a changed line from the left edge of its widget on, and each piece of text with all of
its style and a reset behind it: two to three times as many bytes (benchmarks/results.md), and they
go over SSH each second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

Piece: TypeAlias = tuple[int, int, Iterable[Segment]]
"""The line on the screen, the first cell, and what stands from there on."""

_ATTRIBUTES = {
    "bold": "1", "dim": "2", "italic": "3", "underline": "4", "blink": "5", "blink2": "6",
    "reverse": "7", "conceal": "8", "strike": "9", "underline2": "21", "frame": "51",
    "encircle": "52", "overline": "53",
}  # fmt: skip
"""What a style may have besides its colours, in SGR codes (ECMA-48, 8.3.117)."""
_OFF = {"1": "22", "2": "22"}
"""What takes attributes away and leaves the colours; of others all is taken away."""
_SYSTEMS = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}


class _Codes(NamedTuple):
    """A style in SGR codes."""

    attributes: str = ""
    color: str = "39"
    background: str = "49"


_PLAIN = _Codes()


def encoded(update: RenderableType | None) -> RenderableType | None:
    """Return an update of some cells of the screen in its short form; any other one as it is."""
    if type(update) is ChopsUpdate:
        return EncodedUpdate(update.chops, update.spans, update.chop_ends)
    return update


class EncodedUpdate(ChopsUpdate):
    """Some cells of the screen: spans of them, and of each line the pieces that they are cut of."""

    def render_segments(self, console: Console) -> str:
        """Return what to write to the terminal, which has no style before and behind it."""
        return to_ansi(self._strips(), console)

    def _strips(self) -> Iterator[tuple[int, int, Strip]]:
        """Yield the line, the first cell and the content of each piece of a span."""
        for y, begin, stop in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is not None and x < stop and end > begin:
                    start = max(x, begin)
                    yield y, start, strip.crop(start - x, min(end, stop) - x)


def to_ansi(pieces: Iterable[Piece], console: Console) -> str:
    """Return what to write to the terminal for pieces of lines, in the order of lines and cells.

    The terminal has no style before and behind it.
    """
    system = _SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
    sent: list[str] = []
    now, line = _PLAIN, -1
    for y, x, segments in pieces:
        sent.append(f"\x1b[{x + 1}G" if y == line else f"\x1b[{y + 1};{x + 1}H")
        line = y
        for text, style, _ in segments:
            wanted = _codes(style, system) if style else _PLAIN
            if wanted is not now:
                sent.append(_change(now, wanted))
                now = wanted
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


def _change(now: _Codes, wanted: _Codes) -> str:
    """Return the shortest sequence that makes one style another one."""
    if now == wanted:
        return ""
    if wanted == _PLAIN:
        return "\x1b[0m"
    codes = [] if now.attributes == wanted.attributes else [wanted.attributes]
    if now.attributes and codes:
        codes.insert(0, _OFF.get(now.attributes, "0"))
        now = now if codes[0] != "0" else _PLAIN
    codes += [new for old, new in zip(now[1:], wanted[1:], strict=True) if old != new]
    return f"\x1b[{';'.join(code for code in codes if code)}m"
