"""Encodes events as records: a row of values, the text of a gctrace line, or an object."""

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
"""The type of sample of each kind of record."""

NAMES: dict[type[Sample], str] = {kind.type: kind.name for kind in KINDS}
"""The kind of record of each type of sample."""

SOURCES = {kind.name: kind.source for kind in KINDS if kind.source}
"""The source of a kind, if the record has none."""

TRACE = (GcCycle, ScavengeLine)

LONGEST_S = float(1 << 32)
"""An upper limit of pauses: plots count them in whole microseconds, which NaN has not."""

EXACT = 1 << 53
"""A float represents all whole numbers below this exactly."""


LAST_MOMENT = 253_402_300_800.0
"""The year 10000, the end of the calendars of programs."""


class BadRecord(ValueError):  # noqa: N818 - names the condition
    """A record has an impossible value: its line is damaged or forged."""


class UnknownRecord(ValueError):  # noqa: N818 - names the condition
    """A record has a kind or a name that only a newer memtui knows: it is skipped."""


FIELDS: Fields = {kind.name: kind.fields for kind in KINDS if kind.fields}
"""The kinds that are written as rows, and the names of their values."""

KIB = "_kib"
BYTES = "_bytes"


def field_path(name: str) -> str:
    """Return the path of the model's field for a name of a row."""
    return name.removesuffix(KIB) + BYTES if name.endswith(KIB) else name


hints_of: Callable[[type], dict[str, object]] = cache(get_type_hints)


def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


names_of: Callable[[type], tuple[str, ...]] = cache(_names_of)

_GETTERS = {name: attrgetter(*map(field_path, names)) for name, names in FIELDS.items()}
_SHIFTED = {name: [each.endswith(KIB) for each in names] for name, names in FIELDS.items()}


def encode(event: Event) -> Record:
    """Return an event as a record of JSON values, a profile with its bytes."""
    sample = event.sample
    kind = NAMES[type(sample)]
    record: Record = {"k": kind, "t": event.at}
    if event.source != SOURCES.get(kind):
        record["s"] = event.source
    if kind in FIELDS:
        record["v"] = [
            _in_kib(value) if is_shifted else value if type(value) is int else _to_json(value)
            for value, is_shifted in zip(_GETTERS[kind](sample), _SHIFTED[kind], strict=True)
        ]
    elif isinstance(sample, TRACE) and _from_line(sample.line, sample) == sample:
        record["line"] = sample.line
        if isinstance(sample, GcCycle) and sample.periodic:
            record["periodic"] = True
    elif isinstance(sample, Profile):
        record |= _profile(sample)
    else:
        record |= cast("Record", _to_json(sample))
    return record


def _in_kib(value: object) -> Json:
    """Return a size in KiB, as a fraction if it is not whole; a float represents it exactly."""
    if type(value) is not int:
        return _to_json(value)
    if not value & 1023:
        return value >> 10
    return value / 1024 if abs(value) < EXACT else {"bytes": value}


def _profile(profile: Profile) -> Record:
    """Return the record of a profile; with bytes, what can be parsed from them is left out."""
    record = cast("Record", _to_json(dataclasses.replace(profile, data=None, values=())))
    if profile.data is None:
        record["values"] = _to_json(profile.values)
    else:
        record["values"] = _to_json(without_functions(profile).values)
        record["data"] = base64.b64encode(profile.data).decode()
    return record


def without_functions(profile: Profile) -> Profile:
    """Return a profile without its bytes and functions: its totals only."""
    values = tuple(dataclasses.replace(each, functions=()) for each in profile.values)
    return dataclasses.replace(profile, data=None, values=values)


def _to_json(value: object) -> Json:
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
        return [_to_json(each) for each in value]
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    omitted = _nullable(type(value))
    fields = ((each, getattr(value, each)) for each in names_of(type(value)))
    return {
        name: _to_json(each) for name, each in fields if each is not None or name not in omitted
    }


def _nullable_of(kind: type) -> frozenset[str]:
    """Return the fields whose None is not written: a missing value is read as None."""
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
    """Return the sample of a gctrace line, as the current parser reads it."""
    found = trace_sample(line)
    if found is None or found[0] != 0 or type(found[1]) is not type(like):
        return None
    sample = found[1]
    if isinstance(sample, GcCycle) and isinstance(like, GcCycle) and like.periodic:
        return dataclasses.replace(sample, periodic=True)
    return sample
