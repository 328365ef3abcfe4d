"""Filters a profile by frames and labels, and makes frames of labels, as pprof does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from memtui.pprof.frame_filters import (
    LinesAt,
    StackFilter,
    apply_filters,
    compile_pattern,
    drop_filters,
    frame_filters,
    name_filters,
)
from memtui.pprof.lens import Lens
from memtui.pprof.measure import label, scaled
from memtui.pprof.stacks import (
    Function,
    Labels,
    Line,
    Location,
    Sample,
    Stack,
    Stacks,
    StacksError,
    totals_of,
)

if TYPE_CHECKING:
    from memtui.pprof.pattern import Pattern


LabelTest: TypeAlias = Callable[[Labels], bool]
"""Returns whether the labels of a sample match a filter."""

_NUMBER = re.compile(r"([+-]?[0-9]+)([A-Za-z]+)?")
_IN_BYTES = ("alignment", "request")
_LIMIT = 1 << 63


def label_units(samples: Iterable[Labels]) -> dict[str, str]:
    """Return the unit of each numeric label: the first one that a sample has, else a default.

    The default is that of pprof (profile/profile.go: NumLabelUnits): "bytes" for two keys, else
    the key itself.
    """
    units: dict[str, str] = {}
    for labels in samples:
        for key, values in labels:
            for value in values:
                if isinstance(value, tuple) and not units.get(key):
                    units[key] = value[1]
    for key, unit in units.items():
        if not unit:
            units[key] = "bytes" if key in _IN_BYTES else key
    return units


def label_test(text: str, name: str, units: dict[str, str]) -> LabelTest | None:
    """Compile a label filter; None when it is empty (pprof, driver_focus.go).

    With the prefix ``KEY=`` it applies to one key. A range of numbers (``32kb``, ``:64kb``,
    ``4mb:``, ``12kb:64mb``) matches numeric labels. All else are patterns, separated by commas:
    without a key each must match a ``key:value``, with a key one of them must match a value.
    Raises StacksError.
    """
    if not text:
        return None
    key, equals, value = text.partition("=")
    only_key = key if equals else None
    value = value if equals else text
    if (in_range := _range_test(value, name)) is not None:
        return _number_test(in_range, only_key or None, units)
    return _text_test(value, only_key or None, name)


def _number_test(
    in_range: Callable[[int, str], bool], only_key: str | None, units: dict[str, str]
) -> LabelTest:
    def test(labels: Labels) -> bool:
        return any(
            isinstance(each, tuple) and in_range(each[0], units.get(key, ""))
            for key, values in labels
            if only_key in (None, key)
            for each in values
        )

    return test


def _text_test(value: str, only_key: str | None, name: str) -> LabelTest:
    from memtui.pprof.pattern import compile_go_pattern

    # An empty pattern matches everything.
    patterns = [compile_go_pattern(each or "(?:)", name) for each in value.split(",")]
    searches = [each.search for each in patterns if each is not None]

    def test_all(labels: Labels) -> bool:
        texts = [f"{key}:{each}" for key, values in labels for each in values if _is_text(each)]
        return all(any(map(search, texts)) for search in searches)

    def test_key(labels: Labels) -> bool:
        return any(
            search(str(each))
            for key, values in labels
            if key == only_key
            for each in values
            if _is_text(each)
            for search in searches
        )

    return test_all if only_key is None else test_key


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _range_test(text: str, name: str) -> Callable[[int, str], bool] | None:
    """Return a test for a range of numbers; None if the text is not a range."""
    found = list(_NUMBER.finditer(text))[:2]
    if not found:
        return None
    numbers = [int(each[1]) for each in found]
    if not all(-_LIMIT <= number < _LIMIT for number in numbers):
        raise StacksError(f"{name}: a number is larger than 64 bits: {text}")
    low, unit = scaled(numbers[0], found[0][2] or "", found[0][2] or "")
    high = low
    if len(found) == 2:
        if text != f"{found[0][0]}:{found[1][0]}":
            return None
        high, other = scaled(numbers[1], found[1][2] or "", unit)
        if other != unit:
            return None
    elif text == f"{found[0][0]}:":
        high = float("inf")
    elif text == f":{found[0][0]}":
        low = float("-inf")
    elif text != found[0][0]:
        return None

    def in_range(value: int, value_unit: str) -> bool:
        amount, written = scaled(value, value_unit, unit)
        return written == unit and low <= amount <= high

    return in_range


def label_texts(labels: Labels, only_key: str, unit: str) -> list[str]:
    """Return the values of one key as tagroot writes them, numbers in ``unit``.

    If the numbers have no unit in the profile they are not scaled (pprof, tagroot.go).
    """
    texts: list[str] = []
    numbers: list[tuple[int, str]] = []
    for key, values in labels:
        if key == only_key:
            texts += [each for each in values if isinstance(each, str)]
            numbers += [each for each in values if isinstance(each, tuple)]
    has_unit = any(each[1] for each in numbers)
    return texts + [
        label(number, own, unit) if has_unit else label(number, "", "") for number, own in numbers
    ]


class Filtered(NamedTuple):
    """A filtered profile, and the lens for it, which has no filters.

    ``unmatched`` are the options that matched nothing, in pprof's spelling ("TagFocus").
    ``units`` are the units of numeric labels by key.
    """

    stacks: Stacks
    lens: Lens
    unmatched: tuple[str, ...]
    units: dict[str, str]


def prefilter(stacks: Stacks, lens: Lens) -> tuple[Stacks, Lens, tuple[str, ...]]:
    """Return a profile, a lens, and the unmatched options, with the label filters applied.

    Frame filters stay in the lens, unless percentages are relative to them: they are applied while
    values are added up. Raises StacksError.
    """
    if not (lens.has_label_options or (lens.relative_percentages and lens.filters)):
        return stacks, lens, ()
    done = filter_profile(stacks, lens)
    return done.stacks, done.lens, done.unmatched


def without_inlines(stacks: Stacks) -> Stacks:
    """Return a profile in which inlined functions count as part of their callers."""
    locations = {
        id_: each._replace(lines=tuple(Line(line.function, line.line) for line in each.lines[-1:]))
        for id_, each in stacks.locations.items()
    }
    return replace(stacks, locations=locations)


def unmatched(stacks: Stacks, lens: Lens) -> tuple[str, ...]:
    """Return the options that match nothing, in pprof's spelling. Raises StacksError."""
    if not (lens.filters or lens.tagroot or lens.tagleaf):
        return ()
    if lens.has_label_options:
        return filter_profile(stacks, lens).unmatched
    return frame_filters(
        stacks, {id_: each.lines for id_, each in stacks.locations.items()}, lens
    ).unmatched


