"""Lines are cut and padded by cells, and only what differs is sent."""

from importlib.resources import files
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from memtui.render.cells import (
    Line,
    Role,
    Span,
    cells,
    changed_runs,
    cut,
    fit,
    justify,
    left,
    line,
    right,
    slice_cells,
    text_of,
)

_TEXT = st.text(st.sampled_from("ab 大é⣀"), max_size=6)
_LINES = st.lists(st.tuples(_TEXT, st.sampled_from(["text", "dim"])), max_size=4).map(
    lambda spans: tuple(Span(text, role) for text, role in spans)  # type: ignore[arg-type] # drawn roles
)


@given(_LINES, st.integers(0, 20))
def test_a_line_comes_out_exactly_as_wide_as_asked(spans: Line, width: int) -> None:
    assert cells(fit(spans, width)) == width


@given(_LINES, _LINES, st.integers(0, 20))
def test_what_is_outside_of_the_differing_cells_is_equal(
    one: Line, other: Line, width: int
) -> None:
    old, new = fit(one, width), fit(other, width)
    runs = changed_runs(old, new)
    cells_of = [[(char, span.role) for span in spans for char in span.text] for spans in (old, new)]
    if any(len(span.text) != cells((span,)) for span in (*old, *new)):
        return
    inside = {at for start, end in runs for at in range(start, end)}
    for at, (was, now) in enumerate(zip(*cells_of, strict=True)):
        assert at in inside or was == now
    assert all(cells_of[0][at] != cells_of[1][at] for run in runs for at in (run[0], run[1] - 1))


def test_far_apart_changes_are_runs_of_their_own() -> None:
    old, new = line("12:00 " + "x" * 20 + " 34"), line("12:01 " + "x" * 20 + " 39")
    assert changed_runs(old, new) == [(4, 5), (28, 29)]
    assert changed_runs(line("1  2"), line("3  4")) == [(0, 4)]


def test_a_wide_character_changes_with_both_its_cells() -> None:
    assert changed_runs(line("大 a"), line("小 a")) == [(0, 2)]
    assert changed_runs(line("a大"), line("大b")) == [(0, 3)]


def test_a_cut_text_ends_with_an_ellipsis_and_fits_with_wide_characters() -> None:
    assert cut("main.loadCatalogue", 8) == "main.lo…"
    assert cut("大大大", 4) == "大…"
    assert cut("abc", 3) == "abc"
    assert left("ab", 4) == "ab  "


def test_numbers_are_never_cut() -> None:
    assert right("123456", 4) == "123456"


def test_words_at_the_right_give_way_to_words_at_the_left() -> None:
    assert text_of(justify(line("abc"), line("xy"), 7, "─")) == "abc──xy"
    assert text_of(justify(line("abcdef"), line("xy"), 7, "─")) == "abcdef─"
    assert text_of(justify(line("abcdefgh"), line("xy"), 7, "─")) == "abcdef…"


def test_each_role_has_its_colour_in_the_style_sheet() -> None:
    sheet = (files("memtui") / "dashboard/app.tcss").read_text()
    assert [role for role in get_args(Role) if f"painted--{role} {{" not in sheet] == []


@given(_LINES, _LINES)
def test_the_parts_that_differ_make_the_new_line_of_the_old_one(old: Line, new: Line) -> None:
    """As a terminal does, that gets them at the cell where each begins."""
    old, new = fit(old, 14), fit(new, 14)
    runs = changed_runs(old, new)
    shown = _cells_of(old)
    for start, stop in runs:
        sent = slice_cells(new, start, stop)
        assert cells(sent) == stop - start
        shown[start:stop] = _cells_of(sent)
    assert shown == _cells_of(new)


def _cells_of(spans: Line) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for text, role in spans:
        for char in text:
            found += [(char, role), *[("", role)] * (cells(line(char)) - 1)]
    return found
