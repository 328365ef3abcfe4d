"""Merges and subtracts profiles: equal stacks are added up, wherever the program was loaded.

Implements several profiles as arguments, ``-base``, ``-diff_base`` and ``-normalize`` of pprof.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

from memtui.pprof.measure import same_kind, scaled
from memtui.pprof.stacks import (
    Binary,
    Labels,
    Location,
    Sample,
    SampleType,
    Stack,
    Stacks,
    StacksError,
    Totals,
    is_base,
    mark_as_base,
)

_PAGE_BYTES = 0x1000
_WORD = 1 << 64


class MergeInput(NamedTuple):
    """A profile to merge: the sign of its values, and whether its samples are marked as a base."""

    stacks: Stacks
    sign: int = 1
    is_marked: bool = False


def merge_profiles(profiles: Sequence[Stacks]) -> Stacks:
    """Return the sum of profiles, for example of several processes.

    The result has the sample types that all profiles have, in the finer unit where units differ.
    Stacks are equal if their locations and labels are. The header is that of the first profile; the
    time is the earliest, and durations are added (pprof, profile/merge.go). Raises StacksError if
    the profiles have no sample type in common, or units that cannot be added.
    """
    return profiles[0] if len(profiles) == 1 else merge([MergeInput(each) for each in profiles])


def merge(parts: Sequence[MergeInput]) -> Stacks:
    """Return the sum of all parts; raises the errors of ``merge_profiles``."""
    every = [part.stacks for part in parts]
    types = _common_types(every)
    period_type = reduce(
        lambda one, other: _finer_unit("period type", one, other),
        [each.period_type for each in every],
    )
    sums = _MergedSamples(every[0].main)
    for part in parts:
        sums.add(part, _columns(part.stacks, types))
    result = sums.samples()
    names = [kind.type for kind in types]
    return replace(
        every[0],
        types=types,
        samples=lambda: (stack for stack, _ in result),
        labelled=lambda: iter(result),
        locations=sums.locations,
        default_type=_first_text(_default(each, names) for each in every),
        time_nanos=reduce(_earlier, [each.time_nanos for each in every]),
        duration_nanos=sum(each.duration_nanos for each in every),
        period=max(_period(each, period_type) for each in every),
        period_type=period_type,
        comments=tuple(dict.fromkeys(text for each in every for text in each.comments)),
        doc_url=_first_text(each.doc_url for each in every),
        totals=sums.totals(len(types)) if any(part.is_marked for part in parts) else None,
    )


def _first_text(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def _default(stacks: Stacks, names: list[str]) -> str:
    """Return the default sample type; the first of ``names`` if its own was left out."""
    if stacks.default_type in names or [kind.type for kind in stacks.types] == names:
        return stacks.default_type
    return names[0]


def _earlier(time: int, other: int) -> int:
    return other if time == 0 or other < time else time


def _period(stacks: Stacks, kind: SampleType) -> int:
    return int(scaled(stacks.period, stacks.period_type.unit, kind.unit)[0])


def _common_types(profiles: Sequence[Stacks]) -> tuple[SampleType, ...]:
    there = [{kind.type: kind for kind in reversed(each.types)} for each in profiles]
    shared = [kind for kind in profiles[0].types if all(kind.type in types for types in there)]
    if not shared:
        raise StacksError(f"{_profiles_text(profiles)} have no sample type in common")
    return tuple(
        reduce(
            lambda one, other: _finer_unit("sample type", one, other),
            [types[kind.type] for types in there[1:]],
            kind,
        )
        for kind in shared
    )


def _profiles_text(profiles: Sequence[Stacks]) -> str:
    return "the two profiles" if len(profiles) == 2 else "the profiles"


def _finer_unit(what: str, kind: SampleType, other: SampleType) -> SampleType:
    """Return the finer of two units; raise StacksError if they cannot be added."""
    if kind.type != other.type or not same_kind(kind.unit, other.unit):
        raise StacksError(
            f"the two profiles differ in their {what}:"
            f" {kind.type}/{kind.unit} and {other.type}/{other.unit}"
        )
    return other if scaled(1, other.unit, kind.unit)[0] < 1 else kind


def _columns(stacks: Stacks, types: Sequence[SampleType]) -> list[tuple[int, float]]:
    """Return the column of each type, and the factor to the common unit."""
    names = [kind.type for kind in stacks.types]
    columns = []
    for kind in types:
        column = names.index(kind.type)
        columns.append((column, scaled(1, stacks.types[column].unit, kind.unit)[0]))
    return columns


class _Key(NamedTuple):
    """Samples with equal keys are merged."""

    ids: tuple[int, ...]
    labels: Labels


class _MergedSamples:
    """Adds up the samples of several profiles, with new location ids."""

    def __init__(self, main: Binary | None) -> None:
        self.locations: dict[int, Location] = {}
        self._ids: dict[object, int] = {}
        self._binaries: dict[object, Binary] = {_load_key(main): main} if main else {}
        self._samples: dict[_Key, list[int]] = {}

    def add(self, part: MergeInput, columns: list[tuple[int, float]]) -> None:
        """Add the samples of a profile, except those with no value."""
        new_ids: dict[int, int] = {}
        stacks, sign, is_marked = part
        for sample, labels in stacks.labelled():
            values = [sign * value for value in scaled_values(sample, columns)]
            if not any(values):
                continue
            ids = tuple(self._id(stacks, new_ids, id_) for id_ in sample.location_id)
            key = _Key(ids, mark_as_base(labels) if is_marked else labels)
            if (sums := self._samples.get(key)) is None:
                self._samples[key] = values
            else:
                for column, value in enumerate(values):
                    sums[column] += value

    def samples(self) -> list[tuple[Sample, Labels]]:
        """Return the merged samples, except those whose values are all 0."""
        return [
            (Stack(key.ids, tuple(values)), key.labels)
            for key, values in self._samples.items()
            if any(values)
        ]

    def totals(self, width: int) -> Totals:
        """Return 100 %: the amounts of the samples of the base, or of all if it has none."""
        every = list(self._samples.values())
        of_base = [values for key, values in self._samples.items() if is_base(key.labels)]
        amounts, divisors = [], []
        for column in range(width):
            base = sum(abs(values[column]) for values in of_base)
            counting = of_base if base else every
            amounts.append(sum(abs(values[column]) for values in counting))
            divisors.append(sum(values[0] for values in counting))
        return Totals(tuple(amounts), tuple(divisors))

    def _id(self, stacks: Stacks, new_ids: dict[int, int], id_: int) -> int:
        """Return the new id of a location."""
        if (number := new_ids.get(id_)) is not None:
            return number
        if (location := stacks.locations.get(id_)) is None:
            raise StacksError(f"inconsistent: no location has the id {id_}")
        binary, address = self._binary(location)
        offset = (address - (binary.start if binary else 0)) % _WORD
        places = tuple((line.function, line.line) for line in location.lines)
        column = location.lines[-1].column if location.lines else 0
        key = (offset, id(binary), places, column, location.folded)
        number = self._ids.setdefault(key, len(self._ids) + 1)
        new_ids[id_] = number
        self.locations.setdefault(number, location._replace(address=address, binary=binary))
        return number

    def _binary(self, location: Location) -> tuple[Binary | None, int]:
        """Return the first load of the same binary, and the address in that load."""
        if (own := location.binary) is None:
            return None, location.address
        binary = self._binaries.setdefault(_load_key(own), own)
        return binary, (location.address + binary.start - own.start) % _WORD


def _load_key(binary: Binary) -> tuple[int, int, str]:
    """Return the key that two loads of one binary share: pages, offset, and build id or path."""
    pages = ((binary.limit - binary.start) % _WORD + _PAGE_BYTES - 1) // _PAGE_BYTES
    return pages, binary.offset, binary.build_id or binary.file


def scaled_values(sample: Sample, columns: list[tuple[int, float]]) -> list[int]:
    """Return the values of a sample in the common units.

    Empty if all values in another unit round to 0: pprof drops such a sample, whatever its other
    values (profile/profile.go: ScaleN).
    """
    values = [sample.value[column] for column, _ in columns]
    scales = [place for place, (_, factor) in enumerate(columns) if factor != 1]
    for place in scales:
        values[place] = _rounded(values[place] * columns[place][1])
    return values if not scales or any(values[place] for place in scales) else []


def _rounded(value: float) -> int:
    """Round half away from zero, as Go's math.Round does."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def difference(
    source: Stacks, base: Stacks, *, diff_base: bool = False, normalize: bool = False
) -> Stacks:
    """Return ``source`` minus ``base``, for all sample types that both have.

    With ``diff_base`` 100 % is the base, and the samples of the base are kept apart by the label
    ``pprof::base``. Without it 100 % is the sum of the amounts of all differences (pprof,
    internal/driver/fetch.go). Stacks are equal if their locations and labels are, so two processes
    of one program can be compared, wherever it was loaded. With ``normalize`` the source is first
    scaled to the sum of the base. Raises the errors of ``merge_profiles``.
    """
    if normalize:
        source = _normalize(source, base)
    return merge([MergeInput(source), MergeInput(base, sign=-1, is_marked=diff_base)])


def _normalize(source: Stacks, base: Stacks) -> Stacks:
    """Scale each sample type to the sum of the base (pprof, profile/merge.go: Normalize)."""
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
