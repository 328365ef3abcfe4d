"""Answers the queries of the dashboard about a profile, alone or compared with a base."""

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
"""The most stacks in one answer."""


@dataclass(frozen=True, slots=True)
class Query:
    """A view of a profile, and the lens to see it through.

    ``name`` is the function of the views "peek" and "source". With a base, ``of_base`` sets 100 %
    to the total of the base, as -diff_base of pprof does; else it is the difference (-base).
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
    """The functions of a profile and of its base, to be compared."""

    type: SampleType
    total: int
    now: tuple[TopRow, ...]
    base: tuple[TopRow, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeekAnswer:
    """One function with its callers and callees, and the stacks that lead to it."""

    type: SampleType
    total: int
    peek: Peek
    stacks: tuple[StackLine, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TreeAnswer:
    """The call tree from the root."""

    type: SampleType
    total: int
    root: CallNode
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StacksAnswer:
    """The stacks of a profile, equal ones merged, and those of the base."""

    type: SampleType
    total: int
    now: tuple[StackLine, ...]
    base: tuple[StackLine, ...] | None = None
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TagsAnswer:
    """The labels of a profile, with the sum of each value."""

    type: SampleType
    total: int
    tags: tuple[Tag, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutineSource:
    """A function in one file: its source from line ``routine.first`` on, or why there is none."""

    routine: Routine
    lines: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """The source of a function, in each file that has it."""

    type: SampleType
    total: int
    files: tuple[RoutineSource, ...]
    unmatched: tuple[str, ...] = ()


# ``unmatched`` are the filters that matched nothing, in pprof's spelling ("TagFocus").
Answer: TypeAlias = (
    TopAnswer | GrowthAnswer | PeekAnswer | TreeAnswer | StacksAnswer | TagsAnswer | SourceAnswer
)


def answer(stacks: Stacks, base: Stacks | None, query: Query) -> Answer:
    """Return the answer to a query for any view but "tags" and "source". Raises StacksError."""
    lens = replace(query.lens, nodefraction=0.0, edgefraction=0.0, nodecount=0)
    kind = stacks.types[stacks.index_of(lens.sample_type)]
    if query.view == "stacks":
        now = _merge_stacks(stacks, lens)
        then = None if base is None else _merge_stacks(base, lens)
        return StacksAnswer(
            kind, sum(each.value for each in now), now, then, unmatched(stacks, lens)
        )
    if query.view == "top" and base is not None and not query.of_base:
        now_top, base_top = (top(each, lens, marks=False) for each in (stacks, base))
        missing = set(now_top.summary.unmatched) & set(base_top.summary.unmatched)
        summary = now_top.summary
        return GrowthAnswer(
            kind, summary.total, now_top.rows, base_top.rows, tuple(sorted(missing))
        )
    compared = stacks if base is None else difference(stacks, base, diff_base=query.of_base)
    match query.view:
        case "top":
            report = top(compared, lens, marks=False)
            return TopAnswer(kind, report.summary.total, report.rows, report.summary.unmatched)
        case "peek":
            found = peek(compared, query.name, lens, exact=True)
            leading = stacks_leading_to(compared, query.name, lens)
            total, no_match = found.summary.total, found.summary.unmatched
            return PeekAnswer(kind, total, found.entries[0], leading, no_match)
        case _:
            column = compared.index_of(lens.sample_type)
            root = build_call_tree(compared, lens)
            return TreeAnswer(kind, _total(compared, column), root, unmatched(compared, lens))


def answer_tags(stacks: Stacks, base: Stacks | None, query: Query) -> TagsAnswer:
    """Return the answer to a query for "tags"; raises StacksError."""
    lens = query.lens
    compared = stacks if base is None else difference(stacks, base, diff_base=query.of_base)
    found = tags(compared, lens)
    kind = compared.types[compared.index_of(lens.sample_type)]
    return TagsAnswer(kind, found.total, found.tags, found.unmatched)


def answer_source(
    stacks: Stacks, base: Stacks | None, query: Query, source: ReadSource
) -> SourceAnswer:
    """Return the answer to a query for "source"; ``source`` reads files. Raises StacksError."""
    compared = stacks if base is None else difference(stacks, base, diff_base=query.of_base)
    found = listing(compared, query.name, query.lens, exact=True)
    files = tuple(_read_source(each, source) for each in found.routines)
    return SourceAnswer(found.type, found.total, files, found.unmatched)


def _read_source(routine: Routine, source: ReadSource) -> RoutineSource:
    try:
        text = source(routine.file) if routine.file else ()
    except OSError as error:
        return RoutineSource(routine, (), error.strerror or type(error).__name__)
    return RoutineSource(routine, tuple(text[routine.first - 1 : routine.last]))


def _merge_stacks(stacks: Stacks, lens: Lens) -> tuple[StackLine, ...]:
    """Return the stacks of a profile, equal ones merged, largest amount first."""
    column = stacks.index_of(lens.sample_type)
    stacks, lens, _ = prefilter(stacks, lens)
    table = build_nodes(stacks, lens)
    names = [str(node) for node in table.nodes]
    merged: dict[tuple[int, ...], int] = defaultdict(int)
    for value, ids in walk(stacks, table, column):
        merged[tuple(node for id_ in ids for node in table.at[id_])] += value
    largest = heapq.nsmallest(MOST_STACKS, merged.items(), key=lambda each: -abs(each[1]))
    return tuple(StackLine(tuple(names[node] for node in path), value) for path, value in largest)


def _total(stacks: Stacks, column: int) -> int:
    """Return what counts as 100 %, as ``add_up`` does."""
    if stacks.totals is not None:
        return stacks.totals.of(column)
    return sum(abs(each.value[column]) for each in stacks.samples())
