"""Moments are formatted relative to the time of the view, not to the current day."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

from memtui.local_time import time_or_date

SOURCE = Path(__file__).parents[1] / "src" / "memtui"
WITHOUT_A_CLOCK = (
    "panes", "report", "session/player.py", "session/replay_window.py", "diagnosis", "timeline",
    "parse", "model",
)  # fmt: skip
NOON = 1_795_003_200.0
DAY_S = 86_400.0


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_a_moment_of_the_day_of_the_view_is_a_time_and_another_one_a_date() -> None:
    assert time_or_date(NOON, NOON + 3600) == time.strftime("%H:%M:%S", time.gmtime(NOON))
    for days in (1, 365, 366):
        said = time_or_date(NOON, NOON + days * DAY_S)
        assert said == time.strftime("%Y-%m-%d", time.gmtime(NOON))


def reads_of_the_clock(tree: ast.AST) -> list[str]:
    """Return the calls of a module that ask for the time of day, or for today."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, given = node.func.attr, len(node.args)
        is_of_now = name in ("time", "time_ns", "now", "today", "utcnow", "ctime")
        is_of_now_unless_given = {"localtime": 1, "gmtime": 1, "strftime": 2, "asctime": 1}
        owner = node.func.value
        is_clock = isinstance(owner, ast.Name) and owner.id in ("time", "datetime", "date")
        if is_clock and (is_of_now or given < is_of_now_unless_given.get(name, 0)):
            found.append(f"{name} in line {node.lineno}")
    return found


@pytest.mark.parametrize("folder", WITHOUT_A_CLOCK)
def test_no_pane_report_or_rule_asks_for_the_time_of_day(folder: str) -> None:
    place = SOURCE / folder
    modules = [place] if place.suffix else sorted(place.rglob("*.py"))
    assert modules
    for path in modules:
        assert not reads_of_the_clock(ast.parse(path.read_text())), path


def test_a_read_of_the_clock_is_seen() -> None:
    for text in ("time.time()", 'time.strftime("%Y")', "datetime.now(UTC)", "time.localtime()"):
        assert reads_of_the_clock(ast.parse(text)), text
    assert not reads_of_the_clock(ast.parse('time.strftime("%Y", time.localtime(at))'))
