"""What the dashboard asks of a profile, alone or against a base, and what the answer is."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from memtui.pprof.call_tree import CallNode, StackLine, build_call_tree, stacks_leading_to
from memtui.pprof.filters import prefilter, unmatched
from memtui.pprof.lens import Lens
from memtui.pprof.listing import ReadSource, Routine, listing
from memtui.pprof.merge import difference
from memtui.pprof.nodes import build_nodes, walk
from memtui.pprof.stacks import SampleType, Stacks
from memtui.pprof.tags import Tag, tags
from memtui.pprof.top import Peek, TopRow, peek, top

QueryView: TypeAlias = Literal["top", "peek", "calls", "stacks", "tags", "source"]

MOST_STACKS = 1000
"""Stacks in one answer; a list on a screen is not read further."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which view of a profile is wanted, through which lens.

    ``name`` is the function of a peek. With ``of_base`` 100 % is what the base holds, as with
    -diff_base of pprof, else the difference, as with -base; without a base it says nothing.
    """

    view: QueryView
    lens: Lens
    name: str = ""
    of_base: bool = False


@dataclass(frozen=True, slots=True)
class TopAnswer:
    """The functions of a profile, or of its difference to a base."""

    type: SampleType
    total: int
    rows: tuple[TopRow, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GrowthAnswer:
    """The functions of a profile and of its base, to be set side by side."""

    type: SampleType
    total: int
    now: tuple[TopRow, ...]
    base: tuple[TopRow, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeekAnswer:
    """One function between its callers and its calls, and the stacks that lead to it."""

    type: SampleType
    total: int
    peek: Peek
    stacks: tuple[StackLine, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TreeAnswer:
    """The call tree from its root."""

    type: SampleType
    total: int
    root: CallNode
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StacksAnswer:
    """The stacks as they are, equal ones together, those of the base beside them."""

    type: SampleType
    total: int
    now: tuple[StackLine, ...]
    base: tuple[StackLine, ...] | None = None
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TagsAnswer:
    """The labels of a profile, and what each of their values comes to."""

    type: SampleType
    total: int
    tags: tuple[Tag, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutineSource:
    """A function in one file: its lines from ``routine.first`` on, or why there are none."""

    routine: Routine
    lines: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """The source of a function, in each file that it is in."""

    type: SampleType
    total: int
    files: tuple[RoutineSource, ...]
    unmatched: tuple[str, ...] = ()


# ``unmatched`` of each are the filters that matched nothing, as pprof writes them ("TagFocus").
Answer: TypeAlias = (
    TopAnswer | GrowthAnswer | PeekAnswer | TreeAnswer | StacksAnswer | TagsAnswer | SourceAnswer
)


def answer(stacks: Stacks, base: Stacks | None, question: Query) -> Answer:
    """Answer a question; raises StacksError.

    ``answer_tags`` answers those of "tags", ``answer_source`` those of "source".
    """
    lens = replace(question.lens, nodefraction=0.0, edgefraction=0.0, nodecount=0)
    kind = stacks.types[stacks.index_of(lens.sample_type)]
    if question.view == "stacks":
        now = _merge_stacks(stacks, lens)
        then = None if base is None else _merge_stacks(base, lens)
        return StacksAnswer(
            kind, sum(each.value for each in now), now, then, unmatched(stacks, lens)
        )
    if question.view == "top" and base is not None and not question.of_base:
        now_top, base_top = (top(each, lens, marks=False) for each in (stacks, base))
        nowhere = set(now_top.summary.unmatched) & set(base_top.summary.unmatched)
        summary = now_top.summary
        return GrowthAnswer(
            kind, summary.total, now_top.rows, base_top.rows, tuple(sorted(nowhere))
        )
    seen = stacks if base is None else difference(stacks, base, diff_base=question.of_base)
    match question.view:
        case "top":
            whole = top(seen, lens, marks=False)
            return TopAnswer(kind, whole.summary.total, whole.rows, whole.summary.unmatched)
        case "peek":
            near = peek(seen, question.name, lens, exact=True)
            ways = stacks_leading_to(seen, question.name, lens)
            total, nowhere_now = near.summary.total, near.summary.unmatched
            return PeekAnswer(kind, total, near.entries[0], ways, nowhere_now)
        case _:
            column = seen.index_of(lens.sample_type)
            root = build_call_tree(seen, lens)
            return TreeAnswer(kind, _total(seen, column), root, unmatched(seen, lens))


def answer_tags(stacks: Stacks, base: Stacks | None, question: Query) -> TagsAnswer:
    """Return the labels of a profile, or of its difference to a base; raises StacksError."""
    lens = question.lens
    seen = stacks if base is None else difference(stacks, base, diff_base=question.of_base)
    found = tags(seen, lens)
    kind = seen.types[seen.index_of(lens.sample_type)]
    return TagsAnswer(kind, found.total, found.tags, found.unmatched)


def answer_source(
    stacks: Stacks, base: Stacks | None, question: Query, source: ReadSource
) -> SourceAnswer:
    """Return the lines of a function, with the text that ``source`` has; raises StacksError."""
    seen = stacks if base is None else difference(stacks, base, diff_base=question.of_base)
    found = listing(seen, question.name, question.lens, exact=True)
    files = tuple(_read_source(each, source) for each in found.routines)
    return SourceAnswer(found.type, found.total, files, found.unmatched)


def _read_source(routine: Routine, source: ReadSource) -> RoutineSource:
    try:
        text = source(routine.file) if routine.file else ()
    except OSError as error:
        return RoutineSource(routine, (), error.strerror or type(error).__name__)
    return RoutineSource(routine, tuple(text[routine.first - 1 : routine.last]))


def _merge_stacks(stacks: Stacks, lens: Lens) -> tuple[StackLine, ...]:
    """Return the stacks of a profile, equal ones together, largest amount first."""
    column = stacks.index_of(lens.sample_type)
    stacks, lens, _ = prefilter(stacks, lens)
    seen = build_nodes(stacks, lens)
    names = [str(node) for node in seen.nodes]
    merged: dict[tuple[int, ...], int] = defaultdict(int)
    for value, ids in walk(stacks, seen, column):
        merged[tuple(node for id_ in ids for node in seen.at[id_])] += value
    largest = heapq.nsmallest(MOST_STACKS, merged.items(), key=lambda each: -abs(each[1]))
    return tuple(StackLine(tuple(names[node] for node in path), value) for path, value in largest)


def _total(stacks: Stacks, column: int) -> int:
    """Return what counts as 100 %, as ``add_up`` has it."""
    if stacks.totals is not None:
        return stacks.totals.of(column)
    return sum(abs(each.value[column]) for each in stacks.samples())
