"""How a stream of bytes becomes what the program and its runtime said.

Chunks may be cut anywhere: what comes out depends on the bytes alone. A line from a container's
log or the journal is read behind its prefix, and gets its moment.

Runs of cycle lines as Go 1.6 and newer print them, read many at a time: column by column.

A regular expression cuts a block into the fields of its cycle lines and what stands between them,
and each column of fields is converted in one go. It gives the same cycles as reading line by line
does, in a quarter of the time.

Which lines of a log may say something of the collector: to pass over all the others in bulk.

A line that tells begins or ends in one of few ways, or holds one of few texts. Nothing that a
strand makes use of is passed over, as long as no earlier line waits for its end.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import fields, make_dataclass
from itertools import repeat
from typing import Protocol, TypeAlias, cast

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
"""Texts whose meaning is remembered: a process prints the same sizes again and again."""

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
"""Bytes: heap at the start, at the end, alive, goal, stacks, globals; processors; forced or not."""


class _SizesSeen(dict[str, Sizes]):
    """What the ends of lines mean, from the heap on; KeyError for one that is never printed."""

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


# A frozen dataclass guards itself at each field while it is made, which takes longer than all the
# reading. So a cycle is filled as an open twin with the same slots, and becomes a cycle after that.
_OpenCycle = make_dataclass(
    "_OpenCycle", [field.name for field in fields(GcCycle)], eq=False, repr=False, slots=True
)


class CycleLines:
    """Finds the runs of cycle lines in blocks of text; remembers what sizes it has seen."""

    def __init__(self) -> None:
        self._sizes = _SizesSeen()

    def read(self, text: str) -> tuple[list[str], list[GcCycle]]:
        """Return the cycles in ``text``, and what stands before, between and behind them.

        A newline stands before the first line of ``text`` and behind each. A line is taken with
        the newline before it: what is between two of them is empty, or a newline and lines. When a
        line only resembles one of a cycle, none is found here: then they are read one by one.
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
        cycles = list(
            map(
                _OpenCycle,
                map(int, number),
                map(float, at),
                map(_PERCENTS.__getitem__, percent),
                zip(*ms[:3], strict=True),
                zip(*ms[3:], strict=True),
                *zip(*map(self._sizes.__getitem__, sizes), strict=True),
                repeat(False),  # leak_check: such a line is read by itself
                line,
                repeat(False),  # periodic: told by the line before
            )
        )
        for cycle in cycles:
            cycle.__class__ = GcCycle
        return cast("list[GcCycle]", cycles)


_STARTS = ("gc", "scav ", "scvg", "forced scvg", *grammar.STARTS)
_ENDS = tuple(dict.fromkeys((*grammar.ENDS, *grammar.LINE_ENDS)))

_IN_ANY_LINE = ("gc ", "scav ", "pacer: ")
_IN_JSON_FILE = ("gc ", "scav ", "scvg", " MB g", " KiB ", " yields", *grammar.MARKERS)


def _edge(prefix: str) -> re.Pattern[str]:
    """Return what finds a newline before or behind a line that tells; group 1: before a prefix."""
    starts = "|".join(map(re.escape, _STARTS))
    last_chars = re.escape("".join({each[-1] for each in _ENDS}))
    ends = "|".join(rf"(?<={re.escape(each)}\n)" for each in _ENDS)
    return re.compile(rf"\n(?:(?=({prefix})|({starts}))|(?<=[{last_chars}]\n)(?:{ends}))", re.ASCII)


_EDGE = _edge(lines.LIKELY)
_EDGE_OR_JSON_FILE = _edge(lines.LIKELY_JSON_FILE)


def telling_lines(text: str) -> list[int]:
    """Return where the newlines stand that are in front of lines that may tell something.

    A newline stands before the first line of ``text``, and behind each. A line with a prefix
    always tells something: its moment.
    """
    found: set[int] = set()
    for match in _EDGE.finditer(text):
        _add_edge(match, text, found)
    for marker in _IN_ANY_LINE:
        _add_holding(marker, text, found)
    return sorted(found)


