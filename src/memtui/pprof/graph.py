"""Adds up the edges of the call graph: how much of a value each call accounts for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from memtui.pprof.nodes import NodeTable, walk
from memtui.pprof.stacks import Stacks


@dataclass(slots=True)
class Edge:
    """The calls from one node to another: their value, and whether all were inlined."""

    weight: int
    inline: bool


Edges = dict[tuple[int, int], Edge]
"""Edges by caller and callee."""


def edges(
    stacks: Stacks,
    table: NodeTable,
    column: int,
    kept: Collection[int] | None = None,
    near: frozenset[int] | None = None,
) -> Edges:
    """Return the edges between the ``kept`` nodes (None: all), skipping other nodes.

    With ``near`` only the edges from or to one of these nodes. An edge counts once for a stack; a
    call of a node to itself is not an edge (pprof, internal/graph: newGraph).
    """
    found: Edges = {}
    at = _KeptAt(table, kept)
    targets = None if near is None else _touching(table, near)
    for value, ids in walk(stacks, table, column):
        if targets is not None and targets.isdisjoint(ids):
            continue
        met: set[tuple[int, int]] = set()
        parent = -1
        for id_ in reversed(ids):
            for node, inline in at[id_]:
                if parent not in (-1, node) and (near is None or node in near or parent in near):
                    pair = (parent, node)
                    if pair not in met:
                        met.add(pair)
                        _count(found, pair, value, inline)
                parent = node
    return found


def _count(found: Edges, pair: tuple[int, int], value: int, inline: bool) -> None:
    if (edge := found.get(pair)) is None:
        found[pair] = Edge(value, inline)
    else:
        edge.weight += value
        edge.inline = edge.inline and inline


class _KeptAt(dict[int, tuple[tuple[int, bool], ...]]):
    """The kept nodes at each location, outermost first, and whether each is inlined."""

    def __init__(self, table: NodeTable, kept: Collection[int] | None) -> None:
        super().__init__()
        self._at = table.at
        self._kept = kept

    def __missing__(self, id_: int) -> tuple[tuple[int, bool], ...]:
        nodes, kept = self._at[id_], self._kept
        last = len(nodes) - 1
        found = self[id_] = tuple(
            (nodes[place], place != last)
            for place in range(last, -1, -1)
            if kept is None or nodes[place] in kept
        )
        return found


def _touching(table: NodeTable, near: frozenset[int]) -> set[int]:
    """Return the locations with one of these nodes."""
    return {id_ for id_, nodes in table.at.items() if not near.isdisjoint(nodes)}


def _places(table: NodeTable, targets: set[int]) -> dict[int, list[int]]:
    """Return the locations of each node."""
    places: dict[int, list[int]] = {node: [] for node in targets}
    for id_, nodes in table.at.items():
        if not targets.isdisjoint(nodes):
            for node in targets.intersection(nodes):
                places[node].append(id_)
    return places


class Inlining:
    """Finds which nodes are inlined by their callers, with as few walks as possible.

    An edge counts if its amount is at least ``cutoff``. A node that is never the outermost of its
    location is always inlined: one edge that counts decides it, and without negative values the
    walk ends when all such nodes are decided. Nodes that are both need all their edges.
    """

    def __init__(
        self,
        stacks: Stacks,
        table: NodeTable,
        column: int,
        kept: Collection[int] | None,
        cutoff: int,
    ) -> None:
        self._stacks = stacks
        self._table = table
        self._column = column
        self._at = _KeptAt(table, kept)
        self._cutoff = cutoff

    def ways(self, listed: frozenset[int], *, only_grows: bool) -> dict[int, set[bool]]:
        """Return for each node that may be inlined whether its edges are: True, False, or both."""
        nodes_at = self._table.at.values()
        inner = {node for nodes in nodes_at for node in nodes[:-1]} & listed
        mixed = inner & {nodes[-1] for nodes in nodes_at}
        found: Edges = {}
        if mixed:
            found |= self._into(mixed, settles=False)
        if inner - mixed:
            found |= self._into(inner - mixed, settles=only_grows)
        ways: dict[int, set[bool]] = {node: set() for node in inner}
        for (_, node), edge in found.items():
            if abs(edge.weight) >= self._cutoff:
                ways[node].add(edge.inline)
        return ways

    def _into(self, targets: set[int], *, settles: bool) -> Edges:
        """Return the edges into some nodes; with ``settles`` only until each has one that counts.

        ``open_`` are the locations with a node that is not decided.
        """
        found: Edges = {}
        places = _places(self._table, targets)
        open_ = set().union(*places.values())
        for value, ids in walk(self._stacks, self._table, self._column):
            if open_.isdisjoint(ids):
                if not open_:
                    break
                continue
            for pair, inline in self._edges_of(ids, open_, targets).items():
                _count(found, pair, value, inline)
                if settles and found[pair].weight >= self._cutoff and pair[1] in targets:
                    targets = targets - {pair[1]}
                    open_ -= {id_ for id_ in places[pair[1]] if self._is_settled(id_, targets)}
        return found

    def _is_settled(self, id_: int, targets: set[int]) -> bool:
        return targets.isdisjoint(self._table.at[id_])

    def _edges_of(
        self, ids: Sequence[int], open_: set[int], targets: set[int]
    ) -> dict[tuple[int, int], bool]:
        """Return the edges of one stack into the target nodes, and whether each is inlined."""
        met: dict[tuple[int, int], bool] = {}
        at = self._at
        for place in range(len(ids) - 1, -1, -1):
            if ids[place] not in open_:
                continue
            parent = -1
            for node, inline in at[ids[place]]:
                if node in targets:
                    if parent < 0:
                        parent = self._above(ids, place)
                    if parent not in (-1, node):
                        met.setdefault((parent, node), inline)
                parent = node
        return met

    def _above(self, ids: Sequence[int], place: int) -> int:
        """Return the nearest kept node above a location of a stack; -1 if there is none."""
        for above in range(place + 1, len(ids)):
            if nodes := self._at[ids[above]]:
                return nodes[-1][0]
        return -1
