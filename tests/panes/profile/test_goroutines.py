"""Goroutines by stack and by state, and how many more there are than in the base."""

from collections.abc import Callable, Sequence

import pytest

from memtui.panes.profile.goroutines import (
    GoroutineListState,
    by_state,
    draw,
    groups,
    hint,
    state_of,
)
from memtui.pprof.call_tree import StackLine
from memtui.render.cells import Line, text_of

WAITING = (
    "runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1", "main.worker", "main.start.func1"
)  # fmt: skip
READING = (
    "runtime.gopark", "runtime.netpollblock", "internal/poll.runtime_pollWait",
    "net/http.(*conn).serve",
)  # fmt: skip
BUSY = ("main.busy[/x]\x1b", "main.main")
NOW = (StackLine(WAITING, 120), StackLine(READING, 3), StackLine(BUSY, 1))
BASE = (StackLine(WAITING, 20), StackLine(READING, 3), StackLine(("main.old",), 2))

Shown = Callable[[Sequence[Line], int], str]


def test_the_largest_stacks_come_first_without_their_runtime_frames(shown: Shown) -> None:
    _, rows = draw(groups(NOW), GoroutineListState(), 60, 5, focused=False)
    assert shown(rows, 60) == (
        """
 ▼count state        stack
    120 chan receive main.worker ← main.start.func1
      3 IO wait      runtime_pollWait ← (*conn).serve
      1 running      main.busy[/x]␛ ← main.main

"""
    )


def test_since_the_base_growth_comes_first(shown: Shown) -> None:
    found = groups(NOW, BASE)
    _, rows = draw(found, GoroutineListState(), 76, 6, focused=True)
    assert shown(rows, 76) == (
        """
 ▼grew  count state        stack
  +100    120 chan receive main.worker ← main.start.func1
    +1      1 running      main.busy[/x]␛ ← main.main
     ·      3 IO wait      poll.runtime_pollWait ← http.(*conn).serve
    −2      0 gone         main.old

"""
    )
    assert text_of(hint(found, GoroutineListState())) == (
        "120 +100 from 20  chan receive  main.worker  in goroutines of main.start.func1"
    )


def test_in_a_small_pane_the_state_is_dropped_before_the_stack(shown: Shown) -> None:
    _, rows = draw(groups(NOW, BASE), GoroutineListState(), 38, 4, focused=False)
    assert shown(rows, 38) == (
        """
 ▼grew  count stack
  +100    120 worker ← start.func1
    +1      1 busy[/x]␛ ← main
     ·      3 poll.runtime_pollWait
"""
    )


def test_the_selected_stack_expands_below_its_line(shown: Shown) -> None:
    found = groups(NOW)
    state = GoroutineListState().toggled(found)
    _, rows = draw(found, state, 50, 8, focused=True)
    assert shown(rows[1:], 50) == (
        """
    120 chan receive ▾ 5 frames
     runtime.gopark
     runtime.chanrecv
     runtime.chanrecv1
     main.worker
     main.start.func1
      3 IO wait      (*conn).serve
"""
    ).replace("      3 IO wait      (*conn).serve", text_of(rows[7]).rstrip())
    assert state.toggled(found) == GoroutineListState()


def test_a_stack_expanded_at_the_end_of_the_screen_scrolls_its_frames_into_view() -> None:
    found = groups([StackLine((f"main.f{each}", "main.main"), 9 - each) for each in range(6)])
    state = GoroutineListState().moved(found, 4)
    state, rows = draw(found, state, 50, 6, focused=True)
    assert "main.f4" in text_of(rows[-1])
    _, rows = draw(found, state.toggled(found), 50, 6, focused=True)
    assert [text_of(row).split()[-1] for row in rows[-3:]] == ["frames", "main.f4", "main.main"]


def test_below_an_expanded_stack_the_selected_one_stays_visible() -> None:
    found = groups(NOW)
    state = GoroutineListState().toggled(found)
    for row in (1, 2):
        state, rows = draw(found, state.moved(found, 1), 50, 5, focused=True)
        assert [text_of(each).split()[0] for each in rows if each[0].role == "selected"] == [
            str(found[row].count)
        ]
    state, rows = draw(found, state.moved(found, -2), 50, 5, focused=True)
    assert rows[1][0].role == "selected"
    assert "main.worker" not in text_of(rows[-1]), "more frames than there is room for"


def test_goroutines_without_frames_are_counted_too() -> None:
    found = groups([StackLine((), 7)])
    assert text_of(draw(found, GoroutineListState(), 50, 3, focused=True)[1][1]).split() == [
        "7", "running", "no", "frames"
    ]  # fmt: skip
    assert "no frames" in text_of(hint(found, GoroutineListState()))


def test_recursion_takes_one_line() -> None:
    deep = groups([StackLine((*["main.deep"] * 20, "main.main"), 5)])
    _, rows = draw(deep, GoroutineListState().toggled(deep), 60, 4, focused=False)
    assert [text_of(row).strip() for row in rows[2:]] == ["main.deep ×20", "main.main"]
    assert "main.deep ×20 ← main.main" in text_of(
        draw(deep, GoroutineListState(), 60, 4, focused=False)[1][1]
    )


def test_the_number_in_each_state_as_far_as_it_fits() -> None:
    found = groups(NOW)
    assert text_of(by_state(found, 60)) == "120 chan receive · 3 IO wait · 1 running"
    assert text_of(by_state(found, 30)) == "120 chan receive · 3 IO wait"
    assert text_of(by_state(found, 5)) == ""


@pytest.mark.parametrize(
    ("frames", "state"),
    [
        (("runtime.gopark", "runtime.selectgo", "main.f"), "select"),
        (("runtime.gopark", "time.Sleep", "main.f"), "sleep"),
        (("runtime.gopark", "runtime.semacquire1", "sync.(*Mutex).Lock"), "semacquire"),
        (("runtime.gopark", "main.f"), "waiting"),
        (("main.f", "main.g"), "running"),
        ((), "running"),
    ],
)
def test_the_runtime_function_that_parked_a_goroutine_is_its_state(
    frames: tuple[str, ...], state: str
) -> None:
    assert state_of(frames) == state


def test_a_search_covers_all_frames() -> None:
    found = groups(NOW)
    state = GoroutineListState().searched(found, "serve")
    assert state.selection.row == 1
    assert state.searched(found, "main.").to_match(found, 1).selection.row == 0
    assert state.searched(found, "nowhere").selection == state.selection


def test_a_profile_without_goroutines() -> None:
    assert len(draw((), GoroutineListState(), 38, 4, focused=True)[1]) == 4
    assert GoroutineListState().toggled(()).moved((), 1).searched((), "x").text == "x"
    assert text_of(hint((), GoroutineListState())) == "no goroutines in this profile"
