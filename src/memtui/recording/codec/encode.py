"""How a sample is written as JSON: a row of values, the line of a trace, or an object.

The kinds of records, which sample each is, and the names of the values of rows.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import TypeAlias, cast, get_args, get_type_hints

from memtui.model import (
    KINDS,
    Absent,
    Event,
    GcCycle,
    Profile,
    Sample,
    ScavengeLine,
)
from memtui.parse.gctrace.grammar import trace_sample

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Record: TypeAlias = dict[str, Json]
Fields: TypeAlias = Mapping[str, tuple[str, ...]]

TYPES: dict[str, type[Sample]] = {kind.name: kind.type for kind in KINDS}
"""The type that each kind of record is read as."""

NAMES: dict[type[Sample], str] = {kind.type: kind.name for kind in KINDS}
"""The kind of record that a sample is written as."""

SOURCES = {kind.name: kind.source for kind in KINDS if kind.source}
"""The source that a kind comes from, where the record names none."""

TRACE = (GcCycle, ScavengeLine)

LONGEST_S = float(1 << 32)
"""No pause takes so long; a chart counts it in whole microseconds, which NaN does not have."""

EXACT = 1 << 53
"""A float has whole numbers below this exactly."""


LAST_MOMENT = 253_402_300_800.0
"""The year 10000: the calendars of programs end there."""


class BadRecord(ValueError):  # noqa: N818 - it says what happened
    """A record that says something impossible: its line is damaged, or was forged."""


class UnknownRecord(ValueError):  # noqa: N818 - it says what happened
    """A record of a kind, or with a word, that only a newer memtui knows: it is passed over."""


FIELDS: Fields = {kind.name: kind.fields for kind in KINDS if kind.fields}
"""The kinds that are rows, and the names of their values as they are written now."""

KIB = "_kib"
BYTES = "_bytes"


def field_path(name: str) -> str:
    """Return the path of the field of the model that a name of a row stands for."""
    return name.removesuffix(KIB) + BYTES if name.endswith(KIB) else name


hints_of: Callable[[type], dict[str, object]] = cache(get_type_hints)


def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


names_of: Callable[[type], tuple[str, ...]] = cache(_names_of)

_GETTERS = {name: attrgetter(*map(field_path, names)) for name, names in FIELDS.items()}
_SHIFTED = {name: [each.endswith(KIB) for each in names] for name, names in FIELDS.items()}


def encode(event: Event) -> Record:
    """Return an event as a record of JSON values; all of it, a profile with its bytes too."""
    sample = event.sample
    kind = NAMES[type(sample)]
    record: Record = {"k": kind, "t": event.at}
    if event.source != SOURCES.get(kind):
        record["s"] = event.source
    if kind in FIELDS:
        record["v"] = [
            _in_kib(value) if is_shifted else value if type(value) is int else _written(value)
            for value, is_shifted in zip(_GETTERS[kind](sample), _SHIFTED[kind], strict=True)
        ]
    elif isinstance(sample, TRACE) and _from_line(sample.line, sample) == sample:
        record["line"] = sample.line
        if isinstance(sample, GcCycle) and sample.periodic:
            record["periodic"] = True
    elif isinstance(sample, Profile):
        record |= _profile(sample)
    else:
        record |= cast("Record", _written(sample))
    return record


def _in_kib(value: object) -> Json:
    """Return a size in KiB: a fraction where it is no whole one, which a float has exactly."""
    if type(value) is not int:
        return _written(value)
    if not value & 1023:
        return value >> 10
    return value / 1024 if abs(value) < EXACT else {"bytes": value}


def _profile(profile: Profile) -> Record:
    """Return a profile: with its bytes, if it has them, what can be read from them is left out."""
    record = cast("Record", _written(dataclasses.replace(profile, data=None, values=())))
    if profile.data is None:
        record["values"] = _written(profile.values)
    else:
        record["values"] = _written(without_functions(profile).values)
        record["data"] = base64.b64encode(profile.data).decode()
    return record


def without_functions(profile: Profile) -> Profile:
    """Return a profile without its bytes and functions: what it is of, and its totals."""
    values = tuple(dataclasses.replace(each, functions=()) for each in profile.values)
    return dataclasses.replace(profile, data=None, values=values)


def _written(value: object) -> Json:
    """Return a value of the model as JSON."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, Absent):
        return {"absent": value.name}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    unwritten = _nullable(type(value))
    fields = ((each, getattr(value, each)) for each in names_of(type(value)))
    return {
        name: _written(each) for name, each in fields if each is not None or name not in unwritten
    }


def _nullable_of(kind: type) -> frozenset[str]:
    """Return the fields whose None needs no writing: it is what a missing value is read as."""
    return frozenset(
        each.name
        for each in dataclasses.fields(kind)
        if each.default is None
        or (
            each.default is dataclasses.MISSING and _is_none_when_missing(hints_of(kind)[each.name])
        )
    )


_nullable: Callable[[type], frozenset[str]] = cache(_nullable_of)


def _is_none_when_missing(hint: object) -> bool:
    options = get_args(hint)
    return type(None) in options and Absent not in options


def _from_line(line: str, like: Sample) -> Sample | None:
    """Return what a trace line says, read by the parser of today."""
    found = trace_sample(line)
    if found is None or found[0] != 0 or type(found[1]) is not type(like):
        return None
    sample = found[1]
    if isinstance(sample, GcCycle) and isinstance(like, GcCycle) and like.periodic:
        return dataclasses.replace(sample, periodic=True)
    return sample
