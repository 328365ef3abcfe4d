"""Draws the plots of RES and heap, GC pauses and GC CPU, with round ticks and times."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TypeAlias

from memtui import units
from memtui.report.facts import Flag, find_flags, gap_words
from memtui.report.markup import WIDTH, Markup, figure, tag
from memtui.report.report_data import COLUMNS, ReportData
from memtui.timeline import Extent

_STEPS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 3 * 3600, 6 * 3600, 12 * 3600,
    86_400, 2 * 86_400, 7 * 86_400,
)  # fmt: skip
_DAY_S = 86_400


def times(start: float, end: float, most: int) -> list[tuple[float, str]]:
    """Return at most ``most`` round moments between two, and their labels.

    Round in the local time zone: 14:05:00 or 14:05, with the date at midnight and for days.
    """
    span_s = max(end - start, 1.0)
    step = next((each for each in _STEPS_S if span_s / each <= most), None)
    if step is None:
        step = math.ceil(span_s / most / _DAY_S) * _DAY_S
    east_s = time.localtime(start).tm_gmtoff
    first = math.ceil((start + east_s) / step) * step - east_s
    count = int((end - first) // step) + 1
    return [(at, _written(at, step)) for at in (first + step * place for place in range(count))]


def _written(at: float, step: int) -> str:
    then = time.localtime(at)
    if step >= _DAY_S:
        return time.strftime("%m-%d", then)
    if then.tm_hour == then.tm_min == then.tm_sec == 0:
        return time.strftime("%m-%d %H:%M", then)
    return time.strftime("%H:%M:%S" if step < 60 else "%H:%M", then)


def in_bytes(highest: float) -> list[float]:
    """Return the ticks of a scale of bytes: 0 and three to five steps of a power of two."""
    return _ticks(highest, 2 ** max(0, math.ceil(math.log2(max(highest, 1) / 4))))


def in_tens(highest: float) -> list[float]:
    """Return the ticks of a scale: 0 and steps of 1, 2 or 5 times a power of ten."""
    raw = max(highest, 1e-9) / 4
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= raw * (1 - 1e-9))
    return _ticks(highest, step)


def _ticks(highest: float, step: float) -> list[float]:
    count = max(1, math.ceil(highest / step - 1e-9))
    return [step * place for place in range(count + 1)]


def zone(at: float) -> str:
    """Return the name of the local time zone: "CET, UTC+01:00"."""
    then = time.localtime(at)
    sign, minutes = "+" if then.tm_gmtoff >= 0 else "−", abs(then.tm_gmtoff) // 60
    return f"{then.tm_zone}, UTC{sign}{minutes // 60:02}:{minutes % 60:02}"


Run: TypeAlias = "list[tuple[int, Extent]]"
"""Columns that one line connects, with the extent of the series in each."""
Place: TypeAlias = Callable[[float], float]
Point: TypeAlias = tuple[float, float]

_NEAR = 2
"""The largest distance of two columns in one shaded area."""
_BRIDGED = 4.0
"""A line is interrupted at more than this many times the median distance of two values."""


def runs(
    extents: Sequence[Extent | None], breaks: Sequence[int], *, holds: bool = False
) -> list[Run]:
    """Return the columns that one line connects; breaks and long silences separate them.

    ``breaks`` are columns before which a line ends. The line of a value that ``holds`` until the
    next one, as the live heap of a cycle does, continues through a silence.
    """
    known = [(place, extent) for place, extent in enumerate(extents) if extent]
    steps = [later[0] - place[0] for place, later in pairwise(known)]
    bridge = max(3.0, _BRIDGED * median(steps)) if steps and not holds else float("inf")
    found: list[Run] = [known[:1]]
    for (last, _), entry in pairwise(known):
        place = entry[0]
        if place - last > bridge or any(last < cut <= place for cut in breaks):
            found.append([])
        found[-1].append(entry)
    return found


def curve(parts: Sequence[Run], x: Place, y: Place, role: str, dash: str) -> Markup:
    """Draw a series; ``x`` and ``y`` return the position of a column and of a value."""
    tops, lows, veils = [], [], []
    for run in parts:
        tops.append(_line([(x(column + 0.5), y(extent.high)) for column, extent in run]))
        for dense in _dense(run):
            high = [(x(column + 0.5), y(extent.high)) for column, extent in dense]
            low = [(x(column + 0.5), y(extent.low)) for column, extent in dense]
            if high == low:
                continue
            if len(dense) == 1:
                lows.append(f"M{high[0][0]:.1f},{high[0][1]:.1f}V{low[0][1]:.1f}")
            else:
                lows.append(_line(low))
                veils.append(f"{_line(high)}L{_line(low[::-1])[1:]}z")
    style = {"stroke_dasharray": dash or None}
    return tag(
        "g",
        tag("path", d="".join(veils), class_=f"veil f-{role}") if veils else None,
        tag("path", d="".join(lows), class_=f"s-{role} low") if lows else None,
        tag("path", d="".join(tops), class_=f"s-{role}", **style),
    )


def _dense(run: Run) -> list[Run]:
    """Split a run at empty columns, where the lowest value is unknown."""
    parts: list[Run] = [run[:1]]
    for (last, _), entry in pairwise(run):
        if entry[0] - last > _NEAR:
            parts.append([])
        parts[-1].append(entry)
    return parts


def _line(points: Sequence[Point]) -> str:
    """Format points as path data, without points inside a level line."""
    if len(points) == 1:
        (x, y), = points  # fmt: skip
        return f"M{x - 0.7:.1f},{y:.1f}h1.4"
    kept = [
        point
        for place, point in enumerate(points)
        if place in (0, len(points) - 1)
        or not abs(points[place - 1][1] - point[1]) < 0.05 > abs(points[place + 1][1] - point[1])
    ]
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in kept)


_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 128, 20, 24
_ROOM = WIDTH - _LEFT - _RIGHT
_LABEL_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class PlotSeries:
    """A series of a plot: its possible names, of which the first with values is used; its style.

    ``holds``: a value is valid until the next one, because there is one in each cycle only.
    """

    title: str
    names: tuple[str, ...]
    role: str
    dash: str = ""
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Series on one scale, with the format of its values and its ticks."""

    title: str
    traces: tuple[PlotSeries, ...]
    write: Callable[[float], str]
    ticks: Callable[[float], list[float]]
    height: int
    empty: str


