"""Equal stacks of a profile as one, where that saves work: labels alone make them two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from memtui.pprof.stacks import Sample, Stack, Stacks

_PROBE = 4096
"""Samples after which it shows whether stacks recur."""
_DISTINCT = 0.75
"""The part of the samples that may have a stack of their own, if adding up is to save work."""


def folded(stacks: Stacks, column: int) -> Stacks:
    """Return a profile with the same sums in one column, of fewer samples where stacks recur.

    A profile by thread or by moment has each stack many times, with other labels. Only amounts of
    one sign can be added without changing what counts as 100 %. Other columns become 0.
    """
    sums: dict[tuple[int, ...], int] = {}
    samples = stacks.samples()
    if not _add(sums, islice(samples, _PROBE), column) or len(sums) > _DISTINCT * _PROBE:
        return stacks
    if not _add(sums, samples, column):
        return stacks
    width = len(stacks.types)
    before, behind = (0,) * column, (0,) * (width - column - 1)
    found = [Stack(ids, (*before, value, *behind)) for ids, value in sums.items()]
    return replace(stacks, samples=lambda: iter(found))


def _add(sums: dict[tuple[int, ...], int], samples: Iterator[Sample], column: int) -> bool:
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