def filter_profile(stacks: Stacks, lens: Lens) -> Filtered:
    """Apply all filters in pprof's order (internal/driver/driver.go: generateRawReport).

    100 % stays that of the whole profile, unless percentages are relative. Raises StacksError.
    """
    different = dict.fromkeys(labels for _, labels in stacks.labelled())
    units = label_units(different)
    added = _LabelFrames(stacks, lens)
    frames_of = {labels: added.around(labels) for labels in different}
    locations = dict(stacks.locations) | added.locations
    at: LinesAt = {id_: location.lines for id_, location in stacks.locations.items()}
    prune = tuple(drop_filters(stacks, at))
    at |= {id_: location.lines for id_, location in added.locations.items()}
    names = name_filters(replace(stacks, locations=locations), at, lens)
    label_filters = _LabelFilters.of_lens(lens, units)

    filter_stack = partial(_filter_stack, prune, names.stack_filters, frames_of)

    def walk() -> Iterator[tuple[Sample, Labels]]:
        for sample, labels in stacks.labelled():
            ids = filter_stack(sample, labels)
            if ids is not None and label_filters.keeps(labels):
                yield Stack(tuple(ids), tuple(sample.value)), label_filters.shown(labels)

    result = replace(
        stacks,
        samples=lambda: (sample for sample, _ in walk()),
        labelled=walk,
        locations={id_: each._replace(lines=at[id_]) for id_, each in locations.items()},
        drop_frames="",
        keep_frames="",
        totals=None if lens.relative_percentages else totals_of(stacks),
    )
    if lens.relative_percentages:
        result = replace(result, totals=totals_of(result))
    missing = added.unmatched(different) + names.unmatched
    if label_filters.any:
        missing += label_filters.unmatched(_labels_left(stacks, filter_stack))
    return Filtered(result, lens.unfiltered, missing, units)


_FramesOfLabels = dict[Labels, tuple[list[int], list[int]]]
"""For each set of labels the locations made of it: below the leaf, and above the root."""


