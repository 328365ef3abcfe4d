"""A profile after its filters: stacks cut, samples chosen by labels, labels as frames.

Labels of samples: the filters that ask for them, their units, and how they are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
"""Reports whether the labels of a sample match a filter."""

_NUMBER = re.compile(r"([+-]?[0-9]+)([A-Za-z]+)?")
_IN_BYTES = ("alignment", "request")
_LIMIT = 1 << 63


def label_units(samples: Iterable[Labels]) -> dict[str, str]:
    """Return the unit of each numeric label: the first that a sample gives, else one by its key.

    As pprof infers it (profile/profile.go: NumLabelUnits): "bytes" for two keys, else the key.
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
    """Compile a filter of labels, None when it is empty (pprof, driver_focus.go).

    ``KEY=`` before it asks for one key. A range of numbers (``32kb``, ``:64kb``, ``4mb:``,
    ``12kb:64mb``) asks for numeric labels; else it is patterns with commas between them, all of
    which must match a ``key:value``, or with a key any of them a value. Raises StacksError.
    """
    if not text:
        return None
    key, equals, value = text.partition("=")
    wanted = key if equals else None
    value = value if equals else text
    if (within := _range_test(value, name)) is not None:
        return _number_test(within, wanted or None, units)
    return _text_test(value, wanted or None, name)


def _number_test(
    within: Callable[[int, str], bool], wanted: str | None, units: dict[str, str]
) -> LabelTest:
    def test(labels: Labels) -> bool:
        return any(
            isinstance(each, tuple) and within(each[0], units.get(key, ""))
            for key, values in labels
            if wanted in (None, key)
            for each in values
        )

    return test


def _text_test(value: str, wanted: str | None, name: str) -> LabelTest:
    from memtui.pprof.pattern import compile_go_pattern

    # An empty pattern matches everything.
    patterns = [compile_go_pattern(each or "(?:)", name) for each in value.split(",")]
    searches = [each.search for each in patterns if each is not None]

    def test_all(labels: Labels) -> bool:
        said = [f"{key}:{each}" for key, values in labels for each in values if _is_text(each)]
        return all(any(map(search, said)) for search in searches)

    def test_key(labels: Labels) -> bool:
        return any(
            search(str(each))
            for key, values in labels
            if key == wanted
            for each in values
            if _is_text(each)
            for search in searches
        )

    return test_all if wanted is None else test_key


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _range_test(text: str, name: str) -> Callable[[int, str], bool] | None:
    """Return a test for numbers in a range, None when the text is none."""
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

    def within(value: int, value_unit: str) -> bool:
        amount, written = scaled(value, value_unit, unit)
        return written == unit and low <= amount <= high

    return within


def label_texts(labels: Labels, wanted: str, unit: str) -> list[str]:
    """Return the values of one key as tagroot writes them, numbers in ``unit`` where they have one.

    Without any unit in the profile a number stays as it is (pprof, tagroot.go).
    """
    texts: list[str] = []
    numbers: list[tuple[int, str]] = []
    for key, values in labels:
        if key == wanted:
            texts += [each for each in values if isinstance(each, str)]
            numbers += [each for each in values if isinstance(each, tuple)]
    has_unit = any(each[1] for each in numbers)
    return texts + [
        label(number, own, unit) if has_unit else label(number, "", "") for number, own in numbers
    ]


class Filtered(NamedTuple):
    """What is left of a profile, and a lens for it that filters no more.

    ``unmatched`` are the options that matched nothing, as pprof writes them ("TagFocus").
    ``units`` are the units of numeric labels by key.
    """

    stacks: Stacks
    lens: Lens
    unmatched: tuple[str, ...]
    units: dict[str, str]


def prefilter(stacks: Stacks, lens: Lens) -> tuple[Stacks, Lens, tuple[str, ...]]:
    """Return what a report is made of: filtered already where labels or 100 % are asked for.

    Other filters are left to the lens, which applies them in the walk that adds up. The last is
    what ``Filtered`` has as ``unmatched``. Raises StacksError.
    """
    if not (lens.has_label_options or (lens.relative_percentages and lens.filters)):
        return stacks, lens, ()
    done = filter_profile(stacks, lens)
    return done.stacks, done.lens, done.unmatched


def without_inlines(stacks: Stacks) -> Stacks:
    """Return a profile in which inlined functions are part of their callers."""
    locations = {
        id_: each._replace(lines=tuple(Line(line.function, line.line) for line in each.lines[-1:]))
        for id_, each in stacks.locations.items()
    }
    return replace(stacks, locations=locations)


def unmatched(stacks: Stacks, lens: Lens) -> tuple[str, ...]:
    """Return the options of a lens that match nothing, as pprof writes them. Raises StacksError."""
    if not (lens.filters or lens.tagroot or lens.tagleaf):
        return ()
    if lens.has_label_options:
        return filter_profile(stacks, lens).unmatched
    return frame_filters(
        stacks, {id_: each.lines for id_, each in stacks.locations.items()}, lens
    ).unmatched


