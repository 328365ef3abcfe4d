"""The labels of a profile, and the filter of each row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from randomprofile import RandomProfile

from memtui.panes.profile.base_view import NameListState
from memtui.panes.profile.formatting import Measure
from memtui.panes.profile.labels import LabelRow, draw, hint, label_rows
from memtui.parse.profile.decoder import read_stacks
from memtui.pprof.filters import label_test
from memtui.pprof.lens import Lens
from memtui.pprof.tags import Tag, TagValue, tags
from memtui.render.cells import text_of

ROUTES = Tag("route", 90, (TagValue("/pay", 60), TagValue("/\x1b[31mcart", 30)))
SIZES = Tag("bytes", 40, (TagValue("64B", 40, is_number=True),))


def test_values_are_grouped_by_label_largest_first() -> None:
    data = label_rows([SIZES, ROUTES], Measure("count", 100))
    assert [each.name for each in data.rows] == [
        "route: /pay",
        "route: /\x1b[31mcart",
        "bytes: 64B",
    ]
    _, lines = draw(data, NameListState(), 60, 4, focused=False)
    assert [text_of(row).rstrip() for row in lines] == [
        "   value  share            label",
        "      60  60.0% ██████     route: /pay",
        "      30  30.0% ███        route: /␛[31mcart",
        "      40  40.0% ████       bytes: 64B",
    ]
    assert text_of(hint(data, NameListState())) == "enter: only samples with route=/pay"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1), st.text())
def test_the_filter_of_a_row_keeps_only_its_label(text: str, other: str) -> None:
    test = label_test(LabelRow("user", text, 1).filter, "tagfocus", {})
    assert test is not None
    assert test((("user", (text,)),))
    assert not test((("route", (text,)),))
    if other != text:
        assert not test((("user", (other,)),))


@pytest.mark.parametrize("seed", range(40))
def test_the_samples_that_a_row_keeps_add_up_to_its_value(seed: int) -> None:
    stacks = read_stacks(RandomProfile(seed).data)
    kind = stacks.types[0].type
    found = tags(stacks, Lens(sample_type=kind))
    for row in label_rows(found.tags, Measure("", found.total)).rows:
        if row.is_number:
            continue  # a number is written rounded
        left = tags(stacks, Lens(sample_type=kind, tagfocus=row.filter))
        assert not left.unmatched
        values = {(tag.key, each.text): each.value for tag in left.tags for each in tag.values}
        assert values[row.key, row.text] == row.value
