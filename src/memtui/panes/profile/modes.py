"""From an answer to the view that shows it, what was selected before selected again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from memtui.model import SampleValues
from memtui.panes.profile import comparison, goroutines, labels, source_lines, top_list
from memtui.panes.profile.call_tree import CallTree, totals
from memtui.panes.profile.comparison import compared
from memtui.panes.profile.flame import Flame
from memtui.panes.profile.goroutines import GoroutineList
from memtui.panes.profile.list_modes import (
    GoroutinesMode,
    GrowthMode,
    LabelsMode,
    SourceMode,
    TopMode,
)
from memtui.panes.profile.lists import RowList
from memtui.panes.profile.mode import Mode
from memtui.panes.profile.peek import Peeked, PeekNeighbours
from memtui.panes.profile.top_list import ListOrder
from memtui.panes.profile.tree_modes import FlameMode, PeekMode, TreeMode
from memtui.panes.profile.values import Measure
from memtui.pprof.question import Answer, Around, Called, FunctionList, GrowthList, Sourced, Stood
from memtui.pprof.top import TopRow
from memtui.render.table import Selection


def of_values(values: SampleValues, order: ListOrder, old: Mode | None) -> TopMode:
    """Return the list of the functions that a profile knows by itself."""
    rows = [TopRow(each.name, each.flat, each.cum) for each in values.functions]
    return _top(rows, Measure(values.unit, values.total), order, old)


def mode_of(
    answer: Answer,
    order: ListOrder,
    old: Mode | None,
    *,
    is_flame: bool = False,
    span_s: float | None = None,
    is_difference: bool = False,
) -> Mode:
    """Return the view of an answer; what was selected in the ``old`` one stays so where it can.

    ``span_s`` is the time between base and profile.
    """
    measure = Measure(answer.type.unit, answer.total, is_difference)
    match answer:
        case GrowthList(now=now, base=base):
            data = compared(base, now, answer.type.unit, span_s, order)
            names = tuple(each.name for each in data.changes)
            return GrowthMode(names, _kept_row(names, old), data)
        case FunctionList(rows=rows):
            return _top(rows, measure, order, old)
        case Around(peek=found, stacks=stacks):
            state = old.state if isinstance(old, PeekMode) else Peeked()
            return PeekMode(PeekNeighbours(found, stacks, measure), state)
        case Called(root=root) if is_flame:
            flaming = old.state.settled(root) if isinstance(old, FlameMode) else Flame()
            return FlameMode(root, measure, flaming, totals(root))
        case Called(root=root):
            tree = old.state.settled(root) if isinstance(old, TreeMode) else CallTree.of(root)
            return TreeMode(root, measure, tree, totals(root))
        case Stood():
            listing = old.state if isinstance(old, GoroutinesMode) else GoroutineList()
            return GoroutinesMode(goroutines.groups(answer.now, answer.base), listing)
        case Sourced(files=files):
            code = source_lines.code(files, measure)
            texts = tuple(each.text for each in code.lines)
            row_list = old.state if isinstance(old, SourceMode) else source_lines.first_state(code)
            return SourceMode(texts, row_list, code)
        case _:
            found_labels = labels.labels(answer.tags, measure)
            names = tuple(each.name for each in found_labels.rows)
            return LabelsMode(names, _kept_row(names, old), found_labels)


def _top(rows: Sequence[TopRow], measure: Measure, order: ListOrder, old: Mode | None) -> TopMode:
    data = top_list.listed(rows, measure, order)
    names = tuple(row.name for row in data.rows)
    return TopMode(names, _kept_row(names, old), data)


def _kept_row(names: Sequence[str], old: Mode | None) -> RowList:
    """Select the function that was selected before, unless that was simply the first one."""
    if not isinstance(old, TopMode | GrowthMode | LabelsMode):
        return RowList()
    if not old.state.selection.row or old.selected not in names:
        return replace(old.state, selection=Selection())
    return old.state.to_row(names.index(old.selected))


def reordered(mode: Mode, order: ListOrder) -> Mode:
    """Return a list in another order, its first row selected; other views have none."""
    if isinstance(mode, GrowthMode):
        data = comparison.ordered(mode.data, order)
        names = tuple(each.name for each in data.changes)
        state = replace(mode.state, selection=Selection())
        return GrowthMode(names, state, data)
    if not isinstance(mode, TopMode):
        return mode
    found = _top(mode.data.rows, mode.data.measure, order, None)
    return replace(found, state=replace(mode.state, selection=Selection()))
