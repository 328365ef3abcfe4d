"""A decoded profile: its stacks, what lies at each location, and what its head says.

What counts as 100 % of a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Labels = tuple[tuple[str, tuple[object, ...]], ...]
"""The labels of one sample in one order: equal labels are equal tuples."""


class StacksError(ValueError):
    """What was asked of a profile cannot be done; the message is one line and says why."""


class NoMatchError(StacksError):
    """No function has a name that matches."""


@dataclass(frozen=True, slots=True)
class SampleType:
    """What one column of values counts: ("inuse_space", "bytes")."""

    type: str
    unit: str


# Tables of a large profile have tens of thousands of these; a named tuple is made three times as
# fast as a dataclass.


class Binary(NamedTuple):
    """A file that was mapped into the process: its path, its build id, where it lay."""

    file: str
    build_id: str = ""
    start: int = 0
    limit: int = 0
    offset: int = 0


class Function(NamedTuple):
    """A function as its profile names it. ``file`` is a path; lines count from 1, 0 is unknown."""

    name: str
    system_name: str = ""
    file: str = ""
    start_line: int = 0


class Line(NamedTuple):
    """A place in the source of a function; line and column 0 are unknown."""

    function: Function
    line: int = 0
    column: int = 0


class Location(NamedTuple):
    """An address in a stack. With several lines the first was inlined into the second, and so on.

    Without a line nobody knows its function.
    """

    lines: tuple[Line, ...]
    address: int = 0
    binary: Binary | None = None
    folded: bool = False


class Sample(Protocol):
    """One stack: ids of locations, leaf first, and one value for each sample type.

    A message of protobuf looks like this, so that a large profile never becomes objects of ours.
    """

    @property
    def location_id(self) -> Sequence[int]:
        """The ids of its locations, leaf first."""

    @property
    def value(self) -> Sequence[int]:
        """One value for each sample type, in their order."""


class Stack(NamedTuple):
    """A sample that is not on the wire: made from text or from two profiles."""

    location_id: tuple[int, ...]
    value: tuple[int, ...]


class Totals(NamedTuple):
    """What counts as 100 %: an amount for each sample type, and what its mean divides by."""

    amounts: tuple[int, ...]
    divisors: tuple[int, ...]

    def of(self, column: int, *, mean: bool = False) -> int:
        """Return 100 % of a sample type, or of its mean."""
        divisor = self.divisors[column] if mean else 0
        return divide(self.amounts[column], divisor)


def divide(value: int, divisor: int) -> int:
    """Divide as Go does, towards zero; by 0 nothing is divided."""
    if not divisor:
        return value
    quotient = abs(value) // abs(divisor)
    return quotient if (value < 0) == (divisor < 0) else -quotient


@dataclass(frozen=True, slots=True)
class Stacks:
    """A decoded profile. Large ones stay as they came: each walk decodes the samples anew.

    ``samples`` starts a walk over all samples and ``labelled`` one over each sample with its
    labels; both raise ValueError in the middle when the profile turns out to be inconsistent.
    ``default_type`` is what the profile names, "" when it names none. ``whole`` is what counts as
    100 % when that is not every sample that is here: these stacks are a difference that is measured
    against its base, or were filtered. Times are in nanoseconds, 0 is unknown.
    """

    types: tuple[SampleType, ...]
    samples: Callable[[], Iterator[Sample]]
    labelled: Callable[[], Iterator[tuple[Sample, Labels]]]
    locations: Mapping[int, Location]
    default_type: str = ""
    main: Binary | None = None
    time_nanos: int = 0
    duration_nanos: int = 0
    period: int = 0
    period_type: SampleType = SampleType("", "")
    drop_frames: str = ""
    keep_frames: str = ""
    comments: tuple[str, ...] = ()
    doc_url: str = ""
    whole: Totals | None = None

    def index_of(self, wanted: str | None) -> int:
        """Return the column of a sample type, by name or number; None: the one to show first.

        That is the one the profile names, else the last (pprof, profile/index.go); a name may
        have "inuse_" before it. Raises StacksError.
        """
        names = [each.type for each in self.types]
        if not names:
            raise StacksError("the profile has no sample types")
        if not wanted:
            return names.index(self.default_type) if self.default_type in names else len(names) - 1
        if wanted.lstrip("+-").isascii() and wanted.lstrip("+-").isdigit():
            if not 0 <= int(wanted) < len(names):
                raise StacksError(f"sample type {wanted} is not one of 0 to {len(names) - 1}")
            return int(wanted)
        for index, name in enumerate(names):
            if name in (wanted, wanted.removeprefix("inuse_")):
                return index
        raise StacksError(f"no sample type {wanted}: it has {', '.join(names)}")


BASE_LABEL = "pprof::base"
"""The key that marks the samples of the base of a difference."""
_MARK: tuple[str, tuple[object, ...]] = (BASE_LABEL, ("true",))


def totals_of(stacks: Stacks) -> Totals:
    """Return what counts as 100 %: the amounts of all samples, or of the base where it has any.

    The base are the samples that a difference marked so (pprof, internal/report: computeTotal).
    """
    if stacks.whole is not None:
        return stacks.whole
    width = len(stacks.types)
    every, base = [0] * width, [0] * width
    divisor = base_divisor = 0
    for sample, labels in stacks.labelled():
        amounts = [abs(value) for value in sample.value]
        every = [one + more for one, more in zip(every, amounts, strict=True)]
        divisor += sample.value[0]
        if is_base(labels):
            base = [one + more for one, more in zip(base, amounts, strict=True)]
            base_divisor += sample.value[0]
    return Totals(
        tuple(own if own > 0 else all_ for own, all_ in zip(base, every, strict=True)),
        tuple(base_divisor if own > 0 else divisor for own in base),
    )


def mark_as_base(labels: Labels) -> Labels:
    """Return the labels of a sample of the base: with the mark."""
    others = [each for each in labels if each[0] != BASE_LABEL or not isinstance(each[1][0], str)]
    others.append(_MARK)
    return tuple(sorted(others, key=lambda each: (each[0], isinstance(each[1][0], tuple))))


def is_base(labels: Labels) -> bool:
    """Report whether a sample is of the base of a difference."""
    return _MARK in labels
