"""Lines of text with roles, cut and padded by their width in terminal cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from typing import Literal, NamedTuple, TypeAlias

from rich.cells import cell_len as any_cell_len
from rich.cells import chop_cells, set_cell_size

Role: TypeAlias = Literal[
    "text", "dim", "title", "border", "focus", "res", "shr", "live", "goal", "gc", "idle",
    "grow", "shrink", "bad", "good", "key", "selected", "match", "flame-1", "flame-2", "flame-3",
]  # fmt: skip
"""The meaning of a text; the style sheet has one colour for each, the same in every pane."""


class Span(NamedTuple):
    """A part of a line with one role. Foreign text must have passed plain()."""

    text: str
    role: Role = "text"


Line: TypeAlias = tuple[Span, ...]

_NARROW = re.compile(r"[\x20-\x7e\u2500-\u25fc\u2800-\u28ff·×−–…←↑→↓]*")
"""The characters that memtui draws, apart from foreign text: each takes one cell."""

MERGE_GAP_CELLS = 4
"""Sending this many unchanged cells takes fewer bytes than moving the cursor over them."""


def line(*pieces: str | Span) -> Line:
    """Return a line of spans and texts; a text has the role "text"."""
    return tuple(Span(piece) if isinstance(piece, str) else piece for piece in pieces)


def text_of(spans: Line) -> str:
    """Return the text of a line."""
    return "".join(span.text for span in spans)


def cell_len(text: str) -> int:
    """Return the width of a text in cells.

    Rich caches the width of every text: 1.5 MB for the texts of a dashboard, most of which occur
    once. So only texts with characters of unknown width are passed to Rich.
    """
    if (text.isascii() and text.isprintable()) or _NARROW.fullmatch(text):
        return len(text)
    return any_cell_len(text)


def cells(spans: Line) -> int:
    """Return the width of a line in cells."""
    return sum(cell_len(span.text) for span in spans)


def cut(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` cells, with an ellipsis if it was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 1 else "…"[:width]


def left(text: str, width: int) -> str:
    """Return ``text`` cut or padded on the right to ``width`` cells."""
    text = cut(text, width)
    return text + " " * (width - cell_len(text))


def right(text: str, width: int) -> str:
    """Return ``text`` padded on the left to ``width`` cells; numbers are never cut."""
    return " " * (width - cell_len(text)) + text


@lru_cache(256)
def fit(spans: Line, width: int) -> Line:
    """Return a line of exactly ``width`` cells: cut, or padded with spaces.

    Results are cached: most lines of a screen are the same a second later.
    """
    fitted: list[Span] = []
    room = width
    for span in spans:
        length = cell_len(span.text)
        if length > room:
            fitted.append(Span(left(span.text, room), span.role))
            return tuple(fitted)
        fitted.append(span)
        room -= length
    if room:
        fitted.append(Span(" " * room))
    return tuple(fitted)


def justify(start: Line, end: Line, width: int, filler: str = " ", role: Role = "text") -> Line:
    """Return ``start`` at the left and ``end`` at the right edge of ``width`` cells.

    If both do not fit, ``end`` is dropped, then ``start`` is cut.
    """
    gap = width - cells(start) - cells(end)
    if gap < 0:
        end, gap = (), max(0, width - cells(start))
    return fit((*start, Span(filler * gap, role), *end), width)


def wrapped(text: str, width: int, role: Role = "text") -> list[Line]:
    """Return a text as lines of at most ``width`` cells, broken between words if possible."""
    rows: list[str] = []
    for word in text.split():
        if rows and cell_len(rows[-1]) + 1 + cell_len(word) <= width:
            rows[-1] += f" {word}"
        else:
            rows += chop_cells(word, max(2, width))
    return [line(Span(row, role)) for row in rows]


@dataclass(frozen=True, slots=True)
class Picture:
    """The content of a pane: the texts in its frame, and the lines inside.

    The upper edge has ``title`` at its left and ``status`` at its right end; the lower edge has
    ``start`` and ``foot``. With ``is_empty`` the rows explain why there is no data.
    """

    title: Line = ()
    status: Line = ()
    start: Line = ()
    foot: Line = ()
    rows: Sequence[Line] = field(default_factory=tuple)
    is_empty: bool = False


def framed(picture: Picture, width: int, height: int, *, number: int, focused: bool) -> list[Line]:
    """Return a pane with its frame, exactly ``width`` by ``height`` cells."""
    role: Role = "focus" if focused else "border"
    if width < 4 or height < 3:
        return [fit(row, width) for row in blank_below(picture.rows, height)]
    head = (Span(f" {number} ", "key"), *picture.title, Span(" "))
    status, start, foot = map(_spaced, (picture.status, picture.start, picture.foot))
    inner = width - 2
    edge = Span("│", role)
    return [
        (Span("╭", role), *justify(head, status, inner, "─", role), Span("╮", role)),
        *((edge, *fit(row, inner), edge) for row in blank_below(picture.rows, height - 2)),
        (Span("╰", role), *justify(start, foot, inner, "─", role), Span("╯", role)),
    ]


def _spaced(words: Line) -> Line:
    return (Span(" "), *words, Span(" ")) if words else ()


def blank_below(rows: Iterable[Line], height: int) -> list[Line]:
    """Return exactly ``height`` lines: the first of ``rows``, then empty ones."""
    shown = list(rows)[:height]
    return shown + [()] * (height - len(shown))


def fit_lines(rows: Iterable[Line], width: int, height: int) -> list[Line]:
    """Return exactly ``height`` lines of exactly ``width`` cells."""
    return [fit(row, width) for row in blank_below(rows, height)]


def changed_runs(old: Line, new: Line) -> list[tuple[int, int]]:
    """Return the runs of cells (start, stop) in which two lines of equal width differ.

    Runs with at most MERGE_GAP_CELLS between them are merged.
    """
    if old == new:
        return []
    before, after = _by_cell(old), _by_cell(new)
    if len(before) != len(after):
        return [(0, max(len(before), len(after)))]
    runs: list[tuple[int, int]] = []
    for at, (was, now) in enumerate(zip(before, after, strict=True)):
        if was != now:
            near = runs and at - runs[-1][1] <= MERGE_GAP_CELLS
            start = runs.pop()[0] if near else at
            runs.append((start, at + 1))
    return runs


def slice_cells(spans: Line, start: int, stop: int) -> Line:
    """Return the cells of a line from ``start`` up to ``stop``; no wide character is cut."""
    found: list[Span] = []
    at = 0
    for text, role in spans:
        length = len(text) if text.isascii() else cell_len(text)
        begin, end = max(0, start - at), min(length, stop - at)
        at += length
        if begin >= end:
            continue
        if length != len(text):
            chars = [char for char, _ in _by_cell((Span(text, role),))[begin:end]]
            found.append(Span("".join(char for char in chars if char[0] != "\0"), role))
        else:
            found.append(Span(text[begin:end], role))
    return tuple(found)


def _by_cell(spans: Line) -> list[tuple[str, Role]]:
    """Return one entry for each cell; the second cell of a wide character has a unique entry."""
    found: list[tuple[str, Role]] = []
    for text, role in spans:
        if cell_len(text) == len(text):
            found += zip(text, repeat(role), strict=False)
            continue
        for char in text:
            length = cell_len(char)
            if length or not found:
                found.append((char, role))
                found += repeat((f"\0{char}", role), length - 1)
            else:  # a combining mark belongs to the cell before it
                found[-1] = (found[-1][0] + char, role)
    return found
