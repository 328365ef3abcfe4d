"""Splits a stream of bytes into lines of valid text, and reads the prefixes of log lines.

Chunks may be cut anywhere. Memory is bounded by the chunk plus one line of LONGEST_LINE.

Known prefixes: timestamps of docker and kubectl, log files of CRI (``TIME stderr F …``) and of
docker's json-file, docker compose (``web-1  | …``), kubectl --prefix (``[pod/web/app] …``) and the
journal (short, short-precise, short-iso and similar).

Sources: docker daemon/logger/jsonfilelog (JSONLog); Kubernetes CRI, "kubelet: log format";
docker compose, cmd/formatter; kubectl logs --help; man journalctl, --output.
"""

from __future__ import annotations

import json
import re
from calendar import timegm
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

LONGEST_LINE = 64 << 10
"""Bytes; of a longer line the first and the last KEPT_OF_LONG stay."""

KEPT_OF_LONG = 4 << 10

_LEFT_OUT = "…".encode()
_LINE_ENDS = re.compile(r"[\r\0]*\n\0*")


class LineSplitter:
    """Cuts a stream of bytes into lines of valid text.

    Lines end with LF or CRLF. Bytes that are not UTF-8 become ``\\xff``. NULs at the start and the
    end of a line are dropped: copytruncate leaves a hole of NULs in a log.
    """

    def __init__(self) -> None:
        self._partial = bytearray()
        self._partial_bytes = 0

    def feed(self, data: bytes) -> str:
        """Return the lines that ``data`` completes, with a newline after each."""
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
        """Return the last line, which has no newline, with one; empty if there is none."""
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
    """Return whether a half of LONGEST_LINE without a newline exists anywhere."""
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


LocalTime: TypeAlias = Callable[[int, int, int, int, float], float | None]
"""Month, day, hour, minute and second in local time, without a year, to Unix seconds."""


class Prefixed(NamedTuple):
    """A line without its prefix, and the contents of the prefix.

    ``program`` identifies a program among those that share a log, ``stream`` one of its streams
    (standard error, a process by its pid). ``at`` is Unix seconds. A line that is not ``is_whole``
    continues in the next line of its stream.
    """

    text: str
    program: str = ""
    stream: str = ""
    at: float | None = None
    is_whole: bool = True

    @property
    def is_stamp(self) -> bool:
        """Whether the prefix is only a time."""
        return not self.program and not self.stream


_DAY = r"((?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
_CLOCK = r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)"
_ZONE = r"(Z|[+-]\d\d:?\d\d)"
_TIME = rf"{_DAY}T{_CLOCK}(\.\d{{1,9}})?{_ZONE}"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_FROM = r"[^\s:]+ ([^\s:\[\]]+)\[(\d+)\]: "  # the kernel has no number, and no gctrace either

# A timestamp alone is also what programs put in front of their own lines: it counts when it has
# the nine decimals that docker and kubectl print, or when the runtime goes on right behind it.
_STAMPED = re.compile(
    rf"{_TIME} (?:(stdout|stderr) ([FP])[:\w]* |{_FROM}|"
    r"(?<=\.\d{9}Z )|(?<=\.\d{9}[+-]\d\d:\d\d )|(?=gc|scav |scvg|GC forced))",
    re.ASCII,
)
_JSON_FILE = re.compile(
    r'\{"log":"([^"\\]*+(?:\\.[^"\\]*+)*+)","stream":"(stdout|stderr)",'
    rf'(?:"attrs":\{{.*\}},)?"time":"{_TIME}"\}}',
    re.ASCII,
)
_COMPOSE = re.compile(r"(?:\x1b\[[\d;]*m)*([a-z0-9][\w.-]*+) *+\| (?:\x1b\[[\d;]*m)*", re.ASCII)
_KUBECTL = re.compile(r"\[(pod/[^\s\]]+)\] ", re.ASCII)
_JOURNAL = re.compile(rf"({'|'.join(_MONTHS)}) ([ 0-3]\d) {_CLOCK}(\.\d+)? {_FROM}", re.ASCII)

LIKELY_JSON_FILE = r'\{"log":"'
LIKELY = (
    r"\d.{3}-.{5}T.{8}(?:\.\d{9}[Z+-]|\S++ "
    r"(?:std(?:out|err) [FP]|gc|scav |scvg|GC forced|\S++ [^\s\[]++\[\d))"
    rf"|{LIKELY_JSON_FILE}|\[pod/|[A-Z][a-z]{{2}} [ 0-3]\d [\d:]{{8}}"
    r"|\x1b[^|\n]*+\| |[a-z0-9][\w.-]*+ *+\| "
)
"""Cheap patterns for the start of lines with a prefix; they match some others too."""


@lru_cache(maxsize=256)
def _minute(day: str, hour: str, minute: str, zone: str) -> int:
    """Return the Unix seconds of a minute; cached, because a log has many lines of each."""
    year, month, day_of_month = map(int, day.split("-"))
    at = timegm((year, month, day_of_month, int(hour), int(minute), 0))
    if zone == "Z":
        return at
    east = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return at - east if zone[0] == "+" else at + east


def _moment(day: str, hour: str, minute: str, second: str, part: str | None, zone: str) -> float:
    return _minute(day, hour, minute, zone) + float(second + (part or ""))


def read(line: str, local_time: LocalTime | None = None) -> Prefixed | None:
    """Return ``line`` without its prefix; None if it has none.

    ``local_time`` resolves moments of the journal, which have neither year nor zone.
    """
    first = line[:1]
    if first == "{":
        return _json_file(line)
    if first.isdigit() and (found := _stamped(line)):
        return found
    if first == "[":
        match = _KUBECTL.match(line)
    elif first.isupper():
        return _journal(line, local_time)
    else:
        match = _COMPOSE.match(line)
    if match is None:
        return None
    text = line[match.end() :]
    behind = _stamped(text) or Prefixed(text)
    return behind._replace(program=match[1])


def _stamped(line: str) -> Prefixed | None:
    match = _STAMPED.match(line)
    if match is None:
        return None
    *moment, stream, tag, ident, pid = match.groups()
    return Prefixed(
        line[match.end() :], ident or "", pid or stream or "", _moment(*moment), tag != "P"
    )


def _json_file(line: str) -> Prefixed | None:
    match = _JSON_FILE.fullmatch(line)
    if match is None:
        return None
    log, stream, *moment = match.groups()
    try:
        text = json.loads(f'"{log}"', strict=False)
    except ValueError:
        return None
    is_whole = text.endswith("\n")
    text = text[:-1] if is_whole else text
    if "\n" in text:  # docker writes one line an object
        return None
    return Prefixed(text, "", stream, _moment(*moment), is_whole)


def _journal(line: str, local_time: LocalTime | None) -> Prefixed | None:
    match = _JOURNAL.match(line)
    if match is None:
        return None
    month, day, hour, minute, second, part, ident, pid = match.groups()
    at = None
    if local_time:
        whole = (_MONTHS.index(month) + 1, int(day), int(hour), int(minute))
        at = local_time(*whole, float(second + (part or "")))
    return Prefixed(line[match.end() :], ident, pid, at)
