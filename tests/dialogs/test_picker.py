"""The list of processes: Go ones first, narrowed down while typing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dashboard import running, until
from textual.widgets import DataTable

from memtui.dashboard.app import MemtuiApp
from memtui.model import ProcessSample
from memtui.sources.process.discovery import Candidate, ProcessChoice, ProcessFinder
from memtui.sources.process.source import ProcessSource
from memtui.sources.source import Source
from memtui.timeline import Timeline

StartGo = Callable[..., Any]


def candidate(pid: int, name: str, go: str | None, res: int = 1 << 20) -> Candidate:
    return Candidate(pid, name, (f"/usr/bin/{name}", "[/x]", "\x1b[2J"), "shop", 0.0, res, go)


MANY = [
    candidate(1, "init", None, 9 << 20),
    candidate(20, "orders", "go1.27.3", 40 << 20),
    candidate(21, "stock", "go1.21.13", 60 << 20),
    candidate(300, "bash", None),
]


def picking(candidates: Callable[[], Iterator[Candidate]]) -> MemtuiApp:
    def sources_of(pid: int) -> list[Source]:
        return [ProcessSource(pid, time.time)]

    return MemtuiApp(
        Timeline(0.0), choice=ProcessChoice(candidates, "Select a process", sources_of)
    )


async def listed(app: MemtuiApp, count: int) -> list[str]:
    """Wait until the list has so many rows; return their pids."""
    await until(lambda: rows_of(app) == count)
    table = app.screen.query(DataTable).first()
    return [str(table.get_row_at(row)[0]) for row in range(count)]


def rows_of(app: MemtuiApp) -> int:
    """Return how many rows the list has."""
    return sum(table.row_count for table in app.screen.query(DataTable))


async def test_go_programs_stand_first_and_large_ones_before_small_ones() -> None:
    app = picking(lambda: iter(MANY))
    async with running(app, (80, 24)):
        assert await listed(app, 4) == ["21", "20", "1", "300"]


async def test_typing_narrows_the_list_down() -> None:
    app = picking(lambda: iter(MANY))
    async with running(app, (80, 24)) as pilot:
        await listed(app, 4)
        await pilot.press(*"ord")
        assert await listed(app, 1) == ["20"]
        await pilot.press("backspace", "backspace", "backspace", *"300")
        assert await listed(app, 1) == ["300"]


async def test_foreign_text_is_shown_as_it_is() -> None:
    app = picking(lambda: iter(MANY))
    async with running(app, (80, 24)):
        await listed(app, 4)
        row = app.screen.query_one(DataTable).get_row_at(0)
        assert str(row[-1]) == "/usr/bin/stock [/x] ␛[2J"


@pytest.mark.go
async def test_the_chosen_process_is_watched(start_go: StartGo) -> None:
    service = start_go("orders")
    app = picking(ProcessFinder().processes)
    async with running(app, (80, 24)) as pilot:
        await until(lambda: rows_of(app))
        await pilot.press(*str(service.pid), "enter")
        await until(lambda: app.timeline.track(ProcessSample).count)
        assert app.timeline.track(ProcessSample).count
        assert app.return_code is None


async def test_choosing_nothing_ends_it() -> None:
    app = picking(lambda: iter(MANY))
    async with running(app, (80, 24)) as pilot:
        await listed(app, 4)
        await pilot.press("escape")
        await pilot.pause()
    assert app.return_code == 0
