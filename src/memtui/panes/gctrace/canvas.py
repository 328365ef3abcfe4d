"""Lines of a series as braille, drawn by plotext: only the dots, without frame, ticks or colour.

plotext writes escape codes for colours of its own, and axes of its own; neither is used. What it
draws here is one series in dots; the colours are those of the style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence

DOTS_ACROSS, DOTS_DOWN = 2, 4
"""A cell of braille."""

BLANK = 0x2800
"""The braille pattern without a dot."""


def dots(
    runs: Sequence[Sequence[tuple[float, float]]], width: int, height: int, *, joined: bool = True
) -> list[list[int]]:
    """Return the dots of each cell, from the top: the bits of a braille pattern.

    Each run is a line through points (x, y): x from 0 at the left to ``2 * width - 1``, y from 0
    at the bottom to ``4 * height - 1``. What lies outside is not drawn; a single point is a dot,
    and so is every one that is not ``joined`` to the next.
    """
    rows = _drawn(runs, width, height, joined=joined).split("\n")[:height]
    return [[_bits(char) for char in row.ljust(width)[:width]] for row in rows]


def _bits(char: str) -> int:
    return ord(char) - BLANK if "\u2800" <= char <= "\u28ff" else 0


def _drawn(
    runs: Sequence[Sequence[tuple[float, float]]], width: int, height: int, *, joined: bool
) -> str:
    """Return the text that plotext makes of the lines; it is imported when the first is drawn."""
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    plotext.xaxes(False, False)
    plotext.yaxes(False, False)
    plotext.xticks([])
    plotext.yticks([])
    plotext.xlim(0, DOTS_ACROSS * width - 1)
    plotext.ylim(0, DOTS_DOWN * height - 1)
    draw = plotext.plot if joined else plotext.scatter
    for run in runs:
        across, up = zip(*run, strict=True)
        if not joined:  # a dash is seen better than a dot
            across, up = (*across, *(x + 1 - x % DOTS_ACROSS * 2 for x in across)), up * 2
        draw(list(across), list(up), marker="braille")
    return str(plotext.uncolorize(plotext.build()))
