"""Scales of the plots: where a value stands between bottom and top, and ticks for people."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memtui import units
from memtui.panes.plot import scale

_LEAST_MS = 0.001
"""The runtime prints 0 for what took less than a microsecond."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis: ``place`` of a value, from 0 (bottom) to 1 (top), and ticks, ascending."""

    place: Callable[[float], float]
    ticks: Sequence[tuple[float, str]]

    def labels(self, height: int) -> dict[int, str]:
        """Return the label of each row that has one; ticks that are too close give way."""
        levels = height * 4 - 1
        every = 1
        while every < len(self.ticks) and height * every < len(self.ticks) * 1.5:
            every += 1
        return {
            (levels - round(self.place(value) * levels)) // 4: label
            for value, label in self.ticks[::every]
        }


def in_bytes(lowest: float, highest: float, height: int) -> Scale:
    """Return a scale from 0 with ticks at powers of two."""
    top, step = scale(max(1, int(highest)), max(1, height // 3))
    ticks = [(float(tick), _short(units.size(tick))) for tick in range(0, top + 1, step)]
    return Scale(lambda value: value / top, ticks)


def in_ms(lowest: float, highest: float, height: int) -> Scale:
    """Return a scale from 0 with ticks at 1, 2 or 5 times a power of ten, in milliseconds."""
    wanted = max(highest, _LEAST_MS) / max(1, height // 3)
    power = 10.0 ** math.floor(math.log10(wanted))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= wanted * 0.999)
    count = max(1, math.ceil(highest / step - 1e-9))
    ticks = [(number * step, time_tick(number * step)) for number in range(count + 1)]
    return Scale(lambda value: value / (step * count), ticks)


def in_ms_by_powers(lowest: float, highest: float, height: int) -> Scale:
    """Return a scale of powers of ten: pauses of 20 µs and marking of 20 ms are both seen."""
    bottom = math.floor(math.log10(max(lowest, _LEAST_MS)) + 1e-9)
    top = max(bottom + 1, math.ceil(math.log10(max(highest, _LEAST_MS)) - 1e-9))

    def place(value: float) -> float:
        return (math.log10(max(value, 10.0**bottom)) - bottom) / (top - bottom)

    ticks = [(10.0**power, time_tick(10.0**power)) for power in range(bottom, top + 1)]
    if lowest <= _LEAST_MS:
        ticks[0] = (ticks[0][0], f"<{ticks[0][1]}")
    return Scale(place, ticks)


def in_percent(lowest: float, highest: float, height: int) -> Scale:
    """Return a scale from 0 to 100."""
    steps = 4 if height >= 12 else 2
    ticks = [(tick, f"{tick:.0f}%") for tick in (100 * at / steps for at in range(steps + 1))]
    return Scale(lambda value: min(1.0, value / 100), ticks)


def time_tick(milliseconds: float) -> str:
    """Write a round time: 0, 10µs, 0.5ms, 20ms, 1s."""
    if not milliseconds:
        return "0"
    for unit, ms in (("s", 1000.0), ("ms", 1.0)):
        if milliseconds >= ms * 0.999:
            return f"{milliseconds / ms:.3g}{unit}"
    return f"{milliseconds * 1000:.3g}µs"


def _short(size: str) -> str:
    """Write a round size without its zeros: 16M."""
    return re.sub(r"\.0+(?=\D|$)", "", size)
