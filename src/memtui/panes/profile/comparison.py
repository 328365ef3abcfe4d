"""What grew between two profiles: each function then and now, growth first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtui.panes.cells import Line, Span, line
from memtui.panes.profile import rowlist
from memtui.panes.profile.glyphs import DOWN
from memtui.panes.profile.rowlist import RowList
from memtui.panes.profile.values import amount, change, direction
from memtui.panes.table import Column
from memtui.plain import plain
from memtui.pprof.top import Row

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Change:
    """One function in the base and now, in the unit of the sample type."""

    name: str
    flat_before: int
    flat: int
    cum_before: int
    cum: int

    @property
    def growth(self) -> int:
        """By how much its own value grew; negative when it shrank."""
        return self.flat - self.flat_before

    @property
    def cum_growth(self) -> int:
        """By how much its value with all that it called grew."""
        return self.cum - self.cum_before


@dataclass(frozen=True, slots=True)
class Compared:
    """The functions that changed, growth first; their unit; the seconds between base and now.

    ``span_s`` None is not known: then there is no growth an hour.
    """

    changes: tuple[Change, ...]
    unit: str
    span_s: float | None = None

    def hourly(self, growth: int) -> float | None:
        """Return what a growth is an hour; None when the time is not known or has no length."""
        return growth / self.span_s * HOUR_S if self.span_s else None


def compared(
    base: Sequence[Row], now: Sequence[Row], unit: str, span_s: float | None = None
) -> Compared:
    """Join the functions of two profiles by name; what did not change is left out.

    The largest growth comes first and what shrank most last; among equal ones that with the
    larger change of cum.
    """
    before, after = {row.name: row for row in base}, {row.name: row for row in now}
    changes: list[Change] = []
    for name in {**after, **before}:
        then, row = before.get(name, Row(name, 0, 0)), after.get(name, Row(name, 0, 0))
        if (then.flat, then.cum) != (row.flat, row.cum):
            changes.append(Change(name, then.flat, row.flat, then.cum, row.cum))
    changes.sort(key=lambda each: (-each.growth, -each.cum_growth, each.name))
    return Compared(tuple(changes), unit, span_s)


def percent(before: int, now: int) -> str:
    """Write a growth in percent of what was there: +45%, −7%, new, gone, · for none."""
    if before == now:
        return "·"
    if before == 0:
        return "new"
    if now == 0:
        return "gone"
    grown = (now - before) / abs(before) * 100
    if abs(grown) >= 1000:
        return f"×{now / before:.0f}" if abs(now / before) < 1e4 else "×10⁴+"
    digits = f"{abs(grown):.0f}" if abs(grown) >= 1 else "<1"
    return f"{'+' if grown > 0 else '−'}{digits}%"


def hourly(growth: float | None, unit: str) -> str:
    """Write a growth an hour: +1.2M/h; nothing when it is not known."""
    return "" if growth is None else f"{change(round(growth), unit)}/h" if round(growth) else "·"


_COLUMNS = (
    Column(f"{DOWN}Δflat", 6),
    Column("grew", 5),
    Column("Δ/hour", 7, yields=4),
    Column("flat", 6, yields=3, role="live"),
    Column("Δcum", 6, yields=1),
    Column("cum", 6, yields=5),
    Column("function", 16, text=True),
)


def draw(
    data: Compared, state: RowList, width: int, height: int, *, focused: bool
) -> tuple[RowList, list[Line]]:
    """Return exactly ``height`` lines of at most ``width`` cells, the titles first.

    Beside them comes the state with the first row that was drawn.
    """
    columns = [each for each in _COLUMNS if data.span_s or each.title != "Δ/hour"]
    return rowlist.draw(
        columns,
        len(data.changes),
        lambda at: (_numbers(data, data.changes[at]), data.changes[at].name),
        state,
        width,
        height,
        focused=focused,
    )


def _numbers(data: Compared, each: Change) -> tuple[str | Span, ...]:
    role = direction(each.growth)
    per_hour = (Span(hourly(data.hourly(each.growth), data.unit), role),) if data.span_s else ()
    return (
        Span(change(each.growth, data.unit), role),
        Span(percent(each.flat_before, each.flat), role),
        *per_hour,
        Span(amount(each.flat, data.unit), "live" if each.flat else "dim"),
        Span(change(each.cum_growth, data.unit), direction(each.cum_growth)),
        amount(each.cum, data.unit),
    )


def hint(data: Compared, state: RowList) -> Line:
    """Say the change of the selected function in words, and its whole name."""
    if not data.changes:
        return line("nothing changed since the base")
    each = data.changes[state.selection.at(range(len(data.changes)))]
    then, now = amount(each.flat_before, data.unit), amount(each.flat, data.unit)
    per_hour = hourly(data.hourly(each.growth), data.unit)
    said = [
        Span(change(each.growth, data.unit), direction(each.growth)),
        Span(f" {then} → {now}"),
        Span(f" {per_hour}" if per_hour else "", "dim"),
    ]
    return line(*said, f"  {plain(each.name)}")