def _percent(ppm: float) -> str:
    return f"{ppm / 10_000:.2g}%"


def _pause(us: float) -> str:
    return units.milliseconds(us / 1000)


def _size(size: float) -> str:
    return units.size(round(size))


MEMORY = Plot(
    "RES and the heap",
    (
        PlotSeries("RES", ("res",), "res"),
        PlotSeries("goal", ("next_gc", "gc_goal"), "goal", "7 3", holds=True),
        PlotSeries("live heap", ("gc_live", "heap_live"), "live", holds=True),
        PlotSeries("freed, not returned", ("heap_unreturned",), "idle", "2 2"),
        PlotSeries("SHR", ("shr",), "shr", "9 3 2 3"),
    ),
    _size, in_bytes, 300, "RES was not read in this time",
)  # fmt: skip
GC_CPU = Plot(
    "GC share of all CPU",
    (PlotSeries("GC CPU", ("gc_cpu_ppm",), "gc", holds=True),),
    _percent, in_tens, 110, "unknown without GODEBUG=gctrace=1",
)  # fmt: skip
PAUSES = Plot(
    "Longest stop-the-world pause in a GC cycle",
    (PlotSeries("pause", ("gc_pause_us", "pause_us"), "gc", holds=True),),
    _pause, in_tens, 110, "no GC cycle in this time",
)  # fmt: skip


def plots_section(data: ReportData) -> Markup:
    """Return all plots of a report, with the same time axis."""
    marks = find_flags(data)
    drawn = [plot(each, data, marks) for each in (MEMORY, PAUSES, GC_CPU)]
    return tag("section", tag("h2", "Over time"), drawn)


def plot(what: Plot, data: ReportData, marks: Sequence[Flag]) -> Markup:
    """Return a plot with a legend of its series, or a sentence if nothing is known."""
    known = [
        (trace, extents) for trace in what.traces if any(extents := data.columns.of(*trace.names))
    ]
    if not known:
        return tag("figure", tag("figcaption", what.title), tag("p", what.empty, class_="dim"))
    highest = max(each.high for _, extents in known for each in extents if each)
    ticks = what.ticks(highest)
    top = ticks[-1]
    bottom = _TOP + what.height

    def y(value: float) -> float:
        return bottom - max(0.0, value) / top * what.height

    drawn = [
        *_gaps(data, bottom),
        *_grid(what, ticks, y),
        *_clock(data, bottom),
        *_flags(data, marks, bottom),
    ]
    breaks = _breaks(data)
    for trace, extents in reversed(known):
        parts = runs(extents, breaks, holds=trace.holds)
        drawn.append(curve(parts, _x, y, trace.role, trace.dash))
    drawn += _ends(what, known, y, bottom)
    return figure(what.title, drawn, bottom + _BOTTOM, _legend(what, known))


