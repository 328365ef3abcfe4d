"""The labels of a profile: how much the samples of each route, tenant or worker add up to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from memtui.panes.profile import base_view
from memtui.panes.profile.base_view import NameListState, NameListView
from memtui.panes.profile.formatting import Measure, bar
from memtui.pprof.tags import Tag
from memtui.render.cells import Line, Span, fit_lines, line
from memtui.render.table import Column
from memtui.sanitize import plain

NO_LABELS = "no labels in this profile: set them with pprof.Do(ctx, pprof.Labels(…), f)"

_COLUMNS = (
    Column("value", 7, role="live"),
    Column("share", 6),
    Column("", 10, yields=1, role="dim"),
    Column("label", 16, text=True),
)


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One value of a label, and the sum of the samples with it."""

    key: str
    text: str
    value: int
    is_number: bool = False

    @property
    def name(self) -> str:
        """Its text in the list: ``route: /checkout``."""
        return f"{self.key}: {self.text}"

    @property
    def filter(self) -> str:
        """The tagfocus that keeps only these samples.

        Quoted, because a comma separates patterns and a number would be a range.
        """
        if self.is_number:
            return f"{self.key}={_range(self.text)}"
        quoted = re.sub(r"[^\w/ -]", lambda found: f"\\x{{{ord(found[0]):x}}}", self.text)
        return f"{self.key}=^{quoted}$"


def _range(text: str) -> str:
    """Return the range of numbers with this text: sizes are rounded to two decimals."""
    found = re.fullmatch(r"([0-9.]+)(kB|MB|GB|TB|PB)", text)
    if found is None:
        return text
    amount, scale = float(found[1]), 1024 ** ("kMGTP".index(found[2][0]) + 1)
    return f"{ceil((amount - 0.005) * scale)}B:{floor((amount + 0.005) * scale)}B"


@dataclass(frozen=True, slots=True)
class LabelRows:
    """All values of all labels, grouped by label, largest first."""

    rows: tuple[LabelRow, ...]
    measure: Measure


def label_rows(tags: Sequence[Tag], measure: Measure) -> LabelRows:
    """Return the rows of labels, the label with the largest total first."""
    ordered = sorted(tags, key=lambda tag: (-abs(tag.total), tag.key))
    rows = (
        LabelRow(tag.key, each.text, each.value, each.is_number)
        for tag in ordered
        for each in tag.values
    )
    return LabelRows(tuple(rows), measure)


def draw(
    data: LabelRows, state: NameListState, width: int, height: int, *, focused: bool
) -> tuple[NameListState, list[Line]]:
    """Return exactly ``height`` lines of exactly ``width`` cells, the titles first.

    Labels are not shortened: a path is not a package.
    """
    drawn, lines = base_view.draw_rows(
        _COLUMNS,
        len(data.rows),
        lambda at: (_numbers(data.rows[at], data.measure), data.rows[at].name),
        replace(state, shift=max(1, state.shift)),
        width,
        height,
        focused=focused,
    )
    return replace(drawn, shift=state.shift), lines


def _numbers(each: LabelRow, measure: Measure) -> tuple[str | Span, ...]:
    return (
        Span(measure.amount(each.value), measure.role(each.value)),
        measure.share(each.value),
        bar(each.value, measure.total, 10),
    )


def hint(data: LabelRows, state: NameListState) -> Line:
    """Return what enter does."""
    if not data.rows:
        return line(NO_LABELS)
    each = data.rows[state.selection.at(range(len(data.rows)))]
    return line(f"enter: only samples with {plain(each.key)}={plain(each.text)}")


@dataclass(frozen=True, slots=True)
class LabelsView(NameListView):
    """The values of labels, with the sums of their samples."""

    data: LabelRows

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[LabelsView, list[Line]]:
        """Draw the list, or why it is empty."""
        if not self.data.rows:
            return self, fit_lines([line(Span(f" {NO_LABELS}", "dim"))], width, height)
        state, lines = draw(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Return what enter does."""
        return hint(self.data, self.state)

    def entered(self) -> LabelsView:
        """Return the view itself: the pane sets a filter instead."""
        return self

    def filters_to_set(self) -> dict[str, str]:
        """Return the filter for the samples of the selected label."""
        at = self.state.selection.at(range(len(self.rows)))
        return {"tagfocus": self.data.rows[at].filter} if self.rows else {}
