"""What waits for a slow reader keeps its order, and loses lines of output before facts."""

from __future__ import annotations

from threading import Thread

from memtui.sources.source import MOST_LINES, MOST_OTHERS, EventQueue


def test_lines_and_facts_come_out_in_the_order_in_which_they_came() -> None:
    waiting: EventQueue[int] = EventQueue()
    for number in range(100):
        waiting.put(number, is_line=number % 3 == 0)
    assert waiting.take_all() == list(range(100))
    assert waiting.take_all() == []


def test_the_oldest_lines_make_room_and_no_fact_is_lost() -> None:
    waiting: EventQueue[str] = EventQueue()
    waiting.put("fact", is_line=False)
    for number in range(MOST_LINES + 10):
        waiting.put(f"line {number}", is_line=True)
    kept = waiting.take_all()
    assert kept[:2] == ["fact", "line 10"]
    assert len(kept) == MOST_LINES + 1
    assert waiting.dropped == 10


def test_facts_are_bounded_too() -> None:
    waiting: EventQueue[int] = EventQueue()
    for number in range(MOST_OTHERS + 1):
        waiting.put(number, is_line=False)
    assert waiting.take_all()[0] == 1
    assert waiting.dropped == 1


def test_what_is_forgotten_is_not_counted_as_lost() -> None:
    waiting: EventQueue[int] = EventQueue()
    waiting.put(1, is_line=True)
    waiting.put(2, is_line=False)
    waiting.clear()
    assert waiting.take_all() == []
    assert waiting.dropped == 0


def test_one_thread_puts_while_another_takes_and_nothing_is_lost_or_told_twice() -> None:
    waiting: EventQueue[int] = EventQueue()
    count = 40_000

    def put_all() -> None:
        for number in range(count):
            waiting.put(number, is_line=False)

    thread = Thread(target=put_all)
    thread.start()
    taken: list[int] = []
    while thread.is_alive():
        taken += waiting.take_all()
    taken += waiting.take_all()
    assert taken == list(range(count))
