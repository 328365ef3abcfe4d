"""The report traces of pprof: each sample with its labels and its stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from memtui.pprof.filters import filter_profile
from memtui.pprof.lens import AS_PPROF, Lens
from memtui.pprof.measure import label
from memtui.pprof.nodes import build_nodes
from memtui.pprof.report import profile_head
from memtui.pprof.stacks import Labels, SampleType, Stacks, divide, totals_of

_RULE = "-" * 11 + "+" + "-" * 55


@dataclass(frozen=True, slots=True)
class SampleTrace:
    """One sample: its value, its labels as text, and its frames, leaf first.

    A frame is a name, and whether it is inlined into the next one.
    """

    value: int
    labels: tuple[tuple[str, str], ...]
    frames: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Traces:
    """The samples of a profile in its order. Values are in ``type.unit``, ``total`` is 100 %.

    ``unmatched`` are the filters that matched nothing, in pprof's spelling.
    """

    type: SampleType
    unit: str
    total: int
    traces: tuple[SampleTrace, ...]
    unmatched: tuple[str, ...] = ()


def traces(stacks: Stacks, lens: Lens = AS_PPROF) -> Traces:
    """Return the samples that have a frame after the filters (internal/report: printTraces).

    Raises StacksError.
    """
    column = stacks.index_of(lens.sample_type)
    left = filter_profile(stacks, lens)
    table = build_nodes(left.stacks, left.lens, trim=False)
    names = [str(node) for node in table.nodes]
    found = []
    for sample, labels in left.stacks.labelled():
        nodes = [table.at[id_] for id_ in sample.location_id]
        path = tuple(
            (names[node], place != len(here) - 1)
            for here in nodes
            for place, node in enumerate(here)
        )
        if path:
            divisor = sample.value[0] if lens.mean else 0
            value = divide(sample.value[column], divisor)
            found.append(SampleTrace(value, _label_texts(labels, left.units), path))
    kind = stacks.types[column]
    if lens.mean:
        kind = SampleType(f"mean_{kind.type}", kind.unit)
    total = totals_of(left.stacks).of(column, mean=lens.mean)
    return Traces(kind, lens.unit, total, tuple(found), left.unmatched)


def _label_texts(labels: Labels, units: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return labels as text: first texts, then numbers, each sorted by its line."""
    texts, numbers = [], []
    for key, values in labels:
        strings = [each for each in values if isinstance(each, str)]
        counts = [label(each[0], units.get(key, "")) for each in values if isinstance(each, tuple)]
        if strings:
            texts.append((key, " ".join(strings)))
        if counts:
            numbers.append((key, " ".join(counts)))
    return (*sorted(texts, key=_label_line), *sorted(numbers, key=_label_line))


def _label_line(label: tuple[str, str]) -> str:
    return f"{label[0]:>10}:  {label[1]}"


def text_of_traces(stacks: Stacks, found: Traces, time: str) -> Iterator[str]:
    """Yield the lines of ``pprof -traces``."""

    def write(value: int) -> str:
        return label(value, found.type.unit, found.unit)

    yield from profile_head(stacks, found.type, found.total, write, time)
    for trace in found.traces:
        yield _RULE
        yield from map(_label_line, trace.labels)
        for place, (name, is_inlined) in enumerate(trace.frames):
            value = "" if place else write(trace.value)
            yield f"{value:>10}   {name}{' (inline)' if is_inlined else ''}"
    yield _RULE
