"""The screen in ASCII, and in what the Linux console has: nothing moves, nothing is lost."""

import ast
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

import memtui
from memtui.diagnosis import PartName
from memtui.panes.explain.ledger import part_style
from memtui.render.charset import Charset, braille_to_ascii
from memtui.render.preferences import Signs

BLACK = Color(0, 0, 0)
SOURCES = Path(memtui.__file__).parent


def in_signs(text: str, signs: Signs) -> str:
    (segment,) = Charset(signs).apply([Segment(text)], BLACK)
    return segment.text


def signs_that_memtui_draws() -> set[str]:
    """Return the characters above ASCII in the texts of the screen's own modules."""
    found: set[str] = set()
    files = [
        path
        for folder in ("panes", "render", "dialogs", "dashboard")
        for path in (SOURCES / folder).rglob("*.py")
    ]
    for path in files:
        if path.name in ("charset.py", "keymap.py"):
            continue
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {char for char in node.value if char > "\x7f"}
    return found


def test_every_sign_that_is_drawn_has_one_of_its_own_in_ascii() -> None:
    drawn = signs_that_memtui_draws()
    assert {"│", "…", "●", "→"} <= drawn
    lost = {sign for sign in drawn if in_signs(sign, "ascii") == "?"}
    assert not lost
    assert all(in_signs(sign, "ascii").isascii() for sign in drawn)


@pytest.mark.parametrize("signs", ["ascii", "console"])
def test_the_parts_of_res_can_still_be_told_apart(signs: Signs) -> None:
    told = {part_style(name).sign for name in PartName}
    assert len({in_signs(sign, signs) for sign in told}) == len(told)


@pytest.mark.parametrize("signs", ["ascii", "console"])
def test_a_line_stays_as_wide_as_it_was(signs: Signs) -> None:
    line = "│ RES−SHR  52.8M  +20.7M ● 世界 e\u0301 ⢀⣀⡖ …│"
    assert cell_len(in_signs(line, signs)) == cell_len(line)


def test_a_frame_and_a_plot_in_ascii() -> None:
    assert in_signs("╭ 1 process ─╮", "ascii") == "+ 1 process -+"
    assert in_signs("64M┤⣀⣀⣀⡰⠒⠒⠉⠉│", "ascii") == "64M+___/--''|"
    assert in_signs("24→25→12 … 世", "ascii") == "24>25>12 ~ ??"


def test_the_console_keeps_what_its_font_has() -> None:
    assert in_signs("╭─┤▓░│→ ⣀ …╯", "console") == "┌─┤▓░│→ _ ~┘"


def test_dots_become_the_line_that_they_look_like() -> None:
    assert [braille_to_ascii(dots) for dots in (0, 0x09, 0x12, 0x24, 0xC0)] == [
        " ",
        "'",
        "-",
        "-",
        "_",
    ]
    assert [braille_to_ascii(dots) for dots in (0x47, 0x48, 0x81, 0xFF)] == ["|", "/", "\\", "|"]
