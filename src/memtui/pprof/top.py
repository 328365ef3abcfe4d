"""The reports top, peek and tree of pprof as data; ``report`` writes them as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from memtui.pprof.graph import Edges, Inlining, edges
from memtui.pprof.lens import AS_PPROF, Lens
from memtui.pprof.measure import report_unit
from memtui.pprof.nodes import Node, NodeTable, build_nodes
from memtui.pprof.stacks import NoMatchError, SampleType, Stacks
from memtui.pprof.sums import Sums, add_up, add_up_means, fold_equal_stacks

if TYPE_CHECKING:
    from memtui.pprof.pattern import Pattern

Inlined = Literal["", "inline", "partial-inline"]
TREE_NODES = 80
"""The default node count of a tree (pprof, internal/driver: applyCommandOverrides)."""


@dataclass(frozen=True, slots=True)
class TopRow:
    """One row: flat and cum, in the unit of the sample type.

    ``inlined`` is set if all or some callers have it inlined.
    """

    name: str
    flat: int
    cum: int
    inlined: Inlined = ""


@dataclass(frozen=True, slots=True)
class TopSummary:
    """The header of a report. Values are in ``type.unit``; ``unit`` is the unit to write them in.

    ``total`` is 100 %, ``shown`` the sum of flat of the rows. ``dropped`` rows had a cum below
    ``nodefraction`` of the total; ``nodecount`` left ``listed`` of ``candidates`` rows.
    ``unmatched`` are the filters that matched nothing, in pprof's spelling ("TagFocus").
    """

    type: SampleType
    unit: str
    total: int
    shown: int
    dropped: int
    dropped_below: int
    candidates: int
    listed: int
    filters: tuple[tuple[str, str], ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Top:
    """The rows of ``pprof -top``, in its order, and the header."""

    summary: TopSummary
    rows: tuple[TopRow, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One caller or callee: its name, the value of the calls, and their share of the cum.

    ``share`` is 1 for all of the cum, and 0 if the cum is 0.
    """

    name: str
    value: int
    share: float
    inline: bool


@dataclass(frozen=True, slots=True)
class Peek:
    """A function with its callers and callees, largest value first."""

    row: TopRow
    callers: tuple[Call, ...]
    callees: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """The entries of ``pprof -tree`` and ``-peek``, in their order, and the header."""

    summary: TopSummary
    entries: tuple[Peek, ...]


class _ListedNodes(NamedTuple):
    """The nodes of a report, in its order. ``kept`` is None if no node was dropped."""

    stacks: Stacks
    column: int
    table: NodeTable
    sums: Sums
    listed: tuple[int, ...]
    kept: frozenset[int] | None
    edge_cutoff: int
    summary: TopSummary


def top(stacks: Stacks, lens: Lens = AS_PPROF, *, marks: bool = True) -> Top:
    """Return the rows of ``go tool pprof -top`` through a lens.

    Set ``nodefraction=0`` to get all rows. Without ``marks`` rows are not marked as inlined, which
    saves a second walk over the stacks. Raises StacksError, and ValueError for inconsistent stacks.
    """
    column = stacks.index_of(lens.sample_type)
    selected = _list_nodes(stacks, lens, column, max(lens.nodecount, 0))
    inlined = _inline_marks(selected) if marks else {}
    return Top(selected.summary, tuple(_row(selected, node, inlined) for node in selected.listed))


def tree(stacks: Stacks, lens: Lens = AS_PPROF) -> Tree:
    """Return the entries of ``go tool pprof -tree``; raises the errors of ``top``."""
    column = stacks.index_of(lens.sample_type)
    count = TREE_NODES if lens.nodecount == -1 else max(lens.nodecount, 0)
    selected = _list_nodes(stacks, lens, column, count)
    return Tree(selected.summary, _entries(selected, selected.listed))


def peek(stacks: Stacks, pattern: str, lens: Lens = AS_PPROF, *, exact: bool = False) -> Tree:
    """Return the functions that match a pattern, each with its callers and callees.

    Nothing is dropped, as in ``go tool pprof -peek``. With ``exact`` the pattern is the name of a
    row of ``top``. Raises the errors of ``top``, and NoMatchError.
    """
    column = stacks.index_of(lens.sample_type)
    selected = _list_nodes(stacks, lens, column, 0, trim=False)
    names = [str(node) for node in selected.table.nodes]
    if exact:
        matching = tuple(node for node in selected.listed if names[node] == pattern)
    elif expression := _pattern(pattern):
        matching = tuple(node for node in selected.listed if expression.search(names[node]))
    else:
        matching = selected.listed
    if not matching:
        raise NoMatchError(f"nothing matches {pattern}")
    return Tree(selected.summary, _entries(selected, matching))


def _pattern(pattern: str) -> Pattern | None:
    from memtui.pprof.pattern import compile_go_pattern

    return compile_go_pattern(pattern, "peek")


