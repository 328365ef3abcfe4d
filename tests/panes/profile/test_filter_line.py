"""The input line: filters, the caret, and the effect of a filter."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.panes.profile.filter_line import FilterLine, draw
from memtui.render.cells import Line, cells, text_of
from memtui.render.text_line import Editor

Shown = Callable[[Sequence[Line], int], str]
SOME = FilterLine.of(focus="store", hide=r"runtime\..*").stepped(2)


def test_the_edited_filter_its_effect_and_the_functions_left(shown: Shown) -> None:
    assert shown(draw(SOME, 76, preview="12 of 340 functions"), 76) == (
        """
 focus=store ignore  hide  show labels …
 / runtime\\..*
 12 of 340 functions · no matching frames
"""
    )


def test_in_a_small_pane_a_star_marks_a_pattern(shown: Shown) -> None:
    rows = draw(SOME, 38, error="missing closing )\x1b", preview="12 of 340 functions")
    assert shown(rows, 38) == (
        """
 focus* ignore  hide  show labels …
 / runtime\\..*
 missing closing )␛
"""
    )
    assert rows[2][1].role == "bad"


def test_up_and_down_change_the_edited_filter() -> None:
    filters = FilterLine()
    names = []
    for _ in range(9):
        names.append(filters.field.name)
        filters = filters.stepped(1)
    of_labels = ["tagfocus", "tagignore", "tagshow", "taghide"]
    assert names == ["focus", "ignore", "hide", "show", *of_labels, "focus"]
    assert FilterLine().stepped(-1).field.name == "taghide"
    assert {name: text for name, text in SOME.texts.items() if text} == {
        "focus": "store",
        "hide": r"runtime\..*",
    }


def test_label_filters_are_visible_when_one_is_edited(shown: Shown) -> None:
    filters = SOME.set_to(tagfocus="route=a").stepped(2)
    rows = shown(draw(filters, 76), 76)
    assert " tagfocus  tagignore tagshow taghide frames* …" in rows
    assert "only samples with this label" in rows
    for at in range(8):
        field = FilterLine().stepped(at)
        assert field.field.name in shown(draw(field, 60), 60), "the one that is edited is seen"


def test_letters_are_inserted_and_deleted_at_the_caret() -> None:
    editor = Editor.of("main")
    assert editor.inserted(".x") == Editor("main.x", 6)
    assert editor.backspace() == Editor("mai", 3)
    assert editor.at_start().deleted() == Editor("ain", 0)
    assert editor.moved(-2).inserted("Z") == Editor("maZin", 3)
    assert editor.moved(-2).without_start() == Editor("in", 0)
    assert Editor.of("main store").without_word() == Editor("main ", 5)
    assert editor.inserted("a\nb\x1b[31m").text == "mainab[31m"
    assert SOME.edited(SOME.field.editor.backspace()).texts["hide"] == r"runtime\.."


_EDITS: dict[str, Callable[[Editor], Editor]] = {
    "insert": lambda editor: editor.inserted("大a"),
    "backspace": Editor.backspace,
    "delete": Editor.deleted,
    "left": lambda editor: editor.moved(-1),
    "right": lambda editor: editor.moved(1),
    "home": Editor.at_start,
    "end": Editor.at_end,
    "ctrl+u": Editor.without_start,
    "ctrl+w": Editor.without_word,
}


@given(st.lists(st.sampled_from(sorted(_EDITS)), max_size=30), st.integers(1, 20))
def test_the_caret_is_always_visible_and_the_line_fits(keys: list[str], width: int) -> None:
    editor = Editor()
    for key in keys:
        editor = _EDITS[key](editor)
        assert 0 <= editor.caret <= len(editor.text)
        drawn = editor.drawn(width)
        assert cells(drawn) == width
        if width > 2:
            under = [span.text for span in drawn if span.role == "selected"]
            assert under == [editor.text[editor.caret : editor.caret + 1] or " "]


def test_a_long_error_takes_a_second_line(shown: Shown) -> None:
    rows = draw(SOME, 38, error="hide: invalid regular expression: missing closing ): `runtime(`")
    assert shown(rows[2:], 38) == (
        """
 hide: invalid regular expression:
 missing closing ): `runtime(`
"""
    )


@pytest.mark.parametrize("width", [1, 5, 20])
def test_the_smallest_sizes_are_drawn(width: int) -> None:
    assert [cells(row) for row in draw(SOME, width, error="no")] == [width] * 3
    assert text_of(draw(SOME, 20)[1]).startswith(" / ")
