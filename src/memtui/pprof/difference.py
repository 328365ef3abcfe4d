"""What changed between two profiles: ``-base`` and ``-diff_base`` of pprof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from memtui.pprof.merging import MergeInput, combined, scaled_values
from memtui.pprof.stacks import Labels, Sample, Stack, Stacks, StacksError


def difference(
    source: Stacks, base: Stacks, *, diff_base: bool = False, normalize: bool = False
) -> Stacks:
    """Subtract ``base`` from ``source``, all sample types that both have.

    With ``diff_base`` 100 % is the base, and equal stacks are not set off against each other
    before they are added up: the label ``pprof::base`` marks those of the base. Without it 100 % is
    the amount of all differences (pprof, internal/driver/fetch.go). Stacks are equal when their
    locations and labels are: two processes of one program may be compared, wherever it was loaded.
    With ``normalize`` the source is first scaled to what the base comes to. Raises StacksError when
    the profiles have no sample type in common, or units that cannot be added.
    """
    if normalize:
        source = _normalized(source, base)
    return combined([MergeInput(source), MergeInput(base, sign=-1, is_marked=diff_base)])


def _normalized(source: Stacks, base: Stacks) -> Stacks:
    """Scale each sample type to what the base comes to (pprof, profile/merge.go: Normalize)."""
    if source.types != base.types or source.period_type != base.period_type:
        raise StacksError("profiles of different sample types cannot be normalized")
    columns = [
        (column, of_base / own if own else 0.0)
        for column, (own, of_base) in enumerate(zip(_sums(source), _sums(base), strict=True))
    ]

    def walk() -> Iterator[tuple[Sample, Labels]]:
        for sample, labels in source.labelled():
            if values := scaled_values(sample, columns):
                yield Stack(tuple(sample.location_id), tuple(values)), labels

    return replace(source, samples=lambda: (sample for sample, _ in walk()), labelled=walk)


def _sums(stacks: Stacks) -> list[int]:
    sums = [0] * len(stacks.types)
    for sample in stacks.samples():
        for column, value in enumerate(sample.value):
            sums[column] += value
    return sums
