"""Tables that drop a column rather than cut a number, and the selection of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from memtui.render.cells import Line, Role, Span, cell_len, left, line, right


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its minimum width and its priority.

    Without room the column with the highest ``yields`` is dropped first; 0 always stays. ``text``
    columns are aligned to the left and cut if necessary; a last text column fills the width. All
    others hold numbers and are never cut.
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
    """Return the head line and one line for each row; a cell is a text, or a span with a role.

    The lines have at most ``width`` cells, unless the columns that always stay need more.
    ``widest`` keeps the largest width of each column by title, so that numbers do not jump
    sideways as rows change.
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
        _keep_widths(widest, columns, kept, widths, width)
    last = kept[-1]
    if columns[last].text:
        widths[last] += width - sum(widths[at] + 1 for at in kept) + 1
    shape = tuple((columns[at].text, widths[at]) for at in kept)
    head = _joined(tuple(Span(columns[at].title, "dim") for at in kept), shape)
    return head, [
        _joined(tuple(_as_span(row[at], columns[at].role) for at in kept), shape) for row in rows
    ]


def _keep_widths(
    widest: dict[str, int],
    columns: Sequence[Column],
    kept: Sequence[int],
    widths: list[int],
    width: int,
) -> None:
    """Widen columns to their last widths, as far as there is room, and store the new widths."""
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
    """Return the line of a row; ``shape`` has (is text, width) for each column.

    Results are cached: most rows are the same in the next paint.
    """
    spans: list[Span] = []
    for number, (cell, (is_text, width)) in enumerate(zip(row, shape, strict=True)):
        side = left if is_text else right
        spans.append(Span(("", " ")[number > 0] + side(cell.text, width), cell.role))
    return line(*spans)


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected row, and ``top``: the first row on the screen.

    Rows are numbers of a range, which starts above 0 if old rows were dropped. ``row`` None is
    always the last row: the selection follows new rows.
    """

    row: int | None = 0
    top: int = 0

    def moved(self, by: int, rows: range, *, tail: bool = False) -> Selection:
        """Move by some rows; at the end of a ``tail`` the selection follows new rows again."""
        row = self.at(rows) + by
        if tail and row >= rows.stop - 1:
            return replace(self, row=None)
        return replace(self, row=max(rows.start, min(rows.stop - 1, row)))

    def within(self, rows: range, height: int) -> Selection:
        """Return the selection with a ``top`` that makes the selected row visible."""
        row = self.at(rows)
        top = min(max(self.top, row - height + 1), row)
        top = max(rows.start, min(top, rows.stop - height))
        return Selection(None if self.row is None else row, top)

    def at(self, rows: range) -> int:
        """Return the number of the selected row; the first number of an empty range."""
        last = max(rows.start, rows.stop - 1)
        return last if self.row is None else max(rows.start, min(self.row, last))


FIRST = Selection()
"""The first row is selected."""


def selected_line(row: Line, width: int) -> Line:
    """Return a row drawn as selected: one role over the full width."""
    text = "".join(span.text for span in row)
    return (Span(left(text, width), "selected"),)
