"""Reads one output stream of a program line by line: cycles, torn lines, restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import TypeAlias

from memtui.model import GcCycle, OutputLine, Restart, ScavengeLine, TornLine
from memtui.parse.gctrace import grammar
from memtui.parse.gctrace.grammar import RuntimeLines, is_timer, may_be_timer
from memtui.parse.gctrace.lines import KEPT_OF_LONG, LONGEST_LINE
from memtui.parse.gctrace.torn_lines import TornLines, is_sure_head, is_sure_tail, may_contain_head

TraceItem: TypeAlias = GcCycle | ScavengeLine | OutputLine | TornLine | Restart

TimedItem: TypeAlias = tuple[TraceItem, float | None]
"""An item, and the moment (Unix seconds) that a prefix of its line gives it."""

LONGEST_TEXT = 1 << 10
"""Characters kept of a line of the program."""

TIMER_S = 119.9
"""The least time between a periodic cycle and the one before: two minutes, printed rounded."""


def output(text: str, stream: str) -> OutputLine:
    """Return a line of the program, cut to LONGEST_TEXT."""
    return OutputLine(text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…", stream)


@dataclass(slots=True)
class StreamItems:
    """The items of a chunk, and counts over all chunks.

    ``outputs`` counts the program's lines that were examined one by one, ``rejoined`` the torn
    trace lines that were joined, ``other_runtime`` the lines of other GODEBUG switches. With
    ``keep_output`` the program's own lines are items too.
    """

    keep_output: bool
    items: list[TimedItem] = field(default_factory=list)
    outputs: int = 0
    rejoined: int = 0
    other_runtime: int = 0

    def output(self, text: str, stream: str, at: float | None) -> None:
        """Add a line of the program."""
        self.outputs += 1
        if self.keep_output:
            self.items.append((output(text, stream), at))


@dataclass(slots=True)
class TracedProcess:
    """The traced process: its last cycle, and whether the periodic GC was announced.

    ``timer`` is None, "said" by a line of its own, or "hinted" by a line that contains it.
    """

    number: int = 0
    at_s: float = 0.0
    timer: str | None = None

    def continues_with(self, cycles: Sequence[GcCycle]) -> bool:
        """Return whether cycles are of the same process as the last one; remember them if so."""
        number, at_s = self.number, self.at_s
        for cycle in cycles:
            if cycle.number <= number or (cycle.at_s or 0.0) < at_s:
                return False
            number, at_s = cycle.number, cycle.at_s or 0.0
        self.number, self.at_s = number, at_s
        return True

    def may_continue_with(self, sample: grammar.TraceSample) -> bool:
        """Return whether a joined line fits the last cycle; else its head was other text."""
        return not isinstance(sample, GcCycle) or (
            sample.number > self.number and (sample.at_s or 0.0) >= self.at_s
        )

    def restart_with(self, cycle: GcCycle) -> None:
        """Remember the first cycle of another process."""
        self.number, self.at_s = cycle.number, cycle.at_s or 0.0

    def is_periodic(self, cycle: GcCycle) -> bool:
        """Return whether ``cycle`` is periodic, before it is remembered; forget the announcement.

        A program may print the same words: then less than two minutes have passed.
        """
        said, self.timer = self.timer, None
        if cycle.forced or said is None:
            return False
        is_next = 0 < self.number < cycle.number
        if not is_next or cycle.at_s is None or cycle.at_s < self.at_s:
            return said == "said"
        return cycle.at_s - self.at_s >= TIMER_S


class TraceStream:
    """Reads one stream; a process may have several.

    A lost trace line becomes one TornLine, at its end or where joining is abandoned. The line with
    its beginning becomes an OutputLine too, because it also contains a line of the program.
    """

    def __init__(
        self, process: TracedProcess, findings: StreamItems, stream: str = "stderr"
    ) -> None:
        self.process = process
        self._items = findings
        self._stream = stream
        self._pieces = TornLines()
        self._runtime = RuntimeLines()
        self._unfinished = ""

    @property
    def is_busy(self) -> bool:
        """Whether the next line may belong to an earlier one, and so must be looked at."""
        return bool(self._pieces) or bool(self._unfinished) or self._runtime.in_stack

    def begin_line(self, text: str) -> None:
        """Take a part of a line that goes on: logs of containers are cut at 16 KiB."""
        self._unfinished += text
        if len(self._unfinished) > LONGEST_LINE:
            first, last = self._unfinished[:KEPT_OF_LONG], self._unfinished[-KEPT_OF_LONG:]
            self._unfinished = f"{first}…{last}"

    def read(self, line: str, at: float | None) -> None:
        """Take a line, or the last part of one."""
        if self._unfinished:
            line, self._unfinished = self._unfinished + line, ""
        may_end = line.endswith(grammar.ENDS)
        if may_end and (found := grammar.trace_sample(line)):
            begin, sample = found
            self._lose_pieces(at)
            self._in_front(line[:begin], at)
            self.sample(sample, at)
        elif (begin_of_other := self._runtime.find(line)) is not None:
            self._items.other_runtime += 1
            if is_timer(line):
                self._lose_pieces(at)
                self.process.timer = "said"
            self._in_front(line[:begin_of_other], at)
        elif self._pieces and self._is_joined(line, at):
            pass
        elif may_end and is_sure_tail(line):
            self._lose(self._pieces.give_up(line)[:-1], at)
            self._lose([line], at)
        else:
            self._other(line, at)

    def run(self, cycles: list[GcCycle]) -> None:
        """Take cycles that each stand alone in a line, one below the other.

        They are printed in turn: pieces of others that came before are lost.
        """
        if self._pieces.remembers or self.process.timer:
            self._lose_pieces(None)
            self.sample(cycles[0], None)
            cycles = cycles[1:]
        if self.process.continues_with(cycles):
            self._items.items += zip(cycles, repeat(None))
            return
        for cycle in cycles:
            self.sample(cycle, None)

    def sample(self, sample: grammar.TraceSample, at: float | None) -> None:
        """Take what a whole line says."""
        process = self.process
        if isinstance(sample, GcCycle):
            if process.timer and process.is_periodic(sample):
                sample = replace(sample, periodic=True)
            if not process.continues_with([sample]):
                process.restart_with(sample)
                self._items.items.append((Restart(), at))
        self._items.items.append((sample, at))

    def finish(self) -> None:
        """Take the end: a line without its last part, and torn lines without an end."""
        if self._unfinished:
            self.read("", None)
        self._lose_pieces(None)

    def give_up(self) -> None:
        """Take no pieces for what comes: the rest of them is too late."""
        if self._unfinished:
            self.read("", None)
        self._runtime.leave_stack()
        self._lose(self._pieces.give_up(), None)

    def _lose_pieces(self, at: float | None) -> None:
        self._lose(self._pieces.forget(), at)

    def _lose(self, lines: list[str], at: float | None) -> None:
        for line in lines:
            if "scav " not in line:  # it may have been the cycle of the timer
                self.process.timer = None
            self._items.items.append((TornLine(line[:LONGEST_TEXT]), at))

    def _in_front(self, text: str, at: float | None) -> None:
        if not text.strip():
            return
        if is_sure_head(text):
            self._lose([text], at)
        else:
            self._items.output(text, self._stream, at)

    def _is_joined(self, line: str, at: float | None) -> bool:
        """Whether ``line`` is the end of a torn line; what came of it is found then."""
        samples = self._pieces.joined_by(line)
        if not samples:
            return False
        self._lose(self._pieces.forget()[:-1], at)
        if len(samples) == 1 and self.process.may_continue_with(samples[0]):
            self._items.rejoined += 1
            self.sample(samples[0], at)
        else:
            self._lose([line], at)
        return True

    def _other(self, line: str, at: float | None) -> None:
        if self._pieces or may_contain_head(line):
            self._pieces.add(line)
            if self._pieces.too_old:
                self._lose(self._pieces.give_up(), at)
        if may_be_timer(line):
            self.process.timer = self.process.timer or "hinted"
        self._items.output(line, self._stream, at)
