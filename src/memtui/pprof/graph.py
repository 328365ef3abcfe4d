"""Who called whom, and how much of a value went that way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from memtui.pprof.frames import Frames, walk
from memtui.pprof.stacks import Stacks


@dataclass(slots=True)
class Edge:
    """Calls from one node to another: their value, and whether all of them were inlined."""

    weight: int
    inline: bool


Edges = dict[tuple[int, int], Edge]
"""Edges by caller and callee."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What each node of Frames comes to: by itself, and with all it called; and 100 %."""

    flat: list[int]
    cum: list[int]
    total: int


def add_up(stacks: Stacks, seen: Frames, column: int) -> Sums:
    """Add up one sample type by node.

    Flat goes to the innermost frame of a stack, cum once to each node of it, however often it
    recurs (pprof, internal/graph: newGraph).
    """
    flat, cum = [0] * len(seen.nodes), [0] * len(seen.nodes)
    total = 0
    nodes_at = seen.at.__getitem__
    for sample in stacks.samples():
        if not (value := sample.value[column]):
            continue
        total += abs(value)
        ids: Sequence[int] | None = sample.location_id
        if seen.cuts:
            ids = seen.left(sample.location_id)
        if not ids:
            continue
        flat[nodes_at(ids[0])[0]] += value
        for node in set(chain.from_iterable(map(nodes_at, ids))):
            cum[node] += value
    if stacks.base_totals and stacks.base_totals[column] > 0:
        total = stacks.base_totals[column]
    return Sums(flat, cum, total)


def add_up_all(stacks: Stacks, seen: Frames) -> tuple[Sums, ...]:
    """Add up every sample type by node in one walk, as ``add_up`` does one."""
    width = len(stacks.types)
    flats = [[0] * len(seen.nodes) for _ in range(width)]
    cums = [[0] * len(seen.nodes) for _ in range(width)]
    totals = [0] * width
    nodes_at = seen.at.__getitem__
    for sample in stacks.samples():
        values = [(column, value) for column, value in enumerate(sample.value) if value]
        for column, value in values:
            totals[column] += abs(value)
        ids = seen.left(sample.location_id) if seen.cuts else sample.location_id
        if not values or not ids:
            continue
        leaf = nodes_at(ids[0])[0]
        on_stack = set(chain.from_iterable(map(nodes_at, ids)))
        for column, value in values:
            flats[column][leaf] += value
            cum = cums[column]
            for node in on_stack:
                cum[node] += value
    bases = stacks.base_totals or (0,) * width
    return tuple(
        Sums(flat, cum, base if base > 0 else total)
        for flat, cum, total, base in zip(flats, cums, totals, bases, strict=True)
    )


def edges(
    stacks: Stacks,
    seen: Frames,
    column: int,
    kept: Collection[int] | None = None,
    near: Collection[int] | None = None,
) -> Edges:
    """Return the edges between ``kept`` nodes (None: all), over those that are not kept.

    With ``near`` only those that begin or end at one of these nodes. An edge counts once for a
    stack, however often it recurs; calls of a node to itself are no edge.
    """
    found: Edges = {}
    at = _kept_at(seen, kept)
    wanted = None if near is None else _touching(at, near)
    for value, ids in walk(stacks, seen, column):
        if wanted is not None and wanted.isdisjoint(ids):
            continue
        met: set[tuple[int, int]] = set()
        parent = -1
        for id_ in reversed(ids):
            for node, inline in at[id_]:
                if parent not in (-1, node) and (near is None or node in near or parent in near):
                    edge = (parent, node)
                    if edge not in met:
                        met.add(edge)
                        _count(found, edge, value, inline)
                parent = node
    return found


def _count(found: Edges, pair: tuple[int, int], value: int, inline: bool) -> None:
    if (edge := found.get(pair)) is None:
        found[pair] = Edge(value, inline)
    else:
        edge.weight += value
        edge.inline = edge.inline and inline


def _kept_at(seen: Frames, kept: Collection[int] | None) -> dict[int, tuple[tuple[int, bool], ...]]:
    """Return for each location its kept nodes, outermost first, and whether each was inlined."""
    return {
        id_: tuple(
            (nodes[place], place != len(nodes) - 1)
            for place in range(len(nodes) - 1, -1, -1)
            if kept is None or nodes[place] in kept
        )
        for id_, nodes in seen.at.items()
    }


def _touching(at: dict[int, tuple[tuple[int, bool], ...]], near: Iterable[int]) -> frozenset[int]:
    """Return the locations that hold one of these nodes."""
    wanted = frozenset(near)
    return frozenset(id_ for id_, nodes in at.items() if any(node in wanted for node, _ in nodes))
