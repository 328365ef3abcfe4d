"""How a sample is written as JSON: a row of values, the line of a trace, or an object."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Callable
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import cast, get_args, get_type_hints

from memtui.model import (
    Absent,
    Event,
    GcCycle,
    Profile,
    Sample,
)
from memtui.parse.gctrace.grammar import trace_sample
from memtui.recording.codec.kinds import (
    EXACT,
    FIELDS,
    KIB,
    NAMES,
    SOURCES,
    TRACE,
    Json,
    Record,
    path_of,
)

hints_of: Callable[[type], dict[str, object]] = cache(get_type_hints)


def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


names_of: Callable[[type], tuple[str, ...]] = cache(_names_of)

_GETTERS = {name: attrgetter(*map(path_of, names)) for name, names in FIELDS.items()}
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
        record["values"] = _written(totals(profile).values)
        record["data"] = base64.b64encode(profile.data).decode()
    return record


def totals(profile: Profile) -> Profile:
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
