"""Adds up flat and cum of each node, in one walk over the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from operator import lshift
from typing import NamedTuple

from memtui.pprof.nodes import NodeTable
from memtui.pprof.stacks import Sample, Stack, Stacks, StacksError, divide

_COLUMN_BITS = 96
"""Enough for the sum of 2^31 values of 64 bits."""
_COLUMN_MASK = (1 << _COLUMN_BITS) - 1
_MANY_NODES = 64


class Sums(NamedTuple):
    """Flat and cum of each node by number, and the value that is 100 %.

    ``only_grows`` is true if no value is negative. The divisors are set only for means: the values
    of a node are divided by them.
    """

    flat: list[int]
    cum: list[int]
    total: int
    only_grows: bool
    flat_divisor: list[int] | None = None
    cum_divisor: list[int] | None = None

    def shown(self, node: int) -> tuple[int, int]:
        """Return flat and cum of a node, divided for a mean."""
        if self.flat_divisor is None or self.cum_divisor is None:
            return self.flat[node], self.cum[node]
        flat = divide(self.flat[node], self.flat_divisor[node])
        return flat, divide(self.cum[node], self.cum_divisor[node])


class _NoLocation(tuple[int, ...]):
    """The nodes of location 0, which does not exist: iterating raises StacksError."""

    __slots__ = ()

    def __iter__(self) -> Iterator[int]:
        raise StacksError("inconsistent: no location has the id 0")


def _nodes_at(table: NodeTable) -> Callable[[int], tuple[int, ...]]:
    """Return the function that looks up the nodes of a location.

    It uses a list, which is faster, if the ids are 1, 2, 3… Equal nodes are removed from locations
    with very many lines, which are forged; the innermost node stays first.
    """
    count = len(table.at)
    if not count or count != max(table.at):
        return table.at.__getitem__
    by_id: list[tuple[int, ...]] = [_NoLocation()] * (count + 1)
    for id_, nodes in table.at.items():
        by_id[id_] = nodes if len(nodes) < _MANY_NODES else tuple(dict.fromkeys(nodes))
    return by_id.__getitem__


def add_up(stacks: Stacks, table: NodeTable, column: int) -> Sums:
    """Add up one sample type by node.

    The innermost node of a stack gets flat; each of its nodes gets cum, once (pprof,
    internal/graph: newGraph). 100 % is the amount of all samples before filters, or that of the
    base (internal/report: computeTotal). Raises StacksError.
    """
    flat, cum = [0] * len(table.nodes), [0] * len(table.nodes)
    total = net = 0
    nodes_at = _nodes_at(table)
    flatten = chain.from_iterable
    try:
        for sample in stacks.samples():
            if not (value := sample.value[column]):
                continue
            total += abs(value)
            net += value
            ids = sample.location_id[:]  # one slice takes half the time of its items one by one
            if table.stack_filters:
                ids = table.filter_stack(ids) or ()
            if ids:
                flat[nodes_at(ids[0])[0]] += value
                for node in set(flatten(map(nodes_at, ids))):
                    cum[node] += value
    except IndexError:
        raise StacksError("inconsistent: a stack has an undefined location") from None
    hundred_percent = total if stacks.totals is None else stacks.totals.of(column)
    return Sums(flat, cum, hundred_percent, total == net)


def add_up_means(stacks: Stacks, table: NodeTable, column: int) -> Sums:
    """Add up one sample type by node, with the sum of the first type as the divisor of the mean."""
    flat, cum = [0] * len(table.nodes), [0] * len(table.nodes)
    flat_divisor, cum_divisor = [0] * len(table.nodes), [0] * len(table.nodes)
    from memtui.pprof.stacks import totals_of

    only_grows = True
    nodes_at = _nodes_at(table)
    for sample in stacks.samples():
        value, divisor = sample.value[column], sample.value[0]
        only_grows = only_grows and value >= 0
        ids = table.filter_stack(sample.location_id[:])
        if ids and (value or divisor):
            leaf = nodes_at(ids[0])[0]
            flat[leaf] += value
            flat_divisor[leaf] += divisor
            for node in {node for id_ in ids for node in nodes_at(id_)}:
                cum[node] += value
                cum_divisor[node] += divisor
    total = totals_of(stacks).of(column, mean=True)
    return Sums(flat, cum, total, only_grows, flat_divisor, cum_divisor)


def add_up_all(stacks: Stacks, table: NodeTable) -> tuple[Sums, ...]:
    """Add up all sample types by node in one walk; the result is that of ``add_up`` for each.

    The values of a sample are packed into one integer, one after the other: adding a large integer
    takes little more time than adding a small one.
    """
    flat, cum = [0] * len(table.nodes), [0] * len(table.nodes)
    total = net = 0
    nodes_at = _nodes_at(table)
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
            if table.stack_filters:
                ids = table.filter_stack(ids) or ()
            if ids:
                flat[nodes_at(ids[0])[0]] += packed
                for node in set(flatten(map(nodes_at, ids))):
                    cum[node] += packed
    except IndexError:
        raise StacksError("inconsistent: a stack has an undefined location") from None
    totals = stacks.totals
    columns = zip(*(_unpacked(each, len(shifts)) for each in (total, net)), strict=True)
    return tuple(
        Sums(flats, cums, totals.of(number) if totals else total, total == net)
        for number, (flats, cums, (total, net)) in enumerate(
            zip(_columns(flat, len(shifts)), _columns(cum, len(shifts)), columns, strict=True)
        )
    )


def _columns(packed: list[int], width: int) -> list[list[int]]:
    """Unpack integers into one list for each column."""
    rows = [_unpacked(each, width) for each in packed]
    return [[row[column] for row in rows] for column in range(width)]


def _unpacked(packed: int, width: int) -> list[int]:
    """Return the columns of a packed integer; a negative one has borrowed 1 from the next."""
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
"""The number of samples from which to decide whether equal stacks are frequent."""
_MAX_DISTINCT = 0.75
"""The most different stacks a sample at which merging equal stacks saves work."""


def fold_equal_stacks(stacks: Stacks, column: int) -> Stacks:
    """Return a profile with the same sums in one column, and fewer samples if stacks repeat.

    A profile with labels for threads or times repeats each stack with other labels. Only values of
    one sign can be merged without changing 100 %. Other columns become 0.
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
    """Add up samples by stack; return False at a negative value."""
    get = sums.get
    for sample in samples:
        value = sample.value[column]
        if value < 0:
            return False
        if value:
            ids = tuple(sample.location_id[:])  # one slice takes half the time
            sums[ids] = get(ids, 0) + value
    return True
