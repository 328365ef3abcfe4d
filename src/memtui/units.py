"""Formats bytes, seconds and shares with units, which are written nowhere else."""

from __future__ import annotations

_STEPS = ("", "K", "M", "G", "T", "P", "E")


def size(count: int) -> str:
    """Format bytes in at most five cells with binary units, as top does: 61.2M, 1.62G, 812K, 0.

    Three significant digits, never fewer than the whole part; a minus sign adds a cell.
    """
    if count < 0:
        return "−" + size(-count)
    if count < 1024:
        return f"{count}B" if count else "0"
    value = float(count)
    step = 0
    while value >= 999.5 and step < len(_STEPS) - 1:
        value /= 1024
        step += 1
    if step == 1 and value >= 1:
        return f"{value:.0f}{_STEPS[step]}"
    return f"{_three_digits(value)}{_STEPS[step]}"


def _three_digits(value: float) -> str:
    for decimals, below in ((2, 9.995), (1, 99.95)):
        if value < below:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}"


def change(count: int) -> str:
    """Format a difference of bytes with its sign: +21.3M, −812K, · for 0."""
    if count == 0:
        return "·"
    return ("+" if count > 0 else "−") + size(abs(count))


def count_change(count: int) -> str:
    """Format a difference of a plain count with its sign; · for 0."""
    if count == 0:
        return "·"
    return f"{'+' if count > 0 else '−'}{abs(count)}"


def kib(count: int) -> str:
    """Format bytes in KiB without a unit, as the VSZ and RSS columns of ps do."""
    return str(count // 1024)


def share(part: int, whole: int) -> str:
    """Format a share of a whole as pprof does: 63.2%, 100%, 0%."""
    if part == 0 or whole == 0:
        return "0%"
    percent = abs(part / whole) * 100
    if 99.95 <= percent <= 100.05:
        return "100%"
    if percent >= 1:
        return f"{percent:.1f}%"
    return f"{percent:.2f}%" if percent >= 0.01 else "<0.01%"


def duration(seconds: float) -> str:
    """Format a duration with its two largest units: 3d04h, 2h07m, 5m09s, 42s."""
    whole = int(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}d{hours:02}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    if minutes:
        return f"{minutes}m{left:02}s"
    return f"{left}s"


def milliseconds(value: float) -> str:
    """Format milliseconds in at most four cells and a unit: 0.31ms, 12ms, 1.04s."""
    if value >= 1000:
        return f"{_three_digits(value / 1000)}s"
    if value >= 10:
        return f"{value:.0f}ms"
    return f"{value:.2g}ms" if value else "0ms"
