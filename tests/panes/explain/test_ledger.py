"""The ledger as a bar and as a table: every part is seen, no number is cut."""

from memtui.diagnosis import Ledger, Point
from memtui.diagnosis.ledger import ledger_between
from memtui.panes.explain.ledger import ledger_bar, table_head, table_rows, total_row
from memtui.render.cells import cells, text_of

MIB = 1 << 20


def point(
    at: float, *, idle: int, live: int = 12, res: int | None = None, lazy: int | None = 0
) -> Point:
    """Return a moment of a Go program: sizes in MiB; without ``res`` nothing is unexplained."""
    parts = live + 6 + 2 + idle + 1 + 4 + 8 + (lazy or 0)
    return Point(
        at=at,
        res=(parts if res is None else res) * MIB,
        file=8 * MIB,
        shmem=0,
        lazy=None if lazy is None else lazy * MIB,
        alloc=(live + 6) * MIB,
        inuse=(live + 8) * MIB,
        unreturned=idle * MIB,
        live=live * MIB,
        stacks=1 * MIB,
        own=4 * MIB,
        spans=1 * MIB,
        caches=0,
        gc=3 * MIB,
        profiler=0,
        other=0,
    )


def ledger(before: Point, now: Point) -> Ledger:
    found = ledger_between(before, now)
    assert found
    return found


def drawn(found: Ledger, width: int, opened: bool = False) -> str:
    names = frozenset(part.name for part in found.parts) if opened else frozenset()
    rows = [ledger_bar(found, width), table_head(width)]
    rows += [row for _, row in table_rows(found, width, names)]
    return (
        "\n" + "\n".join(text_of(row).rstrip() for row in (*rows, total_row(found, width))) + "\n"
    )


STORY = ledger(point(0, idle=1), point(600, idle=21, live=13))


def test_the_parts_add_up_and_each_step_leads_from_res_then_to_res_now() -> None:
    assert drawn(STORY, 78) == (
        """
 RES 55.0M ████████████████▓▓▓▓▓▓▓▒▒▒░░░░░░░░░░░░░░░░░░░░░░░░░▚▞▞▞▞▞▤▤▤▤▤▤▤▤▤▤
   part                        bytes share   growth  RES then → now
 █ live heap                   13.0M   24%   +1.00M  ▶
 ▓ not yet collected           6.00M   11%        ·
 ▒ fragmentation               2.00M    4%        ·
 ░ freed, not returned         21.0M   38%   +20.0M   ━━━━━━━━━━━━━━━━━━━━━━▶
 ▚ stacks                      1.00M    2%        ·
 ▞ runtime's own               4.00M    7%        ·
 ▤ binary, mapped files        8.00M   15%        ·
 ▥ shared memory                   0    0%        ·
 ┄ lazily freed                    0    0%        ·
 · not explained by Go             0    0%        ·
   RES                         55.0M  100%   +21.0M
"""
    )


def test_what_a_part_consists_of_is_shown_when_it_is_opened() -> None:
    text = drawn(STORY, 60, opened=True)
    assert "     spans                     1.00M" in text
    assert "     collector                 3.00M" in text
    assert "caches" not in text


def test_what_could_not_be_read_is_unknown_and_never_0() -> None:
    found = ledger(point(0, idle=1, lazy=None), point(600, idle=1, lazy=None))
    row = next(row for row in drawn(found, 60).splitlines() if "lazily freed" in row)
    assert row == " ┄ lazily freed              unknown"


def test_what_was_mapped_and_never_touched_has_no_room_in_the_bar() -> None:
    found = ledger(point(0, idle=1, res=30), point(600, idle=1, res=30))
    assert "−" not in drawn(found, 78)
    assert "·" not in text_of(ledger_bar(found, 78))


def test_no_number_is_cut_at_any_width_and_no_bar_is_longer_than_its_room() -> None:
    for width in range(40, 200):
        text = drawn(STORY, width)
        assert all(number in text for number in ("21.0M", "+20.0M", "13.0M", "+1.00M"))
        assert cells(ledger_bar(STORY, width)) <= width
        for _, row in table_rows(STORY, width, frozenset()):
            assert cells(row) <= width, (width, text_of(row))
