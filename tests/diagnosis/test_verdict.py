"""The line on the screen, the JSON, the limits, and what a diagnosis costs."""

import json
import time

import pytest
from diagnosis.captures import FOLDER, NOON, timeline_of
from diagnosis.made import MIB, window

from memtui.diagnosis import (
    Cause,
    Confidence,
    Diagnosis,
    Window,
    as_json,
    build_window,
    diagnose,
    one_line,
    point_at,
)
from memtui.diagnosis.gc_goal import memory_limit
from memtui.diagnosis.ledger import ledger_at
from memtui.model import Absent, CgroupLevel, Environment


def surroundings(limit: int | None = None, gomemlimit: str | None = None) -> Environment:
    level = CgroupLevel("/app", limit, None, 60 * MIB, 10 * MIB)
    return Environment((level,), 2, None, gomemlimit, None, "madvise", 511)


def growing(**fields: object) -> Diagnosis:
    return diagnose(window(beyond=lambda second: second / 6, fields=fields))


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            window(unreturned=40),
            "RES 63.1M: 40.0M freed by the GC, not returned to the OS. Not a leak.",
        ),
        (window(), "RES steady at 27.1M ±0, 150 cycles."),
        (window(seconds=20), "RES 27.1M: not enough data yet (20s of 40s)."),
        (window(step_s=60), "RES 27.1M: not enough data yet (6 samples of 8)."),
        (
            window(file=lambda second: 8 + second / 6),
            "RES +48.3M in 5m00s: +48.3M of mapped files. Not the Go heap.",
        ),
    ],
)
def test_the_line_that_is_always_on_the_screen(made: Window, line: str) -> None:
    assert one_line(diagnose(made)) == line


def test_a_second_cause_is_said_when_it_weighs_enough() -> None:
    made = window(file=lambda second: 8 + second / 10, beyond=lambda second: second / 12)
    line = one_line(diagnose(made))
    assert "mapped files" in line
    assert "And +" in line
    assert "outside of Go" in line


def test_the_line_gives_way_before_it_is_cut() -> None:
    place = surroundings(limit=100 * MIB)
    made = window(
        file=lambda second: 8 + second / 10, beyond=lambda second: second / 12,
        fields={"surroundings": place},
    )  # fmt: skip
    found = diagnose(made)
    full = one_line(found)
    shorter = [one_line(found, room) for room in range(len(full), 20, -1)]
    lines = list(dict.fromkeys(shorter))
    assert lines == [
        full,
        "RES +53.2M in 5m00s: +29.0M of mapped files. Not the Go heap. cgroup in 4m32s.",
        "RES +53.2M in 5m00s: +29.0M of mapped files. cgroup in 4m32s.",
        "RES +53.2M: +29.0M of mapped files. cgroup in 4m32s.",
        "RES +53.2M: +29.0M of mapped files.",
    ]
    assert all(len(line) <= max(room, len(lines[-1])) for room, line in
               zip(range(len(full), 20, -1), shorter, strict=True))  # fmt: skip


@pytest.mark.parametrize("room", [120, 70, 50, 30])
def test_whether_it_is_a_leak_is_said_on_a_narrow_screen_too(room: int) -> None:
    leak = diagnose(window(stacks=lambda second: 2 + second / 6))
    assert one_line(leak, room).endswith(" A leak.")
    assert one_line(diagnose(window(unreturned=40)), room).endswith(" Not a leak.")


def test_a_leak_that_is_not_sure_is_only_said_to_be_possible() -> None:
    unsure = window(
        70, stacks=lambda second: 2 + second / 6, beyond=lambda second: second / 3, per_cycle_s=30
    )
    found = next(each for each in diagnose(unsure).findings if each.cause is Cause.GOROUTINE_LEAK)
    assert found.confidence is Confidence.LOW
    assert found.line.endswith("It may be a leak.")
    assert found.sentence.startswith("Goroutines accumulate")
    assert "look alike" in found.sentence


def test_no_ledger_without_res() -> None:
    found = diagnose(window(without=("res",)))
    assert found.first.cause is Cause.NOT_ENOUGH_DATA
    assert one_line(found) == "RES: not enough data yet (RES is unknown)."
    assert as_json(found)["ledger"] == {"res_bytes": None, "growth_bytes": None, "parts": {}}