def _list_nodes(
    stacks: Stacks, lens: Lens, column: int, count: int, *, trim: bool = True
) -> _ListedNodes:
    """Select the nodes of a report (pprof, internal/report: newTrimmedGraph)."""
    filters = lens.filters
    unmatched: tuple[str, ...] = ()
    if lens.has_label_options or lens.relative_percentages:
        from memtui.pprof.filters import prefilter  # rarely needed

        stacks, lens, unmatched = prefilter(stacks, lens)
    if not lens.mean:
        stacks = fold_equal_stacks(stacks, column)
    table = build_nodes(stacks, lens)
    sums = (add_up_means if lens.mean else add_up)(stacks, table, column)
    nodes = [node for node in range(len(table.nodes)) if _counts(sums, node, lens.drop_negative)]
    value = sum(sums.flat[node] for node in nodes)
    fraction, edge_fraction = (lens.nodefraction, lens.edgefraction) if trim else (0.0, 0.0)
    cutoff = abs(int(float(value) * fraction))
    listed = [node for node in nodes if abs(sums.cum[node]) >= cutoff] if cutoff else nodes
    candidates = len(listed)
    listed.sort(key=_order(table.nodes, sums, by_cum=lens.cum))
    if 0 < count < candidates:
        listed = listed[:count]
    kind = stacks.types[column]
    values = [sums.shown(node) for node in listed]
    summary = TopSummary(
        type=replace(kind, type=f"mean_{kind.type}") if lens.mean else kind,
        unit=report_unit(values, sums.total, kind.unit, lens.unit),
        total=sums.total,
        shown=sum(flat for flat, _ in values),
        dropped=len(nodes) - candidates,
        dropped_below=abs(int(float(sums.total) * fraction)),
        candidates=candidates,
        listed=len(listed),
        filters=filters,
        unmatched=unmatched + table.unmatched,
    )
    kept = frozenset(listed) if len(listed) < len(nodes) else None
    edge_cutoff = abs(int(float(value) * edge_fraction))
    return _ListedNodes(stacks, column, table, sums, tuple(listed), kept, edge_cutoff, summary)


def _counts(sums: Sums, node: int, drop_negative: bool) -> bool:
    flat, cum = sums.flat[node], sums.cum[node]
    if not flat and not cum:
        return False
    return not (drop_negative and (flat < 0 or (flat == 0 and cum < 0)))


def _order(
    nodes: Sequence[Node], sums: Sums, *, by_cum: bool
) -> Callable[[int], tuple[int, str, int]]:
    """Return the sort key of pprof: largest amount first, then by name."""
    first, then = (sums.cum, sums.flat) if by_cum else (sums.flat, sums.cum)
    return lambda node: (-abs(first[node]), str(nodes[node]), -abs(then[node]))


def _row(selected: _ListedNodes, node: int, inlined: dict[int, Inlined]) -> TopRow:
    sums = selected.sums
    name = str(selected.table.nodes[node])
    return TopRow(name, *sums.shown(node), inlined.get(node, ""))


def _without_small(found: Edges, listed: Collection[int], cutoff: int) -> Edges:
    """Return the edges without those into listed nodes that are below the cutoff."""
    if not cutoff:
        return found
    return {
        pair: edge
        for pair, edge in found.items()
        if abs(edge.weight) >= cutoff or pair[1] not in listed
    }


def _inline_marks(selected: _ListedNodes) -> dict[int, Inlined]:
    """Return for each listed node whether its callers have it inlined."""
    inlining = Inlining(
        selected.stacks, selected.table, selected.column, selected.kept, selected.edge_cutoff
    )
    inlined_edges = inlining.ways(frozenset(selected.listed), only_grows=selected.sums.only_grows)
    return {
        node: "partial-inline" if False in inline else "inline"
        for node, inline in inlined_edges.items()
        if True in inline
    }


def _entries(selected: _ListedNodes, nodes: Sequence[int]) -> tuple[Peek, ...]:
    """Return each node with its callers and callees."""
    near = frozenset(nodes) if len(nodes) < len(selected.listed) else None
    listed = frozenset(selected.listed)
    found = edges(selected.stacks, selected.table, selected.column, selected.kept, near)
    callers: dict[int, list[tuple[int, int, bool]]] = defaultdict(list)
    callees: dict[int, list[tuple[int, int, bool]]] = defaultdict(list)
    for (caller, callee), edge in _without_small(found, listed, selected.edge_cutoff).items():
        callers[callee].append((edge.weight, caller, edge.inline))
        callees[caller].append((edge.weight, callee, edge.inline))
    return tuple(
        Peek(
            _row(selected, node, {}),
            _calls(selected, node, callers[node]),
            _calls(selected, node, callees[node]),
        )
        for node in nodes
    )


def _calls(
    selected: _ListedNodes, node: int, edges_: list[tuple[int, int, bool]]
) -> tuple[Call, ...]:
    """Return the calls into or out of a node, largest amount first, then by name."""
    cum = selected.sums.shown(node)[1]
    calls = [
        Call(str(selected.table.nodes[other]), weight, weight / cum if cum else 0.0, inline)
        for weight, other, inline in edges_
    ]
    calls.sort(key=lambda call: (-abs(call.value), call.name))
    return tuple(calls)
