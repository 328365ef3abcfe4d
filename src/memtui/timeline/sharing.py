"""Samples that have in common what did not change from one to the next."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import TypeVar

S = TypeVar("S", bound=Hashable)


def sharing(sample: S, before: S) -> S:
    """Return an equal sample made of the objects of ``before``, where those are equal.

    Of a process that is read each second most numbers stay, but each time they are read they are
    new objects of 32 bytes: shared, an hour of samples takes half of the memory.
    """
    if type(sample) is not type(before):
        return sample
    changes: dict[str, object] = {}
    for name in _names(type(sample)):
        new, old = getattr(sample, name), getattr(before, name)
        if new is old:
            continue
        if new == old and type(new) is type(old):
            changes[name] = old
        elif is_dataclass(new) and (shared := sharing(new, old)) is not new:
            changes[name] = shared
    if not changes:
        return sample
    return replace(sample, **changes)  # type: ignore[type-var]


@lru_cache(64)
def _names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))
