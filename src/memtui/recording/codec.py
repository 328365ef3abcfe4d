"""How each sample is written as JSON and read again: by the names of its fields, exactly.

Frequent samples are rows of values, whose names stand once in the header of a member; all others
are objects. Absent is ``{"absent": NAME}``, never null: null is the value None. A trace line is
kept as it was and parsed anew on reading.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import types
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Literal, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from memtui.model import (
    Absent,
    Attached,
    Ended,
    Event,
    GcCycle,
    GcPause,
    MappingGroups,
    MappingSample,
    Mark,
    OutputLine,
    ProcessIdentity,
    ProcessSample,
    Profile,
    Restart,
    RuntimeSample,
    Sample,
    ScavengeLine,
    Surroundings,
    Taking,
    TornLine,
    Trouble,
)
from memtui.parse.gctrace import trace_sample

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Record: TypeAlias = dict[str, Json]
Fields: TypeAlias = Mapping[str, tuple[str, ...]]

KINDS: dict[str, type[Sample]] = {
    "process": ProcessSample,
    "runtime": RuntimeSample,
    "mapping": MappingSample,
    "pause": GcPause,
    "gc": GcCycle,
    "scav": ScavengeLine,
    "groups": MappingGroups,
    "surroundings": Surroundings,
    "identity": ProcessIdentity,
    "output": OutputLine,
    "torn": TornLine,
    "profile": Profile,
    "taking": Taking,
    "attached": Attached,
    "trouble": Trouble,
    "mark": Mark,
    "restart": Restart,
    "ended": Ended,
}
"""What each kind of record is read as."""

NAMES: dict[type[Sample], str] = {kind: name for name, kind in KINDS.items()}
"""The kind of record that a sample is written as."""

_SOURCES = {
    "process": "process",
    "runtime": "runtime",
    "mapping": "mapping",
    "pause": "runtime",
    "gc": "gctrace",
    "scav": "gctrace",
    "groups": "mapping",
    "surroundings": "surroundings",
    "identity": "process",
    "output": "gctrace",
    "torn": "gctrace",
    "profile": "profile",
    "taking": "profile",
}
"""The source that a kind comes from, where the record names none."""

_TRACE = (GcCycle, ScavengeLine)


class BadRecord(ValueError):  # noqa: N818 - it says what happened
    """A record that says something impossible: its line is damaged, or was forged."""


class UnknownRecord(ValueError):  # noqa: N818 - it says what happened
    """A record of a kind, or with a word, that only a newer memtui knows: it is passed over."""


def _paths(kind: type) -> tuple[str, ...]:
    """Return the names of all fields; those of a sample within a sample with a dot."""
    found: list[str] = []
    hints = get_type_hints(kind)
    for each in dataclasses.fields(kind):
        hint = hints[each.name]
        inner = _paths(cast("type", hint)) if dataclasses.is_dataclass(hint) else ()
        found += [f"{each.name}.{name}" for name in inner] or [each.name]
    return tuple(found)


FIELDS: Fields = {name: _paths(KINDS[name]) for name in ("process", "runtime", "mapping", "pause")}
"""The kinds that are rows, and the names of their values as they are written now."""

_GETTERS = {name: attrgetter(*paths) for name, paths in FIELDS.items()}


# Writing


def encode(event: Event) -> Record:
    """Return an event as a record of JSON values; all of it, a profile with its bytes too."""
    sample = event.sample
    kind = NAMES[type(sample)]
    record: Record = {"k": kind, "t": event.at}
    if event.source != _SOURCES.get(kind):
        record["s"] = event.source
    if kind in FIELDS:
        values = _GETTERS[kind](sample)
        record["v"] = [each if type(each) is int else _written(each) for each in values]
    elif isinstance(sample, _TRACE) and _from_line(sample.line, sample) == sample:
        record["line"] = sample.line
        if isinstance(sample, GcCycle) and sample.periodic:
            record["periodic"] = True
    elif isinstance(sample, Profile):
        record |= _profile(sample)
    else:
        record |= cast("Record", _written(sample))
    return record


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
    return {each: _written(getattr(value, each)) for each in _names(type(value))}


def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


_names: Callable[[type], tuple[str, ...]] = cache(_names_of)


def _from_line(line: str, like: Sample) -> Sample | None:
    """Return what a trace line says, read by the parser of today."""
    found = trace_sample(line)
    if found is None or found[0] != 0 or type(found[1]) is not type(like):
        return None
    sample = found[1]
    if isinstance(sample, GcCycle) and isinstance(like, GcCycle) and like.periodic:
        return dataclasses.replace(sample, periodic=True)
    return sample


# Reading


def decode(record: Mapping[str, Json], fields: Fields = FIELDS) -> Event:
    """Return the event that a record says; ``fields`` are the names of the values of rows.

    Fields that this memtui does not know are passed over, missing ones get their default. Raises
    UnknownRecord for what a newer one wrote, BadRecord for what nobody can have written.
    """
    try:
        kind, at = record["k"], _number(record["t"])
        sample_type = KINDS[kind] if isinstance(kind, str) and kind in KINDS else None
        if sample_type is None:
            raise UnknownRecord(str(kind)[:40])
        assert isinstance(kind, str)
        source = record.get("s", _SOURCES.get(kind, ""))
        if not isinstance(source, str):
            raise BadRecord("a source is a text")
        if "v" in record:
            return Event(at, source, _row(kind, record["v"], fields.get(kind, ())))
        if isinstance(line := record.get("line"), str) and "number" not in record:
            return Event(at, source, _trace(sample_type, line, record))
        if sample_type is Profile:
            return Event(at, source, _read_profile(record))
        return Event(at, source, cast("Sample", _object(sample_type, record)))
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise BadRecord(f"{type(error).__name__}: {error}") from None


def _number(value: Json) -> float:
    if type(value) not in (int, float):
        raise BadRecord("a moment is a number")
    return cast("float", value)


def _trace(kind: type[Sample], line: str, record: Mapping[str, Json]) -> Sample:
    found = trace_sample(line)
    if found is None or type(found[1]) is not kind:
        if kind is ScavengeLine and "work_bytes" in record:
            return cast("Sample", _object(kind, record))
        raise BadRecord("no line of this trace")
    sample = found[1]
    if isinstance(sample, GcCycle) and record.get("periodic") is True:
        return dataclasses.replace(sample, periodic=True)
    return sample


def _read_profile(record: Mapping[str, Json]) -> Profile:
    profile = cast("Profile", _object(Profile, {**record, "data": None}))
    data = record.get("data")
    if not isinstance(data, str):
        return profile
    return with_data(profile, base64.b64decode(data, validate=True))


def with_data(profile: Profile, data: bytes) -> Profile:
    """Return a profile with its bytes, and what they say by function.

    Where they cannot be read any more, what was known of it stays as it is.
    """
    from memtui.parse.profile import ProfileError, parse_profile

    try:
        read = parse_profile(data, where=profile.where, took_s=profile.took_s)
    except ProfileError:
        return dataclasses.replace(profile, data=data)
    return dataclasses.replace(profile, data=data, values=read.values)


def _row(kind: str, values: Json, names: tuple[str, ...]) -> Sample:
    if not isinstance(values, list) or len(values) != len(names):
        raise BadRecord(f"a row of {kind} has another number of values than names")
    return _plan(kind, names)(values)


@cache
def _plan(kind: str, names: tuple[str, ...]) -> Callable[[list[Json]], Sample]:
    """Return what makes a sample of a row with these names."""
    sample_type = KINDS[kind]
    known = [(place, name) for place, name in enumerate(names) if name in FIELDS[kind]]
    if any("." in name for _, name in known):
        return lambda values: cast(
            "Sample", _object(sample_type, _nested((name, values[place]) for place, name in known))
        )
    readers = [
        (place, name, _scalars(hint), hint)
        for place, name in known
        for hint in [_hints(sample_type)[name]]
    ]
    missing = {
        each.name: _missing(each, _hints(sample_type)[each.name])
        for each in dataclasses.fields(sample_type)
        if each.name not in names and each.default is dataclasses.MISSING
    }

    make = cast("Callable[..., Sample]", sample_type)

    def read(values: list[Json]) -> Sample:
        given: dict[str, object] = dict(missing)
        for place, name, scalars, hint in readers:
            value = values[place]
            given[name] = value if type(value) in scalars else _read(value, hint)
        return make(**given)

    return read


def _nested(entries: object) -> Record:
    """Return objects within objects for names with dots."""
    found: dict[str, Json] = {}
    for name, value in cast("Sequence[tuple[str, Json]]", entries):
        outer, _, inner = name.partition(".")
        if inner:
            cast("Record", found.setdefault(outer, {}))[inner] = value
        else:
            found[outer] = value
    return found


_hints: Callable[[type], dict[str, object]] = cache(get_type_hints)


@cache
def _scalars(hint: object) -> frozenset[type]:
    """Return the types of JSON values that need no conversion."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    found = {each for each in options if each in (int, float, bool, str, type(None))}
    if float in found:
        found.add(int)
    return frozenset(cast("set[type]", found))