def test_an_empty_window_is_not_enough_data() -> None:
    view = timeline_of(FOLDER / "1.27.3-sawtooth.csv.gz", start=0, end=0)
    assert diagnose(build_window(view)).first.cause is Cause.NOT_ENOUGH_DATA
    assert point_at(view) is None


def test_a_moment_has_a_ledger_of_its_own() -> None:
    point = point_at(timeline_of(FOLDER / "1.27.3-heapleak.csv.gz", end=60))
    assert point is not None
    ledger = ledger_at(point)
    assert ledger is not None
    assert ledger.res == point.res
    assert ledger.growth is None


def test_the_limit_that_comes_first_and_when() -> None:
    found = growing(surroundings=surroundings(limit=100 * MIB))
    assert found.limit == ("cgroup", 100 * MIB)
    assert found.left is not None
    # 100 M less 60 M, of which 10 M are cache that goes first, at 10 M a minute.
    assert found.left.likely_s == pytest.approx(300, rel=0.05)
    assert "cgroup in 4m" in one_line(found) or "cgroup in 5m" in one_line(found)
    assert growing(surroundings=surroundings()).left is None
    assert growing().limit is None


def test_gomemlimit_counts_what_go_holds() -> None:
    place = surroundings(limit=1000 * MIB, gomemlimit="60MiB")
    made = window(
        alloc=lambda second: 12 + second / 10,
        inuse=lambda second: 13 + second / 10,
        fields={"surroundings": place},
    )
    assert diagnose(made).limit == ("GOMEMLIMIT", 60 * MIB)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64MiB", 64 * MIB),
        ("100", 100),
        ("1GiB", 1 << 30),
        ("off", None),
        ("64MB", None),
        ("", None),
    ],
)
def test_gomemlimit_is_read_as_the_runtime_does(text: str, size: int | None) -> None:
    assert memory_limit(text) == size


def test_the_first_series_that_moved_is_named() -> None:
    made = window(
        beyond=lambda second: max(0, second - 150) / 6,
        file=lambda second: 8 + max(0, second - 60) / 6,
    )
    found = diagnose(made).first_moved
    assert found is not None
    assert found[0] == "files"
    assert 45 <= found[1] - NOON <= 110
    assert diagnose(window()).first_moved is None


def test_what_was_done_in_the_window_is_said() -> None:
    found = growing(marks=((NOON + 9, "heap?gc=1: forced a GC\x1b"),))
    assert found.notes == ("heap?gc=1: forced a GC␛",)


def test_json_has_the_agreed_shape() -> None:
    view = timeline_of(FOLDER / "1.27.3-story-madvfree.csv.gz")
    found = json.loads(json.dumps(as_json(diagnose(build_window(view)))))
    verdict = found["verdicts"][0]
    assert verdict["cause"] == "lazily-freed"
    assert verdict["confidence"] in ("high", "medium", "low")
    assert 0 <= verdict["share"] <= 1
    assert all(isinstance(line, str) for line in verdict["advice"] + verdict["refuted_by"])
    assert verdict["evidence"][0].keys() == {"text", "pane", "figures"}
    parts = found["ledger"]["parts"]
    assert sum(part["bytes"] or 0 for part in parts.values()) == found["ledger"]["res_bytes"]
    growths = sum(part["growth_bytes"] or 0 for part in parts.values())
    assert growths == found["ledger"]["growth_bytes"]
    assert parts["heap_objects"] == {"bytes": None, "growth_bytes": None}
    assert parts["runtime"]["parts"]["runtime_gc"]["bytes"] > 0
    assert found["window"]["gc_cycles"] > 200
    assert found["window"]["to"] - found["window"]["from"] == pytest.approx(240, abs=10)
    assert found["sources"]["process"] == "/proc/PID/status"
    assert found["sources"]["profile"] is None


def test_what_could_not_be_read_is_null() -> None:
    found = as_json(diagnose(window(without=("lazy",))))
    ledger = found["ledger"]
    assert isinstance(ledger, dict)
    assert ledger["parts"]["lazily_freed"]["bytes"] is None
    assert isinstance(Absent.NO_ACCESS, Absent)


def test_a_diagnosis_of_ten_minutes_costs_a_few_milliseconds() -> None:
    view = timeline_of(FOLDER / "1.27.3-goroleak.csv.gz", runtime_s=1.0, rollup_s=1.0)
    diagnose(build_window(view))
    begin = time.process_time()
    for _ in range(5):
        diagnose(build_window(view))
    assert (time.process_time() - begin) / 5 < 0.05
