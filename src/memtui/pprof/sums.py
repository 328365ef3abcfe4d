"""What each row of a report comes to: one walk over the stacks, without who called whom.

Equal stacks of a profile as one, where that saves work: labels alone make them two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from operator import lshift
from typing import NamedTuple

from memtui.pprof.nodes import NodeTable
from memtui.pprof.stacks import Sample, Stack, Stacks, StacksError, divide

_COLUMN_BITS = 96
_MANY = 64
_COLUMN_MASK = (1 << _COLUMN_BITS) - 1
"""A value has 64 bits and a profile less than 2^31 samples."""


class Sums(NamedTuple):
    """What each node of Frames comes to: by itself, and with all it called; and 100 %.

    ``only_grows`` is true when no stack has a value below zero. The divisors, by which the values
    of a node are divided to be shown, are there for means alone.
    """

    flat: list[int]
    cum: list[int]
    total: int
    only_grows: bool
    flat_divisor: list[int] | None = None
    cum_divisor: list[int] | None = None

    def shown(self, node: int) -> tuple[int, int]:
        """Return flat and cum of a node as they are shown."""
        if self.flat_divisor is None or self.cum_divisor is None:
            return self.flat[node], self.cum[node]
        flat = divide(self.flat[node], self.flat_divisor[node])
        return flat, divide(self.cum[node], self.cum_divisor[node])


class _NoLocation(tuple[int, ...]):
    """What lies at the location 0: there is none."""

    __slots__ = ()

    def __iter__(self) -> Iterator[int]:
        raise StacksError("inconsistent: no location has the id 0")


def _nodes_at(seen: NodeTable) -> Callable[[int], tuple[int, ...]]:
    """Return how to look up a location: in a list, which is faster, when ids are 1, 2, 3…

    The innermost node stays the first; forged ones with thousands of lines lose the equal ones.
    """
    count = len(seen.at)
    if not count or count != max(seen.at):
        return seen.at.__getitem__
    table: list[tuple[int, ...]] = [_NoLocation()] * (count + 1)
    for id_, nodes in seen.at.items():
        table[id_] = nodes if len(nodes) < _MANY else tuple(dict.fromkeys(nodes))
    return table.__getitem__


def add_up(stacks: Stacks, seen: NodeTable, column: int) -> Sums:
    """Add up one sample type by node.

    Flat goes to the innermost frame of a stack, cum once to each node of it, however often it
    recurs (pprof, internal/graph: newGraph). 100 % is the amount of all samples, before any
    filter, or that of the base alone when a difference is measured against it (internal/report:
    computeTotal). Raises StacksError.
    """
    flat, cum = [0] * len(seen.nodes), [0] * len(seen.nodes)
    total = net = 0
    nodes_at = _nodes_at(seen)
    flatten = chain.from_iterable
    try:
        for sample in stacks.samples():
            if not (value := sample.value[column]):
                continue
            total += abs(value)
            net += value
            ids = sample.location_id[:]  # a list at once: its items one by one cost twice as much
            if seen.stack_filters:
                ids = seen.left(ids) or ()
            if ids:
                flat[nodes_at(ids[0])[0]] += value
                for node in set(flatten(map(nodes_at, ids))):
                    cum[node] += value
    except IndexError:
        raise StacksError("inconsistent: a stack has a location that is not there") from None
    whole = total if stacks.totals is None else stacks.totals.of(column)
    return Sums(flat, cum, whole, total == net)


def add_up_means(stacks: Stacks, seen: NodeTable, column: int) -> Sums:
    """Add up one sample type by node, and the first one beside it, which means divide by."""
    flat, cum = [0] * len(seen.nodes), [0] * len(seen.nodes)
    flat_divisor, cum_divisor = [0] * len(seen.nodes), [0] * len(seen.nodes)
    from memtui.pprof.stacks import totals_of

    only_grows = True
    nodes_at = _nodes_at(seen)
    for sample in stacks.samples():
        value, divisor = sample.value[column], sample.value[0]
        only_grows = only_grows and value >= 0
        ids = seen.left(sample.location_id[:])
        if ids and (value or divisor):
            leaf = nodes_at(ids[0])[0]
            flat[leaf] += value
            flat_divisor[leaf] += divisor
            for node in {node for id_ in ids for node in nodes_at(id_)}:
                cum[node] += value
                cum_divisor[node] += divisor
    total = totals_of(stacks).of(column, mean=True)
    return Sums(flat, cum, total, only_grows, flat_divisor, cum_divisor)


def add_up_all(stacks: Stacks, seen: NodeTable) -> tuple[Sums, ...]:
    """Add up every sample type by node in one walk, as ``add_up`` does one.

    The values of a sample are packed into one number, a column beside the other: adding one large
    number to a node costs little more than adding a small one.
    """
    flat, cum = [0] * len(seen.nodes), [0] * len(seen.nodes)
    total = net = 0
    nodes_at = _nodes_at(seen)
    flatten = chain.from_iterable
    shifts = [_COLUMN_BITS * column for column in range(len(stacks.types))]
    try:
        for sample in stacks.samples():
            values = sample.value[:]
            packed = sum(map(lshift, values, shifts))
            if not packed:
                continue
            if min(values) >= 0:
                total += packed
            else:
                total += sum(map(lshift, map(abs, values), shifts))
            net += packed
            ids = sample.location_id[:]
            if seen.stack_filters:
                ids = seen.left(ids) or ()
            if ids:
                flat[nodes_at(ids[0])[0]] += packed
                for node in set(flatten(map(nodes_at, ids))):
                    cum[node] += packed
    except IndexError:
        raise StacksError("inconsistent: a stack has a location that is not there") from None
    whole = stacks.totals
    columns = zip(*(_unpacked(each, len(shifts)) for each in (total, net)), strict=True)
    return tuple(
        Sums(flats, cums, whole.of(number) if whole else total, total == net)
        for number, (flats, cums, (total, net)) in enumerate(
            zip(_columns(flat, len(shifts)), _columns(cum, len(shifts)), columns, strict=True)
        )
    )


def _columns(packed: list[int], width: int) -> list[list[int]]:
    """Return packed numbers as one list a column."""
    rows = [_unpacked(each, width) for each in packed]
    return [[row[column] for row in rows] for column in range(width)]


def _unpacked(packed: int, width: int) -> list[int]:
    """Return the columns of a packed number; those below zero have borrowed from the next."""
    if not packed:
        return [0] * width
    columns = []
    for _ in range(width):
        column = packed & _COLUMN_MASK
        if column >> (_COLUMN_BITS - 1):
            column -= 1 << _COLUMN_BITS
        columns.append(column)
        packed = (packed - column) >> _COLUMN_BITS
    return columns


_PROBE_SAMPLES = 4096
"""Samples after which it shows whether stacks recur."""
_MAX_DISTINCT = 0.75
"""The part of the samples that may have a stack of their own, if adding up is to save work."""


def fold_equal_stacks(stacks: Stacks, column: int) -> Stacks:
    """Return a profile with the same sums in one column, of fewer samples where stacks recur.

    A profile by thread or by moment has each stack many times, with other labels. Only amounts of
    one sign can be added without changing what counts as 100 %. Other columns become 0.
    """
    sums: dict[tuple[int, ...], int] = {}
    samples = stacks.samples()
    if (
        not _add_samples(sums, islice(samples, _PROBE_SAMPLES), column)
        or len(sums) > _MAX_DISTINCT * _PROBE_SAMPLES
    ):
        return stacks
    if not _add_samples(sums, samples, column):
        return stacks
    width = len(stacks.types)
    before, behind = (0,) * column, (0,) * (width - column - 1)
    found = [Stack(ids, (*before, value, *behind)) for ids, value in sums.items()]
    return replace(stacks, samples=lambda: iter(found))


def _add_samples(sums: dict[tuple[int, ...], int], samples: Iterator[Sample], column: int) -> bool:
    """Add samples up by their stacks; return False at a value below zero."""
    get = sums.get
    for sample in samples:
        value = sample.value[column]
        if value < 0:
            return False
        if value:
            ids = tuple(sample.location_id[:])  # a list at once costs half
            sums[ids] = get(ids, 0) + value
    return True
