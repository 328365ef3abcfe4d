"""A profile after its filters: stacks cut, samples chosen by labels, labels as frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from memtui.pprof.cuts import Cut, Lines, apply, compiled, cuts, dropped, name_cuts
from memtui.pprof.labels import LabelTest, label_test, label_units, written
from memtui.pprof.lens import Lens
from memtui.pprof.stacks import Function, Labels, Line, Location, Sample, Stack, Stacks
from memtui.pprof.whole import whole_of

if TYPE_CHECKING:
    from memtui.pprof.pattern import Pattern


class Filtered(NamedTuple):
    """What is left of a profile, and a lens for it that filters no more.

    ``unmatched`` are the options that matched nothing, as pprof writes them ("TagFocus").
    ``units`` are the units of numeric labels by key.
    """

    stacks: Stacks
    lens: Lens
    unmatched: tuple[str, ...]
    units: dict[str, str]


def prepared(stacks: Stacks, lens: Lens) -> tuple[Stacks, Lens, tuple[str, ...]]:
    """Return what a report is made of: filtered already where labels or 100 % are asked for.

    Other filters are left to the lens, which applies them in the walk that adds up. The last is
    what ``Filtered`` has as ``unmatched``. Raises StacksError.
    """
    if not (lens.has_label_options or (lens.relative_percentages and lens.filters)):
        return stacks, lens, ()
    done = filtered(stacks, lens)
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
        return filtered(stacks, lens).unmatched
    return cuts(stacks, {id_: each.lines for id_, each in stacks.locations.items()}, lens).unmatched


def filtered(stacks: Stacks, lens: Lens) -> Filtered:
    """Apply all filters in pprof's order (internal/driver/driver.go: generateRawReport).

    100 % stays what it was before, unless the lens wants relative percentages. Raises StacksError.
    """
    different = dict.fromkeys(labels for _, labels in stacks.labelled())
    units = label_units(different)
    added = _Added(stacks, lens)
    ways = {labels: added.around(labels) for labels in different}
    locations = dict(stacks.locations) | added.locations
    at: Lines = {id_: location.lines for id_, location in stacks.locations.items()}
    prune = tuple(dropped(stacks, at))
    at |= {id_: location.lines for id_, location in added.locations.items()}
    names = name_cuts(replace(stacks, locations=locations), at, lens)
    rules = _Rules.given(lens, units)

    def walk() -> Iterator[tuple[Sample, Labels]]:
        for sample, labels in stacks.labelled():
            ids = apply(prune, sample.location_id[:])
            if ids is None:
                continue
            leaves, roots = ways[labels]
            left = apply(names.cuts, [*leaves, *ids, *roots])
            if left is not None and rules.keeps(labels):
                yield Stack(tuple(left), tuple(sample.value)), rules.shown(labels)

    result = replace(
        stacks,
        samples=lambda: (sample for sample, _ in walk()),
        labelled=walk,
        locations={id_: each._replace(lines=at[id_]) for id_, each in locations.items()},
        drop_frames="",
        keep_frames="",
        whole=None if lens.relative_percentages else whole_of(stacks),
    )
    if lens.relative_percentages:
        result = replace(result, whole=whole_of(result))
    nothing = added.unmatched(different) + names.unmatched
    if rules.any:
        nothing += rules.unmatched(_alive(stacks, prune, names.cuts, ways))
    return Filtered(result, lens.unfiltered, nothing, units)


_Ways = dict[Labels, tuple[list[int], list[int]]]
"""For each different labels the locations that they become: below the leaf, above the root."""


def _alive(
    stacks: Stacks, prune: Sequence[Cut], names: Sequence[Cut], ways: _Ways
) -> dict[Labels, None]:
    """Return the labels of the samples that the filters of names leave, in their order."""
    alive: dict[Labels, None] = {}
    for sample, labels in stacks.labelled():
        if labels not in alive:
            leaves, roots = ways[labels]
            ids = apply(prune, sample.location_id[:])
            if ids is not None and apply(names, [*leaves, *ids, *roots]) is not None:
                alive[labels] = None
    return alive


class _Added:
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
        name = ",".join(written(labels, key, self._lens.unit))
        if (id_ := self._ids.get((name, key))) is None:
            id_ = self._ids[name, key] = self._next
            self._next += 1
            self.locations[id_] = Location((Line(Function(name, file=key)),))
        return id_


@dataclass(frozen=True, slots=True)
class _Rules:
    """The filters of labels: which samples stay, and which labels of them."""

    focus: LabelTest | None
    ignore: LabelTest | None
    show: Pattern | None
    hide: Pattern | None

    @classmethod
    def given(cls, lens: Lens, units: dict[str, str]) -> _Rules:
        """Compile what the lens asks for; raises StacksError."""
        return cls(
            label_test(lens.tagfocus, "tagfocus", units),
            label_test(lens.tagignore, "tagignore", units),
            compiled(lens.tagshow, "tagshow"),
            compiled(lens.taghide, "taghide"),
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
