"""Formats values and percentages as ``go tool pprof`` does."""

from __future__ import annotations

from typing import NamedTuple


class _Kind(NamedTuple):
    """The units of one kind: name, aliases in lower case, and factor of each."""

    units: tuple[tuple[str, tuple[str, ...], float], ...]
    default: tuple[str, float]

    def find(self, name: str) -> tuple[str, float] | None:
        name = name.lower()
        if len(name.encode()) > 2:
            name = name.removesuffix("s")
        for written, aliases, factor in self.units:
            if name in aliases:
                return written, factor
        return None

    def fitting(self, value: float) -> tuple[str, float]:
        """Return the largest unit in which ``value`` (in the smallest unit) is at least 1."""
        fitting, most = self.default, 0.0
        for written, _, factor in self.units:
            if factor >= most and value / factor >= 1.0:
                fitting, most = (written, factor), factor
        return fitting


# From pprof (Go 1.27.3, internal/measurement).
_KINDS = (
    _Kind(
        (
            ("B", ("b", "byte"), 1.0),
            ("kB", ("kb", "kbyte", "kilobyte"), 2.0**10),
            ("MB", ("mb", "mbyte", "megabyte"), 2.0**20),
            ("GB", ("gb", "gbyte", "gigabyte"), 2.0**30),
            ("TB", ("tb", "tbyte", "terabyte"), 2.0**40),
            ("PB", ("pb", "pbyte", "petabyte"), 2.0**50),
        ),
        ("B", 1.0),
    ),
    _Kind(
        (
            ("ns", ("ns", "nanosecond"), 1.0),
            ("us", ("μs", "us", "microsecond"), 1e3),
            ("ms", ("ms", "millisecond"), 1e6),
            ("s", ("s", "sec", "second"), 1e9),
            ("hrs", ("hour", "hr"), 3600e9),
        ),
        ("s", 1e9),
    ),
    _Kind(
        (
            ("n*GCU", ("nanogcu",), 1e-9),
            ("u*GCU", ("microgcu",), 1e-6),
            ("m*GCU", ("milligcu",), 1e-3),
            ("GCU", ("gcu",), 1.0),
            ("k*GCU", ("kilogcu",), 1e3),
            ("M*GCU", ("megagcu",), 1e6),
            ("G*GCU", ("gigagcu",), 1e9),
            ("T*GCU", ("teragcu",), 1e12),
            ("P*GCU", ("petagcu",), 1e15),
        ),
        ("GCU", 1.0),
    ),
)
_UNWRITTEN = ("count", "sample", "unit", "minimum", "auto")


def scaled(value: int, unit: str, target: str) -> tuple[float, str]:
    """Return a value in another unit, and the name of that unit ("" for plain counts).

    "minimum" and "auto" choose the largest unit in which the value is at least 1. A target unit of
    another kind is replaced by the default unit of the value's kind.
    """
    if value < 0:
        amount, written = scaled(-value, unit, target)
        return -amount, written
    for kind in _KINDS:
        if (found := kind.find(unit)) is None:
            continue
        amount = float(value) * found[1]
        if target in ("minimum", "auto"):
            written, factor = kind.fitting(amount)
        else:
            written, factor = kind.find(target) or kind.default
        return amount / factor, written
    return float(value), "" if target in _UNWRITTEN else target


def same_kind(unit: str, other: str) -> bool:
    """Return whether values of the two units can be added, after scaling."""
    return unit == other or any(kind.find(unit) and kind.find(other) for kind in _KINDS)


def label(value: int, unit: str, target: str = "auto") -> str:
    """Return a value with its unit: ``label(1536, "bytes")`` is "1.50kB"; zero is "0"."""
    amount, written = scaled(value, unit, target)
    digits = f"{amount:.2f}".removesuffix(".00")
    return "0" if digits in ("0", "-0") else digits + written


def percent(value: int, total: int) -> str:
    """Return a percentage in six cells: " 2.33%", "  100%", "8e-05%"; "    0%" if total is 0."""
    ratio = abs(float(value) / float(total)) * 100 if total else 0.0
    if 99.95 <= ratio <= 100.05:
        return "  100%"
    return f"{ratio:5.2f}%" if ratio >= 1.0 else f"{ratio:5.2g}%"


def report_unit(values: list[tuple[int, int]], total: int, unit: str, target: str) -> str:
    """Return the unit for all (flat, cum) values of a report, given in ``unit``.

    "minimum" is the unit that fits the smallest value, or 100 times that value if the total needs
    a larger unit (pprof, internal/report: selectOutputUnit).
    """
    if target != "minimum" or not values:
        return target
    least = min((size for flat, cum in values if (size := abs(flat) or abs(cum))), default=total)
    _, small = scaled(least, unit, "minimum")
    _, large = scaled(total, unit, "minimum")
    if small != large and least * 100 < total:
        _, small = scaled(100 * least, unit, "minimum")
    return small or unit
