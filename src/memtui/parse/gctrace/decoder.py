"""Decodes a stream of bytes into GC cycles and the output between them.

Chunks may be cut anywhere: the result depends on the bytes alone. A line from a container's log or
the journal is read behind its prefix, which gives its moment.

Runs of cycle lines are read in bulk, column by column, and lines of the program that cannot
contain a trace are skipped in bulk. The result is the same as line by line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import repeat
from typing import Protocol, TypeAlias

from memtui.model import GcCycle
from memtui.parse.gctrace import grammar, lines
from memtui.parse.gctrace.grammar import INT, MILLISECONDS, UINT32, goal_bytes
from memtui.parse.gctrace.lines import LineSplitter
from memtui.parse.gctrace.stream import (
    StreamItems,
    TimedItem,
    TracedProcess,
    TraceItem,
    TraceStream,
    output,
)

MOST_KEPT = 8192
"""Cached texts: a process prints the same sizes again and again."""

_MIB_SHIFT = 20
_MS = r"([0-9.]++)"

_LINE = re.compile(
    rf"\n(gc {UINT32} @((?!0[0-9])[0-9]{{1,17}}+\.[0-9]{{3}})s ([0-9]++)%: "
    rf"{_MS}\+{_MS}\+{_MS} ms clock, {_MS}\+{_MS}/{_MS}/{_MS}\+{_MS} ms cpu, ([^\n]++))"
)
_STRIDE = _LINE.groups + 1
_SIZES = re.compile(
    rf"{INT}->{INT}->{INT} MB, {INT} MB goal, (?:{INT} MB stacks, {INT} MB globals, )?{UINT32} P"
    r"( \(forced\))?"
)
_PERCENTS = {str(percent): percent for percent in range(1000)}

Sizes: TypeAlias = tuple[int, int, int, int | None, int | None, int | None, int, bool]
"""Bytes: heap at the start, at the end, live, goal, stacks, globals; then processors, forced."""


class _SizesSeen(dict[str, Sizes]):
    """Sizes by the end of a line, from the heap on; KeyError for one that is never printed."""

    def __missing__(self, text: str) -> Sizes:
        match = _SIZES.fullmatch(text)
        if match is None:
            raise KeyError(text)
        if len(self) >= MOST_KEPT:
            self.clear()
        start, end, live, goal, stacks, globals_, procs, forced = match.groups()
        self[text] = sizes = (
            int(start) << _MIB_SHIFT,
            int(end) << _MIB_SHIFT,
            int(live) << _MIB_SHIFT,
            goal_bytes(goal),
            None if stacks is None else int(stacks) << _MIB_SHIFT,
            None if globals_ is None else int(globals_) << _MIB_SHIFT,
            int(procs),
            forced is not None,
        )
        return sizes


class CycleLines:
    """Finds runs of cycle lines in blocks of text; caches the sizes."""

    def __init__(self) -> None:
        self._sizes = _SizesSeen()

    def read(self, text: str) -> tuple[list[str], list[GcCycle]]:
        """Return the cycles in ``text``, and the texts before, between and after them.

        ``text`` has a newline before its first line and after each. A cycle takes the newline
        before it: the text between two cycles is empty, or a newline and lines. If a line only
        resembles a cycle, no cycles are returned, and the caller reads line by line.
        """
        parts = _LINE.split(text)
        if len(parts) == 1:
            return parts, []
        try:
            return parts[::_STRIDE], self._cycles(parts)
        except KeyError:
            return [text], []

    def _cycles(self, parts: list[str]) -> list[GcCycle]:
        line, number, at, percent, *times, sizes = (
            parts[start::_STRIDE] for start in range(1, _STRIDE)
        )
        ms = [map(MILLISECONDS.__getitem__, each) for each in times]
        return list(
            map(
                GcCycle,
                map(int, number),
                map(float, at),
                map(_PERCENTS.__getitem__, percent),
                zip(*ms[:3], strict=True),
                zip(*ms[3:], strict=True),
                *zip(*map(self._sizes.__getitem__, sizes), strict=True),
                repeat(False),  # leak_check: such lines are read one by one
                line,
                repeat(False),  # periodic: the line before shows that
            )
        )


_STARTS = ("gc", "scav ", "scvg", "forced scvg", *grammar.STARTS)
_ENDS = tuple(dict.fromkeys((*grammar.ENDS, *grammar.LINE_ENDS)))

_IN_ANY_LINE = ("gc ", "scav ", "pacer: ")
_IN_JSON_FILE = ("gc ", "scav ", "scvg", " MB g", " KiB ", " yields", *grammar.MARKERS)


def _edge(prefix: str) -> re.Pattern[str]:
    """Return a pattern for a newline before or after a candidate; group 1: before a prefix."""
    starts = "|".join(map(re.escape, _STARTS))
    last_chars = re.escape("".join({each[-1] for each in _ENDS}))
    ends = "|".join(rf"(?<={re.escape(each)}\n)" for each in _ENDS)
    return re.compile(rf"\n(?:(?=({prefix})|({starts}))|(?<=[{last_chars}]\n)(?:{ends}))", re.ASCII)


_EDGE = _edge(lines.LIKELY)
_EDGE_OR_JSON = _edge(lines.LIKELY_JSON_FILE)


def candidate_lines(text: str) -> list[int]:
    """Return the places of the newlines before lines that may contain a trace.

    ``text`` has a newline before its first line and after each. A line with a prefix is always a
    candidate, because its prefix has a moment.
    """
    found: set[int] = set()
    for match in _EDGE.finditer(text):
        _add_edge(match, text, found)
    for marker in _IN_ANY_LINE:
        _add_lines_with(marker, text, found)
    return sorted(found)


def countable_lines(text: str) -> list[int]:
    """Return the same in half of the time, where the other lines are only counted.

    Lines of GODEBUG switches other than gctrace and scavtrace count as the program's if they have
    text before them.
    """
    found: set[int] = set()
    markers: Sequence[str] = _IN_ANY_LINE[:1]
    for match in _EDGE_OR_JSON.finditer(text):
        if match[1]:
            markers = _IN_JSON_FILE
        else:
            _add_edge(match, text, found)
    for marker in markers:
        _add_lines_with(marker, text, found)
    return sorted(found)


def _add_edge(match: re.Match[str], text: str, found: set[int]) -> None:
    at = match.start()
    if match.lastindex:
        found.add(at)
    if at and text.endswith(_ENDS, 0, at):
        found.add(text.rfind("\n", 0, at))


def _add_lines_with(marker: str, text: str, found: set[int]) -> None:
    at = text.find(marker)
    while at >= 0:
        found.add(text.rfind("\n", 0, at))
        at = text.find(marker, text.find("\n", at))


__all__ = ["Decoder", "OutputDecoder", "TimedItem", "TraceDecoder", "TraceItem"]

BLOCK_CHARS = 32 << 10
"""Characters read at a time: their cycles still fit into the processor's cache."""

