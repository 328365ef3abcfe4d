"""The parts of RES always sum to it, and unknown parts are reported."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from diagnosis.captures import FOLDER, timeline_of
from diagnosis.made import window
from hypothesis import given
from hypothesis import strategies as st

from memtui.diagnosis import Access, Ledger, PartName, Point, build_window, ledger_at, waterfall
from memtui.diagnosis.ledger import ends_of, ledger_between, settled

MIB = 1 << 20
size = st.one_of(st.none(), st.integers(0, 1 << 45))


@st.composite
def points(draw: st.DrawFn, at: float = 0.0) -> Point:
    names = (
        "file", "shmem", "swap", "lazy", "alloc", "inuse", "unreturned", "live", "stacks", "spans",
        "caches", "gc", "profiler", "other", "own", "goal",
    )  # fmt: skip
    sizes: dict[str, Any] = {name: draw(size) for name in names}
    return Point(at=at, res=draw(st.integers(0, 1 << 45)), **sizes)


def sums_up(ledger: Ledger) -> None:
    assert all(part.size is None or 0 <= part.size <= ledger.res for part in ledger.parts)
    assert sum(part.size or 0 for part in ledger.parts) == ledger.res
    if ledger.growth is not None:
        assert sum(part.growth or 0 for part in ledger.parts) == ledger.growth
        steps = waterfall(ledger)
        assert steps[0].end == ledger.res - ledger.growth
        assert steps[-1].end == ledger.res
        heights = [(step.start, step.end) for step in steps[1:-1]]
        assert [end for _, end in [(0, steps[0].end), *heights]][-1] == ledger.res
        assert all(end == start for (_, end), (start, _) in pairwise(heights))


@given(points())
def test_the_parts_of_a_moment_add_up_to_res_whatever_is_known(point: Point) -> None:
    ledger = ledger_at(point)
    assert ledger is not None
    sums_up(ledger)
    assert waterfall(ledger) == ()


@given(st.lists(points(), min_size=1, max_size=30))
def test_the_growth_of_the_parts_adds_up_to_that_of_res(rows: list[Point]) -> None:
    ledger = ledger_between(*ends_of(rows))
    assert ledger is not None
    sums_up(ledger)


@pytest.mark.parametrize("access", Access)
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv.gz")), ids=lambda path: path.name[:-7])
def test_recorded_processes_add_up_at_every_level_of_access(path: Path, access: Access) -> None:
    found = build_window(timeline_of(path, access))
    assert found.access is access
    assert found.ledger is not None
    sums_up(found.ledger)
    assert found.ledger.size(PartName.FILES) > 0


@pytest.mark.parametrize(
    "name",
    [
        "1.23.9-control", "1.23.9-goroleak", "1.23.9-heapleak", "1.23.9-sawtooth",
        "1.27.3-control", "1.27.3-goroleak", "1.27.3-heapleak", "1.27.3-sawtooth", "1.27.3-story",
    ],
)  # fmt: skip
def test_what_go_does_not_explain_of_a_program_of_go_alone_is_small(name: str) -> None:
    ledger = build_window(timeline_of(FOLDER / f"{name}.csv.gz")).ledger
    assert ledger is not None
    assert abs(ledger.size(PartName.REST)) < 5 * MIB + 0.02 * ledger.res


def test_heap_objects_are_one_part_where_nobody_knows_what_is_alive() -> None:
    known, unknown = window(), window(without=("live",))
    assert known.ledger is not None
    assert unknown.ledger is not None
    assert known.ledger.size(PartName.LIVE) == 8 * MIB
    assert known.ledger.size(PartName.GARBAGE) == 4 * MIB
    assert known.ledger.part(PartName.OBJECTS) is None
    assert unknown.ledger.size(PartName.OBJECTS) == 12 * MIB
    assert unknown.ledger.part(PartName.LIVE) is None


def test_what_was_mapped_and_never_touched_is_no_part_of_res() -> None:
    ledger = window(beyond=-3).ledger
    assert ledger is not None
    runtime = ledger.part(PartName.RUNTIME)
    assert runtime is not None
    assert runtime.untouched == 3 * MIB
    assert (runtime.size or 0) + runtime.untouched == sum(part.size or 0 for part in runtime.parts)
    assert ledger.size(PartName.REST) == 0


def test_a_ballast_is_taken_off_the_live_heap() -> None:
    """1 GiB that the program allocated and never wrote to, beside a heap of 12 MiB."""
    found = window(live=8 + 1024, alloc=12 + 1024, inuse=13 + 1024, goal=2100, beyond=-1024 - 3)
    ledger = found.ledger
    assert ledger is not None
    live, runtime = ledger.part(PartName.LIVE), ledger.part(PartName.RUNTIME)
    assert live is not None
    assert runtime is not None
    assert live.untouched + runtime.untouched == 1027 * MIB
    assert ledger.size(PartName.GARBAGE) == 4 * MIB
    assert ledger.size(PartName.REST) == 0


def test_what_go_does_not_hold_is_the_last_part() -> None:
    ledger = window(beyond=20).ledger
    assert ledger is not None
    assert ledger.parts[-1].title == "not explained by Go"
    assert ledger.parts[-1].size == 20 * MIB


def test_the_last_part_says_what_could_not_be_read() -> None:
    ledger = window(without=("lazy", "stacks")).ledger
    assert ledger is not None
    lazy = ledger.part(PartName.LAZY)
    assert lazy is not None
    assert lazy.size is None
    assert lazy.growth is None
    assert "LazyFree unknown: no access to smaps_rollup" in ledger.parts[-1].meaning
    assert "stacks" in ledger.parts[-1].meaning


def test_rows_of_the_runtime_lie_within_its_part() -> None:
    ledger = window(profiler=lambda second: 1 + second / 100).ledger
    assert ledger is not None
    runtime = ledger.part(PartName.RUNTIME)
    assert runtime is not None
    # They were settled one by one, and each was rounded.
    mapped = (runtime.size or 0) + runtime.untouched
    assert sum(part.size or 0 for part in runtime.parts) == pytest.approx(mapped, abs=5)
    assert ledger.grown(PartName.PROFILER) == pytest.approx(runtime.growth, abs=5)
    assert runtime not in runtime.parts
    assert len([part for part in ledger.parts if part.name is PartName.RUNTIME]) == 1


def test_a_sample_that_was_read_while_the_scavenger_worked_is_not_believed() -> None:
    calm = window(seconds=50).points
    odd = window(seconds=50, beyond=40).points[5]
    rows = [*calm[:5], odd, *calm[6:]]
    assert settled(rows).res == settled(calm).res


def test_ends_are_means_so_that_a_sawtooth_is_no_growth() -> None:
    found = window(
        alloc=lambda second: 8 + second % 45 / 5,
        inuse=lambda second: 9 + second % 45 / 5,
        unreturned=lambda second: 9 - second % 45 / 5,
    )
    assert found.ledger is not None
    assert abs(found.ledger.grown(PartName.GARBAGE)) < 5 * MIB
    assert found.ledger.growth == 0


def test_a_live_heap_that_is_known_at_one_end_only_is_no_part() -> None:
    known, unknown = window().points[0], window(without=("live",)).points[0]
    for before, now in ((known, unknown), (unknown, known)):
        ledger = ledger_between(before, now)
        assert ledger is not None
        sums_up(ledger)
        assert ledger.part(PartName.LIVE) is None
        assert ledger.grown(PartName.OBJECTS) == 0
        assert all(part.growth == 0 for part in ledger.parts)
