"""What ``--plain`` says of a view: every number from the right source, and news once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from memtui.cli.headless.plain import (
    PlainLines,
    gc_cpu,
    gc_per_minute,
    goal_bytes,
    goroutine_count,
    live_bytes,
    numbers,
)
from memtui.model import (
    Absent,
    Attached,
    Ended,
    Event,
    GcCycle,
    GcPause,
    Mark,
    Origin,
    ProcessSample,
    Profile,
    Restart,
    RuntimeSample,
    Sample,
    SampleValues,
    Trouble,
)
from memtui.timeline import Cursor, Timeline, View

MIB = 1 << 20
NOON = time.mktime((2026, 11, 24, 12, 0, 0, 0, 0, -1))
Process = Callable[..., ProcessSample]
Cycle = Callable[..., GcCycle]
STATS = RuntimeSample(
    origin=Origin.METRICS, where="", took_s=0.0, size_bytes=0, heap_idle_bytes=30 * MIB,
    heap_released_bytes=10 * MIB, next_gc_bytes=25 * MIB, num_gc=108, goroutines=14,
    heap_live_bytes=12 * MIB, gc_cpu_fraction=0.0031,
)  # fmt: skip


def view(*samples: tuple[float, str, Sample], until: float = 0.0) -> View:
    timeline = Timeline(NOON)
    for at, source, sample in samples:
        timeline.append(Event(NOON + at, source, sample))
    return Cursor().view(timeline, NOON + until)


def test_all_numbers_of_a_service(process: Process) -> None:
    seen = view(
        (0, "process", process(40 * MIB, 8 * MIB)),
        (1, "runtime", STATS),
        (2, "process", process(61 * MIB, 8 * MIB)),
        until=60,
    )
    assert numbers(seen) == (
        "RES 61.0M +21.0M, SHR 8.00M, live 12.0M, goal 25.0M, idle 20.0M, "
        "GC 108 unknown/min 0.31% CPU, goroutines 14"
    )


def test_what_fell_has_an_ascii_sign_and_what_is_not_known_a_word(process: Process) -> None:
    fallen = view((0, "process", process(40 * MIB)), (1, "process", process(39 * MIB)))
    assert numbers(fallen).startswith("RES 39.0M -1.00M, SHR 0, live unknown, goal unknown, ")
    no_access = process(res=0)
    hidden = replace(no_access, res_bytes=Absent.NO_ACCESS, shr_bytes=Absent.NO_ACCESS)
    assert numbers(view((0, "process", hidden))).startswith("RES unknown unknown, SHR unknown, ")
    assert numbers(view()).isascii()


def test_the_newer_of_trace_and_memstats_tells_the_live_heap(cycle: Cycle) -> None:
    stats, traced = (1, "runtime", STATS), (2, "gctrace", cycle(109, live=20))
    assert live_bytes(view(stats, traced, until=3)) == 20 * MIB
    assert live_bytes(view((3, "runtime", STATS), traced, until=3)) == 12 * MIB


def test_the_goal_in_force_is_that_of_memstats_or_of_the_last_cycle(cycle: Cycle) -> None:
    traced = (2, "gctrace", cycle(109, goal_bytes=30 * MIB))
    assert goal_bytes(view(traced, until=3)) == 30 * MIB
    assert goal_bytes(view((1, "runtime", STATS), traced, until=3)) == 25 * MIB
    assert goal_bytes(view((1, "runtime", replace(STATS, next_gc_bytes=None)))) == "off"
    assert goal_bytes(view((1, "gctrace", cycle(1, goal_bytes=None)))) == "off"
    assert goal_bytes(view()) is None


@pytest.mark.parametrize(
    ("moments", "until", "expected"),
    [
        ((), 60, None),
        ((0.0, 0.01), 1, None),  # two cycles at the start say nothing of a minute
        (range(1, 61), 60, 60.0),
        (range(1, 31), 30, 60.0),
        ((1, 130, 260, 390), 400, 4 / 400 * 60),
    ],
)
def test_a_rate_is_that_of_the_last_minute_or_ten(
    cycle: Cycle, moments: Any, until: float, expected: float | None
) -> None:
    traced = [(float(at), "gctrace", cycle(n)) for n, at in enumerate(moments, 1)]
    found = gc_per_minute(view(*traced, until=until))
    assert found == pytest.approx(expected) if expected is not None else found is None
    paused = [(float(at), "runtime", GcPause(n, 0.1, None)) for n, at in enumerate(moments, 1)]
    assert gc_per_minute(view(*paused, until=until)) == found


def test_the_share_of_the_cpu_is_since_the_cycle_before(cycle: Cycle) -> None:
    only = (1, "gctrace", cycle(1, gc_cpu_percent=7))
    assert gc_cpu(view(only)) == 0.07
    later = (2, "gctrace", cycle(2, gc_cpu_percent=7))
    share = gc_cpu(view(only, later, until=2))
    assert share == pytest.approx(0.00062, rel=0.01), "1.24 ms of two processors for a second"
    assert gc_cpu(view((1, "runtime", STATS))) == 0.0031


def test_goroutines_are_counted_by_their_profile_too() -> None:
    values = (SampleValues("goroutine", "count", 77, ()),)
    request = Profile(values, "goroutine", "", 0, 0.0).request
    profile = Profile(values, "goroutine", "", 0, 0.0, replace(request, kind="goroutine"))
    assert goroutine_count(view((1, "profile", profile), until=2)) == 77
    heap = Profile(values, "goroutine", "", 0, 0.0, replace(request, kind="heap"))
    assert goroutine_count(view((1, "profile", heap), until=2)) is None
    assert goroutine_count(view((1, "profile", profile), (2, "runtime", STATS), until=3)) == 14


def test_news_are_told_once_and_again_when_they_change(process: Process) -> None:
    timeline, teller = Timeline(NOON), PlainLines()

    def told(at: float, *samples: tuple[str, Sample]) -> list[str]:
        for source, sample in samples:
            timeline.append(Event(NOON + at, source, sample))
        lines = list(teller.lines(Cursor().view(timeline, NOON + at)))
        assert all(line.startswith("2026-11-24 12:00:0") for line in lines)
        return [line[20:] for line in lines if " RES " not in line[19:25]]

    trouble = Trouble("refused", "start it", 1.0)
    first = ("process", process(MIB, state="S"))
    assert told(1, first, ("profile", trouble)) == [
        "trouble: profile: refused (start it)",
        "verdict: not-enough-data: RES 1.00M: not enough data yet (0s of 40s).",
    ]
    assert told(2, ("profile", Trouble("refused", "start it", 2.0))) == []
    assert told(3, ("profile", Attached("127.0.0.1"))) == ["source: profile: 127.0.0.1"]
    assert told(4, ("profile", trouble)) == ["trouble: profile: refused (start it)"]
    stopped = ("process", process(MIB, state="T"))
    assert told(5, stopped, ("user", Mark("a\x1b[2Jb"))) == ["mark: a␛[2Jb", "state: stopped"]
    assert told(6, first, ("gctrace", Restart())) == [
        "restart: the process restarted",
        "state: runs",
    ]
    assert told(7, ("process", Ended("process 1 ended"))) == ["ended: process 1 ended"]
