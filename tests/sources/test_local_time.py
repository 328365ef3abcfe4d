"""Dates without a year: the latest that is not to come, in the zone of this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from memtui.sources.local_time import local_time


@pytest.fixture(autouse=True)
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


NEW_YEAR_2026 = 1_767_193_200  # 2026-01-01 00:00 in Tokyo


def test_a_date_of_this_year_and_one_of_the_last() -> None:
    moment = local_time(lambda: NEW_YEAR_2026 + 3600.0)
    assert moment(1, 1, 0, 30, 1.25) == NEW_YEAR_2026 + 1801.25
    assert moment(12, 31, 23, 0, 0.0) == NEW_YEAR_2026 - 3600


def test_a_clock_that_is_a_little_ahead_is_of_this_year() -> None:
    moment = local_time(lambda: NEW_YEAR_2026 + 3600.0)
    assert moment(1, 1, 2, 0, 0.0) == NEW_YEAR_2026 + 7200


def test_the_clock_is_asked_anew_each_time() -> None:
    now = [NEW_YEAR_2026 - 3600.0]
    moment = local_time(lambda: now[0])
    assert moment(12, 31, 22, 0, 0.0) == NEW_YEAR_2026 - 7200
    now[0] += 7200
    assert moment(1, 1, 0, 30, 0.0) == NEW_YEAR_2026 + 1800
