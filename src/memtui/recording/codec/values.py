"""How values of the model are read of JSON, by the types of their fields."""

from __future__ import annotations

import base64
import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Literal, Union, cast, get_args, get_origin

from memtui.model import Absent
from memtui.recording.codec.encode import hints_of
from memtui.recording.codec.kinds import EXACT, BadRecord, Json, UnknownRecord


@cache
def _options(hint: object) -> tuple[object, ...]:
    """Return the types that a hint allows."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


@cache
def scalars_of(hint: object) -> frozenset[type]:
    """Return the types of JSON values that need no conversion."""
    found = {each for each in _options(hint) if each in (int, float, bool, str, type(None))}
    if float in found:
        found.add(int)
    return frozenset(cast("set[type]", found))


def object_of(kind: type, record: Mapping[str, Json]) -> object:
    """Return a dataclass from an object: unknown names are passed over, missing ones defaulted."""
    hints = hints_of(kind)
    given: dict[str, object] = {}
    for each in dataclasses.fields(kind):
        if each.name in record:
            value = record[each.name]
            given[each.name] = (
                value
                if type(value) in scalars_of(hints[each.name])
                else value_of(value, hints[each.name])
            )
        elif each.default is dataclasses.MISSING:
            given[each.name] = default_of(each, hints[each.name])
    return kind(**given)


def default_of(each: dataclasses.Field[object], hint: object) -> object:
    """Return what stands for a value that an older memtui did not write."""
    options = get_args(hint)
    if Absent in options:
        return Absent.NOT_REPORTED
    if type(None) in options:
        return None
    raise BadRecord(f"{each.name} is missing")


def value_of(value: Json, hint: object) -> object:
    """Return the value of the model that JSON stands for; raise BadRecord, UnknownRecord."""
    options = _options(hint)
    if Absent in options and (found := _absent(value)) is not _NOT_THIS:  # most often, of a row
        return found
    for option in options:
        found = _read_as(value, option)
        if found is not _NOT_THIS:
            return found
    raise BadRecord(f"no value for {hint}: {named(value)}")


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
        return object_of(option, value) if isinstance(value, dict) else _NOT_THIS
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
    # A reason that only a newer memtui knows is still a reason.
    return Absent[name] if name in Absent.__members__ else Absent.NOT_REPORTED


def _enum(value: Json, option: type[Enum]) -> object:
    if not isinstance(value, str):
        return _NOT_THIS
    return option[value] if value in option.__members__ else _unknown(value)


def _unknown(value: Json) -> object:
    raise UnknownRecord(named(value))


def named(value: Json) -> str:
    """Name a value: what lies in it may be as deep as Python can go."""
    return value[:40] if isinstance(value, str) else type(value).__name__


def _tuple(value: Json, option: object) -> object:
    if not isinstance(value, list):
        return _NOT_THIS
    (inner, *_) = get_args(option)
    return tuple(value_of(each, inner) for each in value)


def of_kib(value: Json, hint: object) -> object:
    """Return the bytes of a size in KiB."""
    if type(value) is int:
        return value << 10
    if type(value) is float and value.is_integer() is False and abs(value) < EXACT:
        return int(value * 1024)
    if isinstance(value, dict) and type(value.get("bytes")) is int:
        return value["bytes"]
    if value is None or isinstance(value, dict):
        return value_of(value, hint)
    raise BadRecord("a size is a number")
