"""Sorting thousands of cycles while more of them come."""

import random
from collections.abc import Callable

import pytest

from memtui.model import KIND_OF, Event, GcCycle
from memtui.panes.gctrace.columns import CycleEntry, Figure, cycles_at
from memtui.panes.gctrace.table import CycleOrder, Sorting
from memtui.timeline import PAGE_EVENTS, Track

MakeCycle = Callable[..., GcCycle]

FIGURES = cycles_at(80, True)
PAUSE = next(figure for figure in FIGURES if figure.title.startswith("pause"))


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.title)
def test_what_is_merged_in_stands_as_if_all_were_sorted_at_once(
    cycle: MakeCycle, figure: Figure[GcCycle]
) -> None:
    rng = random.Random(7)
    track: Track[GcCycle] = Track(100)
    order = CycleOrder(track, figure)
    for number in range(1, 400):
        sample = cycle(
            number,
            live=rng.randrange(9),
            clock_ms=(rng.randrange(9) / 10, 1.0, 0.0),
            goal_bytes=rng.choice([None, 5 << 20, 6 << 20]),
            cpu_ms=tuple(rng.random() for _ in range(5)),
            forced=rng.random() < 0.1,
        )
        track.append(Event(float(number), "gctrace", sample))
        if number % 37 == 0:
            numbers = track.numbers(1e9)
            order.update(numbers)
            shown = order.rows(range(len(order)), descending=False)
            assert len(shown) == len(numbers) <= 100
            keys = [figure.key(entry) for entry in shown]
            assert keys == sorted(keys)
            assert {entry.cycle.number for entry in shown} == {each + 1 for each in numbers}
            turned = order.rows(range(len(order)), descending=True)
            assert turned == shown[::-1]


def test_a_row_is_found_again_by_its_number_until_it_is_let_go(cycle: MakeCycle) -> None:
    track: Track[GcCycle] = Track(10)
    order = CycleOrder(track, PAUSE)
    for number in range(1, 31):
        pause = 100 if number == 15 else number % 7
        track.append(Event(float(number), "gctrace", cycle(number, clock_ms=(pause, 1.0, 0.0))))
        order.update(track.numbers(1e9))
        place = order.place_of(14, descending=True)
        if 15 <= number <= 24:
            assert place == 0
            assert order.number_at(0, descending=True) == 14
            assert order.place_of(14, descending=False) == len(order) - 1
        else:
            assert place is None


def test_a_view_that_goes_back_sees_what_was_there_then(cycle: MakeCycle) -> None:
    track: Track[GcCycle] = Track(100)
    for number in range(1, 31):
        track.append(Event(float(number), "gctrace", cycle(number)))
    order = CycleOrder(track, PAUSE)
    order.update(track.numbers(30.0))
    order.update(track.numbers(12.0))
    assert len(order) == 12


def test_a_sorted_table_costs_little_when_all_that_is_held_is_sorted(cycle: MakeCycle) -> None:
    """The key of each cycle is taken once, however often the table is painted."""
    taken = 0
    held = KIND_OF[GcCycle].kept

    def key(entry: CycleEntry[GcCycle]) -> float:
        nonlocal taken
        taken += 1
        return PAUSE.key(entry)

    track: Track[GcCycle] = Track(held)
    order = CycleOrder(track, Figure("pause", 0, PAUSE.write, key, ""))
    for number in range(1, held + 1001):
        track.append(Event(number / 2000, "gctrace", cycle(number)))
        if number >= held and number % 100 == 0:
            order.update(track.numbers(1e9))
    assert held - PAGE_EVENTS <= len(order) <= held
    assert taken <= held + 1001


def test_columns_are_gone_through_in_a_circle() -> None:
    sorting = Sorting()
    seen = [sorting]
    for _ in FIGURES:
        sorting = sorting.next(FIGURES)
        seen.append(sorting)
    assert seen[-1] == Sorting()
    assert [each.column for each in seen[:-1]] == list(range(len(FIGURES)))
    assert seen[0].by_arrival
    assert not any(each.by_arrival for each in seen[1:-1])
