"""What is written to the terminal for an update, read back as a terminal reads it."""

from __future__ import annotations

import io
import re

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from memtui.render.textual_private import EncodedUpdate, encoded

RED, GREY = Style.parse("#ff0000 on #101010"), Style.parse("#808080 on #101010")
BOLD = Style.parse("bold #ff0000 on #202020")
STRANGE = Style.parse("underline italic #ff0000 on #101010")
BARE = Style()

_TOKEN = re.compile(r"\x1b\[([\d;]*)([mHG])|(.)", re.DOTALL)
Cell = tuple[str, tuple[str, ...]]


def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system="256", width=80)


def seen(sent: str) -> dict[tuple[int, int], Cell]:
    """Return the cells (line, column) that a terminal would have written, with their style."""
    cells: dict[tuple[int, int], Cell] = {}
    style: dict[str, str] = {}
    y = x = 0
    for codes, final, char in _TOKEN.findall(sent):
        numbers = codes.split(";")
        if final == "H":
            y, x = int(numbers[0]) - 1, int(numbers[1]) - 1
        elif final == "G":
            x = int(numbers[0]) - 1
        elif final == "m":
            _style(style, numbers)
        elif char != "\n":
            cells[y, x] = char, tuple(sorted(style.values()))
            x += 1
    assert not style, "a style is left behind"
    return cells


def _style(style: dict[str, str], codes: list[str]) -> None:
    rest = list(codes)
    while rest:
        code = rest.pop(0)
        if code in ("", "0"):
            style.clear()
        elif code in ("38", "48"):
            count = 2 if rest[0] == "5" else 4
            style[code] = ";".join([code, *rest[:count]])
            del rest[:count]
        elif code in ("39", "49"):
            style.pop(str(int(code) - 1), None)
        elif code == "22":
            style.pop("1", None)
        else:
            style[code] = code


def update(*lines: list[Segment], spans: list[tuple[int, int, int]]) -> ChopsUpdate:
    """Return an update of lines that are one piece each."""
    strips = [Strip(line) for line in lines]
    return ChopsUpdate(
        [{0: strip} for strip in strips], spans, [[strip.cell_length] for strip in strips]
    )


LINE = [
    Segment("RES ", GREY), Segment("61.2M", RED), Segment(" of ", BOLD), Segment("512M", STRANGE),
    Segment(" – ", BARE), Segment("up", GREY),
]  # fmt: skip


def test_a_terminal_shows_the_same_cells_in_the_same_styles() -> None:
    spans = [(0, 0, 22), (1, 4, 9), (1, 14, 21)]
    whole = update(LINE, LINE, spans=spans)
    found = seen(encoded(whole).render_segments(console()))  # type: ignore[union-attr]
    full = seen(update(LINE, LINE, spans=[(0, 0, 22), (1, 0, 22)]).render_segments(console()))
    assert set(found) == {(y, x) for y, start, end in spans for x in range(start, end)}
    assert found == {place: full[place] for place in found}


def test_three_digits_are_sent_and_not_the_pane() -> None:
    spans = [(0, 4, 7)]
    sent = encoded(update(LINE, spans=spans)).render_segments(console())  # type: ignore[union-attr]
    assert re.sub(r"\x1b\[[\d;]*[mHG]", "", sent) == "61."
    assert len(sent) < 40


def test_pieces_that_lie_beside_the_span_are_not_sent() -> None:
    pieces: dict[int, Strip | None] = {
        0: Strip([Segment("left", RED)]), 4: None, 8: Strip([Segment("right", GREY)]),
    }  # fmt: skip
    found = seen(EncodedUpdate([pieces], [(0, 9, 11)], [[4, 8, 13]]).render_segments(console()))
    assert "".join(char for char, _ in found.values()) == "ig"


def test_other_updates_stay_as_they_are() -> None:
    assert encoded(None) is None
    assert encoded("text") == "text"
