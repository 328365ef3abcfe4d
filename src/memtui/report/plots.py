"""The plots: RES and heap over the whole time, pauses and the collector's share of the CPU."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memtui import units
from memtui.report import axes
from memtui.report.account import Account
from memtui.report.curve import curve, runs
from memtui.report.events import Flag, flags, gap_words
from memtui.report.figure import WIDTH, figure
from memtui.report.markup import Markup, tag
from memtui.report.series import COLUMNS
from memtui.timeline import Extent

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 128, 20, 24
_ROOM = WIDTH - _LEFT - _RIGHT
_LABEL_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Trace:
    """A series of a plot: the names it may have, the first that is known counts; and its look.

    ``holds``: a value stands until the next one, for there is one in each cycle only.
    """

    title: str
    names: tuple[str, ...]
    role: str
    dash: str = ""
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Series on one scale: how their values are written, and where its ticks are."""

    title: str
    traces: tuple[Trace, ...]
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
        Trace("RES", ("res",), "res"),
        Trace("goal", ("next_gc", "gc_goal"), "goal", "7 3", holds=True),
        Trace("live heap", ("gc_live", "heap_live"), "live", holds=True),
        Trace("freed, not returned", ("heap_unreturned",), "idle", "2 2"),
        Trace("SHR", ("shr",), "shr", "9 3 2 3"),
    ),
    _size, axes.in_bytes, 300, "RES was not read in this time",
)  # fmt: skip
GC_CPU = Plot(
    "The collector's share of all CPU",
    (Trace("GC CPU", ("gc_cpu_ppm",), "gc", holds=True),),
    _percent, axes.in_tens, 110, "not known: it comes with GODEBUG=gctrace=1",
)  # fmt: skip
PAUSES = Plot(
    "The longest stop of the world in a cycle",
    (Trace("pause", ("gc_pause_us", "pause_us"), "gc", holds=True),),
    _pause, axes.in_tens, 110, "no cycle in this time",
)  # fmt: skip


def plots_section(account: Account) -> Markup:
    """Return all plots of an account, on the same time."""
    marks = flags(account)
    drawn = [plot(each, account, marks) for each in (MEMORY, PAUSES, GC_CPU)]
    return tag("section", tag("h2", "Over time"), drawn)


def plot(what: Plot, account: Account, marks: Sequence[Flag]) -> Markup:
    """Return a plot with a list of what each series did, or words where nothing is known."""
    known = [
        (trace, extents)
        for trace in what.traces
        if any(extents := account.columns.of(*trace.names))
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
        *_gaps(account, bottom),
        *_grid(what, ticks, y),
        *_clock(account, bottom),
        *_flags(account, marks, bottom),
    ]
    breaks = _breaks(account)
    for trace, extents in reversed(known):
        parts = runs(extents, breaks, holds=trace.holds)
        drawn.append(curve(parts, _x, y, trace.role, trace.dash))
    drawn += _ends(what, known, y, bottom)
    return figure(what.title, drawn, bottom + _BOTTOM, _legend(what, known))


def _x(column: float) -> float:
    return _LEFT + column / COLUMNS * _ROOM


def _column(account: Account, at: float) -> float:
    return max(0.0, min(float(COLUMNS), (at - account.start) / account.columns.step_s))


def _breaks(account: Account) -> list[int]:
    """Return the columns before which a line ends: where a gap or another process begins."""
    return [
        int(_column(account, each.at)) + (each.kind != "restart")
        for each in account.landmarks
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


def _clock(account: Account, bottom: float) -> list[Markup]:
    found = []
    for at, text in axes.times(account.start, account.end, 8):
        x = _x(_column(account, at))
        found += [
            tag("path", d=f"M{x:.1f},{bottom} v4", class_="axis"),
            tag("text", text, x=x, y=bottom + 17, class_="middle dim"),
        ]
    return found


def _gaps(account: Account, bottom: float) -> list[Markup]:
    found = []
    for each in account.landmarks:
        if each.kind == "gap":
            x, end = (_x(_column(account, at)) for at in (each.at, each.until))
            said = tag("title", gap_words(each))
            width = max(1.5, end - x)
            found.append(
                tag("rect", said, x=x, y=_TOP, width=width, height=bottom - _TOP, class_="gap")
            )
    return found


def _flags(account: Account, marks: Sequence[Flag], bottom: float) -> list[Markup]:
    """Draw marks and restarts with the signs under which they are listed.

    Where there is no room for all signs, those of restarts and ends go first.
    """
    found = []
    taken: list[tuple[float, float]] = []
    for flag in sorted(marks, key=lambda each: each.role == "mark"):
        x = _x(_column(account, flag.at))
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
    known: Sequence[tuple[Trace, Sequence[Extent | None]]],
    y: Callable[[float], float],
    bottom: float,
) -> list[Markup]:
    """Name each series at its right end, one under the other where they end close together."""
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


def _legend(what: Plot, known: Sequence[tuple[Trace, Sequence[Extent | None]]]) -> Markup:
    """Say of each series in words what its line shows."""
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