def _x(column: float) -> float:
    return _LEFT + column / COLUMNS * _ROOM


def _column(data: ReportData, at: float) -> float:
    return max(0.0, min(float(COLUMNS), (at - data.start) / data.columns.step_s))


def _breaks(data: ReportData) -> list[int]:
    """Return the columns before which a line ends: at a gap, and at another process."""
    return [
        int(_column(data, each.at)) + (each.kind != "restart")
        for each in data.landmarks
        if each.kind in ("gap", "restart", "end")
    ]


def _grid(what: Plot, ticks: Sequence[float], y: Callable[[float], float]) -> list[Markup]:
    found = []
    for tick in ticks:
        at = y(tick)
        text = re.sub(r"\.0+(?=\D|$)", "", what.write(tick)) if tick else "0"
        found += [
            tag("path", d=f"M{_LEFT},{at:.1f} h{_ROOM}", class_="grid"),
            tag("text", text, x=_LEFT - 6, y=at + 4, class_="end dim"),
        ]
    return found


def _clock(data: ReportData, bottom: float) -> list[Markup]:
    found = []
    for at, text in times(data.start, data.end, 8):
        x = _x(_column(data, at))
        found += [
            tag("path", d=f"M{x:.1f},{bottom} v4", class_="axis"),
            tag("text", text, x=x, y=bottom + 17, class_="middle dim"),
        ]
    return found


def _gaps(data: ReportData, bottom: float) -> list[Markup]:
    found = []
    for each in data.landmarks:
        if each.kind == "gap":
            x, end = (_x(_column(data, at)) for at in (each.at, each.until))
            title = tag("title", gap_words(each))
            width = max(1.5, end - x)
            found.append(
                tag("rect", title, x=x, y=_TOP, width=width, height=bottom - _TOP, class_="gap")
            )
    return found


def _flags(data: ReportData, marks: Sequence[Flag], bottom: float) -> list[Markup]:
    """Draw marks and restarts with the signs that the list of events has.

    If there is no room for all signs, those of restarts and ends come first.
    """
    found = []
    taken: list[tuple[float, float]] = []
    for flag in sorted(marks, key=lambda each: each.role == "mark"):
        x = _x(_column(data, flag.at))
        half = 4 + 3.5 * len(flag.sign)
        has_room = all(x + half <= left or x - half >= right for left, right in taken)
        line = tag("path", d=f"M{x:.1f},{_TOP} V{bottom}", class_=f"flag {flag.role}")
        sign = tag("text", flag.sign, x=x, y=_TOP - 6, class_="middle sign") if has_room else None
        found.append(tag("g", tag("title", flag.words), line, sign))
        if has_room:
            taken.append((x - half, x + half))
    return found


def _ends(
    what: Plot,
    known: Sequence[tuple[PlotSeries, Sequence[Extent | None]]],
    y: Callable[[float], float],
    bottom: float,
) -> list[Markup]:
    """Draw the name of each series at its right end, without overlap."""
    lasts = [
        (y(next(each.last for each in reversed(extents) if each)), trace)
        for trace, extents in known
    ]
    lasts.sort(key=lambda each: each[0])
    places = [at for at, _ in lasts]
    for place in range(1, len(places)):
        places[place] = max(places[place], places[place - 1] + _LABEL_HEIGHT)
    over = max(0.0, places[-1] - (bottom + 2))
    for place in reversed(range(len(places))):
        limit = places[place + 1] - _LABEL_HEIGHT if place + 1 < len(places) else bottom + 2
        places[place] = min(places[place], limit) if over else places[place]
    return [
        tag("text", trace.title, x=WIDTH - _RIGHT + 6, y=at + 4, class_=f"t-{trace.role}")
        for at, (_, trace) in zip(places, lasts, strict=True)
    ]


def _legend(what: Plot, known: Sequence[tuple[PlotSeries, Sequence[Extent | None]]]) -> Markup:
    """Return the legend: the first, last, lowest and highest value of each series."""
    rows = []
    for trace, extents in known:
        found = [each for each in extents if each]
        low, high = min(each.low for each in found), max(each.high for each in found)
        first, last = (what.write(each.last) for each in (found[0], found[-1]))
        line = tag(
            "path", d="M0,6 h28", class_=f"s-{trace.role}", stroke_dasharray=trace.dash or None
        )
        sample = tag("svg", line, viewBox="0 0 28 12", class_="sample", aria_hidden="true")
        words = f" {first} → {last}, between {what.write(low)} and {what.write(high)}"
        rows.append(tag("li", sample, " ", tag("b", trace.title), words))
    return tag("ul", rows, class_="legend")
