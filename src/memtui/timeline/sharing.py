"""Shares equal values between consecutive samples, which saves memory."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import TypeVar

from memtui.model import FunctionValue, Profile, SampleValues

S = TypeVar("S", bound=Hashable)


def share_values(sample: S, before: S) -> S:
    """Return an equal sample that reuses the objects of ``before`` where they are equal.

    Most numbers of a process that is read each second do not change, but each reading creates new
    objects of 32 bytes. Shared, an hour of samples takes half the memory.
    """
    if type(sample) is not type(before):
        return sample
    changes: dict[str, object] = {}
    for name in _field_names(type(sample)):
        new, old = getattr(sample, name), getattr(before, name)
        if new is old:
            continue
        if new == old and type(new) is type(old):
            changes[name] = old
        elif is_dataclass(new) and (shared := share_values(new, old)) is not new:
            changes[name] = shared
    if not changes:
        return sample
    return replace(sample, **changes)  # type: ignore[type-var]


def share_functions(profile: Profile, before: Profile) -> Profile:
    """Return an equal profile that reuses the unchanged functions of ``before``.

    Consecutive heap profiles have the same few hundred names, and mostly the same values.
    """
    pairs = zip(profile.values, before.values, strict=False)
    shared = tuple(_share_values_of(values, old) for values, old in pairs)
    return replace(profile, values=(*shared, *profile.values[len(shared) :]))


def _share_values_of(values: SampleValues, before: SampleValues) -> SampleValues:
    known = {each.name: each for each in before.functions}
    return replace(
        values,
        functions=tuple(_share_function(each, known.get(each.name)) for each in values.functions),
    )


def _share_function(function: FunctionValue, old: FunctionValue | None) -> FunctionValue:
    if old is None or function == old:
        return old or function
    return replace(function, name=old.name)


@lru_cache(64)
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))
