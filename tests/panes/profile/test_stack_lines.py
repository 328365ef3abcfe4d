"""A stack on one line, and a line a frame."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from memtui.panes.profile.formatting import frame_lines, on_one_line
from memtui.render.cells import text_of


def test_a_stack_on_one_line_says_what_it_leaves_out() -> None:
    stack = ("main.work", "main.retry", "main.retry", "main.main", "runtime.main")
    assert on_one_line(stack, 60) == "main.work ← main.retry ×2 ← main.main ← runtime.main"
    assert on_one_line(stack, 40) == "work ← retry ×2 ← main ← main"
    assert on_one_line(stack, 24) == "work ← retry ×2 ← …"
    assert on_one_line(stack, 3) == "wo…"
    assert on_one_line((), 10) == ""


@given(st.lists(st.sampled_from(["main.a", "b.大", "x/y.Z[int]", "main.a"])), st.integers(1, 40))
def test_a_stack_on_one_line_always_fits(frames: list[str], width: int) -> None:
    assert cell_len(on_one_line(frames, width)) <= width


def test_unfolded_the_runtime_stands_back_and_recursion_takes_one_line() -> None:
    rows = frame_lines(("runtime.gopark", "a/main.f", "a/main.f", "main.g"), 2, 0, "f")
    assert [text_of(row) for row in rows] == ["  runtime.gopark", "  a/main.f ×2", "  main.g"]
    assert rows[0][1].role == "dim"
    assert [span.text for span in rows[1] if span.role == "match"] == ["f"]
