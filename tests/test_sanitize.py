"""Text from outside is shown, never obeyed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtui.sanitize import plain


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("main.Map[int]", "main.Map[int]"),
        ("[/x] [red]", "[/x] [red]"),
        ("\x1b[2J\x07", "␛[2J␇"),
        ("a\nb\r\0", "a␊b␍␀"),
        ("\x9b31m", "<U+009B>31m"),
        ("user\u202ednim", "user<U+202E>dnim"),
        ("zero\u200bwidth", "zero<U+200B>width"),
        ("line\u2028end", "line<U+2028>end"),
        ("e\u0301", "e\u0301"),
        ("e\u0301\u0301\u0301", "e\u0301"),
        ("Größe 大", "Größe 大"),
        ("\udcff", "<U+DCFF>"),
    ],
)
def test_foreign_text_is_shown_as_it_is_with_controls_made_visible(
    foreign: str, shown: str
) -> None:
    assert plain(foreign) == shown


@given(st.text(st.characters(max_codepoint=0x2100), max_size=40))
def test_nothing_that_acts_on_a_terminal_comes_out(text: str) -> None:
    assert not {unicodedata.category(char) for char in plain(text)} & {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    }
