"""Documents what is on the screen: what a field, column or plot means, and how it can mislead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtui.render.cells import Line, Role, Span, line, wrapped

LEAST_NAME_CELLS = 8


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """The documentation of a field, a column or a plot.

    ``words`` say what it means; ``trap`` says how it can mislead ("" if it cannot).
    """

    name: str
    words: str
    unit: str
    source: str
    trap: str = ""
    role: Role = "text"

    def lines(self, width: int, name_cells: int, *, is_selected: bool = False) -> list[Line]:
        """Return lines of at most ``width`` cells: the name, with the text beside it."""
        room = max(10, width - name_cells - 3)
        rows = wrapped(self.words, room)
        rows += wrapped(f"{self.unit} · {self.source}", room, "dim")
        if self.trap:
            rows += wrapped(f"trap: {self.trap}", room, "grow")
        start = line(
            Span("▸ " if is_selected else "  ", "key"),
            Span(f"{self.name:<{name_cells}} ", "key" if is_selected else self.role),
        )
        blank = line(" " * (name_cells + 3))
        return [(*(blank if number else start), *row) for number, row in enumerate(rows)]

    def hint(self) -> Line:
        """Return one line, the most important part first."""
        trap = f" · trap: {self.trap}" if self.trap else ""
        rest = f"  {self.unit} · {self.source}{trap}"
        return line(Span(self.name, self.role), f"  {self.words}", Span(rest, "dim"))


def doc_lines(docs: Sequence[FieldDoc], selected: int | None, width: int) -> tuple[list[Line], int]:
    """Return the lines of all ``docs``, and the number of the first line of the selected one."""
    name_cells = max([LEAST_NAME_CELLS, *(len(doc.name) for doc in docs)])
    lines: list[Line] = []
    first = 0
    for number, doc in enumerate(docs):
        if number == selected:
            first = len(lines)
        lines += doc.lines(width, name_cells, is_selected=number == selected)
    return lines, first
