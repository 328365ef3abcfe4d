"""The braille plot: one scale, ticks people can read, gaps that stay gaps."""

import pytest

from memtui.render.braille_plot import Series, plot, rug, scale
from memtui.render.cells import Role, text_of
from memtui.timeline import Extent

MIB = 1 << 20


def points(*mib: float | None, role: Role = "res") -> Series:
    return Series(role, [None if each is None else Extent(*[int(each * MIB)] * 3) for each in mib])


def picture(*series: Series, width: int, height: int, bridge: int = 0) -> list[str]:
    return [text_of(row).rstrip() for row in plot(series, width, height, bridge)]


@pytest.mark.parametrize(
    ("highest", "steps", "top", "step"),
    [(61 * MIB, 2, 64, 32), (33 * MIB, 4, 48, 16), (64 * MIB, 4, 64, 16), (65 * MIB, 4, 96, 32)],
)
def test_the_scale_ends_at_a_round_number(highest: int, steps: int, top: int, step: int) -> None:
    assert scale(highest, steps) == (top * MIB, step * MIB)


def test_a_rise_is_a_rising_line_from_a_scale_that_starts_at_zero() -> None:
    assert picture(points(*range(0, 17, 2)), width=12, height=4, bridge=1) == [
        "  16M┤   ⢠⠇",
        "   8M┤  ⣠⠏",
        "     │ ⣰⠃",
        "    0┤⣰⠃",
    ]


def test_both_series_share_one_scale() -> None:
    rows = picture(
        points(16, 16, 16, 16), points(2, 2, 2, 2, role="shr"), width=10, height=4, bridge=1
    )
    assert rows[0] == "  16M┤⠉⠉"
    assert rows[3].startswith("    0┤")
    assert rows[3] != "    0┤"


def test_a_gap_stays_a_gap_and_a_short_one_is_bridged() -> None:
    wide = points(8, None, None, None, None, 8)
    open_gap = picture(wide, width=9, height=1, bridge=1)
    bridged = picture(wide, width=9, height=1, bridge=4)
    assert open_gap == ["   8M┤⠁ ⠈"]
    assert bridged == ["   8M┤⠉⠉⠉"]


def test_a_span_with_lows_and_highs_is_a_bar() -> None:
    series = Series("res", [Extent(0, 8 * MIB, 4 * MIB)])
    assert picture(series, width=7, height=2) == ["   8M┤⡇", "    0┤⡇"]


def test_the_rug_marks_the_cells_of_the_cycles() -> None:
    assert text_of(rug({0, 3}, 10)) == "   GC ╵  ╵"
