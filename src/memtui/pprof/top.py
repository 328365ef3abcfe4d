"""The reports of pprof as facts: top with its rows, peek and tree with callers and callees."""

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
"""How many nodes a tree shows by itself (pprof, internal/driver: applyCommandOverrides)."""


@dataclass(frozen=True, slots=True)
class TopRow:
    """One row: its own value and its value with all it called, in the unit of its Top.

    ``inlined`` says whether all that call it, or some of them, have it inlined.
    """

    name: str
    flat: int
    cum: int
    inlined: Inlined = ""


@dataclass(frozen=True, slots=True)
class TopSummary:
    """What stands above the rows. Values are in ``type.unit``; ``unit`` is how to write them.

    ``total`` is 100 %, ``shown`` the flat value of the rows together. ``dropped`` rows had a cum
    below ``nodefraction`` of the total; ``nodecount`` left ``listed`` of ``candidates`` rows.
    ``unmatched`` are the filters that matched nothing, as pprof writes them ("TagFocus").
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
    """The rows of ``pprof -top``, in its order, and what stands above them."""

    summary: TopSummary
    rows: tuple[TopRow, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One caller or callee: its name, the value that went this way, and its part of the cum.

    ``share`` is 1 for all of it; 0 when the cum is nothing.
    """

    name: str
    value: int
    share: float
    inline: bool


@dataclass(frozen=True, slots=True)
class Peek:
    """A function between those that call it and those it calls, largest value first."""

    row: TopRow
    callers: tuple[Call, ...]
    callees: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """What ``pprof -tree`` and ``-peek`` show: entries in their order, and what stands above."""

    summary: TopSummary
    entries: tuple[Peek, ...]


class _ListedNodes(NamedTuple):
    """The nodes that a report shows, in its order.

    ``kept`` is None when edges go over nothing: no node was dropped.
    """

    stacks: Stacks
    column: int
    seen: NodeTable
    sums: Sums
    listed: tuple[int, ...]
    kept: frozenset[int] | None
    edge_cutoff: int
    summary: TopSummary


def top(stacks: Stacks, lens: Lens = AS_PPROF, *, marks: bool = True) -> Top:
    """Return the rows of ``go tool pprof -top`` through a lens.

    A list that sorts and scrolls itself wants every row: ``nodefraction=0``. Without ``marks`` no
    row says that it was inlined, which saves a second walk over the stacks. Raises StacksError, and
    ValueError when the stacks are inconsistent.
    """
    column = stacks.index_of(lens.sample_type)
    trimmed = _list_nodes(stacks, lens, column, max(lens.nodecount, 0))
    inlined = _inline_marks(trimmed) if marks else {}
    return Top(trimmed.summary, tuple(_row(trimmed, node, inlined) for node in trimmed.listed))


def tree(stacks: Stacks, lens: Lens = AS_PPROF) -> Tree:
    """Return what ``go tool pprof -tree`` shows through a lens; raises as ``top`` does."""
    column = stacks.index_of(lens.sample_type)
    count = TREE_NODES if lens.nodecount == -1 else max(lens.nodecount, 0)
    trimmed = _list_nodes(stacks, lens, column, count)
    return Tree(trimmed.summary, _entries(trimmed, trimmed.listed))


def peek(stacks: Stacks, wanted: str, lens: Lens = AS_PPROF, *, exact: bool = False) -> Tree:
    """Return the functions whose row matches a pattern, each with its callers and callees.

    As ``go tool pprof -peek`` it drops nothing. With ``exact`` the pattern is the name of a row
    as ``top`` gives it. Raises as ``top`` does, and StacksError when nothing matches.
    """
    column = stacks.index_of(lens.sample_type)
    trimmed = _list_nodes(stacks, lens, column, 0, trim=False)
    names = [str(node) for node in trimmed.seen.nodes]
    if exact:
        matching = tuple(node for node in trimmed.listed if names[node] == wanted)
    elif expression := _pattern(wanted):
        matching = tuple(node for node in trimmed.listed if expression.search(names[node]))
    else:
        matching = trimmed.listed
    if not matching:
        raise NoMatchError(f"nothing matches {wanted}")
    return Tree(trimmed.summary, _entries(trimmed, matching))


def _pattern(wanted: str) -> Pattern | None:
    from memtui.pprof.pattern import compile_go_pattern

    return compile_go_pattern(wanted, "peek")


