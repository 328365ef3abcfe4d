"""Compiles regular expressions in Go's syntax with RE2, so that they match what pprof matches."""

from __future__ import annotations

import re
from collections import Counter
from typing import Protocol

from memtui.pprof.stacks import StacksError

NO_RE2 = "filters need the Python package google-re2, which is not installed"

_QUOTED = re.compile(r"\\Q.*?(?:\\E|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|[^\]])*\]")
_NAMED = re.compile(r"\(\?P?<(\w+)>")


class Pattern(Protocol):
    """A compiled regular expression."""

    def search(self, text: str, /) -> object | None:
        """Return a match if the expression matches anywhere in the text, else None."""


def compile_go_pattern(text: str, option: str) -> Pattern | None:
    """Compile a regular expression in Go's syntax (Go 1.27, regexp/syntax); None when it is empty.

    RE2 searches in time linear in the text. Python's own engine is no substitute: its syntax
    differs, and some patterns take it exponential time while no other thread can run. So without
    RE2 a pattern is an error. Errors begin with ``option``. Raises StacksError.
    """
    if not text:
        return None
    try:
        return _compile(text)
    except ImportError:
        raise StacksError(f"{option}: {NO_RE2}") from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise StacksError(f"{option}: invalid regular expression: {_reason(error)}") from None


def _compile(text: str) -> Pattern:
    import re2

    if reason := _refused_by_go(text):
        raise ValueError(reason)
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(text, options)
    except re2.error as error:
        raise ValueError(_re2_reason(error)) from None
    return compiled


def _refused_by_go(text: str) -> str:
    """Return why Go rejects an expression that RE2 accepts, "" when both accept it.

    Go has no ``\\C`` (a single byte) and no repeated group names (Go 1.27,
    regexp/syntax/parse.go).
    """
    bare = _QUOTED.sub("", text.replace("\\\\", ""))
    if "C" in _ESCAPED.findall(bare):
        return "invalid escape sequence: \\C"
    names = Counter(_NAMED.findall(_CLASS.sub("", _ESCAPED.sub("", bare))))
    repeated = [name for name, count in names.items() if count > 1]
    return f"duplicate capture group name: {repeated[0]}" if repeated else ""


def _re2_reason(error: Exception) -> str:
    """Return the message of an RE2 error, which is bytes."""
    message = error.args[0] if error.args else ""
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)


def _reason(error: Exception) -> str:
    """Return the first line of an error."""
    if isinstance(error, UnicodeEncodeError):
        return "invalid UTF-8"
    return (str(error) or type(error).__name__).partition("\n")[0]
