"""Pane 3: GC cycles and the output of the program; keys, selection and layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from memtui.model import (
    GcCycle,
    GcPause,
    OutputLine,
    Restart,
    ScavengeLine,
    TornLine,
)
from memtui.panes.empty import empty_lines
from memtui.panes.field_doc import FieldDoc
from memtui.panes.gctrace.card import CARD_CELLS, cycle_card, field_docs, pause_card
from memtui.panes.gctrace.charts import OF_MEMSTATS, OF_TRACE
from memtui.panes.gctrace.columns import PAUSES, cycles_at, in_words, pause_in_words
from memtui.panes.gctrace.plots import Plots, from_memstats
from memtui.panes.gctrace.status import (
    Status,
    in_frame,
    in_full,
    note,
    pager,
    place_of,
    status_of,
    title_of,
    waiting_for,
)
from memtui.panes.gctrace.table import AllOutput, CycleTable
from memtui.panes.pane import SearchedPane
from memtui.render.cells import Line, Picture, Span, cells, line, text_of
from memtui.render.table import Selection, selected_line
from memtui.timeline import View

AnyTable: TypeAlias = CycleTable[GcCycle] | CycleTable[GcPause] | AllOutput

ROOM_FOR_A_PLOT = 12
ROOM_FOR_A_NOTE = 8
ALL_COLUMNS_CELLS = 200
NO_CYCLES = "start the program with GODEBUG=gctrace=1 to see its GC cycles here"


class GcTracePane(SearchedPane):
    """GC cycles, newest last or sorted; zoomed with a plot above them."""

    NUMBER = 3
    NAME = "gctrace"
    SOURCE = "gctrace"
    KEYS_HELP = (
        ("s S", "sort by the next column; reverse the order"),
        ("enter", "open the cycle: all fields and their meaning"),
        ("o", "all output of the program, or cycles only"),
        ("p", "zoomed: heap, scavenger, times, GC CPU, table alone"),
        ("←→ hl", "zoomed: earlier, later"),
        ("+ - 0", "zoomed: shorter, longer window; follow now"),
    )
    KINDS = (GcCycle, GcPause, ScavengeLine, OutputLine, TornLine, Restart)
    TAIL = True
    can_open = "open"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "sort", id="gctrace.sort"),
        Binding("S", "reverse", "reverse", id="gctrace.reverse"),
        Binding("enter", "open", "open the cycle", id="gctrace.open"),
        Binding("o", "output", "output", id="gctrace.output"),
        Binding("p", "plot", "next plot", id="gctrace.plot"),
        Binding("plus,equals_sign", "zoom_time(-1)", "shorter time", id="gctrace.shorter"),
        Binding("minus", "zoom_time(1)", "longer time", id="gctrace.longer"),
        Binding("0", "follow", "follow now", id="gctrace.follow"),
    ]

    class Opened(Message):
        """Requests to show all fields of the selected cycle."""

        def __init__(self, pane: GcTracePane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self) -> None:
        super().__init__()
        self.everything = False
        self.alone = False
        """Whether the pane has the width of the screen, and so a plot above the table."""
        self.plots = Plots()
        self.cycles = CycleTable(
            GcCycle, cycles_at, lambda entry: in_words(entry.cycle, entry.before), cycle_card
        )
        self.pauses = CycleTable(
            GcPause, lambda width, has_start: PAUSES, lambda entry: pause_in_words(entry.cycle),
            pause_card,
        )  # fmt: skip
        self.output = AllOutput(self.cycles.words, self.cycles.card)
        self._key_hint: Line = ()
        self._page = 1

    # Keys

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of this pane."""
        if typing := self.keys_while_typing():
            return typing
        output = ("o", "cycles only" if self.everything else "all output")
        plot = (("p", "plot"), ("←→ +−0", "time")) if self.alone else ()
        return (*plot, ("s S", "sort"), ("enter", "open"), output, ("/", "find"), ("y", "copy"))

    def show(self, view: View) -> None:
        """Show this view, with events that came too soon after the last drawing of a plot."""
        if self.plots.is_behind:
            self._stamp = ()
        super().show(view)

    def action_output(self) -> None:
        """Show all output, or cycles only."""
        self.everything = not self.everything
        self._move(Selection(None))

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sort(lambda table: table.sort_by_next())

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._sort(lambda table: table.reverse())

    def _sort(self, change: Callable[[CycleTable[GcCycle] | CycleTable[GcPause]], None]) -> None:
        if self.view is None or self.everything:
            return
        table = self._cycles(self.view)
        change(table)
        self._move(Selection(None if table.follows else 0))
        self._key_hint = table.sorting_hint(self.size.width)

    def action_plot(self) -> None:
        """Show the next plot; after the last one, the table alone."""
        if self.view is None or not self.alone:
            return
        self.plots.go_on(self.view)
        chart = self.plots.chart(self.view)
        self._show_hint(line(Span(chart.name, "title"), f"  {chart.meaning}") if chart else ())

    def action_shift(self, by: int) -> None:
        """Show an earlier or a later window."""
        if self.view is not None and self.alone:
            self.plots.pan(self.view, by)
            self._show_hint(self._key_hint)

    def action_zoom_time(self, by: int) -> None:
        """Show a longer or a shorter window."""
        if self.view is not None and self.alone:
            self.plots.zoom(self.view, by)
            self._show_hint(self._key_hint)

    def action_follow(self) -> None:
        """Follow now again; if it does already, choose the length automatically."""
        self.plots.follow()
        self._show_hint(self._key_hint)

    def _show_hint(self, hint: Line) -> None:
        self._key_hint = hint
        self.paint()
        self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        """Select another row, relative to the current place of the selected one."""
        if self.view is not None:
            table = self._table(self.view)
            selection = table.placed(self.view, self.selection)
            self._move(selection.moved(by, table.rows(self.view), tail=table.follows))

    def action_page(self, pages: int) -> None:
        """Select the row one page away."""
        self.action_move(pages * self._page)

    def action_to_end(self) -> None:
        """Select the last row; a table in order of arrival follows its end again."""
        if self.view is not None:
            table = self._table(self.view)
            self._move(Selection(None if table.follows else table.rows(self.view).stop - 1))

    def _move(self, selection: Selection) -> None:
        self._key_hint = ()
        if self.view is not None:
            self._table(self.view).choose(self.view, selection.row)
        super()._move(selection)

    def on_resize(self, event: events.Resize) -> None:
        """Record whether the pane has the width of the screen."""
        self.alone = event.size.width >= self.app.size.width
        self.post_message(self.Moved())

    # The opened cycle

    def action_open(self) -> None:
        """Show all fields of the selected cycle."""
        if self.view is not None and self.card(CARD_CELLS):
            self.pin()
            self.post_message(self.Opened(self))

    def step(self, by: int) -> None:
        """Select the next cycle while one is open, and keep it selected."""
        self.action_move(by)
        self.pin()

    def pin(self) -> None:
        """Keep the selection on its cycle when new ones come."""
        if self.view is None:
            return
        row = self._row(self.view)
        if self.selection.row is None:
            self._move(Selection(row, self.selection.top))
        self._table(self.view).hold(self.view, row)

    def card(self, width: int) -> list[Line]:
        """Return all fields of the selected cycle; nothing if the row is not a cycle."""
        if self.view is None:
            return []
        return self._table(self.view).card_of(self.view, self._row(self.view), width)

    # Drawing

    def _cycles(self, view: View) -> CycleTable[GcCycle] | CycleTable[GcPause]:
        return self.pauses if from_memstats(view) else self.cycles

    def _table(self, view: View) -> AnyTable:
        return self.output if self.everything else self._cycles(view)

    def _row(self, view: View) -> int:
        """Return the number of the selected row."""
        table = self._table(view)
        return table.placed(view, self.selection).at(table.rows(view))

    def rows(self, view: View) -> range:
        """Return the numbers of the rows that can be selected."""
        return self._table(view).rows(view)

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw the plot, if there is room, and the rows around the selected one."""
        table = self._table(view)
        numbers = table.rows(view)
        title = title_of(view, everything=self.everything)
        span = self.plots.stretch(view)
        status = status_of(view, span.start, span.end)
        has_plot = self.alone and height >= ROOM_FOR_A_PLOT
        in_edge = in_frame(status, width - cells(title) - 8, with_summary=not has_plot)
        if not numbers:
            rows = empty_lines(view, self.SOURCE, width, waiting_for(view))
            return Picture(title, in_edge, rows=rows, is_empty=True)
        above: list[Line] = []
        if has_plot:
            above = self._above(view, status, width, height)
        below = [] if self.everything or height < ROOM_FOR_A_NOTE else note(view, width)
        room = height - len(above) - len(below) - 1
        self._page = max(1, room)
        self._rows_from = len(above) + 1
        self.selection = table.placed(view, self.selection).within(numbers, room)
        top = self.selection.top
        shown = range(top, min(top + room, numbers.stop))
        head, rows = table.lines(view, shown, width - 1)
        drawn = [(Span(" "), *row) for row in rows]
        if self.has_focus and self.selection.row is not None and drawn:
            at = self.selection.at(numbers) - top
            drawn[at] = selected_line(drawn[at], width)
        more = numbers.stop - shown.stop
        foot = line(Span(f"{more} more ↓", "dim")) if more else place_of(view, self.SOURCE, width)
        drawn += [()] * (room - len(drawn))
        return Picture(
            title, in_edge, start=pager(self.plots, view) if above else (), foot=foot,
            rows=[*above, (Span(" "), *head), *drawn, *below],
        )  # fmt: skip

    def _above(self, view: View, status: Status, width: int, height: int) -> list[Line]:
        """Return the status line and the plot: two thirds of the height."""
        text = (Span(" "), *in_full(status, width - 1))
        return [text, *self.plots.lines(view, width, height - 1 - max(5, height // 3))]

    def row_text(self, view: View, row: int) -> str:
        """Return the text of a row with all columns."""
        _, lines = self._table(view).lines(view, range(row, row + 1), ALL_COLUMNS_CELLS)
        return text_of(lines[0]) if lines else ""

    def field_docs(self, view: View) -> Sequence[FieldDoc]:
        """Return what the columns and the plots mean."""
        is_trace = not from_memstats(view)
        figures = cycles_at(self.size.width, True) if is_trace else PAUSES
        return field_docs(figures, OF_TRACE if is_trace else OF_MEMSTATS, is_trace=is_trace)

    def selected_doc(self, view: View) -> int | None:
        """Return the column that the table is sorted by."""
        return self._cycles(view).sorting.column

    def hint(self, view: View) -> Line:
        """Return the selected cycle in words, or the hint of the last key."""
        if self._key_hint:
            return self._key_hint
        return self._table(view).words_of(view, self._row(view)) or line(NO_CYCLES)