def _object(kind: type, record: Mapping[str, Json]) -> object:
    """Return a dataclass from an object: unknown names are passed over, missing ones defaulted."""
    hints = _hints(kind)
    given: dict[str, object] = {}
    for each in dataclasses.fields(kind):
        if each.name in record:
            value = record[each.name]
            given[each.name] = (
                value
                if type(value) in _scalars(hints[each.name])
                else _read(value, hints[each.name])
            )
        elif each.default is dataclasses.MISSING:
            given[each.name] = _missing(each, hints[each.name])
    return kind(**given)


def _missing(each: dataclasses.Field[object], hint: object) -> object:
    """Return what stands for a value that an older memtui did not write."""
    options = get_args(hint)
    if Absent in options:
        return Absent.NOT_REPORTED
    if type(None) in options:
        return None
    raise BadRecord(f"{each.name} is missing")


def _read(value: Json, hint: object) -> object:
    """Return the value of the model that JSON stands for; raise BadRecord, UnknownRecord."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for option in options:
        found = _read_as(value, option)
        if found is not _NOT_THIS:
            return found
    raise BadRecord(f"no value for {hint}: {str(value)[:40]}")


_NOT_THIS = object()


def _read_as(value: Json, option: object) -> object:
    """Return a value read as one type, _NOT_THIS when it is none of that type."""
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
        return _object(option, value) if isinstance(value, dict) else _NOT_THIS
    return _scalar(value, option)


def _scalar(value: Json, option: type) -> object:
    if type(value) in _scalars(option):
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
    # A reason that only a newer memtui knows is still a reason.
    return Absent[name] if name in Absent.__members__ else Absent.NOT_REPORTED


def _enum(value: Json, option: type[Enum]) -> object:
    if not isinstance(value, str):
        return _NOT_THIS
    return option[value] if value in option.__members__ else _unknown(value)


def _unknown(value: Json) -> object:
    raise UnknownRecord(str(value)[:40])


def _tuple(value: Json, option: object) -> object:
    if not isinstance(value, list):
        return _NOT_THIS
    (inner, *_) = get_args(option)
    return tuple(_read(each, inner) for each in value)