def lines_to_count(text: str) -> list[int]:
    """Return the same where the other lines are only counted, in half of the time.

    Some lines of other switches than gctrace and scavtrace are taken for the program's then, when
    something stands in front of them.
    """
    found: set[int] = set()
    markers: Sequence[str] = _IN_ANY_LINE[:1]
    for match in _EDGE_OR_JSON_FILE.finditer(text):
        if match[1]:
            markers = _IN_JSON_FILE
        else:
            _add_edge(match, text, found)
    for marker in markers:
        _add_holding(marker, text, found)
    return sorted(found)


def _add_edge(match: re.Match[str], text: str, found: set[int]) -> None:
    at = match.start()
    if match.lastindex:
        found.add(at)
    if at and text.endswith(_ENDS, 0, at):
        found.add(text.rfind("\n", 0, at))


def _add_holding(marker: str, text: str, found: set[int]) -> None:
    at = text.find(marker)
    while at >= 0:
        found.add(text.rfind("\n", 0, at))
        at = text.find(marker, text.find("\n", at))


__all__ = ["Decoder", "OutputDecoder", "TimedItem", "TraceDecoder", "TraceItem"]

BLOCK_CHARS = 32 << 10
"""Read at a time: what is made of so much still lies in the processor's cache."""

MOST_STRANDS = 64
"""Streams in one log whose state is kept."""

MOST_LINES_BETWEEN = 1024
"""Lines of other streams after which no stream waits for the end of a line any more."""


class Decoder(Protocol):
    """Bytes in, items out."""

    def feed(self, data: bytes) -> list[TimedItem]:
        """Return what is complete after ``data``."""
        ...

    def flush(self) -> list[TimedItem]:
        """Return what is left: the stream is at its end, or goes on elsewhere."""
        ...


