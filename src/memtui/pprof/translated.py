"""Go's regular expressions written as Python's: for machines where RE2 is not installed."""

from __future__ import annotations

import re

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_ESCAPES = frozenset("dDwWsSbBAaftnrv")
_FLAGS = re.compile(r"\(\?([imsU]*)(-[imsU]+)?([:)])")
_REPEAT = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}")
_POSIX_CLASS = re.compile(r"\[:(\^?)(\w+):\]")
_HEX = re.compile(r"\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_OCTAL = re.compile(r"\\(0[0-7]{0,2}|[1-7][0-7]{1,2})")


def translated(text: str) -> re.Pattern[str]:
    """Compile a pattern in Go's syntax (Go 1.27, regexp/syntax) for Python's engine.

    What Python writes otherwise is translated, what it lacks (``\\p`` but for ``\\pL`` and
    ``\\pN``, ``\\C``, ``(?U)``) or has beyond Go (lookaround, back references) is refused. A search
    may take exponential time. Raises re.error, OverflowError and RecursionError.
    """
    return re.compile(_Translation(text).done(), re.ASCII)


class _Translation:
    """One walk over a pattern. Raises re.error.

    Go lets flags begin anywhere, for the rest of their group; Python wants a group for them, which
    ends at the end of the branch and begins anew in the next.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out: list[str] = []
        self._flags: list[list[str]] = [[]]  # the flags that began in each open group
        self._multiline = "m" in "".join(found[1] for found in _FLAGS.finditer(text))

    def done(self) -> str:
        """Return the pattern as Python writes it."""
        while self._at < len(self._text):
            self._step()
        self._end_flags()
        if len(self._flags) > 1:
            raise re.error("missing )")
        return "".join(self._out)

    def _put(self, text: str, length: int = 1) -> None:
        self._out.append(text)
        self._at += length

    def _step(self) -> None:
        char = self._text[self._at]
        if char == "\\":
            self._put(*self._escape(in_class=False))
        elif char == "[":
            self._class()
        elif char == "(":
            self._group()
        elif char == ")":
            self._end_flags()
            if len(self._flags) == 1:
                raise re.error("unexpected )")
            self._flags.pop()
            self._put(")")
        elif char == "|":
            self._end_flags()
            self._put("|" + "".join(self._flags[-1]))
        elif char == "$" and not self._multiline:
            self._put(r"\Z")
        elif found := _REPEAT.match(self._text, self._at):
            self._repeat(found[0])
        else:
            self._put("\\{" if char == "{" else char)

    def _end_flags(self) -> None:
        self._out.append(")" * len(self._flags[-1]))

    def _repeat(self, operator: str) -> None:
        """Write a repetition; Go takes a ? behind it and no other one."""
        if any(int(count) > 1000 for count in re.findall(r"\d+", operator)):
            raise re.error(f"invalid repeat count {operator}")
        length = len(operator)
        if self._text.startswith("?", self._at + length):
            operator, length = operator + "?", length + 1
        if found := _REPEAT.match(self._text, self._at + length):
            raise re.error(f"invalid nested repetition operator {operator}{found[0]}")
        self._put(operator, length)

    def _group(self) -> None:
        if found := _FLAGS.match(self._text, self._at):
            on, off, end = found[1], found[2] or "", found[3]
            if "U" in on + off:
                raise re.error("(?U) is not understood here")
            opened = f"(?{on}{off}:" if on or off else "(?:"
            if end == ")":
                self._flags[-1].append(opened)
            else:
                self._flags.append([])
            self._put(opened, len(found[0]))
        elif self._text.startswith("(?", self._at):
            named = re.compile(r"\(\?P?<(\w+)>").match(self._text, self._at)
            if not named:
                raise re.error(
                    f"invalid or unsupported group {self._text[self._at : self._at + 4]}"
                )
            self._flags.append([])
            self._put(f"(?P<{named[1]}>", len(named[0]))
        else:
            self._flags.append([])
            self._put("(")

    def _escape(self, *, in_class: bool) -> tuple[str, int]:
        """Return what stands for the escape at this place, and how long it is."""
        rest = self._text[self._at :]
        if found := _HEX.match(rest) or _OCTAL.match(rest):
            number = int(found[1] or found[2], 16) if rest[1] == "x" else int(found[1], 8)
            if number > 0x10FFFF:
                raise re.error(f"no character {found[0]}")
            return f"\\U{number:08x}", len(found[0])
        char = rest[1:2]
        if char == "Q" and not in_class:
            quoted, end, _ = rest[2:].partition("\\E")
            return re.escape(quoted), len(quoted) + 2 + len(end)
        if char == "z" and not in_class:
            return r"\Z", 2
        if char in ("p", "P"):
            return self._unicode(rest, in_class=in_class)
        if char in _ESCAPES and not (in_class and char in "bBA"):
            return rest[:2], 2
        if char and char.isascii() and not char.isalnum():
            return re.escape(char), 2
        raise re.error(f"unknown escape \\{char}" if char else "trailing \\")

    def _unicode(self, rest: str, *, in_class: bool) -> tuple[str, int]:
        found = re.match(r"\\([pP])(?:\{(\^?\w+)\}|(\w))", rest)
        kind = (found[2] or found[3]) if found else ""
        if not found or in_class or kind not in ("L", "N"):
            raise re.error(f"{rest[:4]} is not understood here; only \\pL and \\pN are")
        negated = found[1] == "P"
        positive, negative = (r"[^\W\d_]", r"[\W\d_]") if kind == "L" else (r"\d", r"\D")
        return f"(?u:{negative if negated else positive})", len(found[0])

    def _class(self) -> None:
        self._put("[")
        if self._text.startswith("^", self._at):
            self._put("^")
        first = True
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "]" and not first:
                self._put("]")
                return
            dashed = char == "-" and (first or self._out[-1] == "-")
            first = False
            if found := _POSIX_CLASS.match(self._text, self._at):
                if found[1] or found[2] not in _POSIX:
                    raise re.error(f"invalid or unsupported class {found[0]}")
                self._put(_POSIX[found[2]], len(found[0]))
            elif char == "\\":
                self._put(*self._escape(in_class=True))
            else:
                self._put("\\" + char if dashed or char in "[]&~|" else char)
        raise re.error("missing ]")
