"""Threads, memory outside of Go, tables of a peak, finalizers that block: each by its kind."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from diagnosis.made import MIB, NOON, Course, window
from diagnosis.reports import ends_of

from memtui.diagnosis import Access, Cause, Diagnosis, Window, diagnose, one_line
from memtui.diagnosis.rules.heap_leak import blocked_finalizer
from memtui.model import (
    Absent,
    FunctionValue,
    MappingGroup,
    MappingGroups,
    MappingKind,
    Profile,
    Resident,
    SampleValues,
)
from memtui.parse.profile.decoder import parse_profile

GO_STACKS = 48 / 1024
"""MiB of stacks of a thread that Go started."""


def threads(at: float) -> float:
    """Return a number of threads that grows by one a second; the table multiplies by MiB."""
    return (20 + at) / MIB


def text(found: Diagnosis) -> str:
    return " ".join(
        (one_line(found), *(each.text for one in found.findings for each in one.evidence),
         *(rival.text for one in found.findings for rival in one.rivals),
         *(line for one in found.findings for line in one.advice.lines()))
    )  # fmt: skip


def growing_threads(access: Access = Access.FULL, **courses: Course) -> Window:
    stacks: Course = lambda at: 1 + GO_STACKS * at  # noqa: E731
    made: dict[str, Any] = {"threads": threads, "stacks": stacks, **courses}
    return window(300, access=access, **made)


def test_stacks_of_idle_threads_are_no_leak_of_goroutines() -> None:
    found = diagnose(growing_threads(goroutines=6 / MIB))
    assert found.first.cause is Cause.THREAD_GROWTH
    assert Cause.GOROUTINE_LEAK not in [each.cause for each in found.findings]
    assert "golang/go#14592" in text(found)
    assert "goroutine-leak is ruled out" in text(found)


def test_goroutines_that_grow_with_the_threads_sit_in_system_calls() -> None:
    found = diagnose(growing_threads(goroutines=lambda at: (6 + at) / MIB))
    assert found.first.cause is Cause.THREAD_GROWTH
    assert "system calls" in found.first.sentence
    assert "goroutine-leak is ruled out" not in text(found)
    assert "14592" not in text(found)


@pytest.mark.parametrize("access", [Access.TRACE, Access.PROC])
def test_threads_are_counted_at_every_level_of_access(access: Access) -> None:
    found = diagnose(growing_threads(access))
    assert found.first.cause is Cause.THREAD_GROWTH
    assert "20 → " in text(found) or "threads 2" in text(found)


def test_goroutines_beside_a_few_more_threads_stay_a_leak() -> None:
    made = window(
        300, threads=lambda at: (20 + at / 20) / MIB, goroutines=lambda at: (50 + 20 * at) / MIB,
        stacks=lambda at: 1 + 0.05 * at,
    )  # fmt: skip
    causes = [each.cause for each in diagnose(made).findings]
    assert causes[0] is Cause.GOROUTINE_LEAK
    assert Cause.THREAD_GROWTH not in causes


def test_many_threads_that_do_not_become_more_are_no_finding() -> None:
    assert diagnose(window(300, threads=400 / MIB)).first.cause is Cause.STEADY


def group(kind: MappingKind, size: float, mapped: float, count: int) -> MappingGroup:
    unknown = Absent.NOT_REPORTED
    bytes_ = int(size * MIB)
    resident = Resident(
        bytes_, unknown, unknown, unknown, unknown, unknown, bytes_, unknown, unknown, unknown
    )
    return MappingGroup(kind, count, int(mapped * MIB), resident, "", bytes_)


def mapped(malloc: float = 0.1, stacks: float = 0.1, arenas: int = 1) -> MappingGroups:
    """Return smaps with so many MiB of malloc in so many arenas, and of stacks of threads."""
    return MappingGroups(
        (
            group(MappingKind.GO_HEAP, 17, 64, 1),
            group(MappingKind.C_MALLOC, malloc, 64.0 * arenas, 2 * arenas),
            group(MappingKind.THREAD_STACKS, stacks, 8 * 20, 20),
        ),
        by_name=False,
        took_s=0.01,
    )


def holding(beyond: Course, *readings: MappingGroups, **more: Any) -> Window:
    at = [NOON + 300 * (number + 1) / len(readings) for number in range(len(readings))]
    groups = tuple(zip(at, readings, strict=True))
    return window(300, beyond=beyond, fields={"groups": groups}, **more)


def test_arenas_that_are_most_of_res_are_named_though_they_do_not_grow() -> None:
    found = diagnose(holding(100, mapped(100, arenas=12), threads=24 / MIB))
    assert found.first.cause is Cause.OFF_HEAP
    assert not found.first.of_growth
    assert "about 12 malloc arenas" in one_line(found)
    assert "MALLOC_ARENA_MAX" in text(found)
    assert "24 threads" in text(found)


def test_a_little_memory_of_c_is_no_finding() -> None:
    assert diagnose(holding(6, mapped(6))).first.cause is Cause.STEADY


def test_stacks_of_threads_are_told_from_malloc() -> None:
    found = diagnose(holding(lambda at: 1 + at / 5, mapped(stacks=1), mapped(stacks=61)))
    assert found.first.cause is Cause.OFF_HEAP
    assert "stacks of threads" in found.first.line
    assert "C.malloc" not in text(found)
    assert "MALLOC_ARENA_MAX" not in text(found)


def test_one_reading_bounds_what_grew_without_memstats() -> None:
    found = diagnose(
        holding(lambda at: 1 + at / 3, mapped(malloc=100), access=Access.PROC, without=("goal",))
    )
    assert found.first.cause is Cause.OFF_HEAP
    assert "at least" in text(found)


def test_no_gc_cycle_leaves_what_finalizers_free() -> None:
    made = holding(lambda at: 1 + at / 3, mapped(malloc=1), mapped(malloc=101), per_cycle_s=1e9)
    found = diagnose(made)
    assert found.first.cause is Cause.OFF_HEAP
    assert "Force a GC" in text(found)
    assert "Close" in text(found)
    assert "Will not help: GC" not in text(found)
    with_cycles = diagnose(holding(lambda at: 1 + at / 3, mapped(malloc=1), mapped(malloc=101)))
    assert "Force a GC" not in text(with_cycles)


def test_tables_of_an_old_peak_are_named_with_the_peak() -> None:
    found = diagnose(window(300, gc=40, spans=30, fields={"peak": 1500 * MIB}))
    assert found.first.cause is Cause.RUNTIME_METADATA
    assert not found.first.of_growth
    assert "peak of 1.46G" in one_line(found)
    assert "restart" in one_line(found)


@pytest.mark.parametrize("peak", [None, 130])
def test_tables_without_a_peak_are_not_blamed_on_one(peak: int | None) -> None:
    made = window(300, gc=40, spans=30, fields={"peak": peak and peak * MIB})
    assert Cause.RUNTIME_METADATA not in [each.cause for each in diagnose(made).findings]


def test_a_peak_alone_is_no_finding() -> None:
    assert diagnose(window(300, fields={"peak": 1500 * MIB})).first.cause is Cause.STEADY


def goroutines(*names: str) -> Profile:
    functions = tuple(FunctionValue(name, 0, 1) for name in names)
    return Profile((SampleValues("goroutine", "count", 5, functions),), "goroutine", "", 1, 0.1)


@pytest.mark.parametrize(
    ("runner", "kind"),
    [("runtime.runfinq", "finalizer"), ("runtime.runFinalizers", "finalizer"),
     ("runtime.runCleanups", "cleanup")],
)  # fmt: skip
def test_a_finalizer_that_stays_is_named(runner: str, kind: str) -> None:
    there, gone = goroutines("main.closeFile", runner), goroutines("main.main")
    both = window(fields={"profiles": ((NOON, there), (NOON + 60, there))})
    found = blocked_finalizer(both)
    assert found is not None
    assert f"a {kind} blocks" in found.text
    for pair in ((there, gone), (gone, there), (gone, gone)):
        profiles = tuple((NOON + number, each) for number, each in enumerate(pair))
        assert blocked_finalizer(window(fields={"profiles": profiles})) is None


def test_the_function_that_blocks_is_named_where_the_profile_is_at_hand() -> None:
    data = base64.b64decode(ends_of("blocked-finalizer-1.27")["ends"][-1]["goroutine"])
    whole = parse_profile(data, where="", took_s=0.1)
    found = blocked_finalizer(window(fields={"profiles": ((NOON, whole), (NOON + 60, whole))}))
    assert found is not None
    assert "in main.closeUpload.func1" in found.text
