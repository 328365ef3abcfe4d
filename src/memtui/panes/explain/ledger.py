"""The ledger as a bar that is read at a glance, and as a table with the way from then to now.

A row of the explanation, and what it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memtui import units
from memtui.diagnosis import Ledger, Part, PartName
from memtui.render.cells import Line, Role, Span, left, line, right

BAR_LABEL = 11
"""Cells in front of the bar: RES and its size."""
_SIGN, _BYTES, _SHARE, _GROWTH = 3, 7, 6, 9
_LEAST_NAME, _MOST_NAME = 14, 26
_LEAST_WATERFALL = 12


@dataclass(frozen=True, slots=True)
class PartStyle:
    """How a part is drawn: its sign is the same in the bar and in the table."""

    sign: str
    role: Role


_LOOKS: Mapping[PartName, PartStyle] = {
    PartName.LIVE: PartStyle("█", "live"),
    PartName.OBJECTS: PartStyle("█", "live"),
    PartName.GARBAGE: PartStyle("▓", "gc"),
    PartName.FRAGMENTATION: PartStyle("▒", "goal"),
    PartName.UNRETURNED: PartStyle("░", "idle"),
    PartName.STACKS: PartStyle("▚", "res"),
    PartName.RUNTIME: PartStyle("▞", "dim"),
    PartName.FILES: PartStyle("▤", "shr"),
    PartName.SHARED: PartStyle("▥", "shr"),
    PartName.LAZY: PartStyle("┄", "idle"),
    PartName.REST: PartStyle("·", "bad"),
}


def look_of(name: PartName) -> PartStyle:
    """Return how a part is drawn; what a part consists of has no sign of its own."""
    return _LOOKS.get(name, PartStyle(" ", "dim"))


def bar(ledger: Ledger, width: int) -> Line:
    """Draw RES as one bar of ``width`` cells, each part as long as its share."""
    label = Span(f" RES {units.size(ledger.res):<6}", "res")
    parts = [(part, size) for part in ledger.parts if (size := part.size or 0) > 0]
    whole = sum(size for _, size in parts)
    room = max(0, width - BAR_LABEL)
    spans, done, drawn = [label], 0, 0
    for part, size in parts:
        done += size
        upto = round(done / whole * room) if whole else 0
        look = look_of(part.name)
        spans.append(Span(look.sign * (upto - drawn), look.role))
        drawn = upto
    return line(*spans)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The widths of the columns that change with the room; 0: there is none for it."""

    name: int
    share: int
    waterfall: int


def _columns(width: int) -> _Columns:
    """Give the room first to the numbers, then to the names, and what is left to the waterfall."""
    room = width - _SIGN - _BYTES - _GROWTH
    share = _SHARE if room - _SHARE >= _LEAST_NAME else 0
    name = max(0, min(_MOST_NAME, room - share))
    waterfall = room - share - name - 2
    return _Columns(name, share, waterfall if waterfall >= _LEAST_WATERFALL else 0)


def table_head(width: int) -> Line:
    """Return the head of the table, and over the waterfall from which RES to which it leads."""
    columns = _columns(width)
    head = (
        left("   part", _SIGN + columns.name),
        right("bytes", _BYTES),
        right("share", columns.share)[: columns.share],
        right("growth", _GROWTH),
        "  RES then → now" if columns.waterfall >= 14 else "",
    )
    return line(Span("".join(head), "dim"))


def table_rows(ledger: Ledger, width: int, opened: frozenset[PartName]) -> list[tuple[Part, Line]]:
    """Return a row a part with its place in the waterfall; of ``opened`` ones what is in them."""
    columns = _columns(width)
    scale = _scale(ledger)
    height = (ledger.res - ledger.growth) if ledger.growth is not None else ledger.res
    rows: list[tuple[Part, Line]] = []
    for part in ledger.parts:
        steps = _step(height, height + (part.growth or 0), scale, columns.waterfall)
        rows.append((part, (*_row(part, ledger.res, columns), *steps)))
        height += part.growth or 0
        if part.name in opened:
            rows += [(each, _row(each, ledger.res, columns)) for each in part.parts if each.size]
    return rows


def total_row(ledger: Ledger, width: int) -> Line:
    """Return the last row, to which all others add up."""
    columns = _columns(width)
    growth = "" if ledger.growth is None else units.change(ledger.growth)
    return line(
        Span(left("   RES", _SIGN + columns.name), "res"),
        Span(right(units.size(ledger.res), _BYTES), "res"),
        Span(right("100%", columns.share) if columns.share else "", "dim"),
        Span(right(growth, _GROWTH), growth_role(ledger.growth)),
    )


def growth_role(growth: int | None) -> Role:
    """Return the role of a change: it also has a sign, colour is never the only one."""
    if not growth:
        return "dim"
    return "grow" if growth > 0 else "shrink"


def _row(part: Part, res: int, columns: _Columns) -> Line:
    look = look_of(part.name)
    is_inner = part.name not in _LOOKS
    size = "unknown" if part.size is None else units.size(part.size)
    share = "" if part.size is None else _share(part.size, res)
    growth = "" if part.growth is None else units.change(part.growth)
    name = f"  {part.title}" if is_inner else part.title
    return line(
        Span(f" {look.sign} ", look.role),
        Span(left(name, columns.name), "dim" if is_inner or part.size is None else "text"),
        Span(right(size, _BYTES), "dim" if is_inner or part.size is None else "text"),
        Span(right(share, columns.share) if columns.share else "", "dim"),
        Span(right(growth, _GROWTH), growth_role(part.growth)),
    )


def _share(size: int, res: int) -> str:
    return "" if size < 0 else f"{size / res * 100:.0f}%" if res else ""


def _scale(ledger: Ledger) -> tuple[int, int]:
    """Return the lowest and the highest RES on the way, so that small changes are seen."""
    heights = [ledger.res - (ledger.growth or 0)]
    for part in ledger.parts:
        heights.append(heights[-1] + (part.growth or 0))
    return min(heights), max(heights)


def _step(start: int, end: int, scale: tuple[int, int], room: int) -> Sequence[Span]:
    """Draw one step of the waterfall in ``room`` cells: where it begins and where it leads."""
    low, high = scale
    if not room or high <= low or start == end:
        return ()
    first, last = (round((each - low) / (high - low) * (room - 1)) for each in (start, end))
    begin, length = min(first, last), max(1, abs(last - first))
    sign = "▶" if end > start else "◀"
    body = "━" * (length - 1)
    drawn = f"{body}{sign}" if end > start else f"{sign}{body}"
    return (Span(" " * (2 + begin)), Span(drawn, growth_role(end - start)))


@dataclass(frozen=True, slots=True)
class ExplainRow:
    """What a row shows; the part, or the number of the pane, that it stands for, if any."""

    line: Line
    part: Part | None = None
    pane: int | None = None
