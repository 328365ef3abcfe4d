"""All rows of an explanation in their order: the causes, the ledger, the reasons."""

from __future__ import annotations

from memtui.diagnosis import Diagnosis, PartName
from memtui.panes.explain.ledger import bar, table_head, table_rows, total_row
from memtui.panes.explain.row import Row
from memtui.panes.explain.verdict import headline, reasons


def rows_of(diagnosis: Diagnosis, width: int, opened: frozenset[PartName]) -> list[Row]:
    """Return the rows in ``width`` cells; ``opened`` parts show what they consist of."""
    rows = headline(diagnosis, width)
    ledger = diagnosis.ledger
    if ledger is not None:
        rows += [Row(()), Row(bar(ledger, width - 1)), Row(()), Row(table_head(width))]
        rows += [Row(drawn, part) for part, drawn in table_rows(ledger, width, opened)]
        rows.append(Row(total_row(ledger, width)))
    return rows + reasons(diagnosis, width)
