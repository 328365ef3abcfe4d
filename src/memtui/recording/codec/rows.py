"""How a sample is read of a row of values, whose names stand in the header of the member."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias, cast

from memtui.model import GcPause, Sample
from memtui.recording.codec.kinds import KIB, KINDS, LONGEST_S, BadRecord, Json, path_of
from memtui.recording.codec.values import (
    default_of,
    hints_of,
    names_of,
    of_kib,
    scalars_of,
    value_of,
)


def row_of(kind: str, values: Json, names: tuple[str, ...]) -> Sample:
    """Return the sample of a row; raise BadRecord where none can have been written so."""
    if not isinstance(values, list) or len(values) != len(names):
        raise BadRecord(f"a row of {kind} has another number of values than names")
    sample = _plan(kind, names)(values)
    if isinstance(sample, GcPause) and not 0 <= sample.pause_s < LONGEST_S:
        raise BadRecord("no pause is so long")
    return sample


@lru_cache(64)  # a forged file has other names in each member
def _plan(kind: str, names: tuple[str, ...]) -> Callable[[list[Json]], Sample]:
    """Return what makes a sample of a row with these names."""
    sample_type = KINDS[kind]
    make, fields = cast("Callable[..., Sample]", sample_type), names_of(sample_type)
    inner = next(
        (each for each in fields if dataclasses.is_dataclass(hints_of(sample_type)[each])), ""
    )
    parts = [(sample_type, ""), *([(hints_of(sample_type)[inner], f"{inner}.")] if inner else [])]
    readers: list[_Reader] = []
    for part, prefix in parts:
        readers += _readers(cast("type", part), prefix, names)
    missing = _defaults(sample_type, names, "", inner)
    absent = _defaults(cast("type", parts[-1][0]), names, parts[-1][1], "") if inner else {}

    def read(values: list[Json]) -> Sample:
        given, nested = dict(missing), dict(absent)
        for place, name, is_nested, scalars, in_kib, hint in readers:
            value = values[place]
            into = nested if is_nested else given
            if in_kib:
                into[name] = value << 10 if type(value) is int else of_kib(value, hint)
            else:
                into[name] = value if type(value) in scalars else value_of(value, hint)
        if inner:
            given[inner] = cast("Callable[..., object]", parts[-1][0])(**nested)
        return make(**given)

    return read


_Reader: TypeAlias = tuple[int, str, bool, frozenset[type], bool, object]


def _readers(kind: type, prefix: str, names: tuple[str, ...]) -> list[_Reader]:
    """Return how the fields of a sample, or of the one within it, are read of a row."""
    hints = hints_of(kind)
    found: list[_Reader] = []
    for place, name in enumerate(names):
        field = path_of(name)[len(prefix) :]
        if path_of(name).startswith(prefix) and field in names_of(kind):
            hint = hints[field]
            in_kib = name.endswith(KIB)
            found.append((place, field, bool(prefix), scalars_of(hint), in_kib, hint))
    return found


def _defaults(kind: type, names: tuple[str, ...], prefix: str, besides: str) -> dict[str, object]:
    """Return what stands for the fields that a row does not have."""
    there = {path_of(name) for name in names}
    return {
        each.name: default_of(each, hints_of(kind)[each.name])
        for each in dataclasses.fields(kind)
        if prefix + each.name not in there
        and each.name != besides
        and each.default is dataclasses.MISSING
    }
