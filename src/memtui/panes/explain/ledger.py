"""Draws the ledger as a bar and as a table with a waterfall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memtui import units
from memtui.diagnosis import Ledger, Part, PartName
from memtui.render.cells import Line, Role, Span, left, line, right

BAR_LABEL = 11
"""Width of the label before the bar: RES and its size."""
_SIGN, _BYTES, _SHARE, _GROWTH = 3, 7, 6, 9
_LEAST_NAME, _MOST_NAME = 14, 26
_LEAST_WATERFALL = 12


@dataclass(frozen=True, slots=True)
class PartStyle:
    """The sign and role of a part, in the bar and in the table."""

    sign: str
    role: Role


_STYLES: Mapping[PartName, PartStyle] = {
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


def part_style(name: PartName) -> PartStyle:
    """Return the style of a part; its components have no sign."""
    return _STYLES.get(name, PartStyle(" ", "dim"))


def ledger_bar(ledger: Ledger, width: int) -> Line:
    """Return RES as a bar of ``width`` cells, each part as long as its share."""
    label = Span(f" RES {units.size(ledger.res):<6}", "res")
    parts = [(part, size) for part in ledger.parts if (size := part.size or 0) > 0]
    whole = sum(size for _, size in parts)
    room = max(0, width - BAR_LABEL)
    spans, done, drawn = [label], 0, 0
    for part, size in parts:
        done += size
        upto = round(done / whole * room) if whole else 0
        style = part_style(part.name)
        spans.append(Span(style.sign * (upto - drawn), style.role))
        drawn = upto
    return line(*spans)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The widths of the flexible columns; 0 leaves a column out."""

    name: int
    share: int
    waterfall: int


def _columns(width: int) -> _Columns:
    """Return the widths: numbers come first, then names, then the waterfall."""
    room = width - _SIGN - _BYTES - _GROWTH
    share = _SHARE if room - _SHARE >= _LEAST_NAME else 0
    name = max(0, min(_MOST_NAME, room - share))
    waterfall = room - share - name - 2
    return _Columns(name, share, waterfall if waterfall >= _LEAST_WATERFALL else 0)


def table_head(width: int) -> Line:
    """Return the head of the table."""
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
    """Return a row per part with its waterfall step, and the components of ``opened`` parts."""
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
    """Return the last row: the sum of the others."""
    columns = _columns(width)
    growth = "" if ledger.growth is None else units.change(ledger.growth)
    return line(
        Span(left("   RES", _SIGN + columns.name), "res"),
        Span(right(units.size(ledger.res), _BYTES), "res"),
        Span(right("100%", columns.share) if columns.share else "", "dim"),
        Span(right(growth, _GROWTH), growth_role(ledger.growth)),
    )


def growth_role(growth: int | None) -> Role:
    """Return the role of a change; its sign is printed too, so colour is not needed."""
    if not growth:
        return "dim"
    return "grow" if growth > 0 else "shrink"


def _row(part: Part, res: int, columns: _Columns) -> Line:
    style = part_style(part.name)
    is_inner = part.name not in _STYLES
    size = "unknown" if part.size is None else units.size(part.size)
    share = "" if part.size is None else _share(part.size, res)
    growth = "" if part.growth is None else units.change(part.growth)
    name = f"  {part.title}" if is_inner else part.title
    return line(
        Span(f" {style.sign} ", style.role),
        Span(left(name, columns.name), "dim" if is_inner or part.size is None else "text"),
        Span(right(size, _BYTES), "dim" if is_inner or part.size is None else "text"),
        Span(right(share, columns.share) if columns.share else "", "dim"),
        Span(right(growth, _GROWTH), growth_role(part.growth)),
    )


def _share(size: int, res: int) -> str:
    return "" if size < 0 else f"{size / res * 100:.0f}%" if res else ""


def _scale(ledger: Ledger) -> tuple[int, int]:
    """Return the minimum and maximum RES of the waterfall, so that small changes are visible."""
    heights = [ledger.res - (ledger.growth or 0)]
    for part in ledger.parts:
        heights.append(heights[-1] + (part.growth or 0))
    return min(heights), max(heights)


def _step(start: int, end: int, scale: tuple[int, int], room: int) -> Sequence[Span]:
    """Return one step of the waterfall in ``room`` cells."""
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
    """A row of the pane, with its part or the number of its pane, if any."""

    line: Line
    part: Part | None = None
    pane: int | None = None
