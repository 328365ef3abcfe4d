"""Every theme has a colour for every meaning, and texts can be read on all that they stand on."""

import re
from itertools import product
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

import memtui
from memtui.render.theme import ANSI, DARK, LIGHT, THEMES

STYLE_SHEET = (Path(memtui.__file__).parent / "dashboard/app.tcss").read_text()
LEAST = 4.5
"""What WCAG 2.2 asks for between a text and what it stands on."""
MEANINGS = ("dim", "res", "shr", "live", "goal", "gc", "idle", "grow")
PAIRS = ("selected", "match", "flame-1", "flame-2", "flame-3")


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG, from 0 to 1."""
    parts = [each / 255 for each in Color.parse(colour).rgb]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_texts_can_be_read_on_every_ground(theme: Theme) -> None:
    named = {name: theme.variables[name] for name in MEANINGS}
    named |= {
        "foreground": theme.foreground or "", "accent": theme.accent or "",
        "success": theme.success or "", "error": theme.error or "",
    }  # fmt: skip
    grounds = {"background": theme.background or "", "surface": theme.surface or ""}
    poor = {
        (text, ground): round(contrast(named[text], grounds[ground]), 2)
        for text, ground in product(named, grounds)
        if contrast(named[text], grounds[ground]) < LEAST
    }
    for name in PAIRS:
        found = contrast(theme.variables[f"{name}-text"], theme.variables[f"{name}-back"])
        if found < LEAST:
            poor[(name, "its own")] = round(found, 2)
    assert not poor


def test_meanings_differ_in_every_theme() -> None:
    for theme in THEMES.values():
        colours = [theme.variables[name] for name in ("res", "shr", "live", "goal", "gc", "idle")]
        assert len(set(colours)) == len(colours), theme.name


def test_all_themes_say_the_same_and_all_that_the_style_sheet_asks_for() -> None:
    own = set(DARK.variables)
    assert set(LIGHT.variables) == own
    assert own <= set(ANSI.variables)
    textuals = {"foreground", "background", "surface", "accent", "success", "error", "warning"}
    assert set(re.findall(r"\$([a-z][a-z0-9-]*)", STYLE_SHEET)) <= own | textuals


def test_the_terminals_own_colours_are_no_others() -> None:
    others = {name: value for name, value in ANSI.variables.items() if value.startswith("#")}
    assert not others
