"""What the dashboard asks of a profile, alone or against a base, and what the answer is."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from memtui.pprof.calls import CallNode, StackLine, calls, stacks_of
from memtui.pprof.difference import difference
from memtui.pprof.filtered import prepared, unmatched
from memtui.pprof.frames import frames, walk
from memtui.pprof.lens import Lens
from memtui.pprof.listing import Routine, Source, listing
from memtui.pprof.stacks import SampleType, Stacks
from memtui.pprof.tags import Tag, tags
from memtui.pprof.top import Peek, TopRow, peek, top

Views: TypeAlias = Literal["top", "peek", "calls", "stacks", "tags", "source"]

MOST_STACKS = 1000
"""Stacks in one answer; a list on a screen is not read further."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which view of a profile is wanted, through which lens.

    ``name`` is the function of a peek. With ``of_base`` 100 % is what the base holds, as with
    -diff_base of pprof, else the difference, as with -base; without a base it says nothing.
    """

    view: Views
    lens: Lens
    name: str = ""
    of_base: bool = False


@dataclass(frozen=True, slots=True)
class FunctionList:
    """The functions of a profile, or of its difference to a base."""

    type: SampleType
    total: int
    rows: tuple[TopRow, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GrowthList:
    """The functions of a profile and of its base, to be set side by side."""

    type: SampleType
    total: int
    now: tuple[TopRow, ...]
    base: tuple[TopRow, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """One function between its callers and its calls, and the stacks that lead to it."""

    type: SampleType
    total: int
    peek: Peek
    stacks: tuple[StackLine, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Called:
    """The call tree from its root."""

    type: SampleType
    total: int
    root: CallNode
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stood:
    """The stacks as they are, equal ones together, those of the base beside them."""

    type: SampleType
    total: int
    now: tuple[StackLine, ...]
    base: tuple[StackLine, ...] | None = None
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tagged:
    """The labels of a profile, and what each of their values comes to."""

    type: SampleType
    total: int
    tags: tuple[Tag, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceOf:
    """A function in one file: its lines from ``routine.first`` on, or why there are none."""

    routine: Routine
    lines: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sourced:
    """The source of a function, in each file that it is in."""

    type: SampleType
    total: int
    files: tuple[SourceOf, ...]
    unmatched: tuple[str, ...] = ()


# ``unmatched`` of each are the filters that matched nothing, as pprof writes them ("TagFocus").
Answer: TypeAlias = FunctionList | GrowthList | Around | Called | Stood | Tagged | Sourced


def answer(stacks: Stacks, base: Stacks | None, question: Question) -> Answer:
    """Answer a question; raises StacksError.

    ``tagged`` answers those of "tags", ``sourced`` those of "source".
    """
    lens = replace(question.lens, nodefraction=0.0, edgefraction=0.0, nodecount=0)
    kind = stacks.types[stacks.index_of(lens.sample_type)]
    if question.view == "stacks":
        now = _ways(stacks, lens)
        then = None if base is None else _ways(base, lens)
        return Stood(kind, sum(each.value for each in now), now, then, unmatched(stacks, lens))
    if question.view == "top" and base is not None and not question.of_base:
        now_top, base_top = (top(each, lens, marks=False) for each in (stacks, base))
        nowhere = set(now_top.summary.unmatched) & set(base_top.summary.unmatched)
        summary = now_top.summary
        return GrowthList(kind, summary.total, now_top.rows, base_top.rows, tuple(sorted(nowhere)))
    seen = stacks if base is None else difference(stacks, base, diff_base=question.of_base)
    match question.view:
        case "top":
            whole = top(seen, lens, marks=False)
            return FunctionList(kind, whole.summary.total, whole.rows, whole.summary.unmatched)
        case "peek":
            near = peek(seen, question.name, lens, exact=True)
            ways = stacks_of(seen, question.name, lens)
            total, nowhere_now = near.summary.total, near.summary.unmatched
            return Around(kind, total, near.entries[0], ways, nowhere_now)
        case _:
            column = seen.index_of(lens.sample_type)
            root = calls(seen, lens)
            return Called(kind, _whole(seen, column), root, unmatched(seen, lens))


def tagged(stacks: Stacks, base: Stacks | None, question: Question) -> Tagged:
    """Return the labels of a profile, or of its difference to a base; raises StacksError."""
    lens = question.lens
    seen = stacks if base is None else difference(stacks, base, diff_base=question.of_base)
    found = tags(seen, lens)
    kind = seen.types[seen.index_of(lens.sample_type)]
    return Tagged(kind, found.total, found.tags, found.unmatched)


def sourced(stacks: Stacks, base: Stacks | None, question: Question, source: Source) -> Sourced:
    """Return the lines of a function, with the text that ``source`` has; raises StacksError."""
    seen = stacks if base is None else difference(stacks, base, diff_base=question.of_base)
    found = listing(seen, question.name, question.lens, exact=True)
    files = tuple(_source_of(each, source) for each in found.routines)
    return Sourced(found.type, found.total, files, found.unmatched)


def _source_of(routine: Routine, source: Source) -> SourceOf:
    try:
        text = source(routine.file) if routine.file else ()
    except OSError as error:
        return SourceOf(routine, (), error.strerror or type(error).__name__)
    return SourceOf(routine, tuple(text[routine.first - 1 : routine.last]))


def _ways(stacks: Stacks, lens: Lens) -> tuple[StackLine, ...]:
    """Return the stacks of a profile, equal ones together, largest amount first."""
    column = stacks.index_of(lens.sample_type)
    stacks, lens, _ = prepared(stacks, lens)
    seen = frames(stacks, lens)
    names = [str(node) for node in seen.nodes]
    merged: dict[tuple[int, ...], int] = defaultdict(int)
    for value, ids in walk(stacks, seen, column):
        merged[tuple(node for id_ in ids for node in seen.at[id_])] += value
    largest = heapq.nsmallest(MOST_STACKS, merged.items(), key=lambda each: -abs(each[1]))
    return tuple(StackLine(tuple(names[node] for node in path), value) for path, value in largest)


def _whole(stacks: Stacks, column: int) -> int:
    """Return what counts as 100 %, as ``add_up`` has it."""
    if stacks.whole is not None:
        return stacks.whole.of(column)
    return sum(abs(each.value[column]) for each in stacks.samples())
