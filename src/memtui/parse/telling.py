"""Which lines of a log may say something of the collector: to pass over all the others in bulk.

A line that tells begins or ends in one of few ways, or holds one of few texts. A
prefix hides how it begins, and a json-file how it ends: then it holds one of some more. Nothing
that a strand makes use of is passed over, as long as no earlier line waits for its end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from memtui.parse import gctrace, prefixes, runtimelines

_ANYWHERE = ("gc ", "scav ", "pacer: ")
_STARTS = ("gc", "scvg", "forced scvg", *runtimelines.STARTS)
_ENDS = tuple(dict.fromkeys((*gctrace.ENDS, *runtimelines.ENDS)))

_MARKERS = (
    *_ANYWHERE,
    *(" MB g", " KiB ", "scvg", " us, ", " yields", ", consumed: ", "stderr P ", "stdout P "),
    *runtimelines.MARKERS,
)


def _any_of(texts: Sequence[str]) -> str:
    return "|".join(map(re.escape, texts))


_LAST_CHARS = re.escape("".join({each[-1] for each in _ENDS}))
_BEHIND = "|".join(rf"(?<={re.escape(each)}\n)" for each in _ENDS)
_EDGE = re.compile(
    rf"\n(?:(?=({_any_of(_STARTS)})|({prefixes.LIKELY}))|(?<=[{_LAST_CHARS}]\n)(?:{_BEHIND}))"
)


def telling_lines(text: str, begin: int, end: int, *, all_prefixed: bool) -> list[int]:
    """Return where the newlines stand that are in front of lines that may tell something.

    ``text[begin:end]`` is lines with a newline in front of each, and ``text[end]`` another one.
    With ``all_prefixed`` every line with a prefix tells something: its moment.
    """
    found: set[int] = set()
    markers: Sequence[str] = _ANYWHERE
    for match in _EDGE.finditer(text, begin, end + 1):
        at = match.start()
        if at > begin and (all_prefixed or not match[2]):
            found.add(text.rfind("\n", begin, at))
        if at < end and (match[1] or (match[2] and all_prefixed)):
            found.add(at)
        elif match[2]:
            markers = _MARKERS
    for marker in markers:
        _add_holding(marker, text, begin, end, found)
    return sorted(found)


def _add_holding(marker: str, text: str, begin: int, end: int, found: set[int]) -> None:
    at = text.find(marker, begin, end)
    while at >= 0:
        found.add(text.rfind("\n", begin, at))
        at = text.find(marker, text.find("\n", at), end)
