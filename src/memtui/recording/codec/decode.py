"""Decodes records into events: rows, gctrace lines, objects."""

from __future__ import annotations

import base64
import dataclasses
import types
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache, lru_cache
from typing import Literal, TypeAlias, Union, cast, get_args, get_origin

from memtui.model import Absent, Event, GcCycle, GcPause, Profile, Sample
from memtui.parse.gctrace.grammar import trace_sample
from memtui.recording.codec.encode import (
    EXACT,
    FIELDS,
    KIB,
    LAST_MOMENT,
    LONGEST_S,
    SOURCES,
    TYPES,
    BadRecord,
    Fields,
    Json,
    UnknownRecord,
    field_path,
    hints_of,
    names_of,
)


@cache
def _options(hint: object) -> tuple[object, ...]:
    """Return the types that a type hint allows."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


@cache
def scalars_of(hint: object) -> frozenset[type]:
    """Return the types of JSON values that need no conversion."""
    found = {each for each in _options(hint) if each in (int, float, bool, str, type(None))}
    if float in found:
        found.add(int)
    return frozenset(cast("set[type]", found))


def decode_object(kind: type, record: Mapping[str, Json]) -> object:
    """Return a dataclass from an object: unknown names are ignored, missing ones get a default."""
    hints = hints_of(kind)
    given: dict[str, object] = {}
    for each in dataclasses.fields(kind):
        if each.name in record:
            value = record[each.name]
            given[each.name] = (
                value
                if type(value) in scalars_of(hints[each.name])
                else decode_value(value, hints[each.name])
            )
        elif each.default is dataclasses.MISSING:
            given[each.name] = default_value(each, hints[each.name])
    return kind(**given)


def default_value(each: dataclasses.Field[object], hint: object) -> object:
    """Return the value of a field that an older version did not write."""
    options = get_args(hint)
    if Absent in options:
        return Absent.NOT_REPORTED
    if type(None) in options:
        return None
    raise BadRecord(f"{each.name} is missing")


def decode_value(value: Json, hint: object) -> object:
    """Return the value of the model for a JSON value; raise BadRecord or UnknownRecord."""
    options = _options(hint)
    if Absent in options and (found := _absent(value)) is not _NOT_THIS:  # most often, of a row
        return found
    for option in options:
        found = _read_as(value, option)
        if found is not _NOT_THIS:
            return found
    raise BadRecord(f"no value for {hint}: {describe(value)}")


_NOT_THIS = object()


def _read_as(value: Json, option: object) -> object:
    """Return a value read as one type, _NOT_THIS if it has another type."""
    if option is None or option is type(None):
        return None if value is None else _NOT_THIS
    if get_origin(option) is Literal:
        return value if value in get_args(option) else _unknown(value)
    if get_origin(option) is tuple:
        return _tuple(value, option)
    if not isinstance(option, type):
        return _NOT_THIS
    if option is Absent:
        return _absent(value)
    if issubclass(option, Enum):
        return _enum(value, option)
    if dataclasses.is_dataclass(option):
        return decode_object(option, value) if isinstance(value, dict) else _NOT_THIS
    return _scalar(value, option)


def _scalar(value: Json, option: type) -> object:
    if type(value) in scalars_of(option):
        return value
    if option is float and isinstance(value, dict) and isinstance(value.get("float"), str):
        return float(value["float"])
    if option is bytes and isinstance(value, dict) and isinstance(value.get("base64"), str):
        return base64.b64decode(value["base64"], validate=True)
    return _NOT_THIS


def _absent(value: Json) -> object:
    if not isinstance(value, dict) or "absent" not in value:
        return _NOT_THIS
    name = value["absent"]
    # The name of a reason may be from a newer memtui.
    return Absent[name] if name in Absent.__members__ else Absent.NOT_REPORTED


def _enum(value: Json, option: type[Enum]) -> object:
    if not isinstance(value, str):
        return _NOT_THIS
    return option[value] if value in option.__members__ else _unknown(value)


def _unknown(value: Json) -> object:
    raise UnknownRecord(describe(value))


def describe(value: Json) -> str:
    """Return a short description of a value, which may be nested deeply."""
    return value[:40] if isinstance(value, str) else type(value).__name__


def _tuple(value: Json, option: object) -> object:
    if not isinstance(value, list):
        return _NOT_THIS
    (inner, *_) = get_args(option)
    return tuple(decode_value(each, inner) for each in value)


def decode_kib(value: Json, hint: object) -> object:
    """Return the bytes of a size in KiB."""
    if type(value) is int:
        return value << 10
    if type(value) is float and value.is_integer() is False and abs(value) < EXACT:
        return int(value * 1024)
    if isinstance(value, dict) and type(value.get("bytes")) is int:
        return value["bytes"]
    if value is None or isinstance(value, dict):
        return decode_value(value, hint)
    raise BadRecord("a size is a number")


def decode_row(kind: str, values: Json, names: tuple[str, ...]) -> Sample:
    """Return the sample of a row; raise BadRecord if it is impossible."""
    if not isinstance(values, list) or len(values) != len(names):
        raise BadRecord(f"a row of {kind} has not one value per name")
    sample = _plan(kind, names)(values)
    if isinstance(sample, GcPause) and not 0 <= sample.pause_s < LONGEST_S:
        raise BadRecord("a pause is out of range")
    return sample


@lru_cache(64)  # a forged file may have other names in each member
def _plan(kind: str, names: tuple[str, ...]) -> Callable[[list[Json]], Sample]:
    """Return a function that makes a sample from a row with these names."""
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
                into[name] = value << 10 if type(value) is int else decode_kib(value, hint)
            else:
                into[name] = value if type(value) in scalars else decode_value(value, hint)
        if inner:
            given[inner] = cast("Callable[..., object]", parts[-1][0])(**nested)
        return make(**given)

    return read


_Reader: TypeAlias = tuple[int, str, bool, frozenset[type], bool, object]


def _readers(kind: type, prefix: str, names: tuple[str, ...]) -> list[_Reader]:
    """Return how to read the fields of a sample, or of the sample nested in it, from a row."""
    hints = hints_of(kind)
    found: list[_Reader] = []
    for place, name in enumerate(names):
        field = field_path(name)[len(prefix) :]
        if field_path(name).startswith(prefix) and field in names_of(kind):
            hint = hints[field]
            in_kib = name.endswith(KIB)
            found.append((place, field, bool(prefix), scalars_of(hint), in_kib, hint))
    return found


def _defaults(kind: type, names: tuple[str, ...], prefix: str, besides: str) -> dict[str, object]:
    """Return the values of the fields that a row does not have."""
    present = {field_path(name) for name in names}
    return {
        each.name: default_value(each, hints_of(kind)[each.name])
        for each in dataclasses.fields(kind)
        if prefix + each.name not in present
        and each.name != besides
        and each.default is dataclasses.MISSING
    }


def decode(record: Mapping[str, Json], fields: Fields = FIELDS) -> Event:
    """Return the event of a record; ``fields`` are the names of the values of rows.

    Unknown fields are ignored, missing ones get their default. Raises UnknownRecord for a record of
    a newer version, BadRecord for one that no version can have written.
    """
    try:
        kind, at = record["k"], decode_moment(record["t"])
        sample_type = TYPES[kind] if isinstance(kind, str) and kind in TYPES else None
        if sample_type is None:
            raise UnknownRecord(describe(kind))
        assert isinstance(kind, str)
        source = record.get("s", SOURCES.get(kind, ""))
        if not isinstance(source, str):
            raise BadRecord("a source is a string")
        if "v" in record:
            return Event(at, source, decode_row(kind, record["v"], fields.get(kind, ())))
        if isinstance(line := record.get("line"), str) and "forced" not in record:
            return Event(at, source, _trace(sample_type, line, record))
        if sample_type is Profile:
            return Event(at, source, _read_profile(record))
        return Event(at, source, cast("Sample", decode_object(sample_type, record)))
    except (BadRecord, UnknownRecord):
        raise
    except (LookupError, TypeError, AttributeError, OverflowError, ValueError) as error:
        raise BadRecord(type(error).__name__) from None


def decode_moment(value: Json) -> float:
    """Return a time; raise BadRecord if it is not a number from 1970 to the year 10000."""
    if type(value) not in (int, float) or not 0 <= cast("float", value) < LAST_MOMENT:
        raise BadRecord("a time is a number of seconds since 1970")
    return cast("float", value)


def _trace(kind: type[Sample], line: str, record: Mapping[str, Json]) -> Sample:
    found = trace_sample(line)
    if found is None or type(found[1]) is not kind:
        raise BadRecord("not a line of this kind")
    sample = found[1]
    if isinstance(sample, GcCycle) and record.get("periodic") is True:
        return dataclasses.replace(sample, periodic=True)
    return sample


def _read_profile(record: Mapping[str, Json]) -> Profile:
    profile = cast("Profile", decode_object(Profile, {**record, "data": None}))
    data = record.get("data")
    if not isinstance(data, str):
        return profile
    return with_data(profile, base64.b64decode(data, validate=True))


def with_data(profile: Profile, data: bytes) -> Profile:
    """Return a profile with its bytes and the functions in them.

    If the bytes cannot be parsed, the other values stay as they are.
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
