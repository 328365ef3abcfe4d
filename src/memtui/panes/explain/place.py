"""Where a process runs: its limit and settings, its mappings by kind, and what asking it costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memtui import units
from memtui.model import (
    Absent,
    MappingGroups,
    MappingSample,
    RuntimeSample,
    Surroundings,
    Words,
)
from memtui.panes.cells import Span, line, wrapped
from memtui.panes.explain.row import Row
from memtui.panes.moments import clock
from memtui.panes.table import Column, table
from memtui.plain import plain
from memtui.timeline import View

_COLUMNS = (
    Column("   mappings", 20, text=True),
    Column("number", 6, yields=2),
    Column("size", 7, yields=1),
    Column("RES", 7),
    Column("lazily freed", 12, yields=3),
    Column(" largest", 10, yields=4, role="dim", text=True),
)


def place_rows(view: View, width: int) -> list[Row]:
    """Return the blocks about the place, and about the mappings when they were read."""
    texts = [*_place(view.sample(Surroundings)), *_costs(view)]
    rows = [
        Row((Span("  · " if not number else "    ", "dim"), *each))
        for text in texts
        for number, each in enumerate(wrapped(text, max(8, width - 5)))
    ]
    if rows:
        rows.insert(0, Row(line(Span(" Where it runs", "title"))))
    return rows + _mapping_rows(view, width)


def _place(found: Surroundings | None) -> Iterator[str]:
    if found is None:
        return
    yield limit_of(found)
    settings = (
        ("GOGC", found.gogc), ("GOMEMLIMIT", found.gomemlimit), ("GODEBUG", found.godebug),
    )  # fmt: skip
    yield "started with " + ", ".join(_setting(name, text) for name, text in settings)
    if isinstance(found.thp, str):
        ptes = found.max_ptes_none
        more = "" if isinstance(ptes, Absent) else f", max_ptes_none {ptes}"
        yield f"huge pages of the host: {plain(found.thp)}{more}"


def _setting(name: str, text: Words | None) -> str:
    if text is None:
        return f"no {name}"
    return f"{name} {text.value}" if isinstance(text, Absent) else f"{name}={plain(text)}"


def limit_of(found: Surroundings) -> str:
    """Say which limit holds, and how much is left before the OOM killer comes."""
    limit = found.limit_bytes
    if isinstance(limit, Absent):
        return "no memory cgroup can be seen"
    if limit is None:
        return "no memory limit by a cgroup"
    level = found.tightest
    margin = level.margin_bytes if level else None
    left = "" if margin is None else f", {units.size(max(0, margin))} left before the OOM killer"
    return f"memory limit {units.size(limit)}{left}" + (f" ({plain(level.path)})" if level else "")


def _costs(view: View) -> Iterator[str]:
    """Say what memtui's own asking costs the process."""
    stats, mapping = view.sample(RuntimeSample), view.sample(MappingSample)
    if stats is not None:
        took = units.milliseconds(stats.took_s * 1000)
        size = units.size(stats.size_bytes)
        yield f"asking costs: MemStats ({stats.origin.value}) {size} in {took} each time"
    if mapping is not None and mapping.took_s:
        yield f"asking costs: smaps_rollup {units.milliseconds(mapping.took_s * 1000)} each time"


def _mapping_rows(view: View, width: int) -> list[Row]:
    found = view.last(MappingGroups)
    if found is None:
        return []
    at, groups = found
    head, rows = table(_COLUMNS, [_cells(groups, number) for number in range(len(groups.groups))],
                       width)  # fmt: skip
    how = "by the names of the kernel" if groups.by_name else "told apart by their addresses"
    title = line(Span(f" Mappings at {clock(at)}", "title"), Span(f"  {how}", "dim"))
    return [Row(()), Row(title), Row(head), *map(Row, rows)]


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
