"""Shows the parts of RES as a bar and a ledger with its waterfall, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from memtui import units
from memtui.diagnosis import DEFAULT_WINDOW_S, Access, Diagnosis, PartName, trial_of
from memtui.local_time import time_of_day
from memtui.model import (
    Act,
    GcCycle,
    MappingGroups,
    MappingSample,
    Mark,
    ProcessSample,
    Restart,
    RuntimeSample,
)
from memtui.panes.empty import empty_lines
from memtui.panes.explain.diagnosis_cache import DiagnosisCache
from memtui.panes.explain.environment import environment_rows
from memtui.panes.explain.ledger import ExplainRow
from memtui.panes.explain.verdict import explain_rows, trial_rows
from memtui.panes.field_doc import FieldDoc
from memtui.panes.pane import SearchedPane
from memtui.render.cells import Line, Picture, Span, line, text_of
from memtui.render.table import selected_line
from memtui.timeline import View

WINDOWS_S = (120.0, DEFAULT_WINDOW_S, 3600.0, 6 * 3600.0, 24 * 3600.0, 72 * 3600.0)
COLUMNS = (
    FieldDoc("share", "of RES now", "percent", "the ledger", "the shares sum to 100%"),
    FieldDoc(
        "growth", "change of the part within the window", "bytes, signed",
        "the ledger at both ends of the window (←→)",
        "one part may grow while another shrinks and RES stays the same", "grow",
    ),
    FieldDoc(
        "then → now", "from RES at the start of the window to RES now, one step per part",
        "one scale for all steps", "the ledger",
    ),
    FieldDoc(
        "confidence", "how well the data separate this cause from other causes",
        "high, medium, low", "the evidence below the ledger",
    ),
)  # fmt: skip


class ExplainPane(SearchedPane):
    """Shows the ledger and the verdict of the window that ends at the moment of the view."""

    NUMBER = 5
    NAME = "explain"
    SOURCE = "process"
    KEYS_HELP = (
        ("←→ hl", "use a longer or shorter window"),
        ("enter", "open a part; go to the pane with the source of a number"),
        ("m", "read smaps once: the mappings by kind, at the end"),
        ("c", "force a GC in the service, after a question"),
        ("f", "free its memory (--free-url), after a question"),
    )
    KINDS = (
        ProcessSample, RuntimeSample, GcCycle, MappingSample, MappingGroups, Restart, Mark,
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="explain.open"),
        Binding("m", "mappings", "read the mappings", id="explain.mappings"),
        Binding("c", "act('FORCE_GC')", "force a GC", id="explain.gc"),
        Binding("f", "act('FREE_MEMORY')", "free memory", id="explain.free"),
    ]

    can_open = "open"

    class PaneRequest(Message):
        """Requests the pane that shows the source of a number."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class MappingsRequest(Message):
        """Requests one reading of smaps, which takes 20 ms per GiB."""

    class ActionRequest(Message):
        """Requests an act on the process: a forced GC, or freeing its memory."""

        def __init__(self, act: Act) -> None:
            super().__init__()
            self.act = act

    def __init__(self) -> None:
        super().__init__()
        self._diagnosis_cache = DiagnosisCache()
        self._opened: frozenset[PartName] = frozenset()
        self._rows: list[ExplainRow] = []

    def diagnosis(self, view: View) -> Diagnosis:
        """Return the diagnosis of a view, even if the pane is not on the screen."""
        return self._diagnosis_cache.of(view)

    def keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of this pane with their names."""
        return self.keys_while_typing() or (
            ("←→", "window"), ("enter", "open"), ("m", "mappings"), ("c", "force a GC"),
            ("f", "free memory"), ("/", "find"), ("y", "copy"),
        )  # fmt: skip

    def show(self, view: View) -> None:
        """Show a view if the pane is on the screen; otherwise keep it for later."""
        if self.display:
            super().show(view)
        else:
            self.view = view

    def action_mappings(self) -> None:
        """Request a reading of smaps and scroll to the end, where it is shown."""
        self.post_message(self.MappingsRequest())
        self.action_to_end()

    def action_act(self, name: str) -> None:
        """Request an act on the process; the app asks for confirmation first."""
        self.post_message(self.ActionRequest(Act[name]))

    def action_shift(self, by: int) -> None:
        """Use a longer (left) or a shorter (right) window."""
        at = WINDOWS_S.index(self._diagnosis_cache.seconds) - by
        self._diagnosis_cache.seconds = WINDOWS_S[max(0, min(at, len(WINDOWS_S) - 1))]
        self.paint()
        self.post_message(self.Moved())

    def action_open(self) -> None:
        """Show the components of a part, or the pane that a number is from."""
        row = self._selected()
        if row is None:
            return
        if row.pane not in (None, self.NUMBER):
            self.post_message(self.PaneRequest(row.pane or 0))
        elif row.part is not None and row.part.parts:
            self._opened ^= {row.part.name}
            self.paint()

    def _selected(self) -> ExplainRow | None:
        at = self.selection.at(range(len(self._rows)))
        return self._rows[at] if self._rows else None

    def rows(self, view: View) -> range:
        """Return the numbers of the rows of the last picture."""
        return range(len(self._rows))

    def picture(self, view: View, width: int, height: int) -> Picture:
        """Draw the rows around the selected one."""
        title = line(Span("explain", "title"))
        if view.sample(ProcessSample) is None:
            rows = empty_lines(view, self.SOURCE, width, "reading /proc …")
            return Picture(title, rows=rows, is_empty=True)
        diagnosis = self.diagnosis(view)
        self._rows = explain_rows(diagnosis, width, self._opened)
        if trial := trial_of(view):
            self._rows += trial_rows(trial, width)
        self._rows += environment_rows(view, width)
        numbers = range(len(self._rows))
        self.selection = self.selection.within(numbers, height)
        top = self.selection.top
        shown = range(top, min(top + height, numbers.stop))
        drawn = [self._rows[number].line for number in shown]
        at = self.selection.at(numbers)
        if self.has_focus and at > 0:
            drawn[at - top] = selected_line(drawn[at - top], width)
        below = numbers.stop - shown.stop
        return Picture(
            title=title,
            status=_window_line(diagnosis),
            start=line(Span(f"{below} more ↓", "dim")) if below else (),
            foot=line(Span(_basis(diagnosis), "dim")),
            rows=drawn,
        )

    def row_text(self, view: View, row: int) -> str:
        """Return the text of a row."""
        return text_of(self._rows[row].line)

    def field_docs(self, view: View) -> Sequence[FieldDoc]:
        """Return the descriptions of the parts of the ledger and of the columns."""
        diagnosis = self.diagnosis(view)
        parts = diagnosis.ledger.parts if diagnosis.ledger else ()
        return [
            *(
                FieldDoc(part.title, part.meaning, "bytes, then its change", _basis(diagnosis))
                for part in parts
            ),
            *COLUMNS,
        ]

    def selected_doc(self, view: View) -> int | None:
        """Return the number of the selected part; None without one."""
        row, ledger = self._selected(), self.diagnosis(view).ledger
        if row is None or row.part is None or ledger is None or row.part not in ledger.parts:
            return None
        return ledger.parts.index(row.part)

    def hint(self, view: View) -> Line:
        """Describe what the selected row stands for."""
        row = self._selected()
        if row is None:
            return ()
        if row.part is not None:
            more = "  enter opens it" if row.part.parts else ""
            return line(row.part.meaning, Span(more, "dim"))
        if row.pane is not None:
            return line("source of this number: enter opens pane ", Span(str(row.pane), "key"))
        return line("the parts sum to RES; ←→ changes the length of the window")


def _window_line(diagnosis: Diagnosis) -> Line:
    window = diagnosis.window
    if not window.points:
        return line(Span("no data yet", "dim"))
    start, end = time_of_day(window.start), time_of_day(window.end)
    span = f"{start} – {end} ({units.duration(window.seconds)})"
    return line(Span(span, "dim"))


_BASIS: dict[Access, Callable[[Diagnosis], str]] = {
    Access.FULL: lambda diagnosis: f"MemStats and /proc, {diagnosis.window.cycles_seen} cycles",
    Access.TRACE: lambda diagnosis: f"gctrace and /proc, {diagnosis.window.cycles_seen} cycles",
    Access.PROC: lambda diagnosis: "/proc alone: an endpoint or gctrace shows more",
}


def _basis(diagnosis: Diagnosis) -> str:
    return _BASIS[diagnosis.window.access](diagnosis)
