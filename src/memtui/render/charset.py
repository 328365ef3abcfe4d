"""Replaces the characters that a terminal cannot draw: a filter for all lines."""

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
    # The parts of the RES bar must be distinguishable.
    "▓": "%", "▒": "+", "░": ":", "▚": "\\", "▞": "/", "▤": "=", "▥": "|",
}  # fmt: skip
"""The ASCII characters for those that memtui draws; any other character becomes "?"."""

_CONSOLE_CHARACTERS = frozenset("─│┌┐└┘├┤┬┴┼═║█▓▒░▄▀▌▐■→←↑↓▲▼►◄·×±µ°÷")
"""The characters of the Linux console fonts besides ASCII (code page 437 and Latin-1)."""
_CONSOLE_REPLACEMENTS: Mapping[str, str] = {
    "╭": "┌", "╮": "┐", "╰": "└", "╯": "┘", "━": "─", "┃": "│", "▸": "►", "▾": "▼", "▴": "▲",
    "◆": "■", "●": "■", "○": "·", "−": "-",
}  # fmt: skip


class _TranslationTable(dict[int, str]):
    """The table for str.translate; each replacement is as wide as the character."""

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
    """Return the ASCII character that looks most like a braille character (bits of U+2800).

    There are four rows and two columns of dots: 0x01 0x02 0x04 0x40 is the left column from the
    top, 0x08 0x10 0x20 0x80 the right one.
    """
    left = [row for row, bit in enumerate((0x01, 0x02, 0x04, 0x40)) if dots & bit]
    right = [row for row, bit in enumerate((0x08, 0x10, 0x20, 0x80)) if dots & bit]
    rows = [*left, *right]
    if not rows:
        return " "
    if max(len(left), len(right)) >= 3:
        return "|"
    if left and right:
        slope = sum(right) / len(right) - sum(left) / len(left)
        if abs(slope) >= 1:
            return "\\" if slope > 0 else "/"
    return "'--_"[round(sum(rows) / len(rows))]


class Charset(LineFilter):
    """A line filter that replaces the characters outside a set."""

    def __init__(self, signs: Signs) -> None:
        super().__init__(enabled=signs != "all")
        known = _ASCII if signs == "ascii" else {**_ASCII, **_CONSOLE_REPLACEMENTS}
        kept = frozenset[str]() if signs == "ascii" else _CONSOLE_CHARACTERS
        self._table = _TranslationTable({k: v for k, v in known.items() if k not in kept}, kept)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with replaced characters; their widths do not change."""
        table = self._table
        return [
            segment if segment.text.isascii() else
            Segment(segment.text.translate(table), segment.style, segment.control)
            for segment in segments
        ]  # fmt: skip
