"""Events as other programs want them: a flat object each, with sizes in bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias

from memtui.model import Absent, Event, MappingSample, Profile, moment_of
from memtui.recording.codec import NAMES
from memtui.recording.container import Gap

Value: TypeAlias = "bool | int | float | str | list[Value] | Mapping[str, Value] | None"

FREQUENT = frozenset({"process", "runtime", "mapping"})
"""Kinds that are thinned out where a row is wanted each so many seconds."""


def moment(at: float) -> str:
    """Return a moment as RFC 3339 has it, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def flat(event: Event) -> dict[str, Value]:
    """Return an event as an object; what is not known is null. A profile comes without its bytes.

    A trace line has its fields and the line itself.
    """
    sample = event.sample
    found: dict[str, Value] = {
        "kind": NAMES[type(sample)],
        "time": moment(event.at),
        "source": event.source,
    }
    if isinstance(sample, MappingSample):
        fields = [*dataclasses.fields(sample.resident)]
        found |= {each.name: _plain(getattr(sample.resident, each.name)) for each in fields}
        found["took_s"] = sample.took_s
    elif isinstance(sample, Profile):
        found |= _profile(sample)
    else:
        names = [each.name for each in dataclasses.fields(sample)]
        found |= {name: _plain(getattr(sample, name)) for name in names}
    return found


def _profile(profile: Profile) -> dict[str, Value]:
    dated = moment_of(profile, 0.0)
    return {
        "profile": profile.kind,
        "where": profile.where,
        "size_bytes": profile.size_bytes,
        "took_s": profile.took_s,
        "gc_number": profile.gc_number,
        "profile_time": moment(dated.at) if dated.is_own else None,
        "duration_s": profile.duration_nanos / 1e9 or None,
        "totals": {f"{each.type}_{each.unit}": each.total for each in profile.values},
    }


def flat_gap(gap: Gap) -> dict[str, Value]:
    """Return a gap as an object of the same kind."""
    return {
        "kind": "gap",
        "time": moment(gap.start),
        "until": moment(gap.end),
        "reason": gap.reason,
    }


def _plain(value: object) -> Value:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Absent):
        return None
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return None


class Thinning:
    """Lets one event of a frequent kind through in each so many seconds, and all others."""

    def __init__(self, every_s: float | None) -> None:
        self._every_s = every_s
        self._next: dict[str, float] = {}

    def takes(self, event: Event) -> bool:
        """Tell whether an event is to be written."""
        kind = NAMES[type(event.sample)]
        if self._every_s is None or kind not in FREQUENT:
            return True
        if event.at < self._next.get(kind, 0.0):
            return False
        self._next[kind] = (event.at // self._every_s + 1) * self._every_s
        return True
