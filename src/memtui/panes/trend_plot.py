"""Draws the zoomed trend: RES, SHR, heap in use and the GC goal over time on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from memtui import units
from memtui.local_time import time_ticks
from memtui.model import GcCycle, ProcessSample, Restart, RuntimeSample, Sample
from memtui.panes.gctrace.scales import Scale, in_bytes
from memtui.render.braille_plot import LABEL_CELLS
from memtui.render.cells import Line, Role, Span, cells
from memtui.render.plotext_plot import (
    DOTS_ACROSS,
    DOTS_DOWN,
    TICK_LABEL_ROWS,
    Curve,
    Ticks,
    draw,
)
from memtui.timeline import Extent, View

LEAST_HEIGHT = 8
"""Rows of the smallest plot: the legend, the axis with its labels, and five of the canvas."""


@dataclass(frozen=True, slots=True)
class TrendSeries:
    """A main series: its name in the legend, and how long a time without samples is bridged."""

    title: str
    role: Role
    kind: type[Sample]
    name: str
    bridge_s: float


_OF_PROCESS = (
    TrendSeries("RES", "res", ProcessSample, "res", 3.0),
    TrendSeries("SHR", "shr", ProcessSample, "shr", 3.0),
)
_OF_MEMSTATS = (
    TrendSeries("HeapInuse", "live", RuntimeSample, "heap_inuse", 60.0),
    TrendSeries("NextGC", "goal", RuntimeSample, "next_gc", 60.0),
)
_OF_TRACE = (
    TrendSeries("live heap", "live", GcCycle, "gc_live", 300.0),
    TrendSeries("goal", "goal", GcCycle, "gc_goal", 300.0),
)


def zoomed_trend(
    view: View, start: float, end: float, until: float, width: int, height: int
) -> list[Line]:
    """Return the legend and the plot from ``start`` to ``end`` (Unix seconds).

    Nothing is drawn after ``until``. The heap comes from MemStats, or else from gctrace.
    """
    columns, rows = width - LABEL_CELLS, height - 1 - TICK_LABEL_ROWS
    step_s = (end - start) / (columns * DOTS_ACROSS)
    series = [
        (each, _extents(view, each, start, step_s, columns * DOTS_ACROSS, until))
        for each in _series_of(view)
    ]
    highest = max((extent.high for _, found in series for extent in found if extent), default=0)
    scale = in_bytes(0.0, highest, rows)
    restarts = [at for at, _ in view.timeline.track(Restart).between(start, until)]
    plot = draw(
        [_curve(each, found, step_s, scale, rows) for each, found in series],
        columns,
        rows,
        time=Ticks(
            [((at - start) / step_s, label) for at, label in time_ticks(start, end, columns)]
        ),
        left=Ticks([(y, f"{label:>{LABEL_CELLS - 1}}") for y, label in scale.labels(rows)]),
        marks=[(at - start) / step_s for at in restarts],
    )
    return [_legend(series, width), *plot]


def _series_of(view: View) -> Sequence[TrendSeries]:
    """Return the series to draw; the first one lies above the others."""
    has_memstats = view.timeline.track(RuntimeSample).count
    return (*_OF_PROCESS, *(_OF_MEMSTATS if has_memstats else _OF_TRACE))


def _extents(
    view: View, series: TrendSeries, start: float, step_s: float, count: int, until: float
) -> list[Extent | None]:
    track = view.timeline.track(series.kind)
    (found,) = track.envelopes([series.name], start, step_s, count, until)
    return list(found)


def _curve(
    series: TrendSeries,
    extents: Sequence[Extent | None],
    step_s: float,
    scale: Scale,
    rows: int,
) -> Curve:
    levels = rows * DOTS_DOWN - 1
    bridge = max(1, math.ceil(series.bridge_s / step_s))
    runs = [
        [(float(x), scale.place(value) * levels) for x, value in run]
        for run in _runs(extents, bridge)
    ]
    return Curve(series.role, runs)


def _runs(extents: Sequence[Extent | None], bridge: int) -> Iterator[list[tuple[int, int]]]:
    """Yield the points of each time without a gap: of a column its lowest and highest value.

    More than ``bridge`` columns without a value are a gap.
    """
    run: list[tuple[int, int]] = []
    for x, extent in enumerate(extents):
        if extent is None:
            continue
        if run and x - run[-1][0] > bridge:
            yield run
            run = []
        ends = sorted({extent.low, extent.high}, reverse=bool(run) and run[-1][1] > extent.low)
        run += [(x, value) for value in ends]
    if run:
        yield run


def _legend(series: Sequence[tuple[TrendSeries, Sequence[Extent | None]]], width: int) -> Line:
    """Return the name and the last value of each series, as many as there is room for."""
    spans = [Span(" " * LABEL_CELLS)]
    for each, extents in series:
        last = next((extent for extent in reversed(extents) if extent), None)
        if last is None:
            continue
        added = Span(f"{each.title} {units.size(last.last)}  ", each.role)
        if cells((*spans, added)) > width:
            break
        spans.append(added)
    return tuple(spans)
