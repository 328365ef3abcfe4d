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
from functools import cache, lru_cache
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
from memtui.recording.container import LAST_MOMENT

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

_LONGEST_S = float(1 << 32)
"""No pause takes so long; a chart counts it in whole microseconds, which NaN does not have."""

_EXACT = 1 << 53
"""A float has whole numbers below this exactly."""


class BadRecord(ValueError):  # noqa: N818 - it says what happened
    """A record that says something impossible: its line is damaged, or was forged."""


class UnknownRecord(ValueError):  # noqa: N818 - it says what happened
    """A record of a kind, or with a word, that only a newer memtui knows: it is passed over."""


FIELDS: Fields = {
    "process": (
        "cpu_s", "open_files", "res_kib", "anon_kib", "file_kib", "shmem_kib", "swap_kib",
        "shr_kib", "peak_kib", "data_kib", "virt_kib", "code_kib", "threads", "state", "tty",
    ),
    "runtime": (
        "took_s", "apart_s", "size_bytes", "total_alloc_bytes", "mallocs", "frees", "heap_objects",
        "heap_alloc_bytes", "heap_inuse_kib", "heap_idle_kib", "heap_released_kib",
        "mspan_inuse_bytes", "gc_sys_bytes", "other_sys_bytes", "rss_kib", "rss_anon_kib",
        "rss_file_kib", "rss_shmem_kib", "swap_kib", "gc_cpu_fraction", "last_gc_at", "num_gc",
        "next_gc_bytes", "heap_live_bytes", "goroutines", "heap_sys_kib", "stack_inuse_kib",
        "stack_sys_kib", "mspan_sys_kib", "buck_hash_sys_bytes", "sys_bytes", "num_forced_gc",
        "mcache_inuse_bytes", "mcache_sys_bytes", "threads", "gogc_percent", "memory_limit_bytes",
        "cycles_lost", "origin", "where",
    ),
    "mapping": (
        "took_s", "resident.rss_kib", "resident.pss_kib", "resident.private_dirty_kib",
        "resident.anonymous_kib", "resident.private_clean_kib", "resident.shared_clean_kib",
        "resident.shared_dirty_kib", "resident.lazy_free_kib", "resident.anon_huge_kib",
        "resident.swap_kib",
    ),
    "pause": ("number", "pause_s", "next_goal_bytes"),
}  # fmt: skip
"""The kinds that are rows, and the names of their values as they are written now.

``res_kib`` is ``res_bytes`` in units of 1024 bytes, as the kernel counts. What moves often stands
first and side by side, for what stays the same costs nothing but the breaks between.
"""

_KIB = "_kib"
_BYTES = "_bytes"


def path_of(name: str) -> str:
    """Return the path of the field of the model that a name of a row stands for."""
    return name.removesuffix(_KIB) + _BYTES if name.endswith(_KIB) else name


_GETTERS = {name: attrgetter(*map(path_of, names)) for name, names in FIELDS.items()}
_SHIFTED = {name: [each.endswith(_KIB) for each in names] for name, names in FIELDS.items()}


# Writing


def encode(event: Event) -> Record:
    """Return an event as a record of JSON values; all of it, a profile with its bytes too."""
    sample = event.sample
    kind = NAMES[type(sample)]
    record: Record = {"k": kind, "t": event.at}
    if event.source != _SOURCES.get(kind):
        record["s"] = event.source
    if kind in FIELDS:
        record["v"] = [
            _in_kib(value) if is_shifted else value if type(value) is int else _written(value)
            for value, is_shifted in zip(_GETTERS[kind](sample), _SHIFTED[kind], strict=True)
        ]
    elif isinstance(sample, _TRACE) and _from_line(sample.line, sample) == sample:
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
    return value / 1024 if abs(value) < _EXACT else {"bytes": value}


def _of_kib(value: Json, hint: object) -> object:
    """Return the bytes of a size in KiB."""
    if type(value) is int:
        return value << 10
    if type(value) is float and value.is_integer() is False and abs(value) < _EXACT:
        return int(value * 1024)
    if isinstance(value, dict) and type(value.get("bytes")) is int:
        return value["bytes"]
    if value is None or isinstance(value, dict):
        return _read(value, hint)
    raise BadRecord("a size is a number")


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
    fields = ((each, getattr(value, each)) for each in _names(type(value)))
    return {
        name: _written(each) for name, each in fields if each is not None or name not in unwritten
    }


def _nullable_of(kind: type) -> frozenset[str]:
    """Return the fields whose None needs no writing: it is what a missing value is read as."""
    return frozenset(
        each.name
        for each in dataclasses.fields(kind)
        if each.default is None
        or (each.default is dataclasses.MISSING and _is_none_when_missing(_hints(kind)[each.name]))
    )


