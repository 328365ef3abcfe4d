"""The plots above the table: which one is shown, of which time, and when it is drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from weakref import ReferenceType

from memtui.model import GcCycle, GcPause, Restart, ScavengeLine
from memtui.panes.gctrace.charts import (
    LABEL_ASIDE_CELLS,
    OF_MEMSTATS,
    OF_TRACE,
    AnyChart,
    AnyFolded,
    Drawn,
    legend,
    picture,
)
from memtui.panes.gctrace.scales import LONGEST_BY_ITSELF_S, PlotSpan, PlotWindow
from memtui.render.braille_plot import LABEL_CELLS
from memtui.render.cells import Line, Span, cells, wrapped
from memtui.render.plotext_plot import TICK_LABEL_ROWS
from memtui.timeline import Timeline, View

BETWEEN_DRAWINGS_S = 1.0
_ANY_COLUMNS = 60
LEAST_HEIGHT = 2 + TICK_LABEL_ROWS + 1
"""Rows of the smallest chart: the legend, two of the canvas, and the axis with its labels."""


def from_memstats(view: View) -> bool:
    """Return whether there is no trace, but cycles that MemStats told of."""
    timeline = view.timeline
    return not timeline.track(GcCycle).count and bool(timeline.track(GcPause).count)


class _Asked(NamedTuple):
    """What was to be drawn: as long as it is the same, a drawing may be a second old."""

    chart: str
    width: int
    height: int
    window: PlotWindow
    stands: tuple[float, ReferenceType[Timeline]] | None


class Plots:
    """One chart at a time, or none."""

    def __init__(self) -> None:
        self.window = PlotWindow()
        self.is_behind = False
        """Whether something came since the last drawing, too soon after it to be drawn."""
        self._place = 0
        self._folded: AnyFolded | None = None
        self._asked: _Asked | None = None
        self._drawn: list[Line] = []
        self._drawn_s = 0.0
        self._counts: tuple[int, ...] = ()

    def names(self, view: View) -> list[str]:
        """Return what the key goes through: the charts, and the table alone."""
        return [*(chart.name for chart in _charts(view)), "table alone"]

    def place(self, view: View) -> int:
        """Return which of ``names`` is shown."""
        return min(self._place, len(_charts(view)))

    def chart(self, view: View) -> AnyChart | None:
        """Return the chart that is shown; None is the table alone."""
        charts = _charts(view)
        place = self.place(view)
        return charts[place] if place < len(charts) else None

    def go_on(self, view: View) -> None:
        """Show the next chart; behind the last one is the table alone."""
        self._place = (self.place(view) + 1) % (len(_charts(view)) + 1)

    def zoom(self, view: View, by: int) -> None:
        """Show a longer or a shorter time."""
        self.window = self.window.zoomed(by, self.stretch(view))

    def pan(self, view: View, by: int) -> None:
        """Show an earlier or a later time."""
        first, now = _ends(view, self.window)
        self.window = self.window.panned(by, self.stretch(view), first, now)

    def follow(self) -> None:
        """Follow now again; once more, choose the length of the time by itself."""
        self.window = self.window.following()

    def stretch(self, view: View, columns: int = _ANY_COLUMNS) -> PlotSpan:
        """Return the time that is shown."""
        return self.window.stretch(*_ends(view, self.window), columns)

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        """Return the chart in so many cells, its legend first; not drawn anew more than needed."""
        chart = self.chart(view)
        if chart is None or height < LEAST_HEIGHT or width < 3 * LABEL_CELLS:
            return []
        asked = _Asked(chart.name, width, height, self.window, view.frozen_at)
        kinds = (GcCycle, GcPause, ScavengeLine, Restart)
        counts = tuple(view.timeline.track(kind).count for kind in kinds)
        is_soon = 0 <= view.now - self._drawn_s < BETWEEN_DRAWINGS_S
        self.is_behind = asked == self._asked and counts != self._counts and is_soon
        if asked != self._asked or (counts != self._counts and not is_soon):
            self._drawn = self._draw(chart, view, width, height)
            self._asked, self._counts, self._drawn_s = asked, counts, view.now
        return self._drawn

    def _draw(self, chart: AnyChart, view: View, width: int, height: int) -> list[Line]:
        looks = chart.looks()
        aside = [on_side for _, on_side in looks]
        has_aside = any(aside)
        columns = width - LABEL_CELLS - (LABEL_ASIDE_CELLS if has_aside else 0)
        stretch = self.stretch(view, columns)
        folded = self._folded_for(chart, view, stretch)
        points = [folded.points(at, stretch) for at in range(len(looks))]
        seen = [
            [value for at, value in each if stretch.start <= at <= stretch.end] for each in points
        ]
        if not any(seen):
            return _said(chart.empty, width, height)
        rows = height - 1 - TICK_LABEL_ROWS
        left = chart.scale(*_range(seen, aside, on_side=False), rows)
        right = chart.scale_aside(*_range(seen, aside, on_side=True), rows)
        legends = chart.legends(view.timeline, min(view.until, stretch.end))
        series = [
            Drawn(role, each, right if on_side else left, words, chart.jumps)
            for (role, on_side), each, words in zip(looks, points, legends, strict=True)
        ]
        breaks = [at for at, _ in view.timeline.track(Restart).between(stretch.start, view.until)]
        drawn = picture(
            series, stretch, breaks, height - 1, left=left, aside=right if has_aside else None
        )
        return [legend(series, width), *drawn]

    def _folded_for(self, chart: AnyChart, view: View, stretch: PlotSpan) -> AnyFolded:
        folded = self._folded
        track = view.timeline.track(chart.kind)
        asked = self._asked
        if (
            folded is None
            or folded.track is not track
            or folded.cell_s != stretch.cell_s
            or (asked and asked.chart != chart.name)
        ):
            folded = chart.folded(view.timeline, stretch.cell_s)
        folded.take(chart.numbers(view.timeline, view.until), stretch.first_cell)
        self._folded = folded
        return folded


def _charts(view: View) -> Sequence[AnyChart]:
    return OF_MEMSTATS if from_memstats(view) else OF_TRACE


def _ends(view: View, window: PlotWindow) -> tuple[float, float]:
    """Return the moments of the first cycle of all, and of now.

    An ended process keeps its picture; and where the last cycle is long ago (an old log) the time
    that is chosen by itself ends with it.
    """
    kind = GcPause if from_memstats(view) else GcCycle
    ended = view.ended()
    now = min(view.until, ended[0]) if ended else view.until
    first, last = view.timeline.track(kind).first, view.last(kind)
    if last and window == PlotWindow() and last[0] < now - LONGEST_BY_ITSELF_S:
        now = last[0]
    return (first[0] if first else now), now


def _range(
    seen: Sequence[Sequence[float]], aside: Sequence[bool], *, on_side: bool
) -> tuple[float, float]:
    """Return the lowest and the highest value of the series on one side; none is 0 to 0."""
    sides = zip(seen, aside, strict=True)
    values = [value for each, is_aside in sides if is_aside is on_side for value in each]
    return min(values, default=0.0), max(values, default=0.0)


def _said(text: str, width: int, height: int) -> list[Line]:
    """Return an empty plot that says why it is one."""
    rows = wrapped(text, width - 2 * LABEL_CELLS, "dim")
    above: list[Line] = [()] * max(0, (height - len(rows)) // 2)
    said = [(Span(" " * max(0, (width - cells(row)) // 2)), *row) for row in rows]
    return [*above, *said, *([()] * height)][:height]
