"""Draws plots with plotext: lines in braille with axes and ticks, in the roles of the theme.

plotext gets numbers and memtui's own labels only. It takes 40 ms to import, when the first plot is
drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from memtui.render.cells import Line, Role, Span

DOTS_ACROSS, DOTS_DOWN = 2, 4
"""The dots of a braille cell."""
TICK_LABEL_ROWS = 2
"""Rows below the canvas: the horizontal axis and its labels."""

_NO_DOTS = 0x2800
"""The braille pattern without a dot."""
_BLANK: Role = "border"
"""No curve has this role: the spans of a curve contain only dots."""
_MARK: Role = "bad"


@dataclass(frozen=True, slots=True)
class Curve:
    """Runs of points in dots of the canvas: x from 0 at the left, y from 0 at the bottom.

    Points of a run are joined by lines, or each is a dash of two dots.
    """

    role: Role
    runs: Sequence[Sequence[tuple[float, float]]]
    is_joined: bool = True


@dataclass(frozen=True, slots=True)
class Ticks:
    """The labels of an axis, each with its place in dots; all labels of an axis have one width."""

    labels: Sequence[tuple[float, str]]
    role: Role = "dim"


def draw(
    curves: Sequence[Curve],
    columns: int,
    rows: int,
    *,
    time: Ticks,
    left: Ticks,
    right: Ticks | None = None,
    marks: Sequence[float] = (),
) -> list[Line]:
    """Return the plot on a canvas of ``columns`` by ``rows`` cells, with the axes around it.

    The curve given first lies above the others. ``marks`` are vertical lines, in dots from the
    left. Each curve is drawn alone, and the dots of all of them are joined: in one picture of
    plotext a curve erases the cells of those below it (docs/decisions/0005-plotext.md).
    """
    frame = _frame(columns, rows, time, left, right, marks).split("\n")
    grids = [_dots(curve, columns, rows) for curve in curves]
    start = _width(left) + 1
    lines: list[Line] = []
    for y, text in enumerate(frame[: rows + TICK_LABEL_ROWS]):
        if y >= rows:
            lines.append((Span(text, left.role),))
            continue
        cells = [
            _cell([grid[y][x] for grid in grids], curves, text[start + x]) for x in range(columns)
        ]
        spans = [Span(text[:start], left.role)]
        for role, group in groupby(cells, key=lambda cell: cell[1]):
            spans.append(Span("".join(char for char, _ in group), role))
        spans.append(Span(text[start + columns :], right.role if right else left.role))
        lines.append(tuple(span for span in spans if span.text))
    return lines


def _cell(bits: Sequence[int], curves: Sequence[Curve], below: str) -> tuple[str, Role]:
    """Return a cell of the canvas: the dots of all curves, else a mark or a blank."""
    together = 0
    for each in bits:
        together |= each
    if not together:
        return below, _BLANK if below == " " else _MARK
    uppermost = next(number for number, each in enumerate(bits) if each)
    return chr(_NO_DOTS + together), curves[uppermost].role


def _frame(
    columns: int,
    rows: int,
    time: Ticks,
    left: Ticks,
    right: Ticks | None,
    marks: Sequence[float],
) -> str:
    """Return the axes with their ticks and labels, and the marks, around a blank canvas."""
    import plotext

    width = _width(left) + 1 + columns + (1 + _width(right) if right else 0)
    _begin(width, rows + TICK_LABEL_ROWS)
    plotext.xaxes(True, False)
    plotext.yaxes(True, right is not None)
    plotext.xlim(0, DOTS_ACROSS * columns - 1)
    for side, ticks in (("left", left), ("right", right)):
        if ticks:
            plotext.scatter([-1], [-1], yside=side)  # an axis is drawn where there is data
            plotext.ylim(0, DOTS_DOWN * rows - 1, yside=side)
            plotext.yticks(*_split(ticks), yside=side)
    plotext.xticks(*_split(time))
    for x in marks:
        plotext.vline(x)
    return _text()


def _dots(curve: Curve, columns: int, rows: int) -> list[list[int]]:
    """Return the dots of a curve in each cell, from the top: the bits of a braille pattern."""
    import plotext

    _begin(columns, rows)
    plotext.xaxes(False, False)
    plotext.yaxes(False, False)
    plotext.xticks([])
    plotext.yticks([])
    plotext.xlim(0, DOTS_ACROSS * columns - 1)
    plotext.ylim(0, DOTS_DOWN * rows - 1)
    draw_run = plotext.plot if curve.is_joined else plotext.scatter
    for run in curve.runs:
        across, up = zip(*run, strict=True)
        if not curve.is_joined:  # a dash is seen better than a dot
            across, up = (*across, *(x + 1 - x % DOTS_ACROSS * 2 for x in across)), up * 2
        draw_run(list(across), list(up), marker="braille")
    return [
        [_bits(char) for char in row.ljust(columns)[:columns]] for row in _text().split("\n")[:rows]
    ]


def _begin(width: int, height: int) -> None:
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")


def _text() -> str:
    """Return what plotext drew, without its own colours: the style sheet decides on colours."""
    import plotext

    return str(plotext.uncolorize(plotext.build()))


def _bits(char: str) -> int:
    return ord(char) - _NO_DOTS if "\u2800" <= char <= "\u28ff" else 0


def _width(ticks: Ticks) -> int:
    return max((len(label) for _, label in ticks.labels), default=0)


def _split(ticks: Ticks) -> tuple[list[float], list[str]]:
    return [place for place, _ in ticks.labels], [label for _, label in ticks.labels]