class OutputDecoder:
    """Reads a stream to which the runtime writes no trace, as is standard output."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._splitter = LineSplitter()

    def feed(self, data: bytes) -> list[TimedItem]:
        """Return the lines that are complete after ``data``."""
        return self._read(self._splitter.feed(data))

    def flush(self) -> list[TimedItem]:
        """Return the last line, which had no newline."""
        return self._read(self._splitter.flush())

    def _read(self, text: str) -> list[TimedItem]:
        return [(output(line, self._stream), None) for line in text.split("\n")[:-1]]


class TraceDecoder:
    """Reads a stream in which the runtime's trace and the program's own lines are mixed.

    Without ``keep_output`` the lines of the program are counted and nothing else, which is many
    times faster. ``local_time`` is for moments of the journal that name no year.
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
        self._findings = StreamItems(keep_output)
        self._processes: dict[str, TracedProcess] = {}
        self._strands: dict[tuple[str, str], TraceStream] = {}
        self._unprefixed = TraceStream(TracedProcess(), self._findings)
        self._processes[""] = self._unprefixed.process
        self._busy: dict[TraceStream, int] = {}
        self._looked_at = 0

    @property
    def rejoined(self) -> int:
        """How many torn trace lines were put together again."""
        return self._findings.rejoined

    @property
    def other_runtime(self) -> int:
        """How many lines other GODEBUG switches had printed, which are dropped."""
        return self._findings.other_runtime

    @property
    def other(self) -> int:
        """How many lines were the program's own."""
        return self.lines - self._looked_at + self._findings.outputs

    def feed(self, data: bytes) -> list[TimedItem]:
        """Return what is complete after ``data``."""
        self._read(self._splitter.feed(data))
        return self._taken()

    def flush(self) -> list[TimedItem]:
        """Return what is left: the last line without newline, and torn lines without an end."""
        self._read(self._splitter.flush())
        for strand in (self._unprefixed, *self._strands.values()):
            strand.finish()
        self._busy.clear()
        return self._taken()

    def _taken(self) -> list[TimedItem]:
        items, self._findings.items = self._findings.items, []
        return items

    def _read(self, text: str) -> None:
        at = 0
        while at < len(text):
            end = text.find("\n", at + BLOCK_CHARS) + 1 or len(text)
            self._read_block("\n" + text[at:end])
            at = end

    def _read_block(self, text: str) -> None:
        """Read lines with a newline in front of the first, and behind each."""
        gaps, cycles = self._cycle_lines.read(text)
        self._looked_at += len(cycles)
        if cycles and gaps[-1] == "\n" and not any(gaps[:-1]):
            self.lines += len(cycles)
            self._unprefixed.run(cycles)
            return
        self.lines += text.count("\n") - 1
        telling = telling_lines(text) if self._keep_output else lines_to_count(text)
        at = seen = 0
        for gap, cycle in zip(gaps, cycles, strict=False):  # one gap more than cycles
            if gap:
                end = at + len(gap)
                upto = bisect_left(telling, end, seen)
                self._between(text, at, end, telling[seen:upto])
                seen = upto
            self._unprefixed.run([cycle])
            at += len(gap) + len(cycle.line) + 1
            seen = bisect_left(telling, at, seen)
        self._between(text, at, len(text) - 1, telling[seen:])

    def _between(self, text: str, at: int, end: int, telling: list[int]) -> None:
        """Read the lines of ``text[at:end]``, each with the newline in front of it.

        ``telling`` is where those begin that must be looked at; while a strand is busy all are.
        """
        for start in telling:
            while self._busy and at < start:
                at = self._line_at(text, at)
            if at <= start < end:
                self._pass_over(text, at, start)
                at = self._line_at(text, start)
        while self._busy and at < end:
            at = self._line_at(text, at)
        self._pass_over(text, at, end)

    def _pass_over(self, text: str, begin: int, end: int) -> None:
        if begin < end and self._keep_output:
            lines = text[begin + 1 : end].split("\n")
            outputs = [output(line, "stderr") for line in lines]
            self._findings.items += zip(outputs, repeat(None))

    def _line_at(self, text: str, begin: int) -> int:
        """Read the line behind the newline at ``begin``; return where the next newline is."""
        self._looked_at += 1
        end = text.find("\n", begin + 1)
        line = text[begin + 1 : end]
        found = lines.read(line, self._local_time)
        if found and self._unprefixed.is_busy and not found.is_stamp:
            found = None  # where lines have no prefix, this is text of the program
        strand = self._strand(found) if found else self._unprefixed
        if found is None:
            strand.read(line, None)
        elif found.is_whole:
            strand.read(found.text, found.at)
        else:
            strand.begin_line(found.text)
        self._note_busy(strand)
        return end

    def _note_busy(self, strand: TraceStream) -> None:
        """Keep which strands wait for the end of a line, and for how many lines of others."""
        self._busy.pop(strand, None)
        for other in self._busy:
            self._busy[other] += 1
        if strand.is_busy:
            self._busy[strand] = 0
        if self._busy:
            longest = next(iter(self._busy))
            if self._busy[longest] > MOST_LINES_BETWEEN:
                longest.give_up()
                del self._busy[longest]

    def _strand(self, found: lines.Prefixed) -> TraceStream:
        """Return the strand of a stream; where there are too many, the oldest comes to its end."""
        key = found.program, found.stream
        if key == ("", ""):
            return self._unprefixed
        strand = self._strands.get(key)
        if strand is None:
            process = self._processes.setdefault(found.program, TracedProcess())
            stream = "stdout" if found.stream == "stdout" else "stderr"
            strand = self._strands[key] = TraceStream(process, self._findings, stream)
            if len(self._processes) > MOST_STRANDS:
                del self._processes[next(iter(self._processes))]
            if len(self._strands) > MOST_STRANDS:
                oldest = self._strands.pop(next(iter(self._strands)))
                oldest.finish()
                self._busy.pop(oldest, None)
        return strand
