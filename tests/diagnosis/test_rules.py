"""Each cause on recorded processes at each level of access, and on numbers made for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from diagnosis.captures import FOLDER, timeline_of
from diagnosis.made import MIB, NOON, Course, window

from memtui import units
from memtui.diagnosis import (
    DEFAULT,
    Access,
    Cause,
    Confidence,
    Diagnosis,
    Window,
    build_window,
    diagnose,
    one_line,
)
from memtui.diagnosis.live_heap import LiveSource
from memtui.diagnosis.window import TracedCycle
from memtui.model import (
    Absent,
    Environment,
    FunctionValue,
    GcCycle,
    HostMemory,
    MappingGroup,
    MappingGroups,
    MappingKind,
    Profile,
    Resident,
    SampleValues,
)

UNKNOWN = Cause.NOT_ENOUGH_DATA

TRUTH = {
    "1.23.9-burst": Cause.STEADY,
    "1.23.9-cgoleak": Cause.OFF_HEAP,
    "1.23.9-control": Cause.STEADY,
    "1.23.9-frag": Cause.FRAGMENTATION,
    "1.23.9-gogc": Cause.GOAL_GROWTH,
    "1.23.9-goroleak": Cause.GOROUTINE_LEAK,
    "1.23.9-heapleak": Cause.HEAP_LEAK,
    "1.23.9-meta": Cause.RUNTIME_METADATA,
    "1.23.9-mmapfile": Cause.FILE_MAPPED,
    "1.23.9-offheap": Cause.OFF_HEAP,
    "1.23.9-sawtooth": Cause.STEADY,
    "1.27.3-burst": Cause.STEADY,
    "1.27.3-burst-madvfree": Cause.LAZILY_FREED,
    "1.27.3-cgoleak": Cause.OFF_HEAP,
    "1.27.3-control": Cause.STEADY,
    "1.27.3-frag": Cause.FRAGMENTATION,
    "1.27.3-gogc": Cause.GOAL_GROWTH,
    "1.27.3-goroleak": Cause.GOROUTINE_LEAK,
    "1.27.3-heapleak": Cause.HEAP_LEAK,
    "1.27.3-meta": Cause.RUNTIME_METADATA,
    "1.27.3-mmapfile": Cause.FILE_MAPPED,
    "1.27.3-offheap": Cause.OFF_HEAP,
    "1.27.3-sawtooth": Cause.STEADY,
    "1.27.3-sawtooth-gogcoff-memlimit": Cause.STEADY,
    "1.27.3-story": Cause.STEADY,
    "1.27.3-story-madvfree": Cause.LAZILY_FREED,
    "1.27.3-thp": Cause.HUGE_PAGES,
    "1.27.3-thp-free": Cause.HUGE_PAGES,
}
"""What is true of a whole recording. In 1.23.9-thp the huge pages had only begun to come."""

TOO_SHORT = {"1.23.9-meta"}
HEALTHY = [name for name, cause in TRUTH.items() if cause is Cause.STEADY]


def causes(diagnosis: Diagnosis) -> list[Cause]:
    """Return the causes; a warm-up counts as steady: nothing needs to be done about either."""
    calm = {Cause.WARM_UP: Cause.STEADY}
    return [calm.get(found.cause, found.cause) for found in diagnosis.findings]


@pytest.mark.parametrize("name", TRUTH)
def test_memstats_and_proc_tell_the_cause(name: str) -> None:
    view = timeline_of(FOLDER / f"{name}.csv.gz")
    assert causes(diagnose(build_window(view)))[0] in (
        (TRUTH[name], UNKNOWN) if name in TOO_SHORT else (TRUTH[name],)
    )


@pytest.mark.parametrize("name", TRUTH)
def test_without_the_live_heap_it_is_concluded_or_nothing_is_said(name: str) -> None:
    view = timeline_of(FOLDER / f"{name}.csv.gz", has_live=False)
    found = causes(diagnose(build_window(view)))[0]
    assert found is TRUTH[name] or (found is UNKNOWN and name.startswith("1.23.9"))


@pytest.mark.parametrize("rollup_s", [10.0, None])
@pytest.mark.parametrize("access", Access)
@pytest.mark.parametrize("name", TRUTH)
def test_less_access_never_tells_a_wrong_cause(
    name: str, access: Access, rollup_s: float | None
) -> None:
    view = timeline_of(FOLDER / f"{name}.csv.gz", access, rollup_s=rollup_s)
    assert causes(diagnose(build_window(view)))[0] in (TRUTH[name], UNKNOWN)


@pytest.mark.parametrize(
    ("name", "access"),
    [
        ("1.27.3-heapleak", Access.TRACE),
        ("1.27.3-goroleak", Access.TRACE),
        ("1.27.3-gogc", Access.TRACE),
        ("1.27.3-sawtooth", Access.TRACE),
        ("1.27.3-sawtooth-gogcoff-memlimit", Access.TRACE),
        ("1.27.3-mmapfile", Access.PROC),
        ("1.27.3-story-madvfree", Access.PROC),
    ],
)
def test_less_access_tells_what_it_can(name: str, access: Access) -> None:
    view = timeline_of(FOLDER / f"{name}.csv.gz", access)
    assert causes(diagnose(build_window(view)))[0] in (
        (TRUTH[name], UNKNOWN) if name in TOO_SHORT else (TRUTH[name],)
    )


@pytest.mark.parametrize("name", HEALTHY)
def test_no_stretch_of_a_healthy_process_raises_an_alarm(name: str) -> None:
    path = FOLDER / f"{name}.csv.gz"
    calm = 30 if "burst" in name or "control" in name else 10
    for start in range(calm, 120, 15):
        for access in (Access.FULL, Access.TRACE):
            view = timeline_of(path, access, start=start, end=start + 60)
            found = build_window(view)
            assert causes(diagnose(found))[0] in (Cause.STEADY, UNKNOWN)
            if found.seconds >= DEFAULT.shortest_s and len(found.points) > DEFAULT.fewest_points:
                assert causes(diagnose(found)) == [Cause.STEADY]


def test_freed_memory_that_an_idle_program_keeps_until_it_gives_it_back() -> None:
    path = FOLDER / "1.27.3-burst-idle.csv.gz"
    lying = build_window(timeline_of(path, start=131, end=250))
    assert causes(diagnose(lying)) == [Cause.FREED_NOT_RETURNED]
    early = build_window(timeline_of(path, start=100, end=160))
    assert causes(diagnose(early)) == [Cause.FREED_NOT_RETURNED]
    assert "is free and not yet returned" in diagnose(early).first.line
    after = build_window(timeline_of(path, start=262, end=330))
    assert causes(diagnose(after)) == [Cause.STEADY]


# Numbers made for one thought each


def rising(base: float, per_minute: float) -> Callable[[float], float]:
    return lambda second: base + per_minute * second / 60


def leaking(per_minute: float = 6.0, **more: Course) -> dict[str, Any]:
    """Return a live heap that rises, and heap and goal as GOGC=100 makes them follow."""
    live = rising(8, per_minute)
    return {
        "live": live,
        "goal": lambda second: 2 * live(second) + 1,
        "alloc": lambda second: live(second) * (1.2 + 0.15 * math.sin(second)),
        "inuse": lambda second: live(second) * (1.2 + 0.15 * math.sin(second)) + 1,
        "unreturned": lambda second: live(second) * (0.7 - 0.15 * math.sin(second)),
        **more,
    }


def named(sample_type: str, unit: str, **functions: int) -> Profile:
    values = tuple(FunctionValue(name, size, size) for name, size in functions.items())
    total = sum(functions.values())
    return Profile((SampleValues(sample_type, unit, total, values),), sample_type, "", 1, 0.1)


def test_a_heap_leak_names_the_functions_that_grew() -> None:
    profiles = (
        (NOON + 5, named("inuse_space", "bytes", fill=8 * MIB, old=9 * MIB)),
        (NOON + 290, named("inuse_space", "bytes", fill=38 * MIB, old=9 * MIB)),
    )
    found = diagnose(window(fields={"profiles": profiles}, **leaking())).first
    assert found.cause is Cause.HEAP_LEAK
    assert found.confidence is Confidence.HIGH
    assert "fill" in found.sentence
    assert any("fill +30.0M" in each.text for each in found.evidence)
    assert not any("old" in each.text for each in found.evidence)


def test_names_from_a_profile_cannot_act_on_a_terminal() -> None:
    profiles = tuple(
        (NOON + at, named("inuse_space", "bytes", **{"evil\x1b[2J": size * MIB}))
        for at, size in ((5, 8), (290, 38))
    )
    found = diagnose(window(fields={"profiles": profiles}, **leaking())).first
    assert "\x1b" not in found.sentence
    assert "evil" in found.sentence


def test_a_heap_that_rises_and_is_full_is_a_warm_up() -> None:
    def live(second: float) -> float:
        return min(40.0, 8 + second / 3)

    shape = leaking(
        live=live, alloc=lambda second: 1.3 * live(second), goal=lambda second: 2 * live(second)
    )
    shape["inuse"] = lambda second: 1.3 * live(second) + 1
    shape["unreturned"] = lambda second: 0.7 * live(second)
    assert causes(diagnose(window(**shape))) == [Cause.STEADY]


def test_a_wave_that_comes_back_is_no_leak() -> None:
    def live(second: float) -> float:
        return 24 - 16 * math.cos(second / 120 * 2 * math.pi)

    shape = leaking(live=live, goal=lambda second: 2 * live(second) + 1)
    shape |= {"alloc": lambda second: live(second) * 1.3, "inuse": lambda s: live(s) * 1.3 + 1}
    for seconds in (120, 240, 360, 600):
        assert Cause.HEAP_LEAK not in causes(diagnose(window(seconds, **shape)))


def test_goroutines_that_hold_more_than_their_stacks_are_to_blame() -> None:
    shape = leaking(stacks=rising(0.4, 0.75))

    def counted(per_minute: float) -> Window:
        made = window(**shape)
        points = tuple(
            replace(point, goroutines=20 + int(per_minute * (point.at - NOON) / 60))
            for point in made.points
        )
        return replace(made, points=points)

    # Which of the two holds the heap is not measured: both are named.
    assert set(causes(diagnose(counted(384)))) == {Cause.GOROUTINE_LEAK, Cause.HEAP_LEAK}
    # Too few for what the heap grew by: each would hold a megabyte.
    assert causes(diagnose(counted(6)))[0] is Cause.HEAP_LEAK
    assert Cause.GOROUTINE_LEAK not in causes(diagnose(counted(-1)))


def test_another_goal_is_told_from_a_leak_also_without_the_live_heap() -> None:
    def goal(second: float) -> float:
        return 17.0 if second < 100 else 43.0

    def alloc(second: float) -> float:
        return 8.5 + (goal(second) - 9) * (second * 0.37 % 1)

    shape: dict[str, Any] = {
        "goal": goal,
        "alloc": alloc,
        "inuse": lambda second: alloc(second) + 1,
        "unreturned": lambda second: goal(second) - alloc(second),
    }
    for without in ((), ("live",)):
        assert causes(diagnose(window(without=without, **shape))) == [Cause.GOAL_GROWTH]
        after = replace(window(600, without=without, **shape))
        calm = replace(
            after, points=tuple(point for point in after.points if point.at > NOON + 150)
        )
        assert causes(diagnose(calm)) == [Cause.STEADY]


def test_a_burst_now_and_then_in_an_idle_program_is_healthy() -> None:
    def heap(second: float) -> float:
        return 60.0 if 10 < second % 60 < 16 else 9.0

    shape: dict[str, Any] = {
        "alloc": heap,
        "inuse": lambda second: heap(second) + 1,
        "unreturned": lambda second: 70 - heap(second),
        "goal": lambda second: 110 if 10 < second % 60 < 16 else 17,
        "released": 1,
    }
    for seconds in range(140, 600, 15):
        assert causes(diagnose(window(seconds, **shape)))[0] in (Cause.STEADY, UNKNOWN)


def test_free_memory_that_shrinks_is_being_returned() -> None:
    shape: dict[str, Any] = {"unreturned": lambda second: max(8, 200 - second)}
    assert Cause.FREED_NOT_RETURNED not in causes(diagnose(window(180, **shape)))
    shape = {"unreturned": 200}
    assert causes(diagnose(window(180, **shape))) == [Cause.FREED_NOT_RETURNED]


def test_free_memory_of_which_a_part_was_returned_at_once_lies_there_since_then() -> None:
    shape: dict[str, Any] = {"unreturned": lambda second: 70 if second < 5 else 30, "goal": 9}
    assert causes(diagnose(window(45, **shape))) == [UNKNOWN]
    assert causes(diagnose(window(60, **shape))) == [Cause.FREED_NOT_RETURNED]


@pytest.mark.parametrize("is_off", [True, False])
def test_heap_that_no_cycle_has_seen(is_off: bool) -> None:
    shape: dict[str, Any] = {
        "alloc": rising(9, 6), "inuse": rising(10, 6), "unreturned": 0, "goal": 900,
    }  # fmt: skip
    without = ("goal",) if is_off else ()
    found = diagnose(window(per_cycle_s=1e9, without=without, **shape)).first
    assert found.cause is Cause.DEAD_NOT_COLLECTED
    assert found.confidence is (Confidence.HIGH if is_off else Confidence.MEDIUM)


def test_a_limit_without_a_goal_may_fill() -> None:
    place = Environment(
        levels=Absent.NO_ACCESS, cgroup_version=Absent.NO_ACCESS, gogc="off", gomemlimit="900MiB",
        godebug=None, thp="madvise", max_ptes_none=511,
    )  # fmt: skip
    shape: dict[str, Any] = {
        "alloc": rising(9, 6), "inuse": rising(10, 6), "unreturned": 0, "goal": 900,
    }  # fmt: skip
    made = window(per_cycle_s=1e9, fields={"surroundings": place}, **shape)
    assert Cause.DEAD_NOT_COLLECTED not in causes(diagnose(made))


def test_huge_pages_are_told_from_c_by_what_go_returned() -> None:
    shape: dict[str, Any] = {"beyond": rising(-3, 10), "huge": rising(0, 10)}
    assert causes(diagnose(window(**shape, released=90))) == [Cause.HUGE_PAGES]
    assert causes(diagnose(window(**shape, released=6))) == [Cause.OFF_HEAP]


def test_without_rollup_what_go_returned_may_be_lazily_freed() -> None:
    shape: dict[str, Any] = {"beyond": rising(-3, 10)}
    assert causes(diagnose(window(**shape, released=90, without=("lazy", "huge")))) == [UNKNOWN]
    assert causes(diagnose(window(**shape, released=6, without=("lazy", "huge")))) == [
        Cause.OFF_HEAP
    ]


def test_a_leak_goes_on_while_res_is_swapped_out() -> None:
    shape = leaking(swap=rising(0, 11))
    made = window(**shape)
    assert made.ledger is not None
    assert (made.ledger.growth or 0) < 10 * MIB
    assert causes(diagnose(made)) == [Cause.HEAP_LEAK]


def test_mappings_tell_c_from_the_go_heap_where_proc_is_all_there_is() -> None:
    def groups(go: int, other: int, *, kind: MappingKind, by_name: bool) -> MappingGroups:
        kinds = ((MappingKind.GO_HEAP, go), (kind, other))
        found = []
        for kind, size in kinds:
            unknown = Resident(*[Absent.NOT_REPORTED] * 10)
            resident = replace(unknown, rss_bytes=size * MIB, anonymous_bytes=size * MIB)
            found.append(MappingGroup(kind, 1, size * MIB, resident, "[heap]", size * MIB))
        return MappingGroups(tuple(found), by_name=by_name, took_s=0.01)

    def found(
        go: int, other: int, kind: MappingKind = MappingKind.C_MALLOC, *, by_name: bool = False
    ) -> list[Cause]:
        made = window(access=Access.PROC, beyond=rising(0, 10))
        before = groups(20, 5, kind=kind, by_name=by_name)
        after = groups(20 + go, 5 + other, kind=kind, by_name=by_name)
        return causes(diagnose(replace(made, groups=((NOON, before), (NOON + 299, after)))))

    assert found(0, 50) == [Cause.OFF_HEAP]
    assert found(50, 0) == [UNKNOWN]
    # Without names the runtime's own memory looks like that of an mmap.
    assert found(0, 50, MappingKind.OTHER) == [UNKNOWN]
    assert found(0, 50, MappingKind.OTHER, by_name=True) == [Cause.OFF_HEAP]


def test_two_causes_at_once_are_ranked_by_their_share() -> None:
    made = window(**leaking(per_minute=3), file=rising(8, 20))
    assert causes(diagnose(made)) == [Cause.FILE_MAPPED, Cause.HEAP_LEAK]
    shares = [found.share for found in diagnose(made).findings]
    assert sum(shares) == pytest.approx(1, abs=0.1)


def test_each_finding_says_all_that_it_must() -> None:
    for made in (
        window(**leaking()),
        window(unreturned=200),
        window(lazy=rising(50, 10)),
        window(file=rising(8, 10)),
        window(beyond=rising(0, 10)),
        window(profiler=rising(2, 10)),
        window(stacks=rising(2, 10)),
        window(alloc=12, inuse=40),
    ):
        (found,) = diagnose(made).findings
        assert found.cause not in (Cause.STEADY, UNKNOWN)
        assert found.sentence.endswith(".")
        assert len(found.sentence) < 200
        assert len(found.evidence) >= 2
        assert all(any(char.isdigit() for char in each.text) for each in found.evidence)
        assert found.rivals
        assert found.refuted_by
        assert found.advice.lines()
        assert any(line.startswith("Will not help") for line in found.advice.lines())
        assert 0 < found.share <= 1


@pytest.mark.parametrize(
    ("available", "when"), [(12 << 30, "not soon"), (1 << 30, "soon")], ids=["enough", "short"]
)
def test_freed_memory_stays_until_the_host_is_short(available: int, when: str) -> None:
    host = HostMemory(16 << 30, available, 2 << 30, 1 << 30)
    (found,) = diagnose(window(lazy=rising(50, 10), fields={"host": host})).findings
    assert found.cause is Cause.LAZILY_FREED
    text = next(each.text for each in found.evidence if "the host has" in each.text)
    assert text.endswith(f"of 16.0G available ({available / (16 << 30):.0%}): "
                         f"the kernel reclaims these pages {when}")  # fmt: skip


def test_without_memory_of_the_host_nothing_is_claimed_about_it() -> None:
    (found,) = diagnose(window(lazy=rising(50, 10))).findings
    assert not any("host" in each.text for each in found.evidence)


def test_memory_that_is_used_again_every_two_minutes_is_not_kept_for_nothing() -> None:
    def heap(second: float) -> float:
        return 60.0 if 10 < second % 120 < 16 else 9.0

    shape: dict[str, Any] = {
        "alloc": heap,
        "inuse": lambda second: heap(second) + 1,
        "unreturned": lambda second: 70 - heap(second),
        "goal": lambda second: 110 if 10 < second % 120 < 16 else 17,
    }
    for seconds in range(260, 600, 15):
        assert Cause.FREED_NOT_RETURNED not in causes(diagnose(window(seconds, **shape)))


def test_a_high_gogc_that_lets_garbage_be_until_its_goal_is_healthy() -> None:
    def garbage(second: float) -> float:
        return 32 * (second % 100) / 100

    shape: dict[str, Any] = {
        "alloc": lambda second: 8 + garbage(second),
        "inuse": lambda second: 9 + garbage(second),
        "unreturned": lambda second: 33 - garbage(second),
        "goal": 43,
    }
    for seconds in range(220, 600, 15):
        made = window(seconds, per_cycle_s=100, **shape)
        assert causes(diagnose(made))[0] in (Cause.STEADY, UNKNOWN)


def jumping(at_s: float, *, is_young: bool) -> Window:
    """Return a heap that jumps at a moment, with the last cycle right before it."""
    shape: dict[str, Any] = {
        "alloc": lambda second: 12 if second < at_s else 70,
        "inuse": lambda second: 13 if second < at_s else 71,
        "live": lambda second: 8 if second < at_s else 60,
        "goal": lambda second: 17 if second < at_s else 120,
        "unreturned": 0,
    }
    made = window(240, per_cycle_s=2, **shape)
    last = int(at_s / 2) + 1
    points = tuple(replace(each, cycles=min(each.cycles or 0, last)) for each in made.points)
    return replace(made, points=points, is_young=is_young)


def test_a_jump_that_no_cycle_has_seen_since_may_be_dead_unless_the_process_just_began() -> None:
    assert causes(diagnose(jumping(100, is_young=False)))[0] is Cause.DEAD_NOT_COLLECTED
    assert Cause.DEAD_NOT_COLLECTED not in causes(diagnose(jumping(100, is_young=True)))


def test_an_object_that_was_never_touched_is_no_leak_of_what_res_grew_by() -> None:
    shape: dict[str, Any] = {
        "live": lambda second: 8 if second < 100 else 72,
        "alloc": lambda second: 12 if second < 100 else 76,
        "inuse": lambda second: 13 if second < 100 else 77,
        "goal": lambda second: 17 if second < 100 else 145,
        "beyond": lambda second: -3 if second < 100 else -57,
    }
    made = window(**shape)
    assert made.grows
    assert Cause.HEAP_LEAK not in causes(diagnose(made))


def test_slots_that_are_filled_before_the_next_cycle_are_no_fragmentation() -> None:
    def waste(second: float) -> float:
        return 20 - second % 40 / 2

    swinging = window(
        alloc=lambda second: 30 - waste(second), inuse=30, live=9, goal=40, per_cycle_s=40
    )
    assert causes(diagnose(swinging)) == [Cause.STEADY]
    assert causes(diagnose(window(alloc=10, inuse=30, live=9, goal=40))) == [Cause.FRAGMENTATION]


def test_what_exceeds_the_goal_is_not_the_leaks_doing() -> None:
    shape = leaking(per_minute=1)
    shape["inuse"] = lambda second: shape["alloc"](second) + 1 + second / 6
    assert causes(diagnose(window(**shape))) == [Cause.FRAGMENTATION]
    more = leaking(per_minute=3)
    more["inuse"] = lambda second: more["alloc"](second) + 1 + second / 6
    waste, leak = diagnose(window(**more)).findings
    assert (waste.cause, leak.cause) == (Cause.FRAGMENTATION, Cause.HEAP_LEAK)
    assert leak.share < 0.5


def test_stacks_that_grow_without_goroutines_are_no_leak_of_goroutines() -> None:
    made = window(stacks=rising(2, 10))
    assert causes(diagnose(made)) == [Cause.GOROUTINE_LEAK]
    counted = tuple(replace(point, goroutines=50) for point in made.points)
    assert causes(diagnose(replace(made, points=counted))) == [UNKNOWN]


def test_a_trace_without_rollup_does_not_believe_a_rare_high_goal() -> None:
    shape: dict[str, Any] = {
        "goal": lambda second: 80 if second % 100 < 10 else 17, "lazy": 40,
    }  # fmt: skip
    without = ("alloc", "inuse", "unreturned", "released", "stacks", "own")
    kwargs: dict[str, Any] = {"access": Access.TRACE, **shape}
    assert causes(diagnose(window(without=without, **kwargs))) == [Cause.LAZILY_FREED]
    blind = window(without=(*without, "lazy", "huge"), **kwargs)
    assert causes(diagnose(blind)) == [UNKNOWN]


def test_a_page_that_tells_gogc_tells_another_goal_from_a_leak_at_once() -> None:
    made = window(
        goal=lambda second: 17.4 if second < 100 else 43,
        alloc=lambda second: 16 if second < 100 else 40,
        inuse=lambda second: 17 if second < 100 else 41,
        without=("live",),
    )
    assert causes(diagnose(made)) == [UNKNOWN]
    told = tuple(
        replace(point, gogc=100 if point.at < NOON + 100 else 400) for point in made.points
    )
    assert causes(diagnose(replace(made, points=told))) == [Cause.GOAL_GROWTH]


def test_a_goal_that_the_limit_makes_says_nothing_of_the_live_heap() -> None:
    made = window(goal=60, without=("live",))
    assert made.live is not None
    limited = tuple(replace(point, limit=64 * MIB) for point in made.points)
    held = replace(made, points=limited).live
    assert held is not None
    assert (made.live.source, held.source) == (LiveSource.BY_GOAL, LiveSource.BY_TROUGHS)


def test_a_trace_that_fell_silent_while_res_grew_calls_nothing_steady() -> None:
    place: dict[str, Any] = {"goal": 90, "live": 9, "alloc": lambda second: min(50, 9 + second)}
    place |= {"inuse": lambda second: min(51, 10 + second), "unreturned": 0}
    assert causes(diagnose(window(access=Access.TRACE, **place))) == [UNKNOWN]


DAY_S = 86400.0


def daily(swing: float) -> Callable[[float], float]:
    """Return a tide of a day, with the noise of what was just going on."""
    return lambda second: (
        swing * (1 - math.cos(second / DAY_S * 2 * math.pi) + 0.3 * math.sin(second * 12.9898))
    )


def test_three_days_of_memory_that_was_freed_and_not_returned() -> None:
    made = window(3 * DAY_S, step_s=1080, per_cycle_s=60, unreturned=rising(4, 20 / 3 / 1440))
    found = diagnose(made)
    assert causes(found) == [Cause.FREED_NOT_RETURNED]
    said = "+19.1M freed by the GC, not returned to the OS. Not a leak."
    assert one_line(found) == f"RES +19.1M in 3d00h: {said}"


def test_a_slow_leak_is_seen_through_the_tide_of_the_day_and_the_tide_alone_is_none() -> None:
    def made(leak: float) -> Window:
        live = daily(5)
        rise = rising(10, leak / 3 / 1440)
        return window(
            3 * DAY_S, step_s=1080, per_cycle_s=60,
            live=lambda second: rise(second) + live(second),
            alloc=lambda second: 1.4 * (rise(second) + live(second)),
            inuse=lambda second: 1.4 * (rise(second) + live(second)) + 1,
            unreturned=lambda second: 0.6 * (rise(second) + live(second)),
            goal=lambda second: 2 * (rise(second) + live(second)),
        )  # fmt: skip

    assert causes(diagnose(made(40))) == [Cause.HEAP_LEAK]
    assert causes(diagnose(made(0))) == [Cause.STEADY]


def test_a_live_heap_that_swings_as_far_as_it_grew_is_no_leak() -> None:
    def live(second: float) -> float:
        return 20 + second / 20 + 7 * math.sin(second / 13)

    made = window(
        live=live, alloc=lambda second: 1.3 * live(second), goal=lambda second: 2 * live(second),
        inuse=lambda second: 1.3 * live(second) + 1, unreturned=lambda second: 0.7 * live(second),
    )  # fmt: skip
    assert Cause.HEAP_LEAK not in causes(diagnose(made))


def test_what_was_allocated_since_the_last_cycle_is_no_jump_of_the_live_heap() -> None:
    made = window(
        240, live=40, goal=200, unreturned=0,
        alloc=lambda second: 42 + max(0, second - 100) / 7,
        inuse=lambda second: 43 + max(0, second - 100) / 7,
    )  # fmt: skip
    points = tuple(replace(each, cycles=min(each.cycles or 0, 51)) for each in made.points)
    assert Cause.DEAD_NOT_COLLECTED not in causes(diagnose(replace(made, points=points)))


@pytest.mark.parametrize(
    ("text", "percent"), [("50", 50), ("off", None), (None, 100), (Absent.NO_ACCESS, 100)]
)
def test_gogc_as_the_process_was_started_with(
    text: str | Absent | None, percent: int | None
) -> None:
    place = Environment(
        Absent.NO_ACCESS, Absent.NO_ACCESS, text, None, None, "madvise", Absent.NO_ACCESS
    )
    made = window(without=("live",), fields={"surroundings": place})
    assert made.gogc == percent
    assert made.live is not None
    by_troughs = made.live.source is LiveSource.BY_TROUGHS
    assert by_troughs == (percent is None)


def bursting(*moments: float, cycle: Callable[..., GcCycle]) -> Window:
    """Return a trace of a heap that was large at these moments, of a process that stays large."""
    made = window(
        400, access=Access.TRACE, alloc=60, inuse=61, goal=17, live=8,
        without=("alloc", "inuse", "unreturned", "released", "stacks", "own"),
    )  # fmt: skip
    large = replace(cycle(9), heap_end_bytes=60 * MIB)
    cycles = tuple(TracedCycle(NOON + at, large, 17 * MIB) for at in moments)
    return replace(made, cycles=(*cycles, TracedCycle(NOON + 399, cycle(10), 17 * MIB)))


def test_a_trace_tells_what_was_freed_unless_it_is_used_again_as_often(
    cycle: Callable[..., GcCycle],
) -> None:
    assert causes(diagnose(bursting(100, cycle=cycle))) == [Cause.FREED_NOT_RETURNED]
    again = bursting(10, 110, 210, 310, cycle=cycle)
    assert Cause.FREED_NOT_RETURNED not in causes(diagnose(again))


BLIND = ("alloc", "inuse", "unreturned", "released", "stacks", "own")
"""What a trace does not tell."""


def traced(
    live: Callable[[float], float], cycle: Callable[..., GcCycle], every_s: float = 5.0,
    seconds: float = 240.0, **courses: Course
) -> Window:  # fmt: skip
    """Return a window of a trace whose cycles find that much alive, and a heap of twice as much."""
    cycles = []
    for number in range(int(seconds / every_s)):
        found = int(live(number * every_s) * MIB)
        told = replace(cycle(number), heap_live_bytes=found, heap_end_bytes=found, stacks_bytes=0)
        cycles.append(TracedCycle(NOON + number * every_s, told, 2 * found))

    def last(second: float) -> float:
        return live(second // every_s * every_s)

    course: dict[str, Any] = {
        "live": last, "goal": lambda second: 2 * last(second), "alloc": last, "inuse": last,
        "unreturned": last, **courses,
    }  # fmt: skip
    made = window(seconds, access=Access.TRACE, per_cycle_s=every_s, without=BLIND, **course)
    return replace(made, cycles=tuple(cycles))


def test_a_live_heap_that_swings_from_cycle_to_cycle_does_not_leak(
    cycle: Callable[..., GcCycle],
) -> None:
    def live(second: float) -> float:
        peak = min(60.0, 10 + second / 3)
        return peak if second % 10 else 9.0

    kept: dict[str, Any] = {
        "alloc": lambda second: 10 + second / 6,
        "inuse": lambda second: 11 + second / 6,
    }
    made = traced(live, cycle, **kept)
    assert made.grows
    found = diagnose(made).first
    assert found.cause in (Cause.STEADY, Cause.WARM_UP)
    assert "falls to 9.00M" in found.line
    # RES still grows: the line says so first, and nobody is told that there is nothing to do.
    change = units.change(made.growth)
    assert found.line.startswith(f"{change} in 4m00s: ")
    assert found.line.endswith("No leak seen.")
    assert found.brief.startswith(change)
    assert found.confidence is Confidence.LOW
    assert "Nothing to do." not in found.advice.lines()
    assert causes(diagnose(traced(lambda second: 9 + second / 5, cycle))) == [Cause.HEAP_LEAK]


def test_a_live_heap_that_rose_at_once_is_steady_when_enough_cycles_found_the_same(
    cycle: Callable[..., GcCycle],
) -> None:
    def made(seconds: float) -> Window:
        return traced(
            lambda second: 9 if second < 20 else 64, cycle, every_s=8, seconds=seconds,
            alloc=lambda second: 9 if second < 20 else min(120, 64 + second / 3),
        )  # fmt: skip

    for seconds in range(48, 240, 16):
        assert causes(diagnose(made(seconds)))[0] in (Cause.STEADY, UNKNOWN)
    assert causes(diagnose(made(44))) == [UNKNOWN]
    assert causes(diagnose(made(120))) == [Cause.STEADY]


def test_a_trace_that_left_much_of_the_heap_unseen_calls_nothing_steady(
    cycle: Callable[..., GcCycle],
) -> None:
    made = window(
        120, access=Access.TRACE, goal=90, live=8, alloc=60, inuse=61, unreturned=0, without=BLIND
    )
    told = replace(cycle(9), heap_live_bytes=8 * MIB, stacks_bytes=0)

    def heard(*moments: float) -> Diagnosis:
        cycles = tuple(TracedCycle(NOON + at, told, 90 * MIB) for at in moments)
        return diagnose(replace(made, cycles=cycles))

    found = heard(1, 3, 5)
    assert causes(found) == [Cause.FREED_NOT_RETURNED]
    assert "or garbage until the next GC" in found.first.line
    assert causes(heard(1, 3, 110)) == [Cause.STEADY]
    # With one each minute it is used to that.
    assert causes(heard(1, 61)) == [Cause.STEADY]


def test_what_three_cycles_have_found_alive_is_not_dead() -> None:
    made = jumping(100, is_young=False)
    later = tuple(
        replace(each, cycles=(each.cycles or 0) + (3 if each.at >= NOON + 130 else 0))
        for each in made.points
    )
    assert causes(diagnose(made))[0] is Cause.DEAD_NOT_COLLECTED
    assert Cause.DEAD_NOT_COLLECTED not in causes(diagnose(replace(made, points=later)))
