"""Tables that drop a column rather than cut a number, and the row that is selected in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from memtui.render.cells import Line, Role, Span, cell_len, left, line, right


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its least width, and how soon it gives way (the highest ``yields`` goes first).

    A column that ``yields`` 0 always stays. ``text`` columns stand to the left and are cut where
    they must be; the last column, when it is one, takes the room that is left. All others hold
    numbers and are never cut.
    """

    title: str
    width: int
    yields: int = 0
    role: Role = "text"
    text: bool = False


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str | Span]],
    width: int,
    widest: dict[str, int] | None = None,
) -> tuple[Line, list[Line]]:
    """Return the head line and a line a row; each cell is a text, or a span with its own role.

    The lines take ``width`` cells at most, unless the columns that always stay take more.
    ``widest`` remembers by its title how wide each column was: where there is room it stays so,
    and numbers do not jump from side to side as rows come and go.
    """
    widths = [
        column.width if column.text else max([column.width, *(_cells(row[at]) for row in rows)])
        for at, column in enumerate(columns)
    ]
    kept = list(range(len(columns)))
    while sum(widths[at] + 1 for at in kept) - 1 > width:
        yielding = [at for at in kept if columns[at].yields]
        if not yielding:
            break
        kept.remove(max(yielding, key=lambda at: columns[at].yields))
    if widest is not None:
        _keep_wide(widest, columns, kept, widths, width)
    last = kept[-1]
    if columns[last].text:
        widths[last] += width - sum(widths[at] + 1 for at in kept) + 1
    shape = tuple((columns[at].text, widths[at]) for at in kept)
    head = _joined(tuple(Span(columns[at].title, "dim") for at in kept), shape)
    return head, [
        _joined(tuple(_as_span(row[at], columns[at].role) for at in kept), shape) for row in rows
    ]


def _keep_wide(
    widest: dict[str, int],
    columns: Sequence[Column],
    kept: Sequence[int],
    widths: list[int],
    width: int,
) -> None:
    """Widen columns to what they were, as far as there is room, and remember how wide they are."""
    free = width - sum(widths[at] + 1 for at in kept) + 1
    for at in kept:
        title = columns[at].title
        more = max(0, min(free, widest.get(title, 0) - widths[at]))
        widths[at] += more
        free -= more
        widest[title] = max(widest.get(title, 0), widths[at])


def _cells(cell: str | Span) -> int:
    return cell_len(cell if isinstance(cell, str) else cell.text)


def _as_span(cell: str | Span, role: Role) -> Span:
    return Span(cell, role) if isinstance(cell, str) else cell


@lru_cache(160)
def _joined(row: tuple[Span, ...], shape: tuple[tuple[bool, int], ...]) -> Line:
    """Return the line of a row; a column is text or numbers, and has a width.

    From one paint to the next most rows are the same.
    """
    spans: list[Span] = []
    for number, (cell, (is_text, width)) in enumerate(zip(row, shape, strict=True)):
        side = left if is_text else right
        spans.append(Span(("", " ")[number > 0] + side(cell.text, width), cell.role))
    return line(*spans)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which row is selected, and which is the first one on the screen.

    Rows go by the numbers of a range, which may begin above 0 when old rows were let go. ``row``
    None is the last one, whichever that is; so a tail follows its end.
    """

    row: int | None = 0
    top: int = 0

    def moved(self, by: int, rows: range, *, tail: bool = False) -> Selection:
        """Move by some rows; at the end of a ``tail`` the selection follows the end again."""
        row = self.at(rows) + by
        if tail and row >= rows.stop - 1:
            return replace(self, row=None)
        return replace(self, row=max(rows.start, min(rows.stop - 1, row)))

    def within(self, rows: range, height: int) -> Selection:
        """Return the same selection with a first row so that the selected one is seen."""
        row = self.at(rows)
        top = min(max(self.top, row - height + 1), row)
        top = max(rows.start, min(top, rows.stop - height))
        return Selection(None if self.row is None else row, top)

    def at(self, rows: range) -> int:
        """Return the number of the selected row (that of the first one when there is none)."""
        last = max(rows.start, rows.stop - 1)
        return last if self.row is None else max(rows.start, min(self.row, last))


FIRST = Selection()
"""The first row is selected."""


def selected_line(row: Line, width: int) -> Line:
    """Return a row as the selected one: one role from edge to edge."""
    text = "".join(span.text for span in row)
    return (Span(left(text, width), "selected"),)
