"""Which functions of two profiles grew."""

from __future__ import annotations

from collections.abc import Sequence

from memtui.model import Profile, SampleValues
from memtui.plain import plain

MOST_NAMES = 3


def grown_functions(
    profiles: Sequence[tuple[float, Profile]], sample_type: str, *, by_cum: bool = False
) -> list[tuple[str, int]]:
    """Return the functions that grew most between the first and the last profile of a type.

    By their own value, or with all they called (``by_cum``), which leaves the runtime out: a
    goroutine that waits always ends in it. Largest growth first, names made safe to show.
    """
    found = [values for _, profile in profiles if (values := _of_type(profile, sample_type))]
    if len(found) < 2:
        return []
    before, after = (
        {each.name: each for each in values.functions} for values in (found[0], found[-1])
    )
    growths = []
    for name, now in after.items():
        if by_cum and name.startswith(("runtime.", "internal/", "sync.", "time.")):
            continue
        then = before.get(name)
        grown = (now.cum if by_cum else now.flat) - (
            0 if then is None else then.cum if by_cum else then.flat
        )
        if grown > 0:
            growths.append((plain(name), grown))
    return sorted(growths, key=lambda entry: -entry[1])[:MOST_NAMES]


def _of_type(profile: Profile, sample_type: str) -> SampleValues | None:
    return next((each for each in profile.values if each.type == sample_type), None)
