"""A decoded profile: its samples, its locations, and the values that are its 100 %."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Labels = tuple[tuple[str, tuple[object, ...]], ...]
"""The labels of one sample, sorted: equal labels are equal tuples."""


class StacksError(ValueError):
    """A report cannot be made; the message is one line."""


class NoMatchError(StacksError):
    """No function matches the pattern."""


@dataclass(frozen=True, slots=True)
class SampleType:
    """The type and unit of one column of values: ("inuse_space", "bytes")."""

    type: str
    unit: str


# A large profile has tens of thousands of the following: a named tuple is created three times as
# fast as a dataclass.


class Binary(NamedTuple):
    """A file that was mapped into the process: path, build id, and addresses."""

    file: str
    build_id: str = ""
    start: int = 0
    limit: int = 0
    offset: int = 0


class Function(NamedTuple):
    """A function. ``file`` is a path; lines count from 1, 0 is unknown."""

    name: str
    system_name: str = ""
    file: str = ""
    start_line: int = 0


class Line(NamedTuple):
    """A source line in a function; line and column 0 are unknown."""

    function: Function
    line: int = 0
    column: int = 0


class Location(NamedTuple):
    """An address in a stack.

    With several lines the first was inlined into the second, and so on; without a line the
    function is unknown.
    """

    lines: tuple[Line, ...]
    address: int = 0
    binary: Binary | None = None
    folded: bool = False


class Sample(Protocol):
    """One stack: location ids, leaf first, and one value for each sample type.

    A protobuf message has this interface, so that large profiles need no conversion.
    """

    @property
    def location_id(self) -> Sequence[int]:
        """The location ids, leaf first."""

    @property
    def value(self) -> Sequence[int]:
        """One value for each sample type, in the order of the types."""


class Stack(NamedTuple):
    """A sample that is not a protobuf message: from text, or from merged profiles."""

    location_id: tuple[int, ...]
    value: tuple[int, ...]


class Totals(NamedTuple):
    """100 % of each sample type, and the divisor of its mean."""

    amounts: tuple[int, ...]
    divisors: tuple[int, ...]

    def of(self, column: int, *, mean: bool = False) -> int:
        """Return 100 % of a sample type, or of its mean."""
        divisor = self.divisors[column] if mean else 0
        return divide(self.amounts[column], divisor)


def divide(value: int, divisor: int) -> int:
    """Return the quotient rounded towards zero, as in Go; the value itself if the divisor is 0."""
    if not divisor:
        return value
    quotient = abs(value) // abs(divisor)
    return quotient if (value < 0) == (divisor < 0) else -quotient


@dataclass(frozen=True, slots=True)
class Stacks:
    """A decoded profile. Samples stay packed: each walk over them decodes them again.

    ``samples`` returns an iterator over the samples, ``labelled`` one over samples with their
    labels; both raise ValueError at an inconsistent sample. ``default_type`` is the sample type
    that the profile names as its default, "" if none. ``totals`` are the values that count as
    100 %, None for the sum of all samples; a filtered profile keeps its 100 %, and a difference
    may have that of its base. Times are in nanoseconds, 0 is unknown.
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
    totals: Totals | None = None

    def index_of(self, name: str | None) -> int:
        """Return the column of a sample type, by name or number; None is the default type.

        The default is the one that the profile names, else the last (pprof, profile/index.go); a
        name may have the prefix "inuse_". Raises StacksError.
        """
        names = [each.type for each in self.types]
        if not names:
            raise StacksError("the profile has no sample types")
        if not name:
            return names.index(self.default_type) if self.default_type in names else len(names) - 1
        if name.lstrip("+-").isascii() and name.lstrip("+-").isdigit():
            if not 0 <= int(name) < len(names):
                raise StacksError(f"sample type {name} is not one of 0 to {len(names) - 1}")
            return int(name)
        for column, type_name in enumerate(names):
            if type_name in (name, name.removeprefix("inuse_")):
                return column
        raise StacksError(f"no sample type {name}: the profile has {', '.join(names)}")


BASE_LABEL = "pprof::base"
"""The label of the samples that a difference took from its base."""
_MARK: tuple[str, tuple[object, ...]] = (BASE_LABEL, ("true",))


def totals_of(stacks: Stacks) -> Totals:
    """Return what counts as 100 %: the amounts of all samples, or of those of the base if any.

    Samples of the base are marked by a label (pprof, internal/report: computeTotal).
    """
    if stacks.totals is not None:
        return stacks.totals
    width = len(stacks.types)
    all_, base = [0] * width, [0] * width
    divisor = base_divisor = 0
    for sample, labels in stacks.labelled():
        amounts = [abs(value) for value in sample.value]
        all_ = [sum_ + amount for sum_, amount in zip(all_, amounts, strict=True)]
        divisor += sample.value[0]
        if is_base(labels):
            base = [sum_ + amount for sum_, amount in zip(base, amounts, strict=True)]
            base_divisor += sample.value[0]
    return Totals(
        tuple(own or other for own, other in zip(base, all_, strict=True)),
        tuple(base_divisor if own > 0 else divisor for own in base),
    )


def mark_as_base(labels: Labels) -> Labels:
    """Return the labels of a sample with the mark of a base."""
    others = [each for each in labels if each[0] != BASE_LABEL or not isinstance(each[1][0], str)]
    others.append(_MARK)
    return tuple(sorted(others, key=lambda each: (each[0], isinstance(each[1][0], tuple))))


def is_base(labels: Labels) -> bool:
    """Report whether a sample comes from the base of a difference."""
    return _MARK in labels