def _list_nodes(
    stacks: Stacks, lens: Lens, column: int, count: int, *, trim: bool = True
) -> _ListedNodes:
    """Choose the nodes to show (pprof, internal/report: newTrimmedGraph)."""
    filters = lens.filters
    unmatched: tuple[str, ...] = ()
    if lens.has_label_options or lens.relative_percentages:
        from memtui.pprof.filters import prefilter  # few ask for labels

        stacks, lens, unmatched = prefilter(stacks, lens)
    if not lens.mean:
        stacks = fold_equal_stacks(stacks, column)
    seen = build_nodes(stacks, lens)
    sums = (add_up_means if lens.mean else add_up)(stacks, seen, column)
    nodes = [node for node in range(len(seen.nodes)) if _counts(sums, node, lens.drop_negative)]
    value = sum(sums.flat[node] for node in nodes)
    fraction, edge_fraction = (lens.nodefraction, lens.edgefraction) if trim else (0.0, 0.0)
    cutoff = abs(int(float(value) * fraction))
    listed = [node for node in nodes if abs(sums.cum[node]) >= cutoff] if cutoff else nodes
    dropped = len(nodes) - len(listed)
    candidates = len(listed)
    listed.sort(key=_order(seen.nodes, sums, by_cum=lens.cum))
    if 0 < count < candidates:
        listed = listed[:count]
    kind = stacks.types[column]
    values = [sums.shown(node) for node in listed]
    summary = TopSummary(
        type=replace(kind, type=f"mean_{kind.type}") if lens.mean else kind,
        unit=report_unit(values, sums.total, kind.unit, lens.unit),
        total=sums.total,
        shown=sum(flat for flat, _ in values),
        dropped=dropped,
        dropped_below=abs(int(float(sums.total) * fraction)),
        candidates=candidates,
        listed=len(listed),
        filters=filters,
        unmatched=unmatched + seen.unmatched,
    )
    kept = frozenset(listed) if len(listed) < len(nodes) else None
    edge_cutoff = abs(int(float(value) * edge_fraction))
    return _ListedNodes(stacks, column, seen, sums, tuple(listed), kept, edge_cutoff, summary)


def _counts(sums: Sums, node: int, drop_negative: bool) -> bool:
    flat, cum = sums.flat[node], sums.cum[node]
    if not flat and not cum:
        return False
    return not (drop_negative and (flat < 0 or (flat == 0 and cum < 0)))


def _order(
    nodes: Sequence[Node], sums: Sums, *, by_cum: bool
) -> Callable[[int], tuple[int, str, int]]:
    """Return the key of pprof's order: largest amount first, then by name."""
    first, then = (sums.cum, sums.flat) if by_cum else (sums.flat, sums.cum)
    return lambda node: (-abs(first[node]), str(nodes[node]), -abs(then[node]))


def _row(trimmed: _ListedNodes, node: int, inlined: dict[int, Inlined]) -> TopRow:
    sums = trimmed.sums
    name = str(trimmed.seen.nodes[node])
    return TopRow(name, *sums.shown(node), inlined.get(node, ""))


def _without_small(found: Edges, listed: Collection[int], cutoff: int) -> Edges:
    """Leave out the edges into shown nodes that are below the cutoff."""
    if not cutoff:
        return found
    return {
        pair: edge
        for pair, edge in found.items()
        if abs(edge.weight) >= cutoff or pair[1] not in listed
    }


def _inline_marks(trimmed: _ListedNodes) -> dict[int, Inlined]:
    """Say of each shown node whether it was inlined where it was called."""
    inlining = Inlining(
        trimmed.stacks, trimmed.seen, trimmed.column, trimmed.kept, trimmed.edge_cutoff
    )
    ways = inlining.ways(frozenset(trimmed.listed), only_grows=trimmed.sums.only_grows)
    return {
        node: "partial-inline" if False in inline else "inline"
        for node, inline in ways.items()
        if True in inline
    }


def _entries(trimmed: _ListedNodes, wanted: Sequence[int]) -> tuple[Peek, ...]:
    """Give each node its callers and callees."""
    near = frozenset(wanted) if len(wanted) < len(trimmed.listed) else None
    listed = frozenset(trimmed.listed)
    found = edges(trimmed.stacks, trimmed.seen, trimmed.column, trimmed.kept, near)
    callers: dict[int, list[tuple[int, int, bool]]] = defaultdict(list)
    callees: dict[int, list[tuple[int, int, bool]]] = defaultdict(list)
    for (caller, callee), edge in _without_small(found, listed, trimmed.edge_cutoff).items():
        callers[callee].append((edge.weight, caller, edge.inline))
        callees[caller].append((edge.weight, callee, edge.inline))
    return tuple(
        Peek(
            _row(trimmed, node, {}),
            _calls(trimmed, node, callers[node]),
            _calls(trimmed, node, callees[node]),
        )
        for node in wanted
    )


def _calls(trimmed: _ListedNodes, node: int, ways: list[tuple[int, int, bool]]) -> tuple[Call, ...]:
    """Sort the calls into or out of a node, largest amount first, then by name."""
    cum = trimmed.sums.shown(node)[1]
    calls = [
        Call(str(trimmed.seen.nodes[other]), weight, weight / cum if cum else 0.0, inline)
        for weight, other, inline in ways
    ]
    calls.sort(key=lambda call: (-abs(call.value), call.name))
    return tuple(calls)
