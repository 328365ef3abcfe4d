"""Pane 1: a row a field."""

from collections.abc import Callable

from memtui.model import Absent, Ended, ProcessIdentity, ProcessSample, Trouble
from memtui.panes.fields import FIELDS
from memtui.panes.process import ProcessPane
from memtui.timeline import View

MIB = 1 << 20
ORDERS = ProcessIdentity(1234, 99, 1_794_999_000.0, "orders", ("./orders",), "shop", "go1.27.3")

Make = Callable[..., ProcessSample]
MakeView = Callable[..., View]
Draw = Callable[..., str]


def test_each_row_has_name_value_change_and_meaning(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    seen = view(
        (0, "process", ORDERS),
        (0, "process", process(res=40 * MIB, shr=8 * MIB, virt_bytes=1700 * MIB)),
        (60, "process", process(res=61 * MIB, shr=8 * MIB, virt_bytes=1700 * MIB)),
    )
    assert drawn(ProcessPane(), seen, 82, 8) == (
        """
╭ 1 process ─────────────────────────────────────────────────────────────────────╮
│ RES           61.0M   +21.0M in memory now: RssAnon + RssFile + RssShmem       │
│ RES−SHR       53.0M   +21.0M anonymous: leaks and retained heap grow it        │
│ SHR           8.00M        · file-backed memory and shmem                      │
│ RssAnon       53.0M   +21.0M part of RES: Go heap, stacks, runtime, C malloc   │
│ RssFile       8.00M        · part of RES: binary, mapped files; reclaimable    │
│ RssShmem          0        · part of RES: shared memory and tmpfs              │
╰───────────────────────────────────────────────────────────────────── 16 more ↓ ╯
"""
    )


def test_without_room_the_meaning_gives_way_and_no_number_is_cut(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    seen = view((0, "process", process(res=1023 * MIB)), (9, "process", process(res=100_000 * MIB)))
    assert drawn(ProcessPane(), seen, 33, 4) == (
        """
╭ 1 process ────────────────────╮
│ RES           97.7G     +96.7G│
│ RES−SHR       97.7G     +96.7G│
╰──────────────────── 20 more ↓ ╯
"""
    )


def test_what_may_not_be_read_says_so_and_is_never_zero(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    hidden = process(open_files=Absent.NO_ACCESS, swap_bytes=Absent.NOT_REPORTED)
    rows = drawn(ProcessPane(), view((0, "process", hidden)), 60, 30).splitlines()
    by_name = {row.split()[1]: row for row in rows if len(row.split()) > 2}
    assert "no access" in by_name["files"]
    assert "not reported" in by_name["SWAP"]


def test_cpu_is_the_share_of_a_core_between_two_samples(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    seen = view((0, "process", process(cpu_s=10.0)), (2, "process", process(cpu_s=13.0)))
    row = next(row for row in drawn(ProcessPane(), seen, 60, 30).splitlines() if "CPU" in row)
    assert "150%" in row


def test_names_of_ps_are_shown_as_ps_prints_them(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    seen = view(
        (0, "process", ORDERS),
        (0, "process", process(res=39_200 * 1024, virt_bytes=1_703_592 * 1024, state="Ssl+")),
    )
    picture = drawn(ProcessPane(), seen, 40, 30)
    assert "VSZ         1703592" in picture
    assert "RSS           39200" in picture
    assert "STAT           Ssl+" in picture
    assert "TTY               ?" in picture
    assert "Go         go1.27.3" in picture


def test_foreign_text_is_neither_markup_nor_control(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    hostile = ProcessIdentity(1, 1, 0.0, "x", ("[/x]", "\x1b[2J", "[red]"), "u", None)
    picture = drawn(ProcessPane(), view((0, "process", hostile), (0, "process", process())), 60, 30)
    assert "[/x] ␛[2J [red]" in picture


def test_a_process_that_ended_keeps_its_last_numbers(
    process: Make, view: MakeView, drawn: Draw
) -> None:
    seen = view((0, "process", process(res=7 * MIB)), (1, "process", Ended("process 1234 ended")))
    picture = drawn(ProcessPane(), seen, 40, 4)
    assert "ended" in picture
    assert "7.00M" in picture


def test_without_a_sample_the_trouble_is_shown(view: MakeView, drawn: Draw) -> None:
    seen = view((0, "process", Trouble("may not read /proc/1/status", "run as root", 4.0)))
    assert drawn(ProcessPane(), seen, 40, 6) == (
        """
╭ 1 process ───────────────────────────╮
│ may not read /proc/1/status          │
│ run as root                          │
│ next try at 11:06:44                 │
│                                      │
╰──────────────────────────────────────╯
"""
    )


def test_every_meaning_is_one_line_of_a_wide_pane() -> None:
    assert max(len(field.doc.words) for field in FIELDS) <= 48


def test_a_process_that_ended_before_it_was_read_says_so(view: MakeView, drawn: Draw) -> None:
    seen = view((0, "process", ORDERS), (0.2, "process", Ended("sh ended with exit code 1", 1)))
    assert drawn(ProcessPane(), seen, 40, 4) == (
        """
╭ 1 process ───────────────────────────╮
│ sh ended with exit code 1            │
│ it ended before the first reading    │
╰──────────────────────────────────────╯
"""
    )
