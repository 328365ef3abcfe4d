"""The source of a function, with the values of each line (``pprof -list``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from memtui.panes.profile import base_view
from memtui.panes.profile.base_view import NameListState, NameListView
from memtui.panes.profile.formatting import Measure
from memtui.pprof.query import RoutineSource
from memtui.render.cells import Line, Role, Span, line
from memtui.render.table import Column, Selection
from memtui.sanitize import plain

_COLUMNS = (
    Column("flat", 6, role="live"),
    Column("cum", 6),
    Column("cum%", 6, yields=1),
    Column("line", 5, role="dim"),
    Column("source", 16, text=True),
)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source line, or the header of a file if ``number`` is 0."""

    number: int
    text: str
    flat: int
    cum: int


@dataclass(frozen=True, slots=True)
class SourceRows:
    """The lines of a function, in each file that has it."""

    lines: tuple[SourceRow, ...]
    measure: Measure

    @property
    def largest(self) -> int:
        """The row of the line with the largest cum."""
        lines = range(len(self.lines))
        of_code = [at for at in lines if self.lines[at].number]
        return max(of_code or [0], key=lambda at: abs(self.lines[at].cum) if self.lines else 0)


def source_rows(files: Sequence[RoutineSource], measure: Measure) -> SourceRows:
    """Return the lines of a function, with a header before each file."""
    return SourceRows(tuple(line for each in files for line in _lines(each)), measure)


def _lines(found: RoutineSource) -> Iterator[SourceRow]:
    routine = found.routine
    where = routine.file or "no source information"
    reason = f": {found.reason}" if found.reason else ""
    yield SourceRow(0, f"{routine.name} in {where}{reason}", routine.flat, routine.cum)
    numbers: Sequence[int] = range(routine.first, routine.first + len(found.lines))
    if not found.lines:
        numbers = sorted(routine.lines)
    for at, number in enumerate(numbers):
        flat, cum = routine.lines.get(number, (0, 0))
        text = found.lines[at].expandtabs(4) if found.lines else ""
        yield SourceRow(number, text, flat, cum)


def first_state(data: SourceRows) -> NameListState:
    """Return a list state in which the line with the largest cum is selected."""
    return NameListState(Selection(data.largest))


def draw(
    data: SourceRows, state: NameListState, width: int, height: int, *, focused: bool
) -> tuple[NameListState, list[Line]]:
    """Return exactly ``height`` lines of exactly ``width`` cells, the titles first."""
    drawn, lines = base_view.draw_rows(
        _COLUMNS,
        len(data.lines),
        lambda at: (_numbers(data.lines[at], data.measure), data.lines[at].text),
        replace(state, shift=max(1, state.shift)),
        width,
        height,
        focused=focused,
    )
    return replace(drawn, shift=state.shift), lines


def _numbers(each: SourceRow, measure: Measure) -> tuple[str | Span, ...]:
    role: Role = measure.role(each.flat)
    return (
        Span(measure.amount(each.flat), role) if each.flat else "",
        measure.amount(each.cum) if each.cum else "",
        measure.share(each.cum) if each.cum else "",
        str(each.number) if each.number else "",
    )


def hint(data: SourceRows, state: NameListState) -> Line:
    """Return the values of the selected line, and its text."""
    if not data.lines:
        return line("no source")
    each = data.lines[state.selection.at(range(len(data.lines)))]
    value = f"flat {data.measure.amount(each.flat)}, cum {data.measure.amount(each.cum)}"
    return line(Span(value, data.measure.role(each.cum)), f"  {plain(each.text.strip())}")


@dataclass(frozen=True, slots=True)
class SourceView(NameListView):
    """The source of a function, with the values of each line."""

    data: SourceRows

    def draw(self, width: int, height: int, *, focused: bool) -> tuple[SourceView, list[Line]]:
        """Draw the lines."""
        state, lines = draw(self.data, self.state, width, height, focused=focused)
        return replace(self, state=state), lines

    def hint(self) -> Line:
        """Return the values of the selected line."""
        return hint(self.data, self.state)

    def entered(self) -> SourceView:
        """Return the view itself: a source line cannot be opened."""
        return self