_nullable: Callable[[type], frozenset[str]] = cache(_nullable_of)


def _is_none_when_missing(hint: object) -> bool:
    options = get_args(hint)
    return type(None) in options and Absent not in options


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
        kind, at = record["k"], moment_of(record["t"])
        sample_type = KINDS[kind] if isinstance(kind, str) and kind in KINDS else None
        if sample_type is None:
            raise UnknownRecord(_short(kind))
        assert isinstance(kind, str)
        source = record.get("s", _SOURCES.get(kind, ""))
        if not isinstance(source, str):
            raise BadRecord("a source is a text")
        if "v" in record:
            return Event(at, source, _row(kind, record["v"], fields.get(kind, ())))
        if isinstance(line := record.get("line"), str) and "forced" not in record:
            return Event(at, source, _trace(sample_type, line, record))
        if sample_type is Profile:
            return Event(at, source, _read_profile(record))
        return Event(at, source, cast("Sample", _object(sample_type, record)))
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
    return dataclasses.replace(
        profile,
        data=data,
        values=read.values,
        default_type=profile.default_type or read.default_type,
    )


def _row(kind: str, values: Json, names: tuple[str, ...]) -> Sample:
    if not isinstance(values, list) or len(values) != len(names):
        raise BadRecord(f"a row of {kind} has another number of values than names")
    sample = _plan(kind, names)(values)
    if isinstance(sample, GcPause) and not 0 <= sample.pause_s < _LONGEST_S:
        raise BadRecord("no pause is so long")
    return sample


@lru_cache(64)  # a forged file has other names in each member
def _plan(kind: str, names: tuple[str, ...]) -> Callable[[list[Json]], Sample]:
    """Return what makes a sample of a row with these names."""
    sample_type = KINDS[kind]
    make, fields = cast("Callable[..., Sample]", sample_type), _names(sample_type)
    inner = next(
        (each for each in fields if dataclasses.is_dataclass(_hints(sample_type)[each])), ""
    )
    parts = [(sample_type, ""), *([(_hints(sample_type)[inner], f"{inner}.")] if inner else [])]
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
                into[name] = value << 10 if type(value) is int else _of_kib(value, hint)
            else:
                into[name] = value if type(value) in scalars else _read(value, hint)
        if inner:
            given[inner] = cast("Callable[..., object]", parts[-1][0])(**nested)
        return make(**given)

    return read


_Reader: TypeAlias = tuple[int, str, bool, frozenset[type], bool, object]


def _readers(kind: type, prefix: str, names: tuple[str, ...]) -> list[_Reader]:
    """Return how the fields of a sample, or of the one within it, are read of a row."""
    hints = _hints(kind)
    found: list[_Reader] = []
    for place, name in enumerate(names):
        field = path_of(name)[len(prefix) :]
        if path_of(name).startswith(prefix) and field in _names(kind):
            hint = hints[field]
            in_kib = name.endswith(_KIB)
            found.append((place, field, bool(prefix), _scalars(hint), in_kib, hint))
    return found


def _defaults(kind: type, names: tuple[str, ...], prefix: str, besides: str) -> dict[str, object]:
    """Return what stands for the fields that a row does not have."""
    there = {path_of(name) for name in names}
    return {
        each.name: _missing(each, _hints(kind)[each.name])
        for each in dataclasses.fields(kind)
        if prefix + each.name not in there
        and each.name != besides
        and each.default is dataclasses.MISSING
    }


_hints: Callable[[type], dict[str, object]] = cache(get_type_hints)


@cache
def _options(hint: object) -> tuple[object, ...]:
    """Return the types that a hint allows."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


@cache
def _scalars(hint: object) -> frozenset[type]:
    """Return the types of JSON values that need no conversion."""
    found = {each for each in _options(hint) if each in (int, float, bool, str, type(None))}
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
    options = _options(hint)
    if Absent in options and (found := _absent(value)) is not _NOT_THIS:  # most often, of a row
        return found
    for option in options:
        found = _read_as(value, option)
        if found is not _NOT_THIS:
            return found
    raise BadRecord(f"no value for {hint}: {_short(value)}")


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
    raise UnknownRecord(_short(value))


def _short(value: Json) -> str:
    """Name a value: what lies in it may be as deep as Python can go."""
    return value[:40] if isinstance(value, str) else type(value).__name__


def _tuple(value: Json, option: object) -> object:
    if not isinstance(value, list):
        return _NOT_THIS
    (inner, *_) = get_args(option)
    return tuple(_read(each, inner) for each in value)
