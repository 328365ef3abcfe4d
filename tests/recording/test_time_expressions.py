"""Times within a session, as a user writes them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from memtui.model import Event, Mark
from memtui.recording.time_expressions import NotAMoment, parse_moment


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be somewhere with another time than UTC, and with a night of 25 hours."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> float:
    return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


# Three days, in which the clocks go back (2026-10-25, 03:00).
START, END = 1792843380.0, 1793102580.0
SPAN = (START, END)
MARKS = [
    Event(START + 100, "user", Mark("deploy 1")),
    Event(START + 200, "user", Mark("load test")),
    Event(START + 300, "user", Mark("deploy 2")),
]


@pytest.mark.parametrize(
    ("text", "here", "wanted"),
    [
        ("+5m", None, START + 300),
        ("+1h30m", None, START + 5400),
        ("-30s", None, END - 30),
        ("-1d", None, END - 86400),
        ("+5m", START + 60, START + 360),
        ("-30", START + 60, START + 30),
        ("-5h", START + 60, START),
        ("+9999h", START, END),
        ("0%", None, START),
        ("50%", None, (START + END) / 2),
        ("100%", None, END),
        ("start", None, START),
        ("end", 5.0, END),
        ("@deploy", None, START + 100),
        ("@deploy", START + 100, START + 300),
        ("@LOAD", None, START + 200),
        ("@2", None, START + 200),
        ("@mark", None, START + 300),
        ("@", None, START + 300),
    ],
)
def test_a_moment_is_what_it_says(text: str, here: float | None, wanted: float) -> None:
    assert parse_moment(text, SPAN, here=here, marks=MARKS) == wanted


@pytest.mark.parametrize(
    ("text", "here", "wanted"),
    [
        ("20:30", None, "2026-10-26 20:30:00"),
        ("20:30", "2026-10-24 19:00:00", "2026-10-24 20:30:00"),
        ("20:30", "2026-10-25 23:00:00", "2026-10-25 20:30:00"),
        ("20:30:15", "2026-10-26 12:00:00", "2026-10-26 20:30:15"),
        ("4:00", "2026-10-24 20:00:00", "2026-10-25 04:00:00"),
    ],
)
def test_a_time_of_day_is_the_nearest_one_or_the_last(
    text: str, here: str | None, wanted: str
) -> None:
    assert parse_moment(text, SPAN, here=None if here is None else at(here)) == at(wanted)


def test_a_date_is_one_of_this_place_or_with_a_z_of_utc() -> None:
    assert parse_moment("2026-10-25 14:03", SPAN) == at("2026-10-25 14:03:00")
    assert parse_moment("2026-10-25T14:03:20", SPAN) == at("2026-10-25 14:03:20")
    assert parse_moment("2026-10-25", SPAN) == at("2026-10-25 00:00:00")
    assert parse_moment("2026-10-25T14:03Z", SPAN) - at("2026-10-25 14:03:00") == 3600.0


def test_the_minute_or_the_day_in_which_it_begins_is_its_start() -> None:
    start = at("2026-10-25 14:03:20")
    span = (start, start + 600)
    assert parse_moment("14:03", span) == start
    assert parse_moment("2026-10-25 14:03", span) == start
    assert parse_moment("2026-10-25", span) == start
    with pytest.raises(NotAMoment, match="outside"):
        parse_moment("14:02", span)


@pytest.mark.parametrize(
    "text",
    ["", "noon", "25:00", "14:61", "101%", "@nothing", "@9", "2026-02-30", "2025-10-25", "+", "5m"],
)
def test_anything_else_is_a_line(text: str) -> None:
    with pytest.raises(NotAMoment):
        parse_moment(text, SPAN, marks=MARKS)
    with pytest.raises(NotAMoment, match="no marks"):
        parse_moment("@x", SPAN)
