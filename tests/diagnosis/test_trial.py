"""The settling test: the question, the result and the verdict after it agree with each other."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from diagnosis.captures import NOON, mapping_of, process_of, runtime_of

from memtui.diagnosis import (
    Cause,
    build_window,
    diagnose,
    expectation,
    one_line,
    settled_before,
    trial_of,
)
from memtui.model import Act, Event, Mark, Sample
from memtui.timeline import Cursor, Timeline, View

KIB = 1024
BUSY = {
    "VmRSS": 112_000, "RssAnon": 104_000, "RssFile": 8000, "HeapAlloc": 90_000, "HeapInuse": 92_000,
    "HeapIdle": 9000, "HeapReleased": 800, "HeapSys": 101_000, "HeapLive": 8000, "StackInuse": 400,
    "StackSys": 400, "MSpanSys": 200, "MCacheSys": 20, "BuckHashSys": 4, "GCSys": 2000,
    "OtherSys": 800, "Sys": 105_000, "NextGC": 120_000, "NumGC": 9, "Goroutines": 5, "Threads": 5,
}  # fmt: skip
FREED = BUSY | {
    "VmRSS": 28_000, "RssAnon": 20_000, "HeapAlloc": 8000, "HeapInuse": 9000, "HeapIdle": 92_000,
    "HeapReleased": 91_500, "NumGC": 11,
}  # fmt: skip
ACTED_S = 60.0


def seen(until_s: float, *, has_live: bool, is_acted: bool = True) -> View:
    """Return a service that holds 82M of garbage, and frees its memory after a minute."""
    events = []
    for second in range(int(until_s) + 1):
        row = {key: float(value) for key, value in (FREED if second > ACTED_S else BUSY).items()}
        events.append(Event(NOON + second, "process", process_of(row)))
        if second % 10 == 1:
            events.append(Event(NOON + second, "mapping", mapping_of(row)))
        if second % 5 == 1:
            sample: Sample = runtime_of(row, has_live=has_live)
            events.append(Event(NOON + second, "runtime", sample))
    if is_acted:
        mark = Mark("freed memory", Act.FREE_MEMORY)
        events.append(Event(NOON + ACTED_S, "trial", mark))
    timeline = Timeline(NOON)
    timeline.extend(sorted(events, key=lambda event: event.at))
    return Cursor().view(timeline, NOON + until_s)


@pytest.mark.parametrize("has_live", [True, False])
def test_question_and_result_are_of_the_same_moment(has_live: bool) -> None:
    asked = settled_before(seen(ACTED_S, has_live=has_live, is_acted=False), NOON + ACTED_S)
    assert asked is not None
    question = expectation(Act.FREE_MEMORY, asked, lazily=False)
    found = trial_of(seen(ACTED_S + 8, has_live=has_live))
    assert found is not None
    assert found.expected == question
    assert found.ledger is not None
    assert found.ledger.growth is not None
    assert found.ledger.res - found.ledger.growth == asked.res
    assert found.fell_by == 84_000 * KIB
    assert "80.1M of objects were garbage" in found.sentence
    assert "not a leak" in found.sentence


def test_where_the_live_heap_is_not_known_the_expectation_is_a_range() -> None:
    known, unknown = (
        found.expected for each in (True, False) if (found := trial_of(seen(68, has_live=each)))
    )
    assert known is not None
    assert unknown is not None
    assert known.least == known.most
    assert unknown.least < known.least <= unknown.most
    assert re.search(r"should fall by [\d.]+M to [\d.]+M", unknown.sentence)
    assert "nothing large" not in unknown.sentence


def test_a_large_result_changes_the_verdict() -> None:
    early, later = (diagnose(build_window(seen(each, has_live=True))) for each in (75, 150))
    assert early.first.cause is Cause.NOT_ENOUGH_DATA
    assert later.first.cause is Cause.STEADY
    for each in (early, later):
        assert "RES fell by 82.0M when memory was freed" in one_line(each)
        assert "±" not in one_line(each)
        assert each.ledger is not None
        assert each.ledger.res == 28_000 * KIB


def test_an_act_that_returns_nothing_leaves_the_window_as_it_is() -> None:
    view = seen(58, has_live=True, is_acted=False)
    view.timeline.append(Event(NOON + 30, "trial", Mark("freed memory", Act.FREE_MEMORY)))
    found = build_window(view)
    assert found.returned is None
    assert found.seconds > 40


def test_what_goes_to_lazyfree_is_not_expected_to_leave_res() -> None:
    point = settled_before(seen(ACTED_S, has_live=True, is_acted=False), NOON + ACTED_S)
    assert point is not None
    found = expectation(Act.FREE_MEMORY, point, lazily=True)
    assert found is not None
    assert (found.least, found.most) == (0, 0)
    assert "LazyFree" in found.sentence
    ballast = replace(point, res=20_000 * KIB, anon=12_000 * KIB)
    found = expectation(Act.FREE_MEMORY, ballast, lazily=False)
    assert found is not None
    assert found.most <= 20_000 * KIB
