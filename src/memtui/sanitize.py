"""Makes foreign text safe to show: nothing in it can act on the terminal."""

from __future__ import annotations

import re
import unicodedata

_SUSPECT = re.compile(r"[^\x20-\x7e]")
_CARELESS = {"\t": "    ", "\x7f": "␡"}


def plain(text: str) -> str:
    """Return ``text`` with every character that can act on a terminal made visible.

    Control characters become their pictures (ESC is ␛), direction marks, other format characters
    and surrogates become ``<U+202E>``, and so do line and paragraph separators. A combining mark
    stays only after a letter, one at a time: many of them could paint over other lines.
    """
    if not _SUSPECT.search(text):
        return text
    shown: list[str] = []
    may_combine = False
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me", "Mc"):
            if may_combine:
                shown.append(char)
            may_combine = False
            continue
        shown.append(_picture(char, category))
        may_combine = category[0] == "L"
    return "".join(shown)


def _picture(char: str, category: str) -> str:
    """Return the visible form of one character."""
    if char in _CARELESS:
        return _CARELESS[char]
    if char < " ":
        return chr(0x2400 + ord(char))
    if category[0] == "C" or category in ("Zl", "Zp"):
        return f"<U+{ord(char):04X}>"
    return char
