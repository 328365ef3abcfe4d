"""Which lines of a log may say something of the collector: to pass over all the others in bulk.

A line that tells begins or ends in one of few ways, or holds one of few texts. Nothing that a
strand makes use of is passed over, as long as no earlier line waits for its end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from memtui.parse import gctrace, prefixes, runtimelines

_STARTS = ("gc", "scav ", "scvg", "forced scvg", *runtimelines.STARTS)
_ENDS = tuple(dict.fromkeys((*gctrace.ENDS, *runtimelines.ENDS)))

_IN_ANY_LINE = ("gc ", "scav ", "pacer: ")
_IN_JSON_FILE = ("gc ", "scav ", "scvg", " MB g", " KiB ", " yields", *runtimelines.MARKERS)


def _edge(prefix: str) -> re.Pattern[str]:
    """Return what finds a newline before or behind a line that tells; group 1: before a prefix."""
    starts = "|".join(map(re.escape, _STARTS))
    last_chars = re.escape("".join({each[-1] for each in _ENDS}))
    ends = "|".join(rf"(?<={re.escape(each)}\n)" for each in _ENDS)
    return re.compile(rf"\n(?:(?=({prefix})|({starts}))|(?<=[{last_chars}]\n)(?:{ends}))", re.ASCII)


_EDGE = _edge(prefixes.LIKELY)
_EDGE_OR_JSON_FILE = _edge(prefixes.LIKELY_JSON_FILE)


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