def filter_profile(stacks: Stacks, lens: Lens) -> Filtered:
    """Apply all filters in pprof's order (internal/driver/driver.go: generateRawReport).

    100 % stays what it was before, unless the lens wants relative percentages. Raises StacksError.
    """
    different = dict.fromkeys(labels for _, labels in stacks.labelled())
    units = label_units(different)
    added = _LabelFrames(stacks, lens)
    ways = {labels: added.around(labels) for labels in different}
    locations = dict(stacks.locations) | added.locations
    at: LinesAt = {id_: location.lines for id_, location in stacks.locations.items()}
    prune = tuple(drop_filters(stacks, at))
    at |= {id_: location.lines for id_, location in added.locations.items()}
    names = name_filters(replace(stacks, locations=locations), at, lens)
    rules = _LabelFilters.given(lens, units)

    def walk() -> Iterator[tuple[Sample, Labels]]:
        for sample, labels in stacks.labelled():
            ids = apply_filters(prune, sample.location_id[:])
            if ids is None:
                continue
            leaves, roots = ways[labels]
            left = apply_filters(names.stack_filters, [*leaves, *ids, *roots])
            if left is not None and rules.keeps(labels):
                yield Stack(tuple(left), tuple(sample.value)), rules.shown(labels)

    result = replace(
        stacks,
        samples=lambda: (sample for sample, _ in walk()),
        labelled=walk,
        locations={id_: each._replace(lines=at[id_]) for id_, each in locations.items()},
        drop_frames="",
        keep_frames="",
        whole=None if lens.relative_percentages else totals_of(stacks),
    )
    if lens.relative_percentages:
        result = replace(result, whole=totals_of(result))
    nothing = added.unmatched(different) + names.unmatched
    if rules.any:
        nothing += rules.unmatched(_labels_left(stacks, prune, names.stack_filters, ways))
    return Filtered(result, lens.unfiltered, nothing, units)


_FramesOfLabels = dict[Labels, tuple[list[int], list[int]]]
"""For each different labels the locations that they become: below the leaf, above the root."""


def _labels_left(
    stacks: Stacks,
    prune: Sequence[StackFilter],
    names: Sequence[StackFilter],
    ways: _FramesOfLabels,
) -> dict[Labels, None]:
    """Return the labels of the samples that the filters of names leave, in their order."""
    alive: dict[Labels, None] = {}
    for sample, labels in stacks.labelled():
        if labels not in alive:
            leaves, roots = ways[labels]
            ids = apply_filters(prune, sample.location_id[:])
            if ids is not None and apply_filters(names, [*leaves, *ids, *roots]) is not None:
                alive[labels] = None
    return alive


class _LabelFrames:
    """Locations that labels become: frames at the root, the first key outermost, or at the leaf.

    A sample without a key gets a frame without a name (pprof, internal/driver/tagroot.go).
    """

    def __init__(self, stacks: Stacks, lens: Lens) -> None:
        self.locations: dict[int, Location] = {}
        self._roots = [key for key in lens.tagroot.split(",") if key]
        self._leaves = [key for key in lens.tagleaf.split(",") if key]
        self._lens = lens
        self._next = max(stacks.locations, default=0) + 1
        self._ids: dict[tuple[str, str], int] = {}

    def around(self, labels: Labels) -> tuple[list[int], list[int]]:
        """Return the ids of the locations for these labels: below the leaf, above the root."""
        leaves = [self._id(labels, key) for key in reversed(self._leaves)]
        return leaves, [self._id(labels, key) for key in reversed(self._roots)]

    def unmatched(self, different: Iterable[Labels]) -> tuple[str, ...]:
        """Return which of the two options no sample has a label for."""
        keys = {key for labels in different for key, _ in labels}
        wanted = (
            ("TagRoot", self._lens.tagroot, self._roots),
            ("TagLeaf", self._lens.tagleaf, self._leaves),
        )
        return tuple(name for name, text, each in wanted if text and keys.isdisjoint(each))

    def _id(self, labels: Labels, key: str) -> int:
        name = ",".join(label_texts(labels, key, self._lens.unit))
        if (id_ := self._ids.get((name, key))) is None:
            id_ = self._ids[name, key] = self._next
            self._next += 1
            self.locations[id_] = Location((Line(Function(name, file=key)),))
        return id_


@dataclass(frozen=True, slots=True)
class _LabelFilters:
    """The filters of labels: which samples stay, and which labels of them."""

    focus: LabelTest | None
    ignore: LabelTest | None
    show: Pattern | None
    hide: Pattern | None

    @classmethod
    def given(cls, lens: Lens, units: dict[str, str]) -> _LabelFilters:
        """Compile what the lens asks for; raises StacksError."""
        return cls(
            label_test(lens.tagfocus, "tagfocus", units),
            label_test(lens.tagignore, "tagignore", units),
            compile_pattern(lens.tagshow, "tagshow"),
            compile_pattern(lens.taghide, "taghide"),
        )

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return any((self.focus, self.ignore, self.show, self.hide))

    def keeps(self, labels: Labels) -> bool:
        """Report whether a sample with these labels stays."""
        if self.focus and not self.focus(labels):
            return False
        return not (self.ignore and self.ignore(labels))

    def shown(self, labels: Labels) -> Labels:
        """Return the labels that are left."""
        if not (self.show or self.hide):
            return labels
        return tuple(
            each
            for each in labels
            if not (self.show and not self.show.search(each[0]))
            and not (self.hide and self.hide.search(each[0]))
        )

    def unmatched(self, alive: Iterable[Labels]) -> tuple[str, ...]:
        """Return the options that match nothing of what the filters of names leave."""
        alive = list(alive)
        keys = {key for labels in alive if self.keeps(labels) for key, _ in labels}
        found = (
            ("TagFocus", self.focus and not any(map(self.focus, alive))),
            ("TagIgnore", self.ignore and not any(map(self.ignore, alive))),
            ("TagShow", self.show and not any(map(self.show.search, keys))),
            ("TagHide", self.hide and not any(map(self.hide.search, keys))),
        )
        return tuple(name for name, is_unmatched in found if is_unmatched)
