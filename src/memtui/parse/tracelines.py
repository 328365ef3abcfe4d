"""How a stream of bytes becomes lines, and the lines what the program and its runtime said.

Chunks may be cut anywhere: what comes out depends on the bytes alone. Memory is bounded by the
chunk plus one line of LONGEST_LINE.

A line from a container's log carries a prefix (docker -t, journald, ...). It is text in front, so
the trace line behind it is read; a decoder that knows the prefixes belongs before this one.
"""

from __future__ import annotations

import re
from typing import Protocol, TypeAlias

from memtui.model import GcCycle, OutputLine, Restart, ScavengeLine, TornLine
from memtui.parse import gctrace
from memtui.parse.rejoin import Pieces, is_sure_head, is_sure_tail
from memtui.parse.runtimelines import RuntimeLines

TraceItem: TypeAlias = GcCycle | ScavengeLine | OutputLine | TornLine | Restart

LONGEST_LINE = 64 << 10
"""Bytes; of a longer line the first and the last KEPT_OF_LONG stay."""

KEPT_OF_LONG = 4 << 10

LONGEST_TEXT = 1 << 10
"""Characters of a line of the program that are kept to be shown."""

_LEFT_OUT = "…".encode()
_LINE_ENDS = re.compile(r"[\r\0]*\n\0*")


class Decoder(Protocol):
    """Bytes in, items out."""

    def feed(self, data: bytes) -> list[TraceItem]:
        """Return what is complete after ``data``."""
        ...

    def flush(self) -> list[TraceItem]:
        """Return what is left: the stream is at its end, or goes on elsewhere."""
        ...


class LineSplitter:
    """Cuts a stream of bytes into lines of valid text.

    Ends of lines are LF or CRLF; bytes that are not UTF-8 stand as ``\\xff``; NULs at the start
    and the end of a line are dropped: the hole that copytruncate leaves in a log is made of them.
    """

    def __init__(self) -> None:
        self._partial = bytearray()
        self._partial_bytes = 0

    def feed(self, data: bytes) -> str:
        """Return the lines that ``data`` completes, joined by newlines, with one behind each."""
        if not self._partial_bytes:
            data = data.lstrip(b"\0")
        whole, newline, rest = data.rpartition(b"\n")
        if not newline:
            self._hold(rest)
            return ""
        lines = whole.split(b"\n")
        self._hold(lines[0])
        lines[0] = self._take()
        if len(whole) > LONGEST_LINE:
            lines = [_shortened(each) for each in lines]
        self._hold(rest.lstrip(b"\0"))
        return _text(b"\n".join(lines) + b"\n")

    def flush(self) -> str:
        """Return the last line, which had no newline, with one; an empty text when none is left."""
        return _text(self._take() + b"\n") if self._partial_bytes else ""

    def _hold(self, data: bytes) -> None:
        self._partial += data
        self._partial_bytes += len(data)
        if len(self._partial) > LONGEST_LINE:
            del self._partial[KEPT_OF_LONG:-KEPT_OF_LONG]

    def _take(self) -> bytes:
        line = bytes(self._partial)
        if self._partial_bytes > LONGEST_LINE:
            line = line[:KEPT_OF_LONG] + _LEFT_OUT + line[-KEPT_OF_LONG:]
        self._partial.clear()
        self._partial_bytes = 0
        return line


def _shortened(line: bytes) -> bytes:
    if len(line) <= LONGEST_LINE:
        return line
    return line[:KEPT_OF_LONG] + _LEFT_OUT + line[-KEPT_OF_LONG:]


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    if "\r" in text or "\0" in text:
        text = _LINE_ENDS.sub("\n", text)
    return text