MOST_STREAMS = 64
"""Streams in one log whose state is kept."""

MOST_LINES_BETWEEN = 1024
"""Lines of other streams after which a stream stops waiting for the end of a line."""


class Decoder(Protocol):
    """Bytes in, items out."""

    def feed(self, data: bytes) -> list[TimedItem]:
        """Return the items that ``data`` completes."""
        ...

    def flush(self) -> list[TimedItem]:
        """Return the remaining items: the stream is at its end, or continues elsewhere."""
        ...


class OutputDecoder:
    """Reads a stream without a trace, such as standard output."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._splitter = LineSplitter()

    def feed(self, data: bytes) -> list[TimedItem]:
        """Return the lines that are complete after ``data``."""
        return self._read(self._splitter.feed(data))

    def flush(self) -> list[TimedItem]:
        """Return the last line, which has no newline."""
        return self._read(self._splitter.flush())

    def _read(self, text: str) -> list[TimedItem]:
        return [(output(line, self._stream), None) for line in text.split("\n")[:-1]]


class TraceDecoder:
    """Reads a stream that mixes the runtime's trace with the program's own lines.

    Without ``keep_output`` the lines of the program are only counted, which is many times faster.
    ``local_time`` resolves moments of the journal, which have no year.
    """

    def __init__(
        self, *, keep_output: bool = True, local_time: lines.LocalTime | None = None
    ) -> None:
        self.lines = 0
        """Lines read."""
        self._keep_output = keep_output
        self._local_time = local_time
        self._splitter = LineSplitter()
        self._cycle_lines = CycleLines()
        self._items = StreamItems(keep_output)
        self._processes: dict[str, TracedProcess] = {}
        self._streams: dict[tuple[str, str], TraceStream] = {}
        self._unprefixed = TraceStream(TracedProcess(), self._items)
        self._processes[""] = self._unprefixed.process
        self._busy: dict[TraceStream, int] = {}
        self._examined = 0

    @property
    def rejoined(self) -> int:
        """The number of torn trace lines that were joined."""
        return self._items.rejoined

    @property
    def other_runtime(self) -> int:
        """The number of lines of other GODEBUG switches, which are dropped."""
        return self._items.other_runtime

    @property
    def other(self) -> int:
        """The number of the program's own lines."""
        return self.lines - self._examined + self._items.outputs

    def feed(self, data: bytes) -> list[TimedItem]:
        """Return the items that ``data`` completes."""
        self._read(self._splitter.feed(data))
        return self._take_items()

    def flush(self) -> list[TimedItem]:
        """Return the remaining items: the last line without newline, torn lines without an end."""
        self._read(self._splitter.flush())
        for stream in (self._unprefixed, *self._streams.values()):
            stream.finish()
        self._busy.clear()
        return self._take_items()

    def _take_items(self) -> list[TimedItem]:
        items, self._items.items = self._items.items, []
        return items

    def _read(self, text: str) -> None:
        at = 0
        while at < len(text):
            end = text.find("\n", at + BLOCK_CHARS) + 1 or len(text)
            self._read_block("\n" + text[at:end])
            at = end

    def _read_block(self, text: str) -> None:
        """Read lines with a newline before the first and after each."""
        gaps, cycles = self._cycle_lines.read(text)
        self._examined += len(cycles)
        if cycles and gaps[-1] == "\n" and not any(gaps[:-1]):
            self.lines += len(cycles)
            self._unprefixed.run(cycles)
            return
        self.lines += text.count("\n") - 1
        candidates = candidate_lines(text) if self._keep_output else countable_lines(text)
        at = seen = 0
        for gap, cycle in zip(gaps, cycles, strict=False):  # one gap more than cycles
            if gap:
                end = at + len(gap)
                upto = bisect_left(candidates, end, seen)
                self._read_between(text, at, end, candidates[seen:upto])
                seen = upto
            self._unprefixed.run([cycle])
            at += len(gap) + len(cycle.line) + 1
            seen = bisect_left(candidates, at, seen)
        self._read_between(text, at, len(text) - 1, candidates[seen:])

    def _read_between(self, text: str, at: int, end: int, candidates: list[int]) -> None:
        """Read the lines of ``text[at:end]``, each with the newline before it.

        ``candidates`` are the starts of the lines to examine; while a stream is busy, all are.
        """
        for start in candidates:
            while self._busy and at < start:
                at = self._line_at(text, at)
            if at <= start < end:
                self._add_output(text, at, start)
                at = self._line_at(text, start)
        while self._busy and at < end:
            at = self._line_at(text, at)
        self._add_output(text, at, end)

    def _add_output(self, text: str, begin: int, end: int) -> None:
        if begin < end and self._keep_output:
            lines = text[begin + 1 : end].split("\n")
            outputs = [output(line, "stderr") for line in lines]
            self._items.items += zip(outputs, repeat(None))

    def _line_at(self, text: str, begin: int) -> int:
        """Read the line after the newline at ``begin``; return the place of the next newline."""
        self._examined += 1
        end = text.find("\n", begin + 1)
        line = text[begin + 1 : end]
        found = lines.read(line, self._local_time)
        if found and self._unprefixed.is_busy and not found.is_stamp:
            found = None  # in a log without prefixes this is text of the program
        stream = self._stream_of(found) if found else self._unprefixed
        if found is None:
            stream.read(line, None)
        elif found.is_whole:
            stream.read(found.text, found.at)
        else:
            stream.begin_line(found.text)
        self._track_busy(stream)
        return end

    def _track_busy(self, stream: TraceStream) -> None:
        """Track the streams that wait for the end of a line, and for how many other lines."""
        self._busy.pop(stream, None)
        for other in self._busy:
            self._busy[other] += 1
        if stream.is_busy:
            self._busy[stream] = 0
        if self._busy:
            longest = next(iter(self._busy))
            if self._busy[longest] > MOST_LINES_BETWEEN:
                longest.give_up()
                del self._busy[longest]

    def _stream_of(self, found: lines.Prefixed) -> TraceStream:
        """Return the reader of a stream; if there are too many, finish the oldest."""
        key = found.program, found.stream
        if key == ("", ""):
            return self._unprefixed
        reader = self._streams.get(key)
        if reader is None:
            process = self._processes.setdefault(found.program, TracedProcess())
            stream = "stdout" if found.stream == "stdout" else "stderr"
            reader = self._streams[key] = TraceStream(process, self._items, stream)
            if len(self._processes) > MOST_STREAMS:
                del self._processes[next(iter(self._processes))]
            if len(self._streams) > MOST_STREAMS:
                oldest = self._streams.pop(next(iter(self._streams)))
                oldest.finish()
                self._busy.pop(oldest, None)
        return reader
