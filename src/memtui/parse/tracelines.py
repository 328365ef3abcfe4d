"""How a stream of bytes becomes what the program and its runtime said.

Chunks may be cut anywhere: what comes out depends on the bytes alone. A line from a container's
log or the journal is read behind its prefix, and gets its moment.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import repeat
from typing import Protocol

from memtui.parse import prefixes
from memtui.parse.cyclelines import CycleLines
from memtui.parse.lines import LineSplitter
from memtui.parse.strand import Findings, Process, Strand, TimedItem, TraceItem, output
from memtui.parse.telling import lines_to_count, telling_lines

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
        self, *, keep_output: bool = True, local_time: prefixes.LocalTime | None = None
    ) -> None:
        self.lines = 0
        """Lines read."""
        self._keep_output = keep_output
        self._local_time = local_time
        self._splitter = LineSplitter()
        self._cycle_lines = CycleLines()
        self._findings = Findings(keep_output)
        self._processes: dict[str, Process] = {}
        self._strands: dict[tuple[str, str], Strand] = {}
        self._unprefixed = Strand(Process(), self._findings)
        self._processes[""] = self._unprefixed.process
        self._busy: dict[Strand, int] = {}
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
        found = prefixes.read(line, self._local_time)
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

    def _note_busy(self, strand: Strand) -> None:
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

    def _strand(self, found: prefixes.Prefixed) -> Strand:
        """Return the strand of a stream; where there are too many, the oldest comes to its end."""
        key = found.program, found.stream
        if key == ("", ""):
            return self._unprefixed
        strand = self._strands.get(key)
        if strand is None:
            process = self._processes.setdefault(found.program, Process())
            stream = "stdout" if found.stream == "stdout" else "stderr"
            strand = self._strands[key] = Strand(process, self._findings, stream)
            if len(self._processes) > MOST_STRANDS:
                del self._processes[next(iter(self._processes))]
            if len(self._strands) > MOST_STRANDS:
                oldest = self._strands.pop(next(iter(self._strands)))
                oldest.finish()
                self._busy.pop(oldest, None)
        return strand
