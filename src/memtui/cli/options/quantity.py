"""Times and sizes as they are written on a command line."""

from __future__ import annotations

import re

import click

_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def period(text: str) -> float | None:
    """Return the seconds of "60", "60s", "5m", "1h", "7d", None for "off"; raise BadParameter."""
    text = text.strip().lower()
    if text == "off":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if seconds < 1:
        raise click.BadParameter(f"{text!r} is no time: write 60s, 5m, 1h, 7d or off")
    return seconds


def size(text: str) -> int:
    """Return the bytes of "256M", "1G", "512K" or "1000000"; raise BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)(?:i?b)?", text.strip().lower())
    count = int(float(found[1]) * _BYTES[found[2]]) if found else 0
    if count < 1:
        raise click.BadParameter(f"{text!r} is no size: write 256M, 1G or 512K")
    return count
