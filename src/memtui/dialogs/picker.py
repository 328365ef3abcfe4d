"""The dialog to select a process: Go processes first, filtered while the user types."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Input, Static

from memtui import units
from memtui.model import Absent
from memtui.sanitize import plain
from memtui.sources.process.discovery import Candidate, ProcessChoice, ranked

MAX_ROWS = 200
"""Rows of the list: it is filled again at each key, which must not take long."""
SLICE_S = 0.02
"""Processes are read for this long before the event loop gets a turn."""

KEYS = "↑↓ select   enter watch   ctrl+r refresh   esc quit"
COLUMNS: tuple[tuple[str, int], ...] = (("PID", 7), ("Go", 10), ("RES", 5), ("up", 6), ("user", 10))
MIN_WIDTH_WITH_USER = 80
"""On a narrower screen the user column is left out."""


class PickerScreen(Screen[int | None]):
    """Lists the processes and filters them; returns a pid, or None if the user cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", priority=True),
        Binding("down", "move(1)", "down", priority=True),
        Binding("escape,ctrl+c", "cancel", "quit", priority=True),
        Binding("ctrl+r", "reload", "refresh"),
    ]

    def __init__(self, choice: ProcessChoice) -> None:
        super().__init__()
        self._choice = choice
        self._entries: list[tuple[Candidate, str, str]] = []
        """The processes in order, each with its command line and the text to search."""
        self._columns = COLUMNS
        self._filled_for = ""

    def compose(self) -> ComposeResult:
        """Show the title, the filter, the list, and the keys."""
        yield Static(Text(f" memtui   {plain(self._choice.title)}"), id="picker-title")
        yield Input(placeholder="filter by name, command or pid", id="picker-filter")
        yield DataTable[Text](id="picker-list", cursor_type="row", zebra_stripes=False)
        yield Static(Text(f" reading /proc …   {KEYS}"), id="picker-keys")

    def on_mount(self) -> None:
        """Fill the list in a worker; the keyboard stays responsive."""
        table = self._table()
        table.can_focus = False
        self._columns = COLUMNS if self.size.width >= MIN_WIDTH_WITH_USER else COLUMNS[:-1]
        for title, width in self._columns:
            table.add_column(title, width=width)
        table.add_column("command")
        self.query_one(Input).focus()
        self.action_reload()

    def action_reload(self) -> None:
        """Read the list of processes again."""
        self.run_worker(self._load(), group="load", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        found: list[Candidate] = []
        turn = time.monotonic()
        try:
            for candidate in self._choice.candidates():
                found.append(candidate)
                if time.monotonic() - turn > SLICE_S:
                    await asyncio.sleep(0)
                    turn = time.monotonic()
        except OSError as error:
            self.notify(f"the list is incomplete: {error.strerror}", severity="error", markup=False)
        self._entries = [_searchable(each) for each in ranked(found)]
        self._fill()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter the list by the text."""
        self._fill()

    def _fill(self) -> None:
        self._filled_for = self.query_one(Input).value
        table, text = self._table(), self._filled_for.strip().lower()
        table.clear()
        matching = [entry for entry in self._entries if text in entry[2]]
        for each, command, _ in matching[:MAX_ROWS]:
            row = _row(each)[: len(self._columns)]
            table.add_row(*row, Text(command, no_wrap=True), key=str(each.pid))
        more = f" (showing {MAX_ROWS})" if len(matching) > MAX_ROWS else ""
        status = Text(f" {len(matching)} of {len(self._entries)} processes{more}   {KEYS}")
        self.query_one("#picker-keys", Static).update(status)

    def _table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def action_move(self, by: int) -> None:
        """Move the selection; the filter keeps the focus."""
        table = self._table()
        table.move_cursor(row=table.cursor_row + by)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the selected process, after the filter has been applied."""
        if event.value != self._filled_for:
            self._fill()
        table = self._table()
        if table.row_count:
            key = table.coordinate_to_cell_key(table.cursor_coordinate).row_key
            self.dismiss(int(key.value or 0))

    def action_cancel(self) -> None:
        """Return no process."""
        self.dismiss(None)


def _searchable(each: Candidate) -> tuple[Candidate, str, str]:
    command = plain(" ".join(each.command) or each.name)
    return each, command, f"{each.pid} {each.name} {command}".lower()


def _row(each: Candidate) -> tuple[Text, ...]:
    """Return the cells of a process; numbers are aligned to the right."""
    go = each.go_version
    version = go.value if isinstance(go, Absent) else plain(go or "")
    res = each.res_bytes
    return (
        Text(str(each.pid), justify="right"),
        Text(version, "bold" if isinstance(go, str) else "dim"),
        Text(res.value if isinstance(res, Absent) else units.size(res), justify="right"),
        Text(units.duration(max(0.0, time.time() - each.started_at)), justify="right"),
        Text(plain(each.user)),
    )
