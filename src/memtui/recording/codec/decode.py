"""How a record is read again as the event that it was."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import cast

from memtui.model import Event, GcCycle, Profile, Sample
from memtui.parse.gctrace import trace_sample
from memtui.recording.codec.kinds import (
    FIELDS,
    KINDS,
    SOURCES,
    BadRecord,
    Fields,
    Json,
    UnknownRecord,
)
from memtui.recording.codec.rows import row_of
from memtui.recording.codec.values import named, object_of
from memtui.recording.container import LAST_MOMENT


def decode(record: Mapping[str, Json], fields: Fields = FIELDS) -> Event:
    """Return the event that a record says; ``fields`` are the names of the values of rows.

    Fields that this memtui does not know are passed over, missing ones get their default. Raises
    UnknownRecord for what a newer one wrote, BadRecord for what nobody can have written.
    """
    try:
        kind, at = record["k"], moment_of(record["t"])
        sample_type = KINDS[kind] if isinstance(kind, str) and kind in KINDS else None
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
        time_nanos=read.time_nanos,
        duration_nanos=read.duration_nanos,
        finalizing=read.finalizing,
    )
