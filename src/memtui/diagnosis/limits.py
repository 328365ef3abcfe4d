"""Reads GOMEMLIMIT as the runtime does."""

from __future__ import annotations

import re

_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def memory_limit(text: str) -> int | None:
    """Read GOMEMLIMIT as the runtime does; None for off, and for what it would not take.

    Source: Go 1.27.3 runtime/mgcpacer.go readGOMEMLIMIT, runtime/string.go parseByteCount.
    """
    match = re.fullmatch(r"(\d+)(B|KiB|MiB|GiB|TiB)?", text)
    return int(match[1]) * _UNITS[match[2] or ""] if match else None
