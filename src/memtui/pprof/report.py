"""Writes the reports top, tree and peek as text, equal to that of ``go tool pprof``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from memtui.pprof.measure import label, percent, scaled
from memtui.pprof.nodes import base_name
from memtui.pprof.stacks import SampleType, Stacks
from memtui.pprof.top import Call, Peek, Top, TopSummary, Tree

_RULE = "-" * 58 + "+" + "-" * 13
LEGEND = "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t "
"""The column titles of a tree; the tabs are pprof's."""
_MOST_FILTER = 80


def text_of_top(stacks: Stacks, top: Top, time: str) -> Iterator[str]:
    """Yield the lines of ``pprof -top``.

    ``time`` is the time of the profile as text, "" if it is unknown. Names are those of the
    profile: the caller makes them safe for a terminal.
    """
    yield from _head(stacks, top.summary, time)
    yield f"{'flat':>10} {'flat':>5}% {'sum':>5}% {'cum':>10} {'cum':>5}%"
    write, total = _Writer(top.summary), top.summary.total
    running = 0
    for row in top.rows:
        running += row.flat
        inlined = f" ({row.inlined})" if row.inlined else ""
        yield (
            f"{write(row.flat):>10} {percent(row.flat, total)} {percent(running, total)}"
            f" {write(row.cum):>10} {percent(row.cum, total)}  {row.name}{inlined}"
        )


def text_of_tree(stacks: Stacks, tree: Tree, time: str) -> Iterator[str]:
    """Yield the lines of ``pprof -tree`` or ``-peek``."""
    summary = tree.summary
    yield from _head(stacks, summary, time)
    yield _RULE
    yield LEGEND
    running = 0
    for entry in tree.entries:
        running += entry.row.flat
        yield _RULE
        yield from _entry(summary, entry, running)
    if summary.listed:
        yield _RULE


def _entry(summary: TopSummary, entry: Peek, running: int) -> Iterator[str]:
    write, row, total = _Writer(summary), entry.row, summary.total
    yield from _calls(summary, entry.callers, row.cum)
    yield (
        f"{write(row.flat):>10} {percent(row.flat, total)} {percent(running, total)}"
        f" {write(row.cum):>10} {percent(row.cum, total)}                | {row.name}"
    )
    yield from _calls(summary, entry.callees, row.cum)


def _calls(summary: TopSummary, calls: Sequence[Call], cum: int) -> Iterator[str]:
    write = _Writer(summary)
    for call in calls:
        inline = " (inline)" if call.inline else ""
        yield f"{write(call.value):>50} {percent(call.value, cum)} |   {call.name}{inline}"


class _Writer:
    """Writes the values of one report in its unit."""

    def __init__(self, summary: TopSummary) -> None:
        self._unit = summary.type.unit
        self._wanted = summary.unit

    def __call__(self, value: int) -> str:
        return label(value, self._unit, self._wanted)


def _head(stacks: Stacks, summary: TopSummary, time: str) -> Iterator[str]:
    """Yield the header (pprof, internal/report: reportLabels)."""
    write, total = _Writer(summary), summary.total
    yield from profile_head(stacks, summary.type, summary.total, write, time)
    if summary.filters:
        yield "Active filters:"
        for name, pattern in summary.filters:
            yield "   " + _shorten(f"{name}={pattern}")
    share = percent(summary.shown, total).strip()
    yield f"Showing nodes accounting for {write(summary.shown)}, {share} of {write(total)} total"
    if total and summary.dropped:
        nodes = "node" if summary.dropped == 1 else "nodes"
        yield f"Dropped {summary.dropped} {nodes} (cum <= {write(summary.dropped_below)})"
    if total and 0 < summary.listed < summary.candidates:
        yield f"Showing top {summary.listed} nodes out of {summary.candidates}"


def profile_head(
    stacks: Stacks, kind: SampleType, total: int, write: Callable[[int], str], time: str
) -> Iterator[str]:
    """Yield the description of the profile; ``total`` is 100 %, in the unit of ``kind``."""
    if stacks.main and stacks.main.file:
        yield f"File: {base_name(stacks.main.file)}"
    if stacks.main and stacks.main.build_id:
        yield f"Build ID: {stacks.main.build_id}"
    yield from (comment for comment in stacks.comments if not comment.startswith("#"))
    if kind.type:
        yield f"Type: {kind.type}"
    if stacks.doc_url:
        yield f"Doc: {stacks.doc_url}"
    if time:
        yield f"Time: {time}"
    if stacks.duration_nanos:
        lasted = label(stacks.duration_nanos, "nanoseconds")
        nanos, unit = scaled(total, kind.unit, "nanoseconds")
        part = ""
        if unit == "ns" and nanos:
            part = f"({percent(int(nanos), stacks.duration_nanos)})"
        yield f"Duration: {lasted}, Total samples = {write(total)} {part}"


def _shorten(text: str) -> str:
    """Return at most 80 bytes of a filter, as pprof does."""
    encoded = text.encode()
    if len(encoded) <= _MOST_FILTER:
        return text
    return encoded[:_MOST_FILTER].decode("utf-8", "replace") + "…"