def _output(text: str, stream: str) -> OutputLine:
    return OutputLine(text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…", stream)


class OutputDecoder:
    """Reads a stream to which the runtime writes no trace, as is standard output."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._splitter = LineSplitter()

    def feed(self, data: bytes) -> list[TraceItem]:
        """Return the lines that are complete after ``data``."""
        return [_output(line, self._stream) for line in self._splitter.feed(data).split("\n")[:-1]]

    def flush(self) -> list[TraceItem]:
        """Return the last line, which had no newline."""
        return [_output(line, self._stream) for line in self._splitter.flush().split("\n")[:-1]]


class TraceDecoder:
    """Reads a stream in which the runtime's trace and the program's own lines are mixed.

    ``rejoined`` counts the torn trace lines that were put together again, ``other_runtime`` the
    lines of other GODEBUG switches, which are dropped. A trace line that is lost comes out as one
    TornLine, at its end or where it is given up; the line that holds its beginning comes out as
    an OutputLine too, because it holds a line of the program.
    """

    def __init__(self) -> None:
        self.rejoined = 0
        self.other_runtime = 0
        self._splitter = LineSplitter()
        self._pieces = Pieces()
        self._runtime = RuntimeLines()
        self._number = 0
        self._at_s = 0.0

    def feed(self, data: bytes) -> list[TraceItem]:
        """Return what is complete after ``data``."""
        return self._read(self._splitter.feed(data))

    def flush(self) -> list[TraceItem]:
        """Return what is left: the last line without newline, and torn lines without an end."""
        items = self._read(self._splitter.flush())
        items += [_torn(head) for head in self._pieces.forget()]
        return items

    def _read(self, block: str) -> list[TraceItem]:
        items: list[TraceItem] = []
        lines = block.split("\n")
        lines.pop()
        may_trace = any(marker in block for marker in gctrace.MARKERS)
        may_begin = "gc " in block or "scav " in block
        rules = self._runtime.rules_for(block)
        busy = bool(self._pieces) or self._runtime.in_stack
        if not (may_trace or may_begin or rules or busy):
            return [_output(line, "stderr") for line in lines]
        for line in lines:
            may_end = line.endswith(gctrace.ENDS)
            if may_end and (found := gctrace.trace_sample(line)):
                self._whole(line, *found, items)
            elif (begin := self._runtime.find(line, rules)) is not None:
                self.other_runtime += 1
                self._in_front(line[:begin], items)
            elif self._pieces and self._joined(line, items):
                pass
            elif may_end and is_sure_tail(line):
                items += [_torn(head) for head in self._pieces.forget()[:-1]]
                items.append(_torn(line))
            else:
                self._other(line, items)
        return items

    def _whole(
        self, line: str, begin: int, sample: gctrace.TraceSample, items: list[TraceItem]
    ) -> None:
        """A whole trace line: the runtime prints one at a time, so older pieces are lost."""
        items += [_torn(head) for head in self._pieces.forget()]
        self._in_front(line[:begin], items)
        self._sample(sample, items)

    def _in_front(self, text: str, items: list[TraceItem]) -> None:
        if text.strip():
            items.append(_torn(text) if is_sure_head(text) else _output(text, "stderr"))

    def _sample(self, sample: gctrace.TraceSample, items: list[TraceItem]) -> None:
        if isinstance(sample, GcCycle):
            at_s = sample.at_s or 0.0
            if sample.number <= self._number or at_s < self._at_s:
                items.append(Restart())
            self._number, self._at_s = sample.number, at_s
        items.append(sample)

    def _joined(self, line: str, items: list[TraceItem]) -> bool:
        """Whether ``line`` is the end of a torn line; what came of it is in ``items`` then."""
        samples = self._pieces.joined_by(line)
        if not samples:
            return False
        heads = self._pieces.forget()
        items += [_torn(head) for head in heads[:-1]]
        if len(samples) == 1:
            self.rejoined += 1
            self._sample(samples[0], items)
        else:
            items.append(_torn(line))
        return True

    def _other(self, line: str, items: list[TraceItem]) -> None:
        if self._pieces or "gc " in line or "scav " in line:
            self._pieces.add(line)
            if self._pieces.too_old:
                items += [_torn(head) for head in self._pieces.give_up()]
        items.append(_output(line, "stderr"))


def _torn(text: str) -> TornLine:
    return TornLine(text[:LONGEST_TEXT])
