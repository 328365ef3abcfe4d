"""The kinds of records, which sample each is, and the names of the values of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from memtui.model import KINDS, GcCycle, Sample, ScavengeLine

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


class BadRecord(ValueError):  # noqa: N818 - it says what happened
    """A record that says something impossible: its line is damaged, or was forged."""


class UnknownRecord(ValueError):  # noqa: N818 - it says what happened
    """A record of a kind, or with a word, that only a newer memtui knows: it is passed over."""


FIELDS: Fields = {kind.name: kind.fields for kind in KINDS if kind.fields}
"""The kinds that are rows, and the names of their values as they are written now."""

KIB = "_kib"
BYTES = "_bytes"


def path_of(name: str) -> str:
    """Return the path of the field of the model that a name of a row stands for."""
    return name.removesuffix(KIB) + BYTES if name.endswith(KIB) else name
