"""Tables: columns give way rather than numbers, and do not jump from side to side."""

from memtui.render.cells import text_of
from memtui.render.table import Column, table

COLUMNS = (Column("gc", 2), Column("pause", 5), Column("cpu", 3, yields=1))


def rows(widest: dict[str, int] | None, pause: str, width: int) -> str:
    """Return the one row of a table."""
    _, (row,) = table(COLUMNS, [("7", pause, "1%")], width, widest)
    return text_of(row)


def test_a_column_stays_as_wide_as_it_was_while_there_is_room() -> None:
    widest: dict[str, int] = {}
    assert rows(widest, "0.1", 20) == " 7   0.1  1%"
    assert rows(widest, "0.064321", 20) == " 7 0.064321  1%"
    assert rows(widest, "0.1", 20) == " 7      0.1  1%"
    assert rows(None, "0.1", 20) == " 7   0.1  1%"


def test_no_column_gives_way_for_what_was_wide_once() -> None:
    widest = {"pause": 30}
    assert rows(widest, "0.1", 14) == " 7     0.1  1%"
    assert rows(widest, "0.1", 12) == " 7   0.1  1%"
    assert rows(widest, "0.1", 11) == " 7      0.1"
