"""Regular expressions in Go's syntax, so that a pattern means here what it means to pprof."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib.util import find_spec
from typing import Protocol

from memtui.pprof.stacks import StacksError

_QUOTED = re.compile(r"\\Q.*?(?:\\E|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|[^\]])*\]")
_NAMED = re.compile(r"\(\?P?<(\w+)>")


class Pattern(Protocol):
    """A compiled pattern."""

    def search(self, text: str, /) -> object | None:
        """Return something when the pattern is found anywhere in the text, else None."""


@cache
def is_linear() -> bool:
    """Report whether a search takes time linear in the text: RE2 is installed.

    Without it Python's engine searches, which takes exponential time for some patterns, and no
    other thread runs meanwhile: only a process that can be ended may search then.
    """
    return find_spec("re2") is not None


def compile_go_pattern(text: str, name: str) -> Pattern | None:
    """Compile a pattern in Go's syntax (Go 1.27, regexp/syntax), None when it is empty.

    ``name`` is the option that the error names. Raises StacksError.
    """
    if not text:
        return None
    try:
        return _compiled(text)
    except (ValueError, OverflowError, RecursionError, re.error) as error:
        raise StacksError(f"{name}: no regular expression: {_reason(error)}") from None


def _compiled(text: str) -> Pattern:
    if not is_linear():
        from memtui.pprof.translated import translated

        return translated(text)
    import re2

    if reason := _refused_by_go(text):
        raise ValueError(reason)
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(text, options)
    except re2.error as error:
        raise ValueError(_decoded(error)) from None
    return compiled


def _refused_by_go(text: str) -> str:
    """Return why Go refuses what RE2 of C++ takes, "" when it does not.

    Those are single bytes and names that are given twice (Go 1.27, regexp/syntax/parse.go).
    """
    bare = _QUOTED.sub("", text.replace("\\\\", ""))
    if "C" in _ESCAPED.findall(bare):
        return "invalid escape sequence: \\C"
    names = Counter(_NAMED.findall(_CLASS.sub("", _ESCAPED.sub("", bare))))
    twice = [name for name, count in names.items() if count > 1]
    return f"duplicate capture group name: {twice[0]}" if twice else ""


def _decoded(error: Exception) -> str:
    """Return the reason of RE2, which comes as bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "invalid UTF-8"
    return (str(error) or type(error).__name__).partition("\n")[0]
