"""Pane 2: RES and SHR over time on one scale, with the GC cycles below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from memtui import units
from memtui.local_time import day_and_time, time_of_day
from memtui.model import Absent, GcCycle, GcPause, ProcessSample, Reading
from memtui.panes.empty import empty_lines
from memtui.panes.field_doc import FieldDoc
from memtui.panes.pane import Pane
from memtui.panes.trend_plot import LEAST_HEIGHT, zoomed_trend
from memtui.render.braille_plot import LABEL_CELLS, Series, plot, rug
from memtui.render.cells import Line, Picture, Role, Span, cells, line
from memtui.timeline import Extent, Track, View

WINDOWS_S = (60, 120, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600, 72 * 3600)
LONGEST_AUTOMATIC_S = 600
ONE_DAY_S = 86400
LONGEST_BRIDGE_S = 3.0
"""Samples that are further apart are not joined: the time between is unknown."""


@dataclass(frozen=True, slots=True)
class TrendSpan:
    """The time that a plot shows: ``start`` and ``end`` (Unix seconds), seconds per cell."""

    start: float
    end: float
    length_s: int
    cell_s: float


def visible_span(view: View, chosen_s: int | None, columns: int) -> TrendSpan:
    """Return the time to draw in ``columns`` cells.

    By default it starts with the session and doubles when it is full, up to ten minutes. After
    that, or with a length that the user chose, it ends now. It moves by whole cells, so that a new
    sample redraws one cell. After the end of the process it does not move.
    """
    end = last_moment(view)
    first = view.timeline.track(ProcessSample).first
    started = first[0] if first else end
    fitting = next((each for each in WINDOWS_S if each >= end - started), LONGEST_AUTOMATIC_S)
    length = chosen_s or min(fitting, LONGEST_AUTOMATIC_S)
    cell_s = length / columns
    if not chosen_s and end - started <= length:
        return TrendSpan(started, started + length, length, cell_s)
    start = math.ceil(end / cell_s) * cell_s - length
    return TrendSpan(start, end, length, cell_s)


def last_moment(view: View) -> float:
    """Return the end of the time to draw: that of the view, or of the process if it has ended."""
    ended = view.ended()
    return min(view.until, ended[0]) if ended else view.until


def _range(extents: Sequence[Extent | None]) -> str:
    known = [extent for extent in extents if extent]
    if not known:
        return "…"
    low, high = min(each.low for each in known), max(each.high for each in known)
    return f"{units.size(low)}…{units.size(high)}"


def _now(name: str, reading: Reading, role: Role) -> Line:
    value = reading.value if isinstance(reading, Absent) else units.size(reading)
    return line(Span(f"{name} {value:>5}", role))


FIELD_DOCS = (
    FieldDoc(
        "RES", "memory in use; each column spans its lowest to its highest sample", "bytes",
        "VmRSS of /proc/PID/status each second",
        "the scale begins at 0, so that a small change does not look like a large one", "res",
    ),
    FieldDoc(
        "SHR", "the part of RES backed by files and shared memory", "bytes",
        "RssFile + RssShmem of /proc/PID/status",
        "if it rises with RES, the growth is not in the heap", "shr",
    ),
    FieldDoc(
        "GC", "each mark is a column with one or more GC cycles",
        "cycles", "gctrace lines, or PauseEnd of MemStats",
        "without gctrace or MemStats there are no marks, even if there were cycles", "gc",
    ),
    FieldDoc(
        "gap", "no samples in this time", "time", "samples more than 3 s apart",
        "what happened in the gap is unknown",
    ),
    FieldDoc(
        "10 min", "the length of the window; ← longer, → shorter", "time", "the timeline",
        "a sawtooth of seconds looks like a band in a window of hours",
    ),
)  # fmt: skip


class EnvelopeCache:
    """Caches the envelopes of series, so that only new columns are computed.

    Ten minutes hold 600 samples; one of them is new each second.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._track: Track[ProcessSample] | None = None
        self._step_s = 0.0
        self._start = 0.0
        self._until = 0.0
        self._found: list[list[Extent | None]] = []

    def envelopes(
        self, track: Track[ProcessSample], start: float, step_s: float, columns: int, until: float
    ) -> list[list[Extent | None]]:
        """Return ``Track.envelopes``; reuse columns if ``start`` moved by whole steps."""
        shift = round((start - self._start) / step_s)
        done = 0
        if (
            track is self._track
            and step_s == self._step_s
            and until >= self._until
            and shift >= 0
            and abs(self._start + shift * step_s - start) < step_s / 1000
        ):
            known = len(self._found[0]) - shift
            done = max(0, min(columns, known, int((self._until - start) // step_s)))
        fresh = track.envelopes(self._names, start + done * step_s, step_s, columns - done, until)
        self._found = [
            [*old[shift : shift + done], *new]
            for old, new in zip(self._found or fresh, fresh, strict=True)
        ]
        self._track, self._step_s, self._start, self._until = track, step_s, start, until
        return self._found


class TrendPane(Pane):
    """RES and SHR over time."""

    NUMBER = 2
    NAME = "trend"
    SOURCE = "process"
    KEYS_HELP = (("←→ hl", "longer, shorter window; beyond the shortest: automatic"),)
    KINDS = (ProcessSample, GcCycle, GcPause)

    def __init__(self) -> None:
        super().__init__()
        self._chosen_s: int | None = None
        self._envelopes = EnvelopeCache(("res", "shr"))

    def rows(self, view: View) -> range:
        """Return no rows: nothing can be selected."""
        return range(0)

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys for the footer."""
        return (("←→", "window"),)

    def field_docs(self, view: View) -> Sequence[FieldDoc]:
        """Return the documentation of the lines and marks."""
        return FIELD_DOCS

    def action_shift(self, by: int) -> None:
        """Choose a longer (left) or shorter (right) window; beyond the shortest, automatic."""
        if self.view is None:
            return
        columns = max(1, self.size.width - 2 - LABEL_CELLS)
        shown = visible_span(self.view, self._chosen_s, columns)
        place = WINDOWS_S.index(shown.length_s) - by
        self._chosen_s = WINDOWS_S[min(place, len(WINDOWS_S) - 1)] if place >= 0 else None
        self.paint()
        self.post_message(self.Moved())

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw both series, their ranges, the GC cycles, and the time."""
        sample = view.sample(ProcessSample)
        if sample is None:
            rows = empty_lines(view, self.SOURCE, width, "reading /proc …")
            return Picture(line(Span("RES and SHR", "title")), rows=rows, is_empty=True)
        columns = width - LABEL_CELLS
        if columns < 4 or height < 4:
            return Picture(_now("RES", sample.res_bytes, "res"))
        until = last_moment(view)
        span = visible_span(view, self._chosen_s, columns)
        if self.is_zoomed and height > LEAST_HEIGHT:
            drawn = zoomed_trend(view, span.start, span.end, until, width, height - 1)
            return self._picture(view, sample, span, drawn, until, width)
        track = view.timeline.track(ProcessSample)
        res, shr = self._envelopes.envelopes(track, span.start, span.cell_s / 2, columns * 2, until)
        legend = line(
            " ", Span(f"RES {_range(res)}", "res"), "  ", Span(f"SHR {_range(shr)}", "shr")
        )
        bridge = int(LONGEST_BRIDGE_S / (span.cell_s / 2))
        drawn = plot((Series("res", res), Series("shr", shr)), width, height - 2, bridge)
        rows = [_legend_for(legend, res, shr, width), *drawn]
        return self._picture(view, sample, span, rows, until, width)

    def _picture(
        self,
        view: View,
        sample: ProcessSample,
        span: TrendSpan,
        rows: Sequence[Line],
        until: float,
        width: int,
    ) -> Picture:
        """Return the rows with the GC cycles below them, in their frame."""
        title = (*_now("RES", sample.res_bytes, "res"), Span("  "))
        title += _now("SHR", sample.shr_bytes, "shr")
        label = day_and_time if span.length_s >= ONE_DAY_S else time_of_day
        return Picture(
            title=title,
            status=line(Span(_length(span.length_s), "dim")),
            start=line(Span(label(span.start), "dim")),
            foot=line(Span(label(span.end), "dim")),
            rows=[*rows, rug(_gc_cells(view, span, until), width)],
        )

    def hint(self, view: View) -> Line:
        """Return a description of the plot."""
        return line("one scale from 0; ", Span("╵", "gc"), " GC cycle; ←→ changes the window")


def _length(seconds: int) -> str:
    """Format the length of a window: 10 min, 6 h, 3 d."""
    for size, unit in ((ONE_DAY_S, "d"), (3600, "h")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds // 60} min"


def _legend_for(
    legend: Line, res: Sequence[Extent | None], shr: Sequence[Extent | None], width: int
) -> Line:
    """Return the legend, without SHR if there is no room for both."""
    if cells(legend) <= width:
        return legend
    return line(" ", Span(f"RES {_range(res)}", "res"))


def _gc_cells(view: View, span: TrendSpan, until: float) -> set[int]:
    """Return the cells with GC cycles, from gctrace if there is a trace, else from MemStats."""
    timeline = view.timeline
    has_trace = timeline.track(GcCycle).count
    moments = (
        [at for at, _ in timeline.track(GcCycle).between(span.start, until)]
        if has_trace
        else [at for at, _ in timeline.track(GcPause).between(span.start, until)]
    )
    return {int((at - span.start) // span.cell_s) for at in moments}