def _filter_stack(
    prune: Sequence[StackFilter],
    names: Sequence[StackFilter],
    frames_of: _FramesOfLabels,
    sample: Sample,
    labels: Labels,
) -> Sequence[int] | None:
    """Return the rest of a stack, with the frames of its labels; None if it is dropped."""
    ids = apply_filters(prune, sample.location_id[:])
    if ids is None:
        return None
    leaves, roots = frames_of[labels]
    return apply_filters(names, [*leaves, *ids, *roots])


def _labels_left(
    stacks: Stacks, filter_stack: Callable[[Sample, Labels], Sequence[int] | None]
) -> dict[Labels, None]:
    """Return the labels of the samples that the frame filters leave, in their order."""
    remaining: dict[Labels, None] = {}
    for sample, labels in stacks.labelled():
        if labels not in remaining and filter_stack(sample, labels) is not None:
            remaining[labels] = None
    return remaining


class _LabelFrames:
    """Makes frames of labels: above the root, the first key outermost, or below the leaf.

    A sample without the key gets a frame without a name (pprof, internal/driver/tagroot.go).
    """

    def __init__(self, stacks: Stacks, lens: Lens) -> None:
        self.locations: dict[int, Location] = {}
        self._roots = [key for key in lens.tagroot.split(",") if key]
        self._leaves = [key for key in lens.tagleaf.split(",") if key]
        self._lens = lens
        self._next = max(stacks.locations, default=0) + 1
        self._ids: dict[tuple[str, str], int] = {}

    def around(self, labels: Labels) -> tuple[list[int], list[int]]:
        """Return the location ids for these labels: below the leaf, and above the root."""
        leaves = [self._id(labels, key) for key in reversed(self._leaves)]
        return leaves, [self._id(labels, key) for key in reversed(self._roots)]

    def unmatched(self, different: Iterable[Labels]) -> tuple[str, ...]:
        """Return which of tagroot and tagleaf no sample has a label for."""
        keys = {key for labels in different for key, _ in labels}
        options = (
            ("TagRoot", self._lens.tagroot, self._roots),
            ("TagLeaf", self._lens.tagleaf, self._leaves),
        )
        return tuple(name for name, text, each in options if text and keys.isdisjoint(each))

    def _id(self, labels: Labels, key: str) -> int:
        name = ",".join(label_texts(labels, key, self._lens.unit))
        if (id_ := self._ids.get((name, key))) is None:
            id_ = self._ids[name, key] = self._next
            self._next += 1
            self.locations[id_] = Location((Line(Function(name, file=key)),))
        return id_


@dataclass(frozen=True, slots=True)
class _LabelFilters:
    """The label filters: which samples are kept, and which of their labels."""

    focus: LabelTest | None
    ignore: LabelTest | None
    show: Pattern | None
    hide: Pattern | None

    @classmethod
    def of_lens(cls, lens: Lens, units: dict[str, str]) -> _LabelFilters:
        """Compile the label filters of a lens; raises StacksError."""
        return cls(
            label_test(lens.tagfocus, "tagfocus", units),
            label_test(lens.tagignore, "tagignore", units),
            compile_pattern(lens.tagshow, "tagshow"),
            compile_pattern(lens.taghide, "taghide"),
        )

    @property
    def any(self) -> bool:
        """Whether there is any filter."""
        return any((self.focus, self.ignore, self.show, self.hide))

    def keeps(self, labels: Labels) -> bool:
        """Return whether a sample with these labels is kept."""
        if self.focus and not self.focus(labels):
            return False
        return not (self.ignore and self.ignore(labels))

    def shown(self, labels: Labels) -> Labels:
        """Return the labels to show."""
        if not (self.show or self.hide):
            return labels
        return tuple(
            each
            for each in labels
            if not (self.show and not self.show.search(each[0]))
            and not (self.hide and self.hide.search(each[0]))
        )

    def unmatched(self, remaining: Iterable[Labels]) -> tuple[str, ...]:
        """Return the options that match none of the labels that the frame filters leave."""
        remaining = list(remaining)
        keys = {key for labels in remaining if self.keeps(labels) for key, _ in labels}
        found = (
            ("TagFocus", self.focus and not any(map(self.focus, remaining))),
            ("TagIgnore", self.ignore and not any(map(self.ignore, remaining))),
            ("TagShow", self.show and not any(map(self.show.search, keys))),
            ("TagHide", self.hide and not any(map(self.hide.search, keys))),
        )
        return tuple(name for name, is_unmatched in found if is_unmatched)
