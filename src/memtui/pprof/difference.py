"""What changed between two profiles: ``-base`` and ``-diff_base`` of pprof."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
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
)

_PAGE_BYTES = 0x1000
_WORD = 1 << 64


def difference(source: Stacks, base: Stacks, *, diff_base: bool = False) -> Stacks:
    """Subtract ``base`` from ``source``, all sample types that both have.

    With ``diff_base`` 100 % is the base, and equal stacks are not set off against each other
    before they are added up; without it 100 % is the amount of all differences (pprof,
    internal/driver/fetch.go; profile/merge.go). Stacks are equal when their locations and labels
    are: two processes of one program may be compared, wherever it was loaded. Raises StacksError
    when the profiles have no sample type in common, or units that cannot be added.
    """
    types = _common_types(source, base)
    period_type = _common("period type", source.period_type, base.period_type)
    merged = _Merged(source.main)
    merged.add(source, _columns(source, types), sign=1, is_base=False)
    merged.add(base, _columns(base, types), sign=-1, is_base=diff_base)
    result = merged.done()
    names = [kind.type for kind in types]
    return replace(
        source,
        types=types,
        samples=lambda: (stack for stack, _ in result),
        labelled=lambda: iter(result),
        locations=merged.locations,
        default_type=_default(source, names) or _default(base, names),
        time_nanos=_earlier(source.time_nanos, base.time_nanos),
        duration_nanos=source.duration_nanos + base.duration_nanos,
        period=max(_period(source, period_type), _period(base, period_type)),
        period_type=period_type,
        comments=tuple(dict.fromkeys(source.comments + base.comments)),
        doc_url=source.doc_url or base.doc_url,
        base_totals=merged.base_totals(len(types)) if diff_base else None,
    )


def _default(stacks: Stacks, names: list[str]) -> str:
    """Return the type to show first; the first that is left when other types were left out."""
    if stacks.default_type in names or [kind.type for kind in stacks.types] == names:
        return stacks.default_type
    return names[0]


def _earlier(time: int, other: int) -> int:
    return other if time == 0 or other < time else time


def _period(stacks: Stacks, kind: SampleType) -> int:
    return int(scaled(stacks.period, stacks.period_type.unit, kind.unit)[0])


def _common_types(source: Stacks, base: Stacks) -> tuple[SampleType, ...]:
    there = {kind.type: kind for kind in reversed(base.types)}
    both = [kind for kind in source.types if kind.type in there]
    if not both:
        raise StacksError("the two profiles have no sample type in common")
    return tuple(_common("sample type", kind, there[kind.type]) for kind in both)


def _common(what: str, kind: SampleType, other: SampleType) -> SampleType:
    """Return the finer unit of two; raise StacksError when they cannot be added."""
    if kind.type != other.type or not same_kind(kind.unit, other.unit):
        raise StacksError(
            f"the two profiles differ in their {what}:"
            f" {kind.type}/{kind.unit} and {other.type}/{other.unit}"
        )
    return other if scaled(1, other.unit, kind.unit)[0] < 1 else kind


def _columns(stacks: Stacks, types: Sequence[SampleType]) -> list[tuple[int, float]]:
    """Return for each type in which column it is, and what its values are multiplied with."""
    names = [kind.type for kind in stacks.types]
    columns = []
    for kind in types:
        column = names.index(kind.type)
        columns.append((column, scaled(1, stacks.types[column].unit, kind.unit)[0]))
    return columns


class _Key(NamedTuple):
    """What makes two samples one."""

    ids: tuple[int, ...]
    labels: Labels
    is_base: bool


class _Merged:
    """The samples of two profiles, equal ones added up, with locations of their own ids."""

    def __init__(self, main: Binary | None) -> None:
        self.locations: dict[int, Location] = {}
        self._ids: dict[object, int] = {}
        self._binaries: dict[object, Binary] = {_load_key(main): main} if main else {}
        self._samples: dict[_Key, list[int]] = {}

    def add(
        self, stacks: Stacks, columns: list[tuple[int, float]], *, sign: int, is_base: bool
    ) -> None:
        """Add the samples of a profile; those without any value are left out."""
        known: dict[int, int] = {}
        for sample, labels in stacks.labelled():
            values = [sign * value for value in _values(sample, columns)]
            if not any(values):
                continue
            ids = tuple(self._id(stacks, known, id_) for id_ in sample.location_id)
            key = _Key(ids, labels, is_base)
            if (sums := self._samples.get(key)) is None:
                self._samples[key] = values
            else:
                for column, value in enumerate(values):
                    sums[column] += value

    def done(self) -> list[tuple[Sample, Labels]]:
        """Return the samples that have a value left."""
        return [
            (Stack(key.ids, tuple(values)), key.labels)
            for key, values in self._samples.items()
            if any(values)
        ]

    def base_totals(self, width: int) -> tuple[int, ...]:
        """Return the amounts of the samples of the base."""
        of_base = [values for key, values in self._samples.items() if key.is_base]
        return tuple(sum(abs(values[column]) for values in of_base) for column in range(width))

    def _id(self, stacks: Stacks, known: dict[int, int], id_: int) -> int:
        """Return the number that a location has here."""
        if (number := known.get(id_)) is not None:
            return number
        if (location := stacks.locations.get(id_)) is None:
            raise StacksError(f"inconsistent: no location has the id {id_}")
        binary, address = self._binary(location)
        offset = (address - (binary.start if binary else 0)) % _WORD
        places = tuple((line.function, line.line) for line in location.lines)
        column = location.lines[-1].column if location.lines else 0
        key = (offset, id(binary), places, column, location.folded)
        number = self._ids.setdefault(key, len(self._ids) + 1)
        known[id_] = number
        self.locations.setdefault(number, location._replace(address=address, binary=binary))
        return number

    def _binary(self, location: Location) -> tuple[Binary | None, int]:
        """Return the binary that stands for all loads of it, and the address as if in there."""
        if (own := location.binary) is None:
            return None, location.address
        binary = self._binaries.setdefault(_load_key(own), own)
        return binary, (location.address + binary.start - own.start) % _WORD


def _load_key(binary: Binary) -> tuple[int, int, str]:
    """Return what two loads of one binary have in common: its pages, its offset and its name."""
    pages = ((binary.limit - binary.start) % _WORD + _PAGE_BYTES - 1) // _PAGE_BYTES
    return pages, binary.offset, binary.build_id or binary.file


def _values(sample: Sample, columns: list[tuple[int, float]]) -> list[int]:
    """Return the values of a sample in the common units.

    When all that were in another unit round to nothing, none of them counts: pprof leaves such a
    sample out, whatever else it holds (profile/profile.go: ScaleN).
    """
    values = [sample.value[column] for column, _ in columns]
    scales = [place for place, (_, factor) in enumerate(columns) if factor != 1]
    for place in scales:
        values[place] = _rounded(values[place] * columns[place][1])
    return values if not scales or any(values[place] for place in scales) else []


def _rounded(value: float) -> int:
    """Round half away from zero, as Go's math.Round does."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
