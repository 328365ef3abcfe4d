"""The screen in signs that a terminal has: a filter over all lines, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from memtui.render.cells import cell_len
from memtui.render.preferences import Signs

BLANK_BRAILLE, LAST_BRAILLE = 0x2800, 0x28FF

_ASCII: Mapping[str, str] = {
    **dict.fromkeys("─━┄┈╌═▔", "-"),
    **dict.fromkeys("│┃┆┊║", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬", "+"),
    **dict.fromkeys("█▉▊▋▌■", "#"),
    **dict.fromkeys("▍▎▏▐▕", "|"),
    **dict.fromkeys("▁▂▃_", "_"),
    **dict.fromkeys("▄▅▆▇▀", "="),
    **dict.fromkeys("▸►▶→❯›", ">"),
    **dict.fromkeys("◂◄◀←‹", "<"),
    **dict.fromkeys("▾▼↓", "v"),
    **dict.fromkeys("▴▲↑", "^"),
    **dict.fromkeys("‘’‚′", "'"),
    **dict.fromkeys("“”„″", '"'),
    **dict.fromkeys("−–—‐‑", "-"),
    "●": "*", "○": "o", "•": "*", "◆": "*", "·": ".", "╵": "'", "╷": ",", "…": "~", "×": "x",
    "✗": "x", "✓": "+", "↻": "@", "⏎": "\\", "≈": "~", "±": "~", "µ": "u", "Δ": "d", "°": "o",
    "≤": "<", "≥": ">", "÷": "/", "\xa0": " ", "■": "#", "⁴": "4",
    # The parts of the bar of RES must differ from each other.
    "▓": "%", "▒": "+", "░": ":", "▚": "\\", "▞": "/", "▤": "=", "▥": "|",
}  # fmt: skip
"""One ASCII sign for each sign that memtui draws; what came from elsewhere becomes a ?."""

_OF_THE_CONSOLE = frozenset("─│┌┐└┘├┤┬┴┼═║█▓▒░▄▀▌▐■→←↑↓▲▼►◄·×±µ°÷")
"""What the fonts of the Linux console have besides ASCII (code page 437 and Latin-1)."""
_FOR_THE_CONSOLE: Mapping[str, str] = {
    "╭": "┌", "╮": "┐", "╰": "└", "╯": "┘", "━": "─", "┃": "│", "▸": "►", "▾": "▼", "▴": "▲",
    "◆": "■", "●": "■", "○": "·", "−": "-",
}  # fmt: skip


class _Table(dict[int, str]):
    """What str.translate puts in place of each sign: as wide as the sign was."""

    def __init__(self, known: Mapping[str, str], kept: frozenset[str]) -> None:
        super().__init__({ord(sign): instead for sign, instead in known.items()})
        self._kept = kept

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        if code < 0x80 or sign in self._kept:
            instead = sign
        elif BLANK_BRAILLE <= code <= LAST_BRAILLE:
            instead = braille_to_ascii(code - BLANK_BRAILLE)
        else:
            instead = _ASCII.get(sign, "?" * cell_len(sign))
        self[code] = instead
        return instead


def braille_to_ascii(dots: int) -> str:
    """Return the ASCII sign that looks most like some dots of braille (the bits of U+2800).

    Dots lie in four rows and two columns: 0x01 0x02 0x04 0x40 are the left one from its top, and
    0x08 0x10 0x20 0x80 the right one.
    """
    left = [row for row, bit in enumerate((0x01, 0x02, 0x04, 0x40)) if dots & bit]
    right = [row for row, bit in enumerate((0x08, 0x10, 0x20, 0x80)) if dots & bit]
    rows = [*left, *right]
    if not rows:
        return " "
    if max(len(left), len(right)) >= 3:
        return "|"
    if left and right:
        falls = sum(right) / len(right) - sum(left) / len(left)
        if abs(falls) >= 1:
            return "\\" if falls > 0 else "/"
    return "'--_"[round(sum(rows) / len(rows))]


class Charset(LineFilter):
    """Puts a sign that the terminal has in place of each one that it has not."""

    def __init__(self, signs: Signs) -> None:
        super().__init__(enabled=signs != "all")
        known = _ASCII if signs == "ascii" else {**_ASCII, **_FOR_THE_CONSOLE}
        kept = frozenset[str]() if signs == "ascii" else _OF_THE_CONSOLE
        self._table = _Table({k: v for k, v in known.items() if k not in kept}, kept)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the same segments in other signs, each as wide as it was."""
        table = self._table
        return [
            segment if segment.text.isascii() else
            Segment(segment.text.translate(table), segment.style, segment.control)
            for segment in segments
        ]  # fmt: skip
