"""The report tags of pprof: the values of each label, with the sum of their samples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from memtui.pprof.filters import filter_profile
from memtui.pprof.lens import AS_PPROF, Lens
from memtui.pprof.measure import label, percent
from memtui.pprof.stacks import SampleType, Stacks, totals_of


@dataclass(frozen=True, slots=True)
class TagValue:
    """One value of a label, as text, and the sum of the samples with it.

    ``is_number`` is true for a numeric label, also if a text looks the same.
    """

    text: str
    value: int
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """One label: the sum of the samples with it, and its values, largest first."""

    key: str
    total: int
    values: tuple[TagValue, ...]


@dataclass(frozen=True, slots=True)
class Tags:
    """All labels of a profile by key. Values are in ``type.unit``, ``total`` is 100 %.

    ``unmatched`` are the filters that matched nothing, in pprof's spelling.
    """

    type: SampleType
    unit: str
    total: int
    tags: tuple[Tag, ...]
    unmatched: tuple[str, ...] = ()


def tags(stacks: Stacks, lens: Lens = AS_PPROF) -> Tags:
    """Return the labels after the filters of a lens (internal/report: printTags).

    Numbers are scaled to the unit of the lens. Raises StacksError.
    """
    column = stacks.index_of(lens.sample_type)
    left = filter_profile(stacks, lens)
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    numbers: set[tuple[str, str]] = set()
    for sample, labels in left.stacks.labelled():
        for key, values in labels:
            for each in values:
                text = str(each)
                if isinstance(each, tuple):
                    text = label(each[0], left.units.get(key, ""), lens.unit)
                    numbers.add((key, text))
                sums[key][text] += sample.value[column]
    found = tuple(_tag(key, sums[key], numbers) for key in sorted(sums))
    kind = stacks.types[column]
    total = totals_of(left.stacks).of(column, mean=lens.mean)
    return Tags(kind, lens.unit, total, found, left.unmatched)


def _tag(key: str, values: Counter[str], numbers: Container[tuple[str, str]]) -> Tag:
    ordered = sorted(values.items(), key=lambda each: (-abs(each[1]), each[0]))
    found = (TagValue(text, value, (key, text) in numbers) for text, value in ordered)
    return Tag(key, values.total(), tuple(found))


def text_of_tags(found: Tags) -> Iterator[str]:
    """Yield the lines of ``pprof -tags``."""

    def write(value: int) -> str:
        return label(value, found.type.unit, found.unit)

    def part(value: int) -> str:
        return f" ({percent(value, found.total)})" if found.total > 0 else ""

    for tag in found.tags:
        margin = len(tag.key) + 2
        yield f" {tag.key}: Total {write(tag.total)} of {write(found.total)}{part(tag.total)}"
        amounts = [f"{write(each.value)}{part(each.value)}:" for each in tag.values]
        width = max(map(len, amounts), default=0) + 1
        for amount, each in zip(amounts, tag.values, strict=True):
            yield f"{' ' * margin}{amount:>{width}} {each.text}"
        yield ""


def keys_of(stacks: Stacks) -> Sequence[str]:
    """Return the keys of all labels of a profile, sorted."""
    return sorted({key for labels in {each for _, each in stacks.labelled()} for key, _ in labels})
