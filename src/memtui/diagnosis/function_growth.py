"""Compares two profiles by function, and attributes heap growth to functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from memtui.model import FunctionValue, Profile, SampleValues
from memtui.sanitize import plain

MOST_NAMES = 3
ITSELF_SHARE = 0.1
"""A caller is reported when its flat growth is at least this share of the growth."""


@dataclass(frozen=True, slots=True)
class FunctionGrowth:
    """The values of a function in two profiles, in the unit of their sample type.

    ``flat`` is its own value, ``cum`` includes its callees. ``name`` is as in the profile.
    """

    name: str
    flat_before: int
    flat: int
    cum_before: int
    cum: int

    @property
    def growth(self) -> int:
        """The growth of ``flat``; negative if it shrank."""
        return self.flat - self.flat_before

    @property
    def cum_growth(self) -> int:
        """The growth of ``cum``."""
        return self.cum - self.cum_before


class Valued(Protocol):
    """A function of a profile with its values: a row of a report, or a value of a sample."""

    @property
    def name(self) -> str:
        """The name as in the profile."""

    @property
    def flat(self) -> int:
        """The value of the function itself."""

    @property
    def cum(self) -> int:
        """The value with its callees."""


def compare_functions(before: Iterable[Valued], after: Iterable[Valued]) -> list[FunctionGrowth]:
    """Return the growth of all functions of two profiles, largest flat growth first."""
    none = FunctionValue("", 0, 0)
    then: dict[str, Valued] = {each.name: each for each in before}
    now: dict[str, Valued] = {each.name: each for each in after}
    found = []
    for name in then | now:
        old, new = then.get(name, none), now.get(name, none)
        found.append(FunctionGrowth(name, old.flat, new.flat, old.cum, new.cum))
    return sorted(found, key=lambda each: (-each.growth, -each.cum_growth))


def grown_functions(
    profiles: Sequence[tuple[float, Profile]], sample_type: str, *, by_cum: bool = False
) -> list[tuple[str, int]]:
    """Return the functions that grew most between the first and the last profile of a type.

    The growth includes allocations of runtime functions on their behalf (bytes of a string builder
    are those of internal/bytealg.MakeNoZero). ``by_cum`` ranks by cumulative value without runtime
    functions: a waiting goroutine is always in the runtime. Largest growth first; names are safe to
    print.
    """
    found = [values for _, profile in profiles if (values := values_of_type(profile, sample_type))]
    if len(found) < 2:
        return []
    grown = compare_functions(found[0].functions, found[-1].functions)
    rising = _callers(grown) if by_cum else _allocating(grown)
    ranked = sorted(rising, key=lambda entry: -entry[1])
    return [(plain(name), growth) for name, growth in ranked[:MOST_NAMES]]


def _callers(grown: Sequence[FunctionGrowth]) -> list[tuple[str, int]]:
    return [
        (each.name, each.cum_growth)
        for each in grown
        if each.cum_growth > 0
        and not is_of_runtime(each.name)
        and not each.name.startswith(LOW_LEVEL)
    ]


def _allocating(grown: Sequence[FunctionGrowth]) -> list[tuple[str, int]]:
    """Return the allocating functions: callers in place of the runtime, if they allocate too."""
    rising = [each for each in grown if each.growth > 0]
    total = sum(each.growth for each in rising)
    of_runtime = sum(each.growth for each in rising if is_of_runtime(each.name))
    own = [each for each in rising if not is_of_runtime(each.name)]
    if of_runtime <= ITSELF_SHARE * total or not own:
        return [(each.name, each.growth) for each in rising]
    # Use cumulative values: flat values do not show the callers of the runtime.
    callers = [each for each in own if each.growth >= ITSELF_SHARE * total]
    return [(each.name, each.cum_growth) for each in callers or own]


def largest_function(profiles: Sequence[tuple[float, Profile]]) -> tuple[str, float] | None:
    """Return the function with the largest value in the last heap profile, and its share (0–1)."""
    found = [
        values for _, profile in profiles if (values := values_of_type(profile, "inuse_space"))
    ]
    held = [each for each in found[-1].functions if each.flat > 0] if found else []
    if not held:
        return None
    top = max(held, key=lambda each: each.flat)
    return plain(top.name), top.flat / max(1, sum(each.flat for each in held))


def are_held_by_goroutines(profiles: Sequence[tuple[float, Profile]]) -> bool | None:
    """Return whether the new goroutines allocated the growth of the heap.

    They did if a function that allocated much of it is one of their frames, or in the package of
    one. Package main does not count: it may contain the whole program. None without two profiles of
    each kind.
    """
    heap, waiting = _growths(profiles, "inuse_space"), _growths(profiles, "goroutine")
    if not heap or not waiting:
        return None
    allocated = [each for each in heap if each.growth > 0]
    total = sum(each.growth for each in allocated)
    most = [each.name for each in allocated if each.growth >= MOST_SHARE * total]
    frames = {each.name for each in waiting if each.cum_growth > 0}
    packages = {_package(name) for name in frames} - {"main", "runtime"}
    return any(name in frames or _package(name) in packages for name in most)


MOST_SHARE = 0.25


def _growths(profiles: Sequence[tuple[float, Profile]], sample_type: str) -> list[FunctionGrowth]:
    found = [values for _, profile in profiles if (values := values_of_type(profile, sample_type))]
    return compare_functions(found[0].functions, found[-1].functions) if len(found) > 1 else []


def _package(name: str) -> str:
    """Return the package of a function: net/http of net/http.(*conn).serve."""
    folder, slash, rest = name.rpartition("/")
    return folder + slash + rest.partition(".")[0]


LOW_LEVEL = ("bufio.", "io.", "net.", "crypto/tls.", "syscall.", "os.", "context.")
"""Packages that do not show why a goroutine waits."""


def is_of_runtime(name: str) -> bool:
    """Return whether a function is in the runtime or a basic package where goroutines wait."""
    return name.startswith(("runtime.", "internal/", "sync.", "time."))


def values_of_type(profile: Profile, sample_type: str) -> SampleValues | None:
    """Return the values of one sample type of a profile; None if it has no such type."""
    return next((each for each in profile.values if each.type == sample_type), None)
