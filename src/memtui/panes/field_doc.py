"""What a field, a column or a plot means: in words, its unit, its source, and how it misleads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtui.render.cells import Line, Role, Span, line, wrapped

LEAST_NAME_CELLS = 8


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that is seen on the screen. ``trap`` is empty where there is none."""

    name: str
    says: str
    unit: str
    source: str
    trap: str = ""
    role: Role = "text"

    def lines(self, width: int, name_cells: int, *, is_at_hand: bool = False) -> list[Line]:
        """Return it as lines of at most ``width`` cells: the name, and the rest beside it."""
        room = max(10, width - name_cells - 3)
        rows = wrapped(self.says, room)
        rows += wrapped(f"{self.unit} · {self.source}", room, "dim")
        if self.trap:
            rows += wrapped(f"trap: {self.trap}", room, "grow")
        start = line(
            Span("▸ " if is_at_hand else "  ", "key"),
            Span(f"{self.name:<{name_cells}} ", "key" if is_at_hand else self.role),
        )
        blank = line(" " * (name_cells + 3))
        return [(*(blank if at else start), *row) for at, row in enumerate(rows)]

    def hint(self) -> Line:
        """Return it as one line, the most important first."""
        trap = f" · trap: {self.trap}" if self.trap else ""
        rest = f"  {self.unit} · {self.source}{trap}"
        return line(Span(self.name, self.role), f"  {self.says}", Span(rest, "dim"))


def sheet(meanings: Sequence[Meaning], at_hand: int | None, width: int) -> tuple[list[Line], int]:
    """Return all of them as lines, and the number of the line where that at hand begins."""
    name_cells = max([LEAST_NAME_CELLS, *(len(each.name) for each in meanings)])
    lines: list[Line] = []
    first = 0
    for number, each in enumerate(meanings):
        if number == at_hand:
            first = len(lines)
        lines += each.lines(width, name_cells, is_at_hand=number == at_hand)
    return lines, first
