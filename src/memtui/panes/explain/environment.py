"""Draws the environment of a process (limit, settings, read costs) and its mappings by kind."""

from __future__ import annotations

from collections.abc import Sequence

from memtui import units
from memtui.diagnosis import environment_lines
from memtui.local_time import time_of_day
from memtui.model import Absent, MappingGroup, MappingGroups
from memtui.panes.explain.ledger import ExplainRow
from memtui.render.cells import Span, line, wrapped
from memtui.render.table import Column, table
from memtui.sanitize import plain
from memtui.timeline import View

_COLUMNS = (
    Column("   mappings", 20, text=True),
    Column("number", 6, yields=2),
    Column("size", 7, yields=1),
    Column("RES", 7),
    Column("lazily freed", 12, yields=3),
    Column(" largest", 10, yields=4, role="dim", text=True),
)


def environment_rows(view: View, width: int) -> list[ExplainRow]:
    """Return the rows about the environment, and about the mappings if smaps was read."""
    texts = environment_lines(view)
    rows = [
        ExplainRow((Span("  · " if not number else "    ", "dim"), *each))
        for text in texts
        for number, each in enumerate(wrapped(text, max(8, width - 5)))
    ]
    if rows:
        rows.insert(0, ExplainRow(line(Span(" Where it runs", "title"))))
    return rows + _mapping_rows(view, width)


def _mapping_rows(view: View, width: int) -> list[ExplainRow]:
    found = view.last(MappingGroups)
    if found is None:
        return []
    at, groups = found
    head, rows = table(_COLUMNS, [_cells(groups, number) for number in range(len(groups.groups))],
                       width)  # fmt: skip
    how = "by the kernel's names" if groups.by_name else "by their addresses"
    title = line(Span(f" Mappings at {time_of_day(at)}", "title"), Span(f"  {how}", "dim"))
    named = [
        ExplainRow((Span("   ", "dim"), *each))
        for group in groups.groups
        if any(name.count > 1 for name in group.names) or len(group.names) > 1
        for each in wrapped(_names(group), max(8, width - 4))
    ]
    return [ExplainRow(()), ExplainRow(title), ExplainRow(head), *map(ExplainRow, rows), *named]


def _names(group: MappingGroup) -> str:
    """Return the largest names of a kind, each with the number and the RES of its mappings."""
    names = (
        f"{plain(each.name)} {units.size(each.rss_bytes)}"
        + (f" in {each.count}" if each.count > 1 else "")
        for each in group.names
    )
    return f"{group.kind.value}: {', '.join(names)}"


def _cells(groups: MappingGroups, number: int) -> Sequence[str]:
    group = groups.groups[number]
    return (
        f"   {group.kind.value}",
        str(group.count),
        units.size(group.size_bytes),
        _size(group.resident.rss_bytes),
        _size(group.resident.lazy_free_bytes),
        f" {plain(group.largest)}",
    )


def _size(reading: int | Absent) -> str:
    return "unknown" if isinstance(reading, Absent) else units.size(reading)
