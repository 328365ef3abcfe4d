"""Round numbers and round times for the edges of a plot."""

from __future__ import annotations

import math
import time

_STEPS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 3 * 3600, 6 * 3600, 12 * 3600,
    86_400, 2 * 86_400, 7 * 86_400,
)  # fmt: skip
_DAY_S = 86_400


def times(start: float, end: float, most: int) -> list[tuple[float, str]]:
    """Return at most ``most`` round moments between two, and how each is written.

    Round by the clock of this machine's zone: 14:05:00, 14:05, and with its date at midnight and
    where days pass.
    """
    span_s = max(end - start, 1.0)
    step = next((each for each in _STEPS_S if span_s / each <= most), None)
    if step is None:
        step = math.ceil(span_s / most / _DAY_S) * _DAY_S
    east_s = time.localtime(start).tm_gmtoff
    first = math.ceil((start + east_s) / step) * step - east_s
    count = int((end - first) // step) + 1
    return [(at, _written(at, step)) for at in (first + step * place for place in range(count))]


def _written(at: float, step: int) -> str:
    then = time.localtime(at)
    if step >= _DAY_S:
        return time.strftime("%m-%d", then)
    if then.tm_hour == then.tm_min == then.tm_sec == 0:
        return time.strftime("%m-%d %H:%M", then)
    return time.strftime("%H:%M:%S" if step < 60 else "%H:%M", then)


def in_bytes(highest: float) -> list[float]:
    """Return the ticks of a scale of bytes from 0 on: three to five steps of a power of two."""
    return _ticks(highest, 2 ** max(0, math.ceil(math.log2(max(highest, 1) / 4))))


def in_tens(highest: float) -> list[float]:
    """Return the ticks of a scale from 0 on in steps of 1, 2 or 5 times a power of ten."""
    raw = max(highest, 1e-9) / 4
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= raw * (1 - 1e-9))
    return _ticks(highest, step)


def _ticks(highest: float, step: float) -> list[float]:
    count = max(1, math.ceil(highest / step - 1e-9))
    return [step * place for place in range(count + 1)]


def moment(at: float) -> str:
    """Write a moment (Unix seconds) as local date and time: 2026-11-22 14:03:20."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def zone(at: float) -> str:
    """Name the zone that moments are written in: "CET, UTC+01:00"."""
    then = time.localtime(at)
    sign, minutes = "+" if then.tm_gmtoff >= 0 else "−", abs(then.tm_gmtoff) // 60
    return f"{then.tm_zone}, UTC{sign}{minutes // 60:02}:{minutes % 60:02}"
