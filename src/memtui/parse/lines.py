"""How a stream of bytes becomes lines of valid text: chunks may be cut anywhere.

Memory is bounded by the chunk plus one line of LONGEST_LINE.
"""

from __future__ import annotations

import re

LONGEST_LINE = 64 << 10
"""Bytes; of a longer line the first and the last KEPT_OF_LONG stay."""

KEPT_OF_LONG = 4 << 10

_LEFT_OUT = "…".encode()
_LINE_ENDS = re.compile(r"[\r\0]*\n\0*")


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
        end = data.rfind(b"\n") + 1
        if not end:
            self._hold(data)
            return ""
        first, start = b"", 0
        if self._partial_bytes:
            start = data.find(b"\n")
            self._hold(data[:start])
            first = self._take()
        whole = first + data[start:end]
        if _may_hold_long_line(whole):
            whole = b"\n".join(map(_shortened, whole.split(b"\n")))
        self._hold(data[end:].lstrip(b"\0"))
        return _text(whole)

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


def _may_hold_long_line(lines: bytes) -> bool:
    """Whether one of two halves of a longest line, wherever it stands, has no newline in it."""
    half = LONGEST_LINE // 2
    starts = range(0, len(lines) - half + 1, half)
    return any(lines.find(b"\n", start, start + half) < 0 for start in starts)


def _shortened(line: bytes) -> bytes:
    if len(line) <= LONGEST_LINE:
        return line
    return line[:KEPT_OF_LONG] + _LEFT_OUT + line[-KEPT_OF_LONG:]


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    if "\r" in text:  # one character is found a hundred times faster than two
        text = text.replace("\r\n", "\n")
    if "\0" in text or ("\r" in text and "\r\n" in text):
        text = _LINE_ENDS.sub("\n", text)
    return text
