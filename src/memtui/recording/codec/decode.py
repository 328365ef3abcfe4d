"""How a record is read again as the event that it was.

How a sample is read of a row of values, whose names stand in the header of the member.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias, cast

from memtui.model import Event, GcCycle, GcPause, Profile, Sample
from memtui.parse.gctrace.grammar import trace_sample
from memtui.recording.codec.encode import hints_of, names_of
from memtui.recording.codec.kinds import (
    FIELDS,
    KIB,
    LONGEST_S,
    SOURCES,
    TYPES,
    BadRecord,
    Fields,
    Json,
    UnknownRecord,
    path_of,
)
from memtui.recording.codec.values import (
    default_of,
    named,
    object_of,
    of_kib,
    scalars_of,
    value_of,
)
from memtui.recording.gzip_members import LAST_MOMENT


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
    sample_type = TYPES[kind]
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


def decode(record: Mapping[str, Json], fields: Fields = FIELDS) -> Event:
    """Return the event that a record says; ``fields`` are the names of the values of rows.

    Fields that this memtui does not know are passed over, missing ones get their default. Raises
    UnknownRecord for what a newer one wrote, BadRecord for what nobody can have written.
    """
    try:
        kind, at = record["k"], moment_of(record["t"])
        sample_type = TYPES[kind] if isinstance(kind, str) and kind in TYPES else None
        if sample_type is None:
            raise UnknownRecord(named(kind))
        assert isinstance(kind, str)
        source = record.get("s", SOURCES.get(kind, ""))
        if not isinstance(source, str):
            raise BadRecord("a source is a text")
        if "v" in record:
            return Event(at, source, row_of(kind, record["v"], fields.get(kind, ())))
        if isinstance(line := record.get("line"), str) and "forced" not in record:
            return Event(at, source, _trace(sample_type, line, record))
        if sample_type is Profile:
            return Event(at, source, _read_profile(record))
        return Event(at, source, cast("Sample", object_of(sample_type, record)))
    except (BadRecord, UnknownRecord):
        raise
    except (LookupError, TypeError, AttributeError, OverflowError, ValueError) as error:
        raise BadRecord(type(error).__name__) from None


def moment_of(value: Json) -> float:
    """Return a moment; raise BadRecord for one that no clock tells."""
    if type(value) not in (int, float) or not 0 <= cast("float", value) < LAST_MOMENT:
        raise BadRecord("a moment is a number of seconds since 1970")
    return cast("float", value)


def _trace(kind: type[Sample], line: str, record: Mapping[str, Json]) -> Sample:
    found = trace_sample(line)
    if found is None or type(found[1]) is not kind:
        raise BadRecord("no line of this trace")
    sample = found[1]
    if isinstance(sample, GcCycle) and record.get("periodic") is True:
        return dataclasses.replace(sample, periodic=True)
    return sample


def _read_profile(record: Mapping[str, Json]) -> Profile:
    profile = cast("Profile", object_of(Profile, {**record, "data": None}))
    data = record.get("data")
    if not isinstance(data, str):
        return profile
    return with_data(profile, base64.b64decode(data, validate=True))


def with_data(profile: Profile, data: bytes) -> Profile:
    """Return a profile with its bytes, and what they say by function.

    Where they cannot be read any more, what was known of it stays as it is.
    """
    from memtui.parse.profile.decoder import ProfileError, parse_profile

    try:
        read = parse_profile(data, where=profile.where, took_s=profile.took_s)
    except ProfileError:
        return dataclasses.replace(profile, data=data)
    return dataclasses.replace(
        profile,
        data=data,
        values=read.values,
        default_type=profile.default_type or read.default_type,
        time_nanos=read.time_nanos,
        duration_nanos=read.duration_nanos,
        finalizing=read.finalizing,
    )
