"""A function with its callers and callees, and the stacks leading to it."""

from collections.abc import Callable, Sequence

from memtui.panes.profile.formatting import Measure
from memtui.panes.profile.peek import PeekNeighbours, PeekState, draw, hint
from memtui.pprof.call_tree import StackLine
from memtui.pprof.top import Call, Peek, TopRow
from memtui.render.cells import Line, text_of

MIB = 1 << 20
WORK = Peek(
    TopRow("main.work", 2 * MIB, 10 * MIB),
    callers=(Call("main.main", 7 * MIB, 0.7, False), Call("main.retry", 3 * MIB, 0.3, True)),
    callees=(
        Call("main.[/x]\x1b", 6 * MIB, 0.6, False),
        Call("fmt.Sprintf", 2 * MIB, 0.2, True),
    ),
)  # fmt: skip
STACKS = (
    StackLine(("main.work", "main.main", "runtime.main"), 7 * MIB),
    StackLine(("main.work", *["main.retry"] * 3, "main.main", "runtime.main"), 3 * MIB),
)
AROUND = PeekNeighbours(WORK, STACKS, Measure("bytes", 20 * MIB))

Shown = Callable[[Sequence[Line], int], str]


def test_callers_above_callees_below_and_the_stacks(shown: Shown) -> None:
    _, rows = draw(AROUND, PeekState(), 76, 9, focused=True)
    assert shown(rows, 76) == (
        """
    cum  share            callers, callees
  7.00M  70.0% █████▋   ┌ main.main
  3.00M  30.0% ██▍      ├ main.retry (inline)
  10.0M   100% ████████ ▸ main.work  flat 2.00M
  6.00M  60.0% ████▊    ├ main.[/x]␛
  2.00M  20.0% █▋       └ fmt.Sprintf (inline)
 2 stacks lead here, largest first
  7.00M  70.0% █████▋   ▸ ← main.main ← runtime.main
  3.00M  30.0% ██▍      ▸ ← main.retry ×3 ← main.main ← runtime.main
"""
    )
    assert rows[3][0].role == "selected"


def test_in_a_small_pane_bars_and_packages_are_dropped(shown: Shown) -> None:
    _, rows = draw(AROUND, PeekState(), 38, 9, focused=False)
    assert shown(rows, 38) == (
        """
    cum  share   callers, callees
  7.00M  70.0% ┌ main.main
  3.00M  30.0% ├ main.retry (inline)
  10.0M   100% ▸ main.work  flat 2.00M
  6.00M  60.0% ├ main.[/x]␛
  2.00M  20.0% └ fmt.Sprintf (inline)
 2 stacks lead here, largest first
  7.00M  70.0% ▸ ← main ← main
  3.00M  30.0% ▸ ← retry ×3 ← main ← …
"""
    )


def test_without_room_the_function_is_centered() -> None:
    state, rows = draw(AROUND, PeekState(), 60, 4, focused=True)
    assert "main.work" in text_of(rows[2])
    _, rows = draw(AROUND, state.moved(AROUND, 1), 60, 4, focused=True)
    assert "main.work" in text_of(rows[2]), "it does not scroll before it must"


def test_enter_goes_to_callers_and_callees(shown: Shown) -> None:
    assert PeekState().entered(AROUND) == (PeekState(), "")
    assert PeekState().moved(AROUND, -1).entered(AROUND)[1] == "main.retry"
    assert PeekState().moved(AROUND, -9).entered(AROUND)[1] == "main.main"
    assert PeekState().moved(AROUND, 1).entered(AROUND)[1] == "main.[/x]\x1b"


def test_enter_expands_and_collapses_a_stack(shown: Shown) -> None:
    state, name = PeekState().moved(AROUND, 99).entered(AROUND)
    assert name == ""
    state, rows = draw(AROUND, state, 60, 14, focused=True)
    assert shown(rows[8:13], 60) == (
        """
  3.00M  30.0% ██▍      ▾ 6 frames
                          main.work
                          main.retry ×3
                          main.main
                          runtime.main
"""
    )
    assert text_of(hint(AROUND, state)) == "6 frames up to runtime.main  enter: collapse"
    folded, _ = state.entered(AROUND)
    assert folded.unfolded == -1


def test_flat_is_shown_even_if_the_name_is_cut() -> None:
    row = TopRow("github.com/acme/shop/store.(*Cache[go.shape.string]).Put", 2 * MIB, 10 * MIB)
    near = PeekNeighbours(Peek(row, (), ()), (), Measure("bytes", 20 * MIB))
    _, rows = draw(near, PeekState(), 38, 2, focused=False)
    assert text_of(rows[1]) == "  10.0M   100% ▸ Put  flat 2.00M      "


def test_names_scroll() -> None:
    long = Peek(TopRow("github.com/acme/shop/store.Put", 1, 1), (), ())
    near = PeekNeighbours(long, (), Measure("count", 1))
    assert " store.Put" in text_of(draw(near, PeekState(), 60, 2, focused=False)[1][1])
    assert "github.com/acme" in text_of(
        draw(near, PeekState().sideways(1), 60, 2, focused=False)[1][1]
    )


def test_a_function_without_neighbours_is_one_line(shown: Shown) -> None:
    near = PeekNeighbours(Peek(TopRow("main.init", 0, 0), (), ()), (), Measure("bytes", 0))
    state, rows = draw(near, PeekState().moved(near, 5), 40, 3, focused=True)
    assert (
        shown(rows, 40)
        == "\n    cum  share   callers, callees\n      0     0% ▸ main.init  flat 0\n\n"
    )
    assert state.entered(near)[1] == ""


def test_a_difference_has_signs() -> None:
    fell = Peek(TopRow("main.a", 0, -MIB), (), (Call("main.b", -MIB, 1.0, False),))
    near = PeekNeighbours(fell, (), Measure("bytes", MIB, is_difference=True))
    _, rows = draw(near, PeekState(), 60, 3, focused=False)
    assert text_of(rows[2]).split() == ["−1.00M", "−100%", "████████", "└", "main.b"]
    assert rows[2][0].role == "shrink"
